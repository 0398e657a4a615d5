"""Section 8 of the contract, seen by merchants and shoppers: decimals, fees, nets and rates."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from local.emulator.demo import SECOND_MERCHANT_KEY, TEST_KEY
from payments.adapters.store.items import to_item
from payments.model.ids import Mode
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.money.snapshot import PER_USD
from tests.conftest import StackFor
from tests.support.actors import Checkout, Shop, Shopper, open_shop
from tests.support.documentation import LISTED, envelope
from tests.support.events import load_event
from tests.support.feed import Feed, feed_body, saying, serve_feed
from tests.support.html import Page
from tests.support.operator import operate, printed
from tests.support.records import stored
from tests.support.stack import Stack

MONEY = (
    *("amount", "fee", "currency", "currency_local", "net", "net_currency", "test"),
    *(key for key in LISTED if key.startswith("exchange_")),
)


def row_of(shop: Shop, checkout: Checkout) -> dict[str, Any]:
    """The payment in its merchant's list, numbers as they are written."""
    rows = json.loads(shop.list(limit=100).text, parse_float=Decimal, parse_int=Decimal)
    (row,) = [row for row in rows if row["id"] == checkout.id]
    found: dict[str, Any] = row
    return found


def amount_in(currency: str) -> str:
    """An amount that uses every decimal the currency has, and needs no thousands separator."""
    digits = MINOR_UNIT_DIGITS[currency]
    return f"7.{'6543'[:digits]}" if digits else "765"


# ------------------------------------------------------------------------------ decimals


# One currency for each number of decimals; every currency is in tests/unit/test_payment_request.py,
# tests/unit/test_views.py and tests/unit/test_amounts_shown.py.
@pytest.mark.parametrize("currency", ["JPY", "CRC", "KWD", "UYW"])
def test_a_currency_goes_round_with_its_own_decimals(
    currency: str, shop: Shop, shopper: Shopper
) -> None:
    amount = amount_in(currency)
    checkout = shop.checkout(amount=amount, currency=currency)

    assert checkout.data["product"]["currency"] == currency
    assert str(checkout.data["product"]["price"]) == str(float(amount))
    view = shop.payment(checkout.id)
    assert (view["amount"], view["currency"]) == (amount, currency)
    row = row_of(shop, checkout)
    assert (row["amount"], row["currency"]) == (Decimal(amount), currency)
    shown = Page(shopper.open(checkout.redirect)).text
    assert re.search(rf"(?<![\d.,]){re.escape(amount)}(?![\d.,]\d|\d)", shown), shown


@pytest.mark.parametrize("currency", ["JPY", "CRC", "KWD", "UYW"])
def test_no_currency_takes_more_decimals_than_it_has(currency: str, shop: Shop) -> None:
    too_fine = "1." + "0" * MINOR_UNIT_DIGITS[currency] + "1"
    envelope(shop.create(amount=too_fine, currency=currency), 400, "errors")


# ------------------------------------------------------------------------------ the documentation


@pytest.mark.parametrize("key", [TEST_KEY, SECOND_MERCHANT_KEY])
def test_the_list_example_comes_out_key_for_key_and_its_money_to_the_digit(
    stack: Stack, shopper: Shopper, key: str
) -> None:
    shop = Shop(stack, key)
    checkout = shop.checkout(amount="100.00")
    assert shopper.pay(checkout).status_code == 200

    (row,) = [row for row in shop.list(limit=100).json() if row["id"] == checkout.id]

    assert list(row) == list(LISTED)
    assert {name: row[name] for name in MONEY} == {name: LISTED[name] for name in MONEY}
    assert row["status"] == LISTED["status"]
    written = json.dumps({name: row[name] for name in MONEY})
    assert written == json.dumps({name: LISTED[name] for name in MONEY})


def test_the_local_stack_says_which_rates_it_has_and_fetches_none(stack: Stack) -> None:
    assert "Exchange rates: the snapshot of 2026-10-30; nothing is fetched" in stack.log
    assert stack.rows("RatesTable") == []


def test_a_payment_keeps_its_quote_with_source_and_time_in_less_than_a_kilobyte(
    stack: Stack,
) -> None:
    shop = Shop(stack, TEST_KEY)
    checkout = shop.checkout()
    row = stored(stack, checkout)

    assert row["quote"] == {
        "charge": 1,
        "local": Decimal("533.48"),
        "net": 1,
        "fee": 1,
        "source": "snapshot 2026-10-30",
        "at": 1793318400,
    }
    assert sum(len(name) + _size(value) for name, value in to_item(row).items()) <= 1024


