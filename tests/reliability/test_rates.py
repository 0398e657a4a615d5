"""Exchange rates from a feed that cannot be trusted, and what live money makes of their age."""

import itertools
import json
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from payments.adapters.aws import AwsClient
from payments.adapters.rates_feed import MAX_BYTES
from payments.adapters.store.rates import RatesStore
from payments.entry import TaskFailedError
from payments.model.clock import Clock
from payments.model.ids import Account, Mode
from payments.model.payment import Payment
from payments.money.exchange_rates import SNAPSHOT
from payments.wiring import Services
from tests.reliability.world import START_US, Answer, Stage, World
from tests.support.actors import order
from tests.support.events import load_event
from tests.support.feed import RATES, Feed, feed_body, saying, serve_feed

NOW = START_US // 1_000_000
HOUR = 3600


@pytest.fixture
def world(simulated: Stage) -> Iterator[World]:
    world = World(simulated)
    yield world
    world.close()


@pytest.fixture
def feed() -> Iterator[Feed]:
    with serve_feed() as feed:
        feed.answer = saying(feed_body(NOW))
        yield feed


def refresh(
    world: World, url: str, event: dict[str, Any] | None = None, clock: Clock | None = None
) -> dict[str, Any]:
    """One run of the function. Raises what Lambda would see."""
    environment = world.stage.aws.environments["RefreshRatesFunction"] | {"RATES_URL": url}
    handler: Any = world.stage.handlers["RefreshRatesFunction"]
    answers: list[dict[str, Any]] = []

    def run() -> None:
        handler.build(Services(environment, clock or world.scheduler))
        context = type("Context", (), {"aws_request_id": "simulated"})
        answers.append(handler(event or load_event("refresh_rates"), context))

    world.run(run)
    return answers[0]


def refusal(world: World, url: str, clock: Clock | None = None) -> str:
    """The reason in the log of a run that got no rates: it failed and changed nothing."""
    before = stored(world)
    with pytest.raises(TaskFailedError):
        refresh(world, url, clock=clock)
    assert stored(world) == before
    assert metrics(world)["RatesRefreshed"] == 0
    (line,) = [line for line in log(world) if line.get("message") == "the feed gave no rates"]
    return str(line["reason"])


def stored(world: World) -> Any:
    table = world.stage.aws.environments["RefreshRatesFunction"]["RATES_TABLE"]
    return RatesStore(AwsClient(world.stage.outside), table).read()


def log(world: World) -> list[dict[str, Any]]:
    return [json.loads(line) for line in world.stage.log.getvalue().splitlines() if line]


def metrics(world: World) -> dict[str, float]:
    """The last value of each metric that was emitted."""
    found = {}
    for line in log(world):
        for group in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert group["Namespace"] == "Payments"
            for metric in group["Metrics"]:
                found[metric["Name"]] = line[metric["Name"]][0]
    return found


def create(world: World, mode: Mode, key: str | None = None, **changes: Any) -> Answer:
    answers: list[Answer] = []
    headers = {"Idempotency-Key": key} if key else {}
    body = order(**changes)
    world.run(
        lambda: answers.append(
            world.request(
                "CreatePaymentFunction", "POST", "/v1/payments", body, None, headers, mode
            )
        )
    )
    return answers[0]


def payment_of(world: World, mode: Mode, answer: Answer) -> Payment:
    assert answer.status == 202, answer.body
    account = Account(world.merchant.id, mode)
    found = world.payments.get(account, answer.body["data"]["id_payment"])
    assert found is not None
    return found


# ------------------------------------------------------------------------------ the age of rates


def test_a_quote_is_fixed_on_the_payment_with_its_source_and_time(world: World, feed: Feed) -> None:
    refresh(world, feed.url)
    payment = payment_of(world, Mode.LIVE, create(world, Mode.LIVE, currency="EUR"))

    assert payment.quote is not None
    assert payment.quote.charge == Decimal("0.86")
    assert payment.quote.local == Decimal("501.25")
    assert (payment.quote.source, payment.quote.at) == ("127.0.0.1", NOW)
    # 500.00 EUR: 5 % is 25.00 and half a dollar 0.43; 474.57 EUR are 551.83 dollars.
    assert (payment.fee_minor, payment.net_minor, payment.net_currency) == (2543, 55183, "USD")

    feed.answer = saying(feed_body(NOW + HOUR, RATES | {"EUR": 0.95}))
    world.scheduler.wait(HOUR)
    refresh(world, feed.url)
    later = payment_of(world, Mode.LIVE, create(world, Mode.LIVE, currency="EUR"))
    unchanged = world.payments.get(payment.account, payment.id)

    assert later.quote is not None
    assert later.quote.charge == Decimal("0.95")
    assert unchanged == payment


