"""Exchange rates: what is known of them, and the quote that a payment keeps.

Rates are kept as feeds give them, in units per US dollar: exact, and short. Their inverse is made
only to be shown.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal

from payments.money import snapshot
from payments.money.amounts import PRECISE
from payments.money.currencies import MINOR_UNIT_DIGITS

DOLLAR = "USD"
SIGNIFICANT_DIGITS = 12
# A rate that changes by more than this between two refreshes is more often wrong than real.
MAX_JUMP = Decimal("0.20")
_SHOWN = Context(prec=SIGNIFICANT_DIGITS)


@dataclass(frozen=True, slots=True)
class Rate:
    """Units per US dollar; who said so, and for when (seconds since 1970)."""

    per_usd: Decimal
    source: str
    at: int


@dataclass(frozen=True, slots=True)
class Quote:
    """The rates of one payment, fixed when it was created. Units per US dollar, None: unknown.

    `source` and `at` are those of the oldest rate in it; None where only dollars are involved.
    """

    charge: Decimal | None
    local: Decimal | None
    net: Decimal | None
    fee: Decimal | None
    source: str | None = None
    at: int | None = None

    @property
    def usd_per_charge(self) -> Decimal | None:
        """US dollars per unit of the charge currency, to be shown."""
        return _SHOWN.divide(Decimal(1), self.charge) if self.charge else None


def converted(
    minor: Decimal, given: str, given_per_usd: Decimal, wanted: str, wanted_per_usd: Decimal
) -> Decimal:
    """In minor units of the wanted currency, not yet whole ones."""
    shift = MINOR_UNIT_DIGITS[wanted] - MINOR_UNIT_DIGITS[given]
    product = PRECISE.multiply(minor, wanted_per_usd).scaleb(shift, PRECISE)
    return PRECISE.divide(product, given_per_usd)


@dataclass(frozen=True, slots=True)
class Rates:
    """Every rate known at a moment. The dollar's own is left out: it is always one."""

    known: Mapping[str, Rate]

    def per_usd(self, currency: str) -> Decimal | None:
        if currency == DOLLAR:
            return Decimal(1)
        rate = self.known.get(currency)
        return rate.per_usd if rate else None

    def convert(self, minor: int, given: str, wanted: str) -> Decimal | None:
        """In minor units of the wanted currency, not yet whole ones; None without a rate."""
        if given == wanted:
            return Decimal(minor)
        given_per_usd, wanted_per_usd = self.per_usd(given), self.per_usd(wanted)
        if given_per_usd is None or wanted_per_usd is None:
            return None
        return converted(Decimal(minor), given, given_per_usd, wanted, wanted_per_usd)

    def quote(self, *, charge: str, local: str, net: str, fee: str) -> Quote:
        """What a payment keeps; `fee` is the currency of its fee's fixed part."""
        used = [self.known[code] for code in (charge, local, net, fee) if code in self.known]
        oldest = min(used, key=lambda rate: rate.at, default=None)
        return Quote(
            charge=self.per_usd(charge),
            local=self.per_usd(local),
            net=self.per_usd(net),
            fee=self.per_usd(fee),
            source=oldest.source if oldest else None,
            at=oldest.at if oldest else None,
        )

    def lacks(self, currencies: Iterable[str], since: int = 0) -> bool:
        """Whether a currency has no rate, or none that is at least as young as `since`."""
        return any(
            code not in self.known or self.known[code].at < since
            for code in currencies
            if code != DOLLAR
        )


SNAPSHOT = Rates(
    {
        code: Rate(per_usd, f"snapshot {snapshot.DATE}", snapshot.AT)
        for code, per_usd in snapshot.PER_USD.items()
    }
)


@dataclass(frozen=True, slots=True)
class Merged:
    """The rates to go on with, how many of them are the feed's, and which were kept and why."""

    rates: Rates
    taken: int
    kept: Mapping[str, str]


def merge(known: Rates, offered: Rates, accepted: Collection[str] = ()) -> Merged:
    """What a feed offers, as far as it is plausible; for the rest what was known before.

    `accepted` currencies may jump: somebody has checked that the jump is real.
    """
    kept: dict[str, str] = {}
    taken: dict[str, Rate] = {}
    for code, rate in offered.known.items():
        before = known.known.get(code)
        if before and before.at > rate.at:
            continue  # what we have is younger already
        if before and code not in accepted and _jumps(before.per_usd, rate.per_usd):
            kept[code] = "jump"
        else:
            taken[code] = rate
    kept |= dict.fromkeys(known.known.keys() - offered.known.keys(), "missing")
    return Merged(Rates({**known.known, **taken}), len(taken), dict(sorted(kept.items())))


def _jumps(before: Decimal, after: Decimal) -> bool:
    return abs(after - before) > before * MAX_JUMP