def _size(value: dict[str, Any]) -> int:
    """As DynamoDB counts an attribute's bytes, rounded up."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content) // 2 + 2
        case "M":
            return 3 + sum(len(name) + 1 + _size(inner) for name, inner in content.items())
        case "L":
            return 3 + sum(1 + _size(inner) for inner in content)
        case _:
            return 1


# ------------------------------------------------------------------------------ conversion


def test_a_charge_in_another_currency_is_settled_in_the_merchant_s(shop: Shop) -> None:
    row = row_of(shop, shop.checkout(amount="100.00", currency="EUR"))

    per_usd = PER_USD["EUR"]
    fee = (Decimal(5) + Decimal("0.50") * per_usd).quantize(Decimal("0.01"))
    assert (row["fee"], row["net_currency"]) == (fee, "USD")
    assert row["net"] == ((100 - fee) / per_usd).quantize(Decimal("0.01"))
    assert abs(row["exchange_original_local_to_usd"] - 1 / per_usd) < Decimal("1e-10")
    assert row["exchange_usd_to_local"] == Decimal("533.48")


def test_a_test_charge_without_a_rate_stays_in_its_currency(shop: Shop) -> None:
    """Which currencies have no rate is tested in tests/unit/test_fees.py."""
    currency = "UYW"
    assert currency not in PER_USD
    row = row_of(shop, shop.checkout(amount=amount_in(currency), currency=currency))

    assert row["net_currency"] == currency
    assert row["fee"] + row["net"] == row["amount"]
    assert row["exchange_original_local_to_usd"] == 0


def test_a_charge_below_its_fee_leaves_the_merchant_in_debt(shop: Shop) -> None:
    row = row_of(shop, shop.checkout(amount="0.10"))
    assert (row["fee"], row["net"]) == (Decimal("0.50"), Decimal("-0.40"))


@pytest.fixture
def feed() -> Iterator[Feed]:
    with serve_feed() as feed:
        feed.answer = saying(feed_body(int(time.time())))
        yield feed


def test_after_a_refresh_live_money_changes_currency_at_the_feed_s_rates(
    stack_for: StackFor, feed: Feed
) -> None:
    stack = stack_for(LiveAcquirer="simulator", RatesUrl=feed.url)
    refreshed = stack.aws("lambda").invoke(
        FunctionName=stack.resources["RefreshRatesFunction"],
        Payload=json.dumps(load_event("refresh_rates")),
    )
    assert json.loads(refreshed["Payload"].read())["taken"] == 4
    (rates,) = stack.rows("RatesTable")
    assert rates["id"] == {"S": "usd"}
    assert feed.url in stack.log

    shop = open_shop(stack, Mode.LIVE)
    row = row_of(shop, shop.checkout(amount="100.00", currency="EUR"))
    shop.close()

    # 5 % and half a dollar at 0.86 are 5.43; 94.57 EUR are 109.97 dollars.
    assert (row["fee"], row["net"]) == (Decimal("5.43"), Decimal("109.97"))
    assert row["exchange_usd_to_local"] == Decimal("501.25")


def test_live_money_does_not_change_currency_at_the_snapshot_s_old_rates(
    stack_for: StackFor,
) -> None:
    stack = stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds="1")
    shop = open_shop(stack, Mode.LIVE)
    refused = envelope(shop.create(currency="EUR"), 503)
    assert refused["content"].startswith("There is no current exchange rate for this payment.")
    assert shop.list().json() == []
    assert shop.create(currency="USD").status_code == 202
    shop.close()


# ------------------------------------------------------------------------------ agreed fees


def set_up(stack: Stack, merchant: str, **profile: str) -> subprocess.CompletedProcess[str]:
    """Runs `make merchant`, for a merchant in Brazil if it is new."""
    new = {"NAME": "Loja", "EMAIL": "loja@example.com", "COUNTRY": "BR"}
    is_new = stack.merchant_store.get(merchant) is None
    return operate(stack, "merchant", MERCHANT=merchant, **((new if is_new else {}) | profile))


def test_a_merchant_pays_what_was_agreed_until_it_is_the_standard_again(stack: Stack) -> None:
    merchant = f"agreed-{time.time_ns()}"
    fees = {}
    for fee in ("1.5% + 0.10 USD", "", "standard"):
        printed(set_up(stack, merchant, FEE=fee))
        issued = printed(operate(stack, "key", MERCHANT=merchant, MODE="test"))
        shop = Shop(stack, issued.split()[0])
        fees[fee] = row_of(shop, shop.checkout(amount="100.00"))["fee"]
        shop.close()

    assert fees == {
        "1.5% + 0.10 USD": Decimal("1.60"),
        "": Decimal("1.60"),  # nothing said: nothing changes
        "standard": Decimal("5.50"),
    }


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FEE", "free"),
        ("FEE", "2% + 0.001 USD"),
        ("FEE", "2% + 1 XXX"),
        ("COUNTRY", "Brazil"),
        ("COUNTRY", "br"),
        ("COUNTRY", "XX"),
    ],
)
def test_a_fee_or_country_that_cannot_be_read_makes_no_merchant(
    stack: Stack, variable: str, value: str
) -> None:
    refused = set_up(stack, "nobody", **{variable: value})
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"{variable} must be ")
    assert stack.merchant_store.get("nobody") is None
