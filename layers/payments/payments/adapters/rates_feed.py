"""The feed that rates are refreshed from. Implausible rates are left out.

The format is that of open.er-api.com. Redirects are not followed, so the address that was
configured is the only one ever asked.
"""

import json
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, NoReturn
from urllib.parse import urlsplit

import urllib3

from payments.errors import UnavailableError
from payments.model.clock import Clock
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.money.exchange_rates import DOLLAR, SIGNIFICANT_DIGITS, Rate, Rates

MAX_BYTES = 256 * 1024
TOTAL_SECONDS = 15
_TIMEOUT = urllib3.Timeout(connect=5, read=5)
_LOCAL = frozenset(("http", host) for host in ("localhost", "127.0.0.1", "::1"))
_LOWEST, _HIGHEST = Decimal("1e-6"), Decimal("1e9")
_ROUNDING = Context(prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN)


class RatesFeedError(UnavailableError):
    """The feed gave no rates. Its text says why and never what was received."""


class RatesFeed:
    """One address. Each fetch is one request, with its own connection."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock

    def __call__(self) -> Rates:
        """Rates for the currencies that have a plausible one. Raises RatesFeedError."""
        parts = urlsplit(self._url)
        if parts.scheme != "https" and (parts.scheme, parts.hostname) not in _LOCAL:
            raise RatesFeedError("the feed must be https")
        try:
            body = self._fetch()
        except urllib3.exceptions.HTTPError as error:
            raise RatesFeedError(type(error).__name__) from None
        return read_feed(body, parts.hostname or "", self._clock.now_us() // 1_000_000)

    def _fetch(self) -> bytes:
        """Every wait has its timeout, and the body as a whole a deadline and a size."""
        deadline_us = self._clock.now_us() + TOTAL_SECONDS * 1_000_000
        with urllib3.PoolManager(timeout=_TIMEOUT, retries=False) as pool:
            response = pool.request("GET", self._url, redirect=False, preload_content=False)
            try:
                if response.status != 200:
                    raise RatesFeedError(f"status {response.status}")
                body = b""
                while chunk := response.read1(MAX_BYTES, decode_content=False):
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise RatesFeedError("too large")
                    if self._clock.now_us() > deadline_us:
                        raise RatesFeedError("too slow")
                return body
            finally:
                response.close()


def read_feed(body: bytes, source: str, now_seconds: int) -> Rates:
    """The rates in a feed's response, without the implausible ones. Raises RatesFeedError."""
    try:
        parsed = json.loads(
            body, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, ArithmeticError, RecursionError):
        raise RatesFeedError("not JSON") from None
    if not isinstance(parsed, Mapping):
        raise RatesFeedError("not an object")
    at, rates = parsed.get("time_last_update_unix"), parsed.get("rates")
    if parsed.get("result") != "success" or not isinstance(rates, Mapping):
        raise RatesFeedError("no rates in it")
    if parsed.get("base_code") != DOLLAR or rates.get(DOLLAR) != 1:
        raise RatesFeedError("not per US dollar")
    if not isinstance(at, Decimal) or at <= 0:
        raise RatesFeedError("without its time")
    # A feed's clock that is ahead must not make its rates younger than they are.
    at_seconds = int(min(at, Decimal(now_seconds)))
    return Rates(
        {
            code: Rate(_ROUNDING.plus(value), source, at_seconds)
            for code, value in rates.items()
            if code in MINOR_UNIT_DIGITS and code != DOLLAR and _is_plausible(value)
        }
    )


def _is_plausible(value: Any) -> bool:
    return isinstance(value, Decimal) and _LOWEST <= value <= _HIGHEST


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
