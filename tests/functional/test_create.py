"""Contract, section 3 (without Idempotency-Key): what a create takes, refuses and answers."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from ulid import ULID

from payments.model.ids import Mode
from tests.conftest import StackFor
from tests.support.actors import Checkout, Shop, Shopper, open_shop, order
from tests.support.documentation import CHECKOUT_DATA, NOT_FOUND, envelope, faults
from tests.support.records import stored

REQUIRED = ("amount", "description", "currency", "items", "return_url")
URL = "https://example.com/"
EMOJI = "😀"  # four bytes of UTF-8, one character
MAX_BODY_BYTES = 64 * 1024
MAX_URL_LENGTH = 6000


@pytest.fixture
def live_shop(stack_for: StackFor) -> Iterator[Shop]:
    shop = open_shop(stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds="1"), Mode.LIVE)
    yield shop
    shop.close()


def accept(shop: Shop, **changes: Any) -> dict[str, Any]:
    """The one-view of the payment that this create made."""
    return shop.payment(shop.checkout(**changes).id)


def refuse(shop: Shop, body: object) -> dict[str, str]:
    """What was found wrong with this body. Nothing is stored of it."""
    found = faults(shop.request("POST", "/v1/payments/", json=body))
    assert shop.list().json() == []
    return found


# ----------------------------------------------------------------------------------- the fields
# What each field takes and refuses is tested in tests/unit/test_payment_request.py.


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("5", "usd", "5.00"),
        ("0.001", "KWD", "0.001"),
        ("999999999999", "JPY", "999999999999"),
        ("999999999999.999", "KWD", "999999999999.999"),
    ],
)
def test_an_amount_is_kept_to_the_last_digit(
    shop: Shop, amount: str, currency: str, shown: str
) -> None:
    payment = accept(shop, amount=amount, currency=currency)
    assert (payment["amount"], payment["currency"]) == (shown, currency.upper())


@pytest.mark.parametrize(
    "changes",
    [
        {"description": EMOJI * 500, "items": [EMOJI * 250, "same", "same"]},
        {"description": "Café №1 <b>&\"'\n\t", "items": [str(n) for n in range(100)]},
        {"return_url": f"https://example.com/{EMOJI * 2028}"},
        {"return_url": "https://example.com:8443/a;b/c?d=e&f=%20%2F&&g#h?i"},
        {"customer_email": "Customer+tag@mail.example.com", "metadata": {}},
        {"metadata": {"k" * 40: "v" * 250, EMOJI * 40: EMOJI * 250, "empty": ""}},
    ],
    ids="-".join,
)
def test_texts_are_kept_character_for_character(shop: Shop, changes: dict[str, Any]) -> None:
    payment = accept(shop, **changes)
    assert {name: payment[name] for name in changes} == changes
    if "description" in changes:
        assert shop.list().json()[0]["description"] == changes["description"]


def test_a_live_return_url_is_https(live_shop: Shop) -> None:
    url = "http://example.com/"
    assert refuse(live_shop, order(return_url=url)) == {"return_url": "https_required"}


def test_unknown_fields_are_ignored(shop: Shop) -> None:
    unknown = {
        "id": "pay_1ABC123XYZ456",
        "status": "succeeded",
        "test": False,
        "mode": "live",
        "merchant": "4geeks",
        "account": "4geeks#live",
        "client_secret": "known",
        "amount_minor": 1,
        "fee": 0,
        "nothing-we-know": {"deep": [1, 2.5, None]},
    }
    checkout = shop.checkout(**unknown)
    payment = shop.payment(checkout.id)
    row = stored(shop.stack, checkout)

    assert checkout.id != unknown["id"]
    assert checkout.client_secret != unknown["client_secret"]
    assert (payment["status"], payment["test"]) == ("requires_action", True)
    assert payment["amount"] == "500.00"
    assert not {"nothing-we-know", "mode", "merchant", "fee"} & row.keys()


# ----------------------------------------------------------------------------------- the body


def test_everything_that_is_wrong_is_said_at_once(shop: Shop) -> None:
    wrong = {
        "amount": "-1",
        "description": "",
        "currency": "XXX",
        "items": ["", "fine", 5],
        "return_url": "nowhere",
        "customer_email": "nobody",
        "metadata": {"k" * 41: "v"},
    }
    found = refuse(shop, wrong)
    assert set(found) == (set(wrong) - {"items"}) | {"items.0", "items.2"}


def test_an_empty_body_misses_all_required_fields(shop: Shop) -> None:
    assert refuse(shop, {}) == dict.fromkeys(REQUIRED, "required")


def test_a_body_of_64_KiB_is_taken_and_one_byte_more_is_not(shop: Shop) -> None:  # noqa: N802
    body = json.dumps(order()).encode().ljust(MAX_BODY_BYTES)
    headers = {"Content-Type": "application/json"}
    taken = shop.request("POST", "/v1/payments/", data=body, headers=headers)
    refused = shop.request("POST", "/v1/payments/", data=body + b" ", headers=headers)

    assert taken.status_code == 202
    envelope(refused, 413)
    assert len(shop.list().json()) == 1


def test_a_body_is_measured_in_bytes(shop: Shop) -> None:
    characters = MAX_BODY_BYTES // 4
    body = json.dumps(order(unknown=EMOJI * characters), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    envelope(shop.request("POST", "/v1/payments/", data=body, headers=headers), 413)


def test_a_refused_create_writes_to_no_table(live_shop: Shop) -> None:
    before = live_shop.stack.row_counts()
    key = {"Idempotency-Key": f"refused-{time.time_ns()}"}
    refused: list[dict[str, Any]] = [
        {"amount": "0"},
        {"currency": "XXX"},
        {"items": []},
        {"return_url": "nowhere"},
    ]
    for changes in refused:
        faults(live_shop.create(headers=key, **changes))
    assert live_shop.stack.row_counts() == before


# ----------------------------------------------------------------------------------- the answer


def test_the_answer_is_202_with_exactly_the_documented_keys(shop: Shop) -> None:
    answer = shop.create()
    assert answer.status_code == 202
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert set(body) == {"code", "title", "content", "data"}
    assert (body["code"], body["title"], body["content"]) == (
        202,
        "Action required",
        "Show the checkout page to complete payment.",
    )
    assert set(body["data"]) == {"id_payment", "redirect"}


def test_an_id_is_pay_and_26_upper_case_characters_that_hold_the_time(shop: Shop) -> None:
    before_ms = time.time_ns() // 1_000_000
    payment_id = shop.checkout().id
    after_ms = time.time_ns() // 1_000_000

    assert re.fullmatch(r"pay_[0-7][0-9A-HJKMNP-TV-Z]{25}", payment_id)
    made_ms = ULID.from_str(payment_id.removeprefix("pay_")).milliseconds
    assert before_ms <= made_ms <= after_ms


def test_ids_sort_by_creation_and_never_repeat(shop: Shop) -> None:
    made = []
    for _ in range(20):
        made.append(shop.checkout().id)
        time.sleep(0.001)  # order is promised from one millisecond to the next
    assert made == sorted(set(made))


def test_the_redirect_is_the_checkout_with_base64_json_that_has_the_documented_keys(
    shop: Shop,
) -> None:
    items = ["Premium Plan - Monthly", "Support"]
    checkout = shop.checkout(items=items, description="Two things", amount="12.5", currency="eur")
    data = checkout.data

    assert checkout.redirect.startswith(f"{shop.stack.url}/checkout/?data=")
    assert set(data) == {*CHECKOUT_DATA, "id_payment", "client_secret"}
    assert set(data["product"]) == set(CHECKOUT_DATA["product"])
    for name, documented in CHECKOUT_DATA.items():
        assert type(data[name]) is type(documented)
    assert data["id_payment"] == checkout.id
    assert data["return_url"] == "https://example.com/payment-result"
    assert data["product"] == {
        "total_price": 12.5,
        "price": 12.5,
        "currency": "EUR",
        "name": "Two things",
        "description": items,
    }
    assert data["statement_descriptor"] == ["CORNER"]
    assert (data["company_name"], data["company_email"]) == ("Corner Shop", "shop@example.com")


# -------------------------------------------------------------------------------- 6,000 characters
# Where the address is cut is tested in tests/unit/test_links.py.


@pytest.mark.parametrize(
    "changes",
    [
        {"items": ["x" * 250] * 100},
        {"items": [EMOJI * 40] * 100, "description": EMOJI * 500},
        {"description": EMOJI * 500, "return_url": URL + "?" * 2028},
        {"description": "?" * 500, "return_url": URL + EMOJI * 2028},
        {
            "items": ['"\\\n' * 80] * 80,
            "description": '"\\\n' * 166,
            "return_url": URL + "~" * 2028,
        },
    ],
    ids=["items", "emoji", "name", "url", "escapes"],
)
def test_a_cut_redirect_opens_the_whole_payment(
    shop: Shop, shopper: Shopper, changes: dict[str, Any]
) -> None:
    checkout = shop.checkout(**changes)
    assert len(checkout.redirect) <= MAX_URL_LENGTH
    page = shopper.open(checkout.redirect)
    assert page.status_code == 200
    payment = shop.payment(checkout.id)
    assert {name: payment[name] for name in changes} == changes
    assert payment["redirect"] == checkout.redirect


# ------------------------------------------------------------------------------ the client secret


def test_the_client_secret_names_merchant_and_mode_and_is_random(live_shop: Shop) -> None:
    merchant = f"named-{time.time_ns()}"
    for mode in Mode:
        shop = open_shop(live_shop.stack, mode, merchant)
        secrets = [shop.checkout().client_secret for _ in range(20)]
        pattern = rf"\w+_{mode}_{merchant}_([0-9a-f]{{32}})"  # 32 hexadecimal digits: 128 bits
        found = [re.fullmatch(pattern, secret) for secret in secrets]
        random = [match[1] for match in found if match]
        assert len(set(random)) == len(secrets)
        for position in range(32):
            assert len({digits[position] for digits in random}) > 1, "a digit never changes"


def test_with_the_client_secret_the_checkout_finds_its_payment_without_a_key(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    assert shopper.status(checkout).json()["status"] == "requires_action"
    assert shopper.pay(checkout).status_code == 200


def test_the_client_secret_is_stored_with_the_payment(live_shop: Shop) -> None:
    checkout = live_shop.checkout()
    row = stored(live_shop.stack, checkout)
    assert row["client_secret"] == checkout.client_secret


def _wrong_secrets(shop: Shop, checkout: Checkout) -> dict[str, str]:
    own = checkout.client_secret
    return {
        "last digit": own[:-1] + ("0" if own[-1] != "0" else "1"),
        "first digit": own[:-32] + ("0" if own[-32] != "0" else "1") + own[-31:],
        "cut": own[:-1],
        "longer": own + "0",
        "upper case": own.upper(),
        "another payment's": shop.checkout().client_secret,
        "another merchant's": open_shop(shop.stack).checkout().client_secret,
        "other mode": own.replace("_test_", "_live_"),
        "empty": "",
        "nonsense": "nonsense",
        "beyond ASCII": own[:-1] + "é",
    }


@pytest.mark.parametrize("act", ["status", "page", "pay", "pay_by_form", "cancel"])
def test_a_wrong_secret_is_the_same_404_as_a_wrong_id(
    shop: Shop, shopper: Shopper, act: str
) -> None:
    checkout = shop.checkout()

    def answer_to(payment_id: str, secret: str) -> requests.Response:
        claimed = Checkout(payment_id, secret, checkout.redirect, checkout.data)
        if act == "page":
            return shopper.status(claimed, as_json=False)
        answer: requests.Response = getattr(shopper, act)(claimed)
        return answer

    wrong_id = answer_to(checkout.id[:-4] + "0000", checkout.client_secret)
    assert wrong_id.status_code == 404
    if wrong_id.headers["Content-Type"] == "application/json":
        assert wrong_id.json() == NOT_FOUND
    for name, secret in _wrong_secrets(shop, checkout).items():
        wrong_secret = answer_to(checkout.id, secret)
        assert wrong_secret.status_code == 404, name
        assert wrong_secret.text == wrong_id.text, name
        assert set(wrong_secret.headers) == set(wrong_id.headers), name
    assert [row["status"] for row in shop.list().json()] == ["requires_action"] * 2
