"""Apple Pay and Google Pay: whose token pays how, and what is no token at all."""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from payments.acquirers.simulator.wallet_sheets import apple_token, google_token, sheet
from payments.model.ids import Mode
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.documentation import faults
from tests.support.records import attempts_made, open_attempts, questions, stored
from tests.support.stack import Stack

MASTERCARD = "5555555555554444"
AMEX = "378282246310005"
Token = dict[str, Any]


def google_by_cryptogram(number: str) -> Token:
    return google_token(number, has_cryptogram=True)


def google_by_pan_only(number: str) -> Token:
    return google_token(number, has_cryptogram=False)


DEVICES: dict[str, Callable[[str], Token]] = {
    "apple_pay": apple_token,
    "google_pay": google_by_cryptogram,
}


def by_form(shopper: Shopper, checkout: Checkout, method: str, token: Token) -> requests.Response:
    return shopper.pay_by_wallet_form(checkout, method, json.dumps(token))


def by_json(shopper: Shopper, checkout: Checkout, method: str, token: Token) -> requests.Response:
    return shopper.pay_by_wallet(checkout, method, token)


def by_text(shopper: Shopper, checkout: Checkout, method: str, token: Token) -> requests.Response:
    return shopper.pay_by_wallet(checkout, method, json.dumps(token))


def assert_untouched(stack: Stack, checkout: Checkout) -> None:
    """No attempt was made, kept or asked about."""
    row = stored(stack, checkout)
    assert row["status"] == "requires_action"
    assert "card" not in row
    assert attempts_made(stack, checkout) == 0
    assert open_attempts(stack, checkout) == []
    assert questions(stack, checkout) == []


# ------------------------------------------------------------------------------ paying


@pytest.mark.parametrize("post", [by_form, by_json, by_text])
@pytest.mark.parametrize("method", DEVICES)
@pytest.mark.parametrize(
    ("number", "brand", "eci"),
    [(PAID_CARD, "visa", "05"), (MASTERCARD, "mastercard", "02"), (AMEX, "amex", "05")],
)
def test_a_device_that_has_authenticated_its_owner_pays_without_a_challenge(
    post: Callable[..., requests.Response],
    method: str,
    number: str,
    brand: str,
    eci: str,
    shop: Shop,
    shopper: Shopper,
    stack: Stack,
) -> None:
    checkout = shop.checkout()

    answer = post(shopper, checkout, method, DEVICES[method](number))

    home = f"https://example.com/payment-result?id_payment={checkout.id}"
    if post is by_form:
        assert shopper.way_out(answer) == home
    else:
        assert answer.status_code == 200
        assert answer.json() == {"status": "succeeded", "redirect": home}
    view = shop.payment(checkout.id)
    assert (view["status"], view["payment_method"]) == ("completed", method)
    assert (view["card_brand"], view["card_last4"]) == (brand, number[-4:])
    assert view["three_d_secure"] == {
        "trans_status": "Y",
        "eci": eci,
        "liability_shift": True,
        "flow": "wallet",
    }
    assert view["risk"]["checks"]["cvc"] == "not_provided"
    assert questions(stack, checkout) == [["authorize"]]
    (row,) = shop.list().json()
    assert (row["card_brand"], row["card_exp_month"], row["card_exp_year"]) == (brand, "12", "2049")