def test_before_the_first_refresh_the_snapshot_serves_test_mode_and_says_so(world: World) -> None:
    payment = payment_of(world, Mode.TEST, create(world, Mode.TEST, currency="EUR"))

    assert payment.quote is not None
    assert payment.quote.source == "snapshot 2026-10-30"
    assert payment.net_currency == "USD"


@pytest.mark.parametrize("currency", ["EUR", "AED"], ids=["too old", "missing"])
def test_before_the_first_refresh_live_money_does_not_change_currency(
    world: World, currency: str
) -> None:
    answer = create(world, Mode.LIVE, currency=currency)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert answer.body["content"].startswith("There is no current exchange rate")
    assert create(world, Mode.LIVE, currency="USD").status == 202


def test_rates_serve_live_money_for_48_hours_and_not_longer(world: World, feed: Feed) -> None:
    refresh(world, feed.url)
    statuses = {}
    for hours in (0, 47, 48, 49):
        world.scheduler.wait(NOW + hours * HOUR - world.scheduler.now_us() // 1_000_000)
        statuses[hours] = create(world, Mode.LIVE, currency="EUR").status

    assert statuses == {0: 202, 47: 202, 48: 202, 49: 503}
    assert create(world, Mode.TEST, currency="EUR").status == 202


def test_a_replay_needs_no_rates(world: World, feed: Feed) -> None:
    refresh(world, feed.url)
    first = create(world, Mode.LIVE, "order-1", currency="EUR")
    world.scheduler.wait(24 * HOUR)
    feed.answer = saying(feed_body(1, RATES))
    world.stage.outside.delete_item(
        TableName=world.stage.aws.environments["RefreshRatesFunction"]["RATES_TABLE"],
        Key={"id": {"S": "usd"}},
    )

    assert create(world, Mode.LIVE, currency="EUR").status == 503
    replay = create(world, Mode.LIVE, "order-1", currency="EUR")
    assert (replay.status, replay.body) == (202, first.body)


def test_a_replay_for_want_of_rates_still_tells_another_body_from_the_first(
    world: World, feed: Feed
) -> None:
    refresh(world, feed.url)
    create(world, Mode.LIVE, "order-1", currency="EUR")
    world.scheduler.wait(49 * HOUR // 2)
    world.stage.outside.delete_item(
        TableName=world.stage.aws.environments["RefreshRatesFunction"]["RATES_TABLE"],
        Key={"id": {"S": "usd"}},
    )

    other = create(world, Mode.LIVE, "order-1", currency="EUR", amount="7.00")
    assert (other.status, other.body["reason"]) == (409, "key_reused")


def test_a_503_for_want_of_rates_binds_no_key(world: World, feed: Feed) -> None:
    assert create(world, Mode.LIVE, "order-1", currency="EUR").status == 503
    assert create(world, Mode.LIVE, "order-1", currency="USD").status == 202


def test_an_order_that_was_refused_for_want_of_rates_is_made_by_the_next_try(
    world: World, feed: Feed
) -> None:
    assert create(world, Mode.LIVE, "order-1", currency="EUR").status == 503
    refresh(world, feed.url)
    world.scheduler.wait(301)
    answer = create(world, Mode.LIVE, "order-1", currency="EUR")

    assert payment_of(world, Mode.LIVE, answer).net_currency == "USD"


def test_rates_are_as_old_as_the_feed_says_and_not_as_young_as_the_fetch(
    world: World, feed: Feed
) -> None:
    feed.answer = saying(feed_body(NOW - 49 * HOUR))
    assert refresh(world, feed.url)["taken"] == 4
    assert create(world, Mode.LIVE, currency="EUR").status == 503


def test_a_feed_from_the_future_is_as_old_as_its_fetch(world: World, feed: Feed) -> None:
    feed.answer = saying(feed_body(NOW + 1000 * HOUR))
    refresh(world, feed.url)
    assert stored(world).known["EUR"].at == NOW


# ------------------------------------------------------------------------------ one rate is wrong


def test_a_good_answer_is_taken_and_counted(world: World, feed: Feed) -> None:
    answer = refresh(world, feed.url)

    missing = SNAPSHOT.known.keys() - RATES.keys()
    assert answer == {"taken": 4, "kept": dict.fromkeys(sorted(missing), "missing")}
    assert metrics(world) == {"RatesRefreshed": 4, "RatesRejected": len(missing)}
    assert stored(world).per_usd("AED") == Decimal("3.6725")


WRONG_RATES: dict[str, Any] = {
    "zero": 0,
    "negative": -0.86,
    "a string": "0.86",
    "null": None,
    "true": True,
    "a list": [0.86],
    "far too large": 1e30,
    "far too small": 1e-30,
    "missing": ...,
    "a jump up": 0.86 * 1.21,
    "a jump down": 0.86 * 0.79,
}


@pytest.mark.parametrize("wrong", WRONG_RATES.values(), ids=WRONG_RATES.keys())
def test_a_wrong_rate_keeps_the_old_one_and_raises_an_alarm(
    world: World, feed: Feed, wrong: Any
) -> None:
    whole = RATES | dict.fromkeys(SNAPSHOT.known.keys() - RATES.keys(), 1)
    feed.answer = saying(feed_body(NOW, RATES | {"XXX": 5, "Ü": {}}))
    refresh(world, feed.url)
    good = stored(world).known

    changed = {code: 500 if code == "CRC" else rate for code, rate in whole.items()}
    changed |= {code: float(good[code].per_usd) for code in SNAPSHOT.known.keys() - RATES.keys()}
    changed["EUR"] = wrong
    sent = {code: rate for code, rate in changed.items() if rate is not ...}
    feed.answer = saying(feed_body(NOW + 60, sent))
    world.scheduler.wait(60)
    answer = refresh(world, feed.url)

    after = stored(world).known
    assert list(answer["kept"]) == ["EUR"]
    assert metrics(world)["RatesRejected"] == 1
    assert after["EUR"] == good["EUR"]
    assert (after["CRC"].per_usd, after["CRC"].at) == (500, NOW + 60)


def test_a_rate_that_was_kept_refuses_live_money_once_it_is_old(world: World, feed: Feed) -> None:
    refresh(world, feed.url)
    world.scheduler.wait(49 * HOUR)
    feed.answer = saying(feed_body(NOW + 49 * HOUR, RATES | {"EUR": 1.5}))
    refresh(world, feed.url)

    assert create(world, Mode.LIVE, currency="EUR").status == 503
    assert create(world, Mode.LIVE, currency="MXN").status == 202

    assert refresh(world, feed.url, {"accept": ["EUR"]})["kept"].get("EUR") is None
    world.scheduler.wait(301)
    assert create(world, Mode.LIVE, currency="EUR").status == 202


def test_an_older_answer_than_the_last_changes_nothing(world: World, feed: Feed) -> None:
    refresh(world, feed.url)
    before = stored(world)
    feed.answer = saying(feed_body(NOW - HOUR, RATES | {"EUR": 0.9}))

    assert refresh(world, feed.url)["taken"] == 0
    assert stored(world) == before


def test_a_rate_with_more_digits_than_can_be_kept_is_rounded(world: World, feed: Feed) -> None:
    body = feed_body(NOW).replace(b"0.86", b"0.86" + b"1" * 5000)
    feed.answer = saying(body)
    refresh(world, feed.url)
    assert stored(world).per_usd("EUR") == Decimal("0.861111111111")


# ------------------------------------------------------------------------------ the answer is wrong

WRONG_BODIES: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"<html>Too many requests</html>",
    "cut off": feed_body(NOW)[:-20],
    "not UTF-8": b"\xff\xfe\x00",
    "not a number": feed_body(NOW).replace(b"0.86", b"NaN"),
    "infinite": feed_body(NOW).replace(b"0.86", b"-Infinity"),
    "an exponent beyond all": feed_body(NOW).replace(b"0.86", b"1e99999999999999999999"),
    "nested without end": b"[" * 100_000,
    "a list": b"[]",
    "null": b"null",
    "an error": feed_body(NOW, result="error"),
    "another base": feed_body(NOW, base_code="EUR"),
    "a dollar that is no dollar": feed_body(NOW, RATES | {"USD": 2}),
    "no dollar": feed_body(NOW, {"EUR": 0.86}),
    "rates as a list": feed_body(NOW, [1, 2]),
    "no rates": feed_body(NOW, rates=...),
    "no time": feed_body(NOW, time_last_update_unix=...),
    "its time a string": feed_body(NOW, time_last_update_unix="yesterday"),
    "its time before all time": feed_body(NOW).replace(b": %d" % NOW, b": -1e999999"),
}


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES.keys())
def test_an_answer_that_is_no_feed_changes_nothing(world: World, feed: Feed, body: bytes) -> None:
    refresh(world, feed.url)
    feed.answer = saying(body)
    assert refusal(world, feed.url)