@pytest.mark.parametrize("method", DEVICES)
def test_a_cryptogram_spares_its_owner_the_challenge_that_the_card_would_ask_for(
    method: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    assert by_json(shopper, checkout, method, DEVICES[method](CHALLENGE_CARD)).status_code == 200
    assert shop.payment(checkout.id)["three_d_secure"]["flow"] == "wallet"


@pytest.mark.parametrize("post", [by_form, by_json, by_text])
def test_a_card_on_file_in_google_pay_is_authenticated_by_3ds(
    post: Callable[..., requests.Response], shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()

    post(shopper, checkout, "google_pay", google_by_pan_only(PAID_CARD))

    view = shop.payment(checkout.id)
    assert (view["status"], view["payment_method"]) == ("completed", "google_pay")
    assert view["three_d_secure"]["flow"] == "frictionless"
    assert questions(stack, checkout) == [["authenticate", "authorize"]]


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [("pass", "completed", None), ("fail", "requires_action", "authentication_failed")],
)
@pytest.mark.parametrize("post", [by_form, by_json])
def test_a_card_on_file_in_google_pay_may_be_challenged(
    post: Callable[..., requests.Response],
    action: str,
    status: str,
    code: str | None,
    shop: Shop,
    shopper: Shopper,
) -> None:
    checkout = shop.checkout()
    answer = post(shopper, checkout, "google_pay", google_by_pan_only(CHALLENGE_CARD))
    by_form = answer.status_code == 303
    challenge = shopper.way_out(answer) if by_form else answer.json()["redirect"]
    assert "/3ds/" in challenge

    shopper.answer_challenge(challenge, action=action)

    view = shop.payment(checkout.id)
    seen = [view[name] for name in ("status", "decline_code", "payment_method", "card_last4")]
    assert seen == [status, code, "google_pay", CHALLENGE_CARD[-4:]]
    assert view["three_d_secure"]["flow"] == "challenge"


@pytest.mark.parametrize("method", DEVICES)
def test_a_wallet_whose_card_is_declined_leaves_the_payment_to_another_card(
    method: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()

    declined = by_json(shopper, checkout, method, DEVICES[method]("4000000000009979"))

    assert declined.status_code == 402
    assert declined.json()["error"]["decline_code"] == "generic_decline"
    view = shop.payment(checkout.id)
    assert (view["decline_code"], view["payment_method"]) == ("stolen_card", method)
    assert shopper.pay(checkout, PAID_CARD).status_code == 200
    view = shop.payment(checkout.id)
    assert (view["payment_method"], view["three_d_secure"]["flow"]) == ("card", "frictionless")


def test_after_a_card_was_declined_a_wallet_pays_in_the_same_form(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, DECLINED_CARD, attempt="one-rendering")
    token = apple_token(PAID_CARD)
    answer = shopper.pay_by_wallet(checkout, "apple_pay", token, attempt="one-rendering")
    assert answer.status_code == 200
    assert shop.payment(checkout.id)["payment_method"] == "apple_pay"


def test_a_wallets_form_sent_twice_charges_once(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout, token = shop.checkout(), apple_token(PAID_CARD)
    answers = [
        shopper.pay_by_wallet(checkout, "apple_pay", token, attempt="one-rendering")
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert questions(stack, checkout) == [["authorize"]]


@pytest.mark.parametrize("method", DEVICES)
def test_a_wallets_card_may_be_blocked_as_any_other(
    method: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    answer = by_json(shopper, checkout, method, DEVICES[method]("4100000000000019"))
    assert (answer.status_code, answer.json()["error"]["decline_code"]) == (402, "generic_decline")
    assert shop.payment(checkout.id)["status"] == "blocked"
    assert questions(stack, checkout) == []


@pytest.mark.parametrize(
    ("eci", "shown", "has_shift"), [("7", "07", False), ("5", "05", True), (None, "05", True)]
)
def test_the_devices_own_eci_says_who_answers_for_fraud(
    eci: str | None, shown: str, has_shift: bool, shop: Shop, shopper: Shopper
) -> None:
    def change(letter: Token) -> None:
        letter["paymentData"]["eciIndicator"] = eci

    checkout = shop.checkout()
    token = with_letter(apple_token(PAID_CARD), change)
    assert by_json(shopper, checkout, "apple_pay", token).status_code == 200
    three_d_secure = shop.payment(checkout.id)["three_d_secure"]
    assert (three_d_secure["eci"], three_d_secure["liability_shift"]) == (shown, has_shift)


OUTCOMES = {"pays": 200, "declines": 402, "challenges": 202}


@pytest.mark.parametrize("method", DEVICES)
def test_each_card_of_the_simulated_sheet_does_what_the_sheet_says(
    method: str, shop: Shop, shopper: Shopper
) -> None:
    cards = sheet(method)
    assert {card.outcome for card in cards} >= {"pays", "declines"}
    for card in cards:
        checkout = shop.checkout()
        answer = shopper.pay_by_wallet(checkout, method, card.token)
        assert answer.status_code == OUTCOMES[card.outcome], card.last4
        view = shop.payment(checkout.id)
        assert (view["card_brand"], view["card_last4"]) == (card.brand, card.last4)


# ------------------------------------------------------------------------------ real tokens

REAL = {
    "Apple, elliptic curves": ("apple_pay", apple_token(PAID_CARD, version="EC_v1")),
    "Apple, RSA": ("apple_pay", apple_token(PAID_CARD, version="RSA_v1")),
    "Apple, sealed": (
        "apple_pay",
        {
            "paymentData": {
                "version": "EC_v1",
                "data": "c2VhbGVk",
                "signature": "MIAG",
                "header": {},
            }
        },
    ),
    "Google": ("google_pay", google_token(PAID_CARD, has_cryptogram=True, version="ECv2")),
    "Google, older": ("google_pay", google_token(PAID_CARD, has_cryptogram=True, version="ECv1")),
    "Google, sealed": (
        "google_pay",
        {"protocolVersion": "ECv2", "signature": "MEQC", "signedMessage": "{}"},
    ),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("post", [by_json, by_text])
def test_a_real_token_is_refused_and_says_that_nobody_here_can_open_it(
    name: str,
    post: Callable[..., requests.Response],
    shop: Shop,
    shopper: Shopper,
    stack: Stack,
) -> None:
    method, token = REAL[name]
    checkout = shop.checkout()

    answer = post(shopper, checkout, method, token)

    assert faults(answer) == {"wallet_token": "wallet_not_configured"}
    assert "Please pay by card" in answer.json()["errors"][0]["message"]
    assert_untouched(stack, checkout)
    assert shopper.pay(checkout, PAID_CARD).status_code == 200


@pytest.mark.parametrize("method", DEVICES)
def test_in_live_mode_every_token_is_refused_the_simulated_ones_too(
    method: str, stack_for: StackFor
) -> None:
    running = stack_for(LiveAcquirer="simulator")
    shop, shopper = open_shop(running, Mode.LIVE), Shopper(running)
    checkout = shop.checkout()
    for token in (DEVICES[method](PAID_CARD), {"no": "token"}):
        answer = by_json(shopper, checkout, method, token)
        assert faults(answer) == {"wallet_token": "wallet_not_configured"}
    assert_untouched(running, checkout)
    shop.close()
    shopper.close()


# ------------------------------------------------------------------------------ no tokens


def sealed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def with_letter(token: Token, change: Callable[[Token], None]) -> Token:
    """The token with something else inside its envelope."""
    token = copy.deepcopy(token)
    if "paymentData" in token:
        letter = json.loads(base64.b64decode(token["paymentData"]["data"]))
        change(letter)
        token["paymentData"]["data"] = sealed(json.dumps(letter))
    else:
        message = json.loads(token["signedMessage"])
        letter = json.loads(base64.b64decode(message["encryptedMessage"]))
        change(letter)
        message["encryptedMessage"] = sealed(json.dumps(letter))
        token["signedMessage"] = json.dumps(message)
    return token


def apple(**changes: Any) -> Token:
    """An Apple token, its letter changed."""
    return with_letter(apple_token(PAID_CARD), lambda letter: letter.update(changes))


def google(**changes: Any) -> Token:
    """A Google token, its card's details changed."""
    return with_letter(
        google_by_cryptogram(PAID_CARD),
        lambda letter: letter["paymentMethodDetails"].update(changes),
    )


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"paymentData": value}
    return value


DEEP = "[" * 4_000 + "]" * 4_000
ENVELOPE = apple_token(PAID_CARD)["paymentData"]
VERSIONS: tuple[Any, ...] = (None, 1, [], {}, "SIMv2", "SIMv1")
CRYPTOGRAMS: tuple[Any, ...] = ({}, None, [], {"onlinePaymentCryptogram": "short"})
STRANGE: list[Any] = [
    *("x", "{", "null", "[]", "1", '"x"', "NaN", "\x00", "\ud800", "é", DEEP, "x" * 60_000),
    *({}, [], 1, 0, True, 1.5, [{}], {"paymentData": None}, {"paymentData": []}),
    *({"protocolVersion": None}, {"protocolVersion": ["SIMv1"]}, {"version": "SIMv1"}),
    *({"paymentData": {"version": version}} for version in VERSIONS),
    {"protocolVersion": "SIMv1"},
    {"protocolVersion": "SIMv1", "signedMessage": "x"},
    {"protocolVersion": "SIMv1", "signedMessage": DEEP},
    {"protocolVersion": "SIMv1", "signedMessage": {"encryptedMessage": "!"}},
    {"protocolVersion": "SIMv1", "signedMessage": {"encryptedMessage": sealed(DEEP)}},
    {"paymentData": 7},
    nested(200),
]
BROKEN_APPLE = [
    *({"paymentData": ENVELOPE | {"data": data}} for data in ("", "x", "é", sealed("{}"), 1, None)),
    *({"paymentData": ENVELOPE | {"data": sealed(text)}} for text in ("[]", "NaN", "1e999", DEEP)),
    {"paymentData": ENVELOPE | {"data": base64.b64encode(b"\xff\xfe").decode()}},
    *(apple(applicationPrimaryAccountNumber=number) for number in (PAID_CARD[:-1] + "1", "", 1)),
    *(apple(applicationPrimaryAccountNumber=number) for number in ("6759649826438453", "４２")),
    *(apple(applicationExpirationDate=date) for date in ("491331", "4912", "", "491231x", 491231)),
    *(apple(paymentDataType=kind) for kind in ("EMV", None, 1)),
    *(apple(paymentData=cryptogram) for cryptogram in CRYPTOGRAMS),
    apple(paymentData={"onlinePaymentCryptogram": "A" * 28, "eciIndicator": "555"}),
    google_by_cryptogram(PAID_CARD),
]
BROKEN_GOOGLE = [
    *(google(pan=number) for number in (PAID_CARD[:-1] + "1", "", 1, None, "4" * 30, [PAID_CARD])),
    *(google(expirationMonth=month) for month in (0, 13, "x", None, 1.5, -1, [1])),
    *(google(expirationYear=year) for year in (1999, 2100, 49, 10**40, "x", None, [2049], 1e300)),
    *(google(expirationYear=year) for year in (float("inf"), float("nan"))),
    *(google(authMethod=method) for method in ("PAN", None, 3, ["PAN_ONLY"])),
    *(google(cryptogram=text) for text in (None, "", "short", 1, "A" * 80, "A" * 27 + "!")),
    *(google(eciIndicator=eci) for eci in ("", "x", "123", 5)),
    apple_token(PAID_CARD),
]


def summary(token: Any) -> str:
    return ascii(token)[:60]


@pytest.mark.parametrize(
    ("method", "token"),
    [
        *((method, token) for method in DEVICES for token in STRANGE),
        *(("apple_pay", token) for token in BROKEN_APPLE),
        *(("google_pay", token) for token in BROKEN_GOOGLE),
    ],
    ids=summary,
)
def test_what_is_no_token_is_refused_and_nothing_is_kept_of_it(
    method: str, token: Any, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    as_text = token if isinstance(token, str) else json.dumps(token)

    answers = [shopper.pay_by_wallet(checkout, method, one) for one in (token, as_text)]

    for answer in answers:
        assert faults(answer) == {"wallet_token": "invalid_wallet_token"}
    assert_untouched(stack, checkout)


@pytest.mark.parametrize("method", DEVICES)
@pytest.mark.parametrize("token", [None, "", "  ", "\n"])
def test_a_wallet_without_a_token_lacks_a_required_field(
    method: str, token: str | None, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    answer = shopper.pay_by_wallet(checkout, method, token)
    assert faults(answer) == {"wallet_token": "required"}
    assert shopper.pay_by_wallet_form(checkout, method, token or "").status_code == 400
    assert_untouched(stack, checkout)


def test_a_wallets_card_that_has_expired_is_refused_as_such(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    expired = [
        ("apple_pay", apple(applicationExpirationDate="200131")),
        ("google_pay", google(expirationYear=2020)),
    ]
    for method, token in expired:
        answer = by_json(shopper, checkout, method, token)
        assert faults(answer) == {"wallet_token": "card_expired"}


@pytest.mark.parametrize("method", ["", "cash", "APPLE_PAY", "paypal", 1, [], {}])
def test_a_token_by_a_method_nobody_knows_pays_nothing(
    method: Any, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    answer = shopper.pay_by_wallet(checkout, method, apple_token(PAID_CARD))
    assert answer.status_code == 400
    assert_untouched(stack, checkout)


def test_a_wallets_form_may_say_who_pays_but_holds_no_card_elsewhere(
    shop: Shop, shopper: Shopper
) -> None:
    checkout, token = shop.checkout(), apple_token(PAID_CARD)
    wrong = shopper.pay_by_wallet(checkout, "apple_pay", token, email=f"{PAID_CARD}@example.com")
    assert faults(wrong) == {"email": "holds_card_number"}
    shopper.pay_by_wallet(checkout, "apple_pay", token, email="ada@example.com")
    assert shop.payment(checkout.id)["customer_email"] == "ada@example.com"