@pytest.mark.parametrize("status", [204, 304, 403, 404, 429, 500, 503])
def test_a_feed_that_answers_with_an_error_changes_nothing(
    world: World, feed: Feed, status: int
) -> None:
    feed.answer = saying(b"" if status in (204, 304) else feed_body(NOW), status)
    assert refusal(world, feed.url) == f"status {status}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_private_address_is_not_followed(
    world: World, feed: Feed, status: int
) -> None:
    with serve_feed() as private:
        private.answer = saying(feed_body(NOW))
        feed.answer = saying(b"", status, Location=private.url)
        assert refusal(world, feed.url) == f"status {status}"
        assert (feed.asked, private.asked) == (1, 0)


def test_a_huge_answer_is_left_unread(world: World, feed: Feed) -> None:
    sent = [0]

    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(1000):
            sent[0] += request.wfile.write(b" " * MAX_BYTES)

    feed.answer = endless
    assert refusal(world, feed.url) == "too large"
    assert sent[0] < 100 * MAX_BYTES


def test_a_huge_answer_in_a_small_parcel_is_not_unpacked(world: World, feed: Feed) -> None:
    feed.answer = saying(b"\x1f\x8b" + b"\x00" * 1000, Content_Encoding="gzip")
    assert refusal(world, feed.url) == "not JSON"


def test_an_answer_shorter_than_it_says_is_refused(world: World, feed: Feed) -> None:
    body = feed_body(NOW)
    feed.answer = saying(body, Content_Length=str(len(body) + 1))
    assert refusal(world, feed.url) == "ProtocolError"


def test_a_silent_feed_is_given_up_within_seconds(world: World, feed: Feed) -> None:
    feed.answer = lambda _request: time.sleep(8)
    started = time.monotonic()
    assert refusal(world, feed.url) == "ReadTimeoutError"
    assert time.monotonic() - started < 7


class _Hurried:
    """A clock on which every look takes a second."""

    def __init__(self) -> None:
        self._ticks = itertools.count(NOW)

    def now_us(self) -> int:
        return next(self._ticks) * 1_000_000

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody sleeps here for {seconds} seconds")


def test_a_feed_that_drips_is_given_up_at_its_deadline(world: World, feed: Feed) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for number in range(1000):
            request.wfile.write(feed_body(NOW)[number : number + 1])
            time.sleep(0.01)

    feed.answer = drip
    assert refusal(world, feed.url, _Hurried()) == "too slow"


def test_a_feed_that_is_not_there_changes_nothing(world: World) -> None:
    with serve_feed() as gone:
        url = gone.url
    assert refusal(world, url) == "NewConnectionError"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://open.er-api.com/v6/latest/USD",
        "http://127.0.0.1.example/",
        "http://169.254.169.254/latest/meta-data/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
    ],
)
def test_only_https_is_asked_except_on_this_machine(world: World, url: str) -> None:
    assert refusal(world, url) == "the feed must be https"


def test_a_feed_without_a_certificate_to_trust_is_not_believed(
    world: World, tmp_path: Path
) -> None:
    with serve_feed(_self_signed(tmp_path)) as feed:
        feed.answer = saying(feed_body(NOW))
        assert refusal(world, feed.url) == "SSLError"
        assert feed.asked == 0


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "feed.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
