"""Section 5 of the contract, cards: nowhere in clear, and encrypted no longer than needed.

A canary card is used in every way a shopper can use one, and then looked for in every place where
something could be kept: all tables, the log, the workflow's histories, addresses and answers.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any
from urllib.parse import unquote_plus

import pytest
import requests
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from payments.acquirers.simulator.wallet_sheets import apple_token, google_token, sheet
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
    ONE_TIME_CODE,
    Checkout,
    Shop,
    Shopper,
    open_shop,
    order,
)
from tests.support.html import Page
from tests.support.records import open_attempts
from tests.support.stack import PROJECT, Stack

NUMBER = "4539578763621486"
CVC = "937"
SPACED = "4539 5787 6362 1486"
DASHED = "4539-5787-6362-1486"
FORM = "application/x-www-form-urlencoded"
TELLING_DIGITS = 10  # so many digits of a number in a row are more of it than may be shown
EMPTIED = {
    "PaymentsTable": ("pk", "id"),
    "IdempotencyTable": ("pk",),
    "AttemptsTable": ("id",),
    "SimulatorTable": ("reference",),
}
_CVC = re.compile(rf"(?<![0-9A-Za-z]){CVC}(?![0-9A-Za-z])")
_SEPARATORS = re.compile(r"(?<=[0-9])[^0-9]{1,3}(?=[0-9])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_READABLE = re.compile(r"[ -~]{12,}")  # what was not encoded decodes to noise, which is left out
# What a log line says of time, which may well be 937 milliseconds.
_TIMES = re.compile(r"\d\d:\d\d:\d\d[,.]\d+|\b\d+ ms\b")


def traces(text: str, number: str) -> set[str]:
    """What of the card stands in the text: plain, with separators, encoded, or its code."""
    found = set()
    last_start = len(number) - TELLING_DIGITS
    parts = [number[start : start + TELLING_DIGITS] for start in range(last_start + 1)]
    for spelling in (text, unquote_plus(text), *_decoded(text)):
        digits = _SEPARATORS.sub("", spelling)
        if any(part in digits for part in parts):
            found.add("number")
        if _CVC.search(spelling):
            found.add("cvc")
    if any(part.encode().hex() in text.lower() for part in parts):
        found.add("number")
    return found


def _decoded(text: str) -> Iterator[str]:
    """Every part of the text that may be base64, decoded: what can be read of it."""
    for match in _BASE64.finditer(text):
        encoded = match[0].replace("-", "+").replace("_", "/")
        for start in range(4):  # it may begin anywhere in what looks like one run
            end = start + (len(encoded) - start) // 4 * 4
            decoded = base64.b64decode(encoded[start:end]).decode("latin-1")
            yield "\n".join(_READABLE.findall(decoded))


def texts_in(value: Any) -> Iterator[str]:
    """Every string, number and byte string in a structure, names included; times left out."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield str(name)
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif not isinstance(value, datetime):
        yield str(value)


@cache
def client(stack: Stack, service: str) -> Any:
    """Making a client takes longer than most tests."""
    return stack.aws(service)


def execution_arns(stack: Stack) -> set[str]:
    pages = client(stack, "stepfunctions").get_paginator("list_executions")
    return {
        execution["executionArn"]
        for page in pages.paginate(stateMachineArn=stack.resources["PaymentWorkflow"])
        for execution in page["executions"]
    }


def history(stack: Stack, arn: str) -> list[dict[str, Any]]:
    pages = client(stack, "stepfunctions").get_paginator("get_execution_history")
    return [event for page in pages.paginate(executionArn=arn) for event in page["events"]]


@cache
def letters_of_the_sheet() -> tuple[str, ...]:
    """What the page shows of its own accord: the test cards in the simulated wallets' sheets."""
    tokens = [json.loads(card.token) for card in (*sheet("apple_pay"), *sheet("google_pay"))]
    return tuple(
        token["paymentData"]["data"]
        if "paymentData" in token
        else json.loads(token["signedMessage"])["encryptedMessage"]
        for token in tokens
    )


def without_sheet(body: str) -> str:
    for letter in letters_of_the_sheet():
        body = body.replace(letter, "")
    return body


class Witness:
    """Sees what a test makes the stack keep and answer, from the moment it is made."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._log_start = len(stack.log)
        self._known_arns = execution_arns(stack)
        self._answers: list[requests.Response] = []

    def watch(self, session: requests.Session) -> None:
        """Every answer to the session is seen from now on."""

        def keep(answer: requests.Response, **_options: Any) -> None:
            self._answers.append(answer)

        session.hooks["response"] = [keep]

    def evidence(self) -> Iterator[tuple[str, str]]:
        """Everything written and said: where, and the text."""
        for table in self.stack.dynamodb.list_tables()["TableNames"]:
            for page in self.stack.dynamodb.get_paginator("scan").paginate(TableName=table):
                for item in page["Items"]:
                    yield f"table {table}", "\n".join(texts_in(item))
        for line in self.stack.log[self._log_start :].splitlines():
            yield "log", _TIMES.sub("", line)
        for arn in execution_arns(self.stack) - self._known_arns:
            described = client(self.stack, "stepfunctions").describe_execution(executionArn=arn)
            del described["ResponseMetadata"]
            for value in (described, history(self.stack, arn)):
                yield "executions", "\n".join(texts_in(value))
        for answer in self._answers:
            yield "addresses", answer.url
            yield "addresses", answer.headers.get("Location", "")
            names = set(answer.headers) - {"Content-Length"}
            yield "headers", "\n".join(f"{name}: {answer.headers[name]}" for name in names)
            yield "bodies", without_sheet(answer.text)

    def found(self, number: str) -> list[tuple[str, set[str], str]]:
        """Where the card can be found, what of it, and in which text."""
        searched = ((place, traces(text, number), text) for place, text in set(self.evidence()))
        return [(place, what, text) for place, what, text in searched if what]


@pytest.fixture(scope="module")
def watched(stack_for: StackFor) -> Stack:
    """A stack of its own: on the shared one, other tests leave card numbers."""
    found = stack_for(LiveAcquirer="simulator")
    empty_tables(found)
    return found


def empty_tables(stack: Stack) -> None:
    """Forgets earlier traces, so that a test finds only its own."""
    for table, keys in EMPTIED.items():
        name = stack.resources[table]
        rows = [{key: item[key] for key in keys} for item in stack.rows(table)]
        for start in range(0, len(rows), 25):  # as many as one call takes
            deletions = [{"DeleteRequest": {"Key": key}} for key in rows[start : start + 25]]
            stack.dynamodb.batch_write_item(RequestItems={name: deletions})


@dataclass
class Scene:
    """A merchant and a shopper under the eyes of a witness."""

    shop: Shop
    shopper: Shopper
    witness: Witness

    def post(
        self, checkout: Checkout, body: bytes, content_type: str, suffix: str = ""
    ) -> requests.Response:
        url = f"{self.shopper.stack.url}/checkout/{checkout.id}{suffix}"
        return self.shopper.post(url, data=body, headers={"Content-Type": content_type})


@pytest.fixture
def scene(watched: Stack) -> Iterator[Scene]:
    shop, shopper = open_shop(watched), Shopper(watched)
    witness = Witness(watched)
    for session in (shop.session, shopper.session):
        witness.watch(session)
    yield Scene(shop, shopper, witness)
    shop.close()
    shopper.close()
    empty_tables(watched)


def read_everything(scene: Scene, checkout: Checkout) -> None:
    """Everybody looks at the payment once more."""
    scene.shopper.open(checkout.redirect)
    scene.shopper.status(checkout)
    scene.shopper.status(checkout, as_json=False)
    scene.shop.get(checkout.id)
    scene.shop.list()


WALLET_TOKENS: dict[str, Callable[[str], dict[str, Any]]] = {
    "apple_pay": apple_token,
    "google_pay": partial(google_token, has_cryptogram=True),
}
# The cryptogram, as it stands in every token, and the names that stand around it.
TOKEN_PARTS = (
    "c2ltdWxhdGVkIGNyeXB0b2dyYW0",
    "simulated cryptogram",
    "SIMv1",
    "onlinePaymentCryptogram",
    "encryptedMessage",
    "PAN_ONLY",
)


def parts_of_token_in(witness: Witness) -> list[tuple[str, str, str]]:
    """Where anything of a wallet's token can be found, plain or encoded once more."""
    return [
        (place, part, text)
        for place, text in set(witness.evidence())
        if '<form method="post"' not in text  # the page itself carries the simulated sheet
        for spelling in (text, unquote_plus(text), *_decoded(text))
        for part in TOKEN_PARTS
        if part in spelling
    ]


# ------------------------------------------------------------------------------ the controls


def test_the_search_for_tokens_finds_them_plain_and_encoded(scene: Scene) -> None:
    token = json.dumps(apple_token(NUMBER))
    for words in (token, base64.b64encode(token.encode()).decode()):
        scene.shop.checkout(description="An order", metadata={"note": words[:250]})
        assert parts_of_token_in(scene.witness)
        empty_tables(scene.shop.stack)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (NUMBER, {"number"}),
        (f"a={SPACED}", {"number"}),
        (DASHED, {"number"}),
        ("4539.5787.6362.1486", {"number"}),
        ("4539\u00a05787\u00a06362\u00a01486", {"number"}),
        (NUMBER[:12], {"number"}),
        (NUMBER[-11:], {"number"}),
        ("/x?n=4539%205787%206362%201486", {"number"}),
        (base64.b64encode(f'["{NUMBER}"]'.encode()).decode(), {"number"}),
        (base64.urlsafe_b64encode(f'xy{{"n": "{SPACED}"}}'.encode()).decode(), {"number"}),
        (base64.b64encode(f'{{"cvc": "{CVC}", "name": "Ada"}}'.encode()).decode(), {"cvc"}),
        (NUMBER.encode().hex(), {"number"}),
        (f'"cvc": "{CVC}"', {"cvc"}),
        (f"cvc={CVC}&name=x", {"cvc"}),
        (f"{NUMBER}/{CVC}", {"number", "cvc"}),
        (f"card ending in {NUMBER[-4:]}", set()),
        (f"{NUMBER[:6]}******{NUMBER[-4:]}", set()),
        ("1937 9370 a937b", set()),
    ],
)
def test_the_search_finds_the_card_in_every_spelling_and_only_there(
    text: str, what: set[str]
) -> None:
    assert traces(text, NUMBER) == what


@pytest.mark.parametrize("place", ["table", "log", "executions", "addresses", "headers", "bodies"])
def test_the_witness_sees_what_a_payment_leaves_in_every_place(place: str, scene: Scene) -> None:
    """The control: what may be there is found there, so what is not found is not there."""
    checkout = scene.shop.checkout(description=f"Order {NUMBER}")  # a merchant's own words
    scene.shopper.start_challenge(checkout)

    texts = [text for where, text in scene.witness.evidence() if where.startswith(place)]

    sign = {"log": '"resource":"/checkout/{id}"', "headers": "application/json"}
    assert sign.get(place, checkout.id) in "\n".join(texts)
    is_found = any(where.startswith(place) for where, _, _ in scene.witness.found(NUMBER))
    assert is_found == (place in ("table", "bodies"))  # the redirect's data has the words too


# ------------------------------------------------------------------------------ paying


@pytest.mark.parametrize("number", [NUMBER, SPACED, DASHED])
@pytest.mark.parametrize("as_form", [False, True])
def test_a_card_that_pays_is_left_nowhere(number: str, as_form: bool, scene: Scene) -> None:
    checkout = scene.shop.checkout()
    pay = scene.shopper.pay_by_form if as_form else scene.shopper.pay
    answer = pay(checkout, number, cvc=CVC, name="Ada Lovelace", email="ada@example.com")
    assert answer.status_code == (303 if as_form else 200)
    read_everything(scene, checkout)

    assert scene.shop.payment(checkout.id)["card_last4"] == NUMBER[-4:]
    assert scene.witness.found(NUMBER) == []


@pytest.mark.parametrize(("number", "times"), [(DECLINED_CARD, 5), (INSUFFICIENT_FUNDS_CARD, 1)])
def test_a_card_that_is_declined_is_left_nowhere(number: str, times: int, scene: Scene) -> None:
    checkout = scene.shop.checkout()
    for _ in range(times):
        assert scene.shopper.pay(checkout, number, cvc=CVC).status_code == 402
    read_everything(scene, checkout)

    assert scene.witness.found(number) == []


@pytest.mark.parametrize("ending", ["pass", "fail", "wrong codes", "abandon", "return", "open"])
def test_a_card_that_is_challenged_is_left_nowhere(ending: str, scene: Scene) -> None:
    shopper, checkout = scene.shopper, scene.shop.checkout()
    challenge = shopper.pay(checkout, CHALLENGE_CARD, cvc=CVC).json()["redirect"]
    shopper.open(challenge)
    read_everything(scene, checkout)
    assert scene.witness.found(CHALLENGE_CARD) == []

    if ending in ("pass", "fail"):
        shopper.answer_challenge(challenge, action=ending)
    elif ending == "wrong codes":
        for _ in range(3):
            shopper.answer_challenge(challenge, code="000000")
    elif ending == "abandon":
        shopper.post(f"{challenge}/abandon")
    elif ending == "return":
        shopper.open(f"{challenge}/return")
    read_everything(scene, checkout)

    assert scene.witness.found(CHALLENGE_CARD) == []


@pytest.mark.parametrize("as_form", [False, True], ids=["JSON", "form"])
@pytest.mark.parametrize("number", [NUMBER, "4000000000009979", "4100000000000019"])
@pytest.mark.parametrize("method", WALLET_TOKENS)
def test_a_wallets_card_and_token_are_left_nowhere(
    method: str, number: str, as_form: bool, scene: Scene
) -> None:
    checkout, token = scene.shop.checkout(), WALLET_TOKENS[method](number)
    pay = scene.shopper.pay_by_wallet_form if as_form else scene.shopper.pay_by_wallet
    pay(checkout, method, json.dumps(token))
    read_everything(scene, checkout)

    assert scene.shop.payment(checkout.id)["card_last4"] == number[-4:]
    assert scene.witness.found(number) == []
    assert parts_of_token_in(scene.witness) == []


@pytest.mark.parametrize("is_over", [False, True])
def test_a_wallets_card_that_is_challenged_is_left_nowhere(is_over: bool, scene: Scene) -> None:
    checkout, number = scene.shop.checkout(), "4000000000003220"
    token = google_token(number, has_cryptogram=False)
    challenge = scene.shopper.pay_by_wallet(checkout, "google_pay", token).json()["redirect"]
    if is_over:
        scene.shopper.answer_challenge(challenge)
    read_everything(scene, checkout)

    assert scene.witness.found(number) == []
    assert parts_of_token_in(scene.witness) == []


@pytest.mark.parametrize("as_form", [False, True], ids=["JSON", "form"])
@pytest.mark.parametrize("method", WALLET_TOKENS)
def test_a_wallets_token_that_is_refused_is_left_nowhere(
    method: str, as_form: bool, scene: Scene
) -> None:
    text = json.dumps(WALLET_TOKENS[method](NUMBER))
    wrong_number = json.dumps(WALLET_TOKENS[method](NUMBER[:-1] + "7"))
    for refused in (text[:-1], text.replace("SIMv1", "EC_v1"), text + NUMBER, NUMBER, wrong_number):
        checkout = scene.shop.checkout()
        pay = scene.shopper.pay_by_wallet_form if as_form else scene.shopper.pay_by_wallet
        answer = pay(checkout, method, refused)
        assert answer.status_code == 400
        read_everything(scene, checkout)

    assert scene.witness.found(NUMBER) == []
    assert parts_of_token_in(scene.witness) == []


@pytest.mark.parametrize("suffix", ["", "/return", "/abandon"])
def test_a_card_typed_into_the_challenge_is_left_nowhere(suffix: str, scene: Scene) -> None:
    checkout = scene.shop.checkout()
    challenge = scene.shopper.start_challenge(checkout)
    for name in ("anything", NUMBER, "action", "code"):
        for value in (NUMBER, CVC):
            scene.shopper.post(challenge + suffix, data={"code": "0", name: value})
    read_everything(scene, checkout)

    assert scene.witness.found(NUMBER) == []


def test_a_card_refused_because_the_payment_is_under_way_is_left_nowhere(scene: Scene) -> None:
    checkout = scene.shop.checkout()
    scene.shopper.start_challenge(checkout)
    assert scene.shopper.pay(checkout, NUMBER, cvc=CVC).status_code == 409
    assert scene.shopper.pay_by_form(checkout, NUMBER, cvc=CVC).status_code == 303
    read_everything(scene, checkout)

    assert scene.witness.found(NUMBER) == []


@pytest.mark.parametrize("state", ["paid", "canceled", "unknown"])
def test_a_card_sent_to_a_payment_that_takes_none_is_left_nowhere(state: str, scene: Scene) -> None:
    checkout = scene.shop.checkout()
    if state == "paid":
        scene.shopper.pay(checkout)
    elif state == "canceled":
        scene.shopper.cancel(checkout)
    else:
        checkout = Checkout(checkout.id, checkout.client_secret[:-1] + "x", checkout.redirect, {})
    for pay in (scene.shopper.pay, scene.shopper.pay_by_form):
        assert pay(checkout, NUMBER, cvc=CVC).status_code in (303, 404, 409)

    assert scene.witness.found(NUMBER) == []


# ------------------------------------------------------------------------------ wrong fields

FIELDS = ("client_secret", "method", "exp_month", "exp_year", "cvc", "name", "email", "attempt")
WRONG_VALUES = (
    NUMBER,
    SPACED,
    DASHED,
    f"my card is {NUMBER} ok",
    f"{NUMBER}@example.com",
    CVC,
    f"{CVC}@example.com",
)


@pytest.mark.parametrize("as_form", [False, True], ids=["JSON", "form"])
@pytest.mark.parametrize("name", FIELDS)
def test_a_card_typed_into_the_wrong_field_is_left_nowhere(
    name: str, as_form: bool, scene: Scene
) -> None:
    pay = scene.shopper.pay_by_form if as_form else scene.shopper.pay
    for value in WRONG_VALUES:
        checkout = scene.shop.checkout()
        pay(checkout, NUMBER, **({"cvc": CVC} | {name: value}))
        scene.shopper.status(checkout, as_json=False)
    scene.shop.list()

    assert scene.witness.found(NUMBER) == []


EXTRA_FIELDS: tuple[dict[str, str], ...] = (
    {"pan": NUMBER},
    {NUMBER: "x"},
    {CVC: CVC},
    {"metadata": SPACED},
    {"card[number]": DASHED},
)


@pytest.mark.parametrize("as_form", [False, True], ids=["JSON", "form"])
def test_a_card_in_a_field_nobody_asked_for_is_left_nowhere(as_form: bool, scene: Scene) -> None:
    pay = scene.shopper.pay_by_form if as_form else scene.shopper.pay
    for extra in EXTRA_FIELDS:
        checkout = scene.shop.checkout()
        assert pay(checkout, NUMBER, cvc=CVC, **extra).status_code in (200, 303)

    assert scene.witness.found(NUMBER) == []


FAULTS: tuple[dict[str, str], ...] = (
    {"card_number": NUMBER + "0"},
    {"card_number": NUMBER[:-1] + "7"},
    {"card_number": NUMBER * 3},
    {"card_number": f"x{NUMBER}"},
    {"cvc": CVC + "9"},
    {"cvc": f"{CVC} x"},
    {"exp_year": "2001"},
    {"exp_month": "13"},
    {"exp_month": "13", "exp_year": "", "email": "nobody", "cvc": f"x{CVC}"},
    {"card_number": SPACED, "exp_month": ""},
)


@pytest.mark.parametrize("as_form", [False, True], ids=["JSON", "form"])
def test_a_card_that_is_refused_is_left_nowhere(as_form: bool, scene: Scene) -> None:
    checkout = scene.shop.checkout()
    pay = scene.shopper.pay_by_form if as_form else scene.shopper.pay
    for faults in FAULTS:
        form = {"card_number": NUMBER, "cvc": CVC} | faults
        answer = pay(checkout, form.pop("card_number"), **form)
        assert answer.status_code >= 400  # test_checkout.py says which ones
    read_everything(scene, checkout)

    assert scene.witness.found(NUMBER) == []


@pytest.mark.parametrize("name", ["card_number", "name", "email", "exp_month", "attempt", "method"])
def test_a_card_of_the_wrong_json_type_is_left_nowhere(name: str, scene: Scene) -> None:
    wrong = [int(NUMBER), [NUMBER], {"number": NUMBER}, float(NUMBER), f"\ud800{NUMBER}", None]
    for value in wrong:
        checkout = scene.shop.checkout()
        form = scene.shopper.card_form(checkout, NUMBER, cvc=CVC) | {name: value}
        scene.post(checkout, json.dumps(form).encode(), "application/json")
        scene.shopper.status(checkout, as_json=False)
    scene.shop.list()

    assert scene.witness.found(NUMBER) == []


# ------------------------------------------------------------------------------ broken requests

BROKEN = {
    "JSON cut short": (f'{{"card_number": "{NUMBER}", "cvc": "{CVC}"', "application/json"),
    "JSON of one string": (f'"{NUMBER} {CVC}"', "application/json"),
    "JSON of one number": (NUMBER, "application/json"),
    "a JSON array": (f'["{NUMBER}", "{CVC}"]', "application/json"),
    "JSON with NaN": (f'{{"card_number": "{NUMBER}", "cvc": NaN}}', "application/json"),
    "JSON with a strange key": (f'{{"{NUMBER}": "{CVC}"}}', "application/json"),
    "JSON far too long": (f'{{"card_number": "{NUMBER}{" " * 70_000}"}}', "application/json"),
    "a form sent as JSON": (f"card_number={NUMBER}&cvc={CVC}", "application/json"),
    "JSON sent as a form": (f'{{"card_number": "{NUMBER}", "cvc": "{CVC}"}}', FORM),
    "a form with bad escapes": (f"card_number={NUMBER}&cvc={CVC}&x=%ff", FORM),
    "a form with too many fields": (f"card_number={NUMBER}&cvc={CVC}" + "&a=b" * 500, FORM),
    "a form without a secret": (f"card_number={NUMBER}&cvc={CVC}", FORM),
    "a form far too long": (f"card_number={NUMBER}&cvc={CVC}&x={'y' * 70_000}", FORM),
    "plain text": (f"{NUMBER} {CVC}", "text/plain"),
    "XML": (f"<card number='{NUMBER}' cvc='{CVC}'/>", "application/xml"),
    "several parts": (f"--x\r\n\r\n{NUMBER} {CVC}\r\n--x--", "multipart/form-data; boundary=x"),
    "no type at all": (f"card_number={NUMBER}&cvc={CVC}", ""),
    "the number as the type": ("x", f"text/{NUMBER}"),
}


@pytest.mark.parametrize("suffix", ["", "/cancel"])
def test_a_card_in_a_request_that_cannot_be_read_is_left_nowhere(suffix: str, scene: Scene) -> None:
    checkout = scene.shop.checkout()
    for what, (body, content_type) in BROKEN.items():
        answer = scene.post(checkout, body.encode(), content_type, suffix)
        assert 400 <= answer.status_code < 500, what

    assert scene.witness.found(NUMBER) == []


# ------------------------------------------------------------------------------ the merchant's side


CHANGES: dict[str, tuple[dict[str, Any], ...]] = {
    "amount": (
        {"amount": NUMBER},
        {"amount": f"{NUMBER}.00"},
        {"amount": SPACED},
        {"amount": int(NUMBER)},
    ),
    "e-mail": (
        {"customer_email": NUMBER},
        {"customer_email": f"{NUMBER}@example.com"},
        {"customer_email": f"{DASHED}@example.com"},
        {"customer_email": f"{DASHED.replace('-', '.')}@example.com"},
        {"customer_email": f"{DASHED.replace('-', '_')}@example.com"},
    ),
    "wrong types": (
        {"description": int(NUMBER)},
        {"items": NUMBER},
        {"metadata": NUMBER},
        {"return_url": NUMBER},
        {"currency": NUMBER},
    ),
    "extra fields": ({"card_number": NUMBER, "cvc": CVC}, {NUMBER: CVC}),
}


@pytest.mark.parametrize("part", CHANGES)
def test_a_card_in_a_create_is_left_nowhere_but_in_the_merchants_own_words(
    part: str, scene: Scene
) -> None:
    for number, change in enumerate(CHANGES[part]):
        answer = scene.shop.create(headers={"Idempotency-Key": f"{part[:2]}-{number}"}, **change)
        assert answer.status_code in (202, 400)
    scene.shop.list()

    assert scene.witness.found(NUMBER) == []


def test_a_card_in_a_create_that_cannot_be_read_is_left_nowhere(scene: Scene) -> None:
    for what, (body, content_type) in BROKEN.items():
        headers = {"Content-Type": content_type}
        answer = scene.shop.request("POST", "/v1/payments/", data=body.encode(), headers=headers)
        assert 400 <= answer.status_code < 500, what

    assert scene.witness.found(NUMBER) == []


@pytest.mark.parametrize("header", ["Idempotency-Key", "Accept-Language", "X-Anything"])
def test_a_card_in_a_header_is_left_nowhere(header: str, scene: Scene) -> None:
    assert scene.shop.create(headers={header: NUMBER}).status_code == 202
    assert scene.witness.found(NUMBER) == []


def test_a_card_sent_as_a_key_is_left_nowhere(scene: Scene) -> None:
    for user in (NUMBER, f"sk_test_{NUMBER}"):
        answer = scene.shop.request("POST", "/v1/payments/", json=order(), auth=(user, ""))
        assert answer.status_code == 401

    assert scene.witness.found(NUMBER) == []


# ------------------------------------------------------------------------------ our own faults


def test_a_task_that_breaks_reports_a_fixed_text(scene: Scene, watched: Stack) -> None:
    """Its card turns into something it cannot read: the error it meets has the card in it."""
    checkout = scene.shop.checkout()
    challenge = scene.shopper.pay(checkout, CHALLENGE_CARD, cvc=CVC).json()["redirect"]
    (row,) = open_attempts(watched, checkout)
    broken = client(watched, "kms").encrypt(
        KeyId=watched.resources["CardKey"],
        Plaintext=f"{CHALLENGE_CARD} {CVC}",
        EncryptionContext={"payment_id": checkout.id},
    )
    watched.dynamodb.update_item(
        TableName=watched.resources["AttemptsTable"],
        Key={"id": {"S": row["id"]}},
        UpdateExpression="SET encrypted_card = :broken",
        ExpressionAttributeValues={":broken": {"B": broken["CiphertextBlob"]}},
    )

    scene.shopper.answer_challenge(challenge)

    assert scene.shop.payment(checkout.id)["status"] == "requires_action"
    (arn,) = (arn for arn in execution_arns(watched) if checkout.id in arn)
    failures = [
        event["lambdaFunctionFailedEventDetails"]
        for event in history(watched, arn)
        if event["type"] == "LambdaFunctionFailed"
    ]
    assert failures
    for failure in failures:
        assert traces(str(failure), CHALLENGE_CARD) == set()
        assert "Traceback" not in str(failure)
    assert scene.witness.found(CHALLENGE_CARD) == []


def test_a_card_is_left_nowhere_when_it_cannot_be_encrypted(scene: Scene, watched: Stack) -> None:
    checkout = scene.shop.checkout()
    kms = client(watched, "kms")
    alias, key = watched.resources["CardKeyAlias"], watched.resources["CardKey"]
    kms.delete_alias(AliasName=alias)
    try:
        answers = [
            scene.shopper.pay(checkout, NUMBER, cvc=CVC),
            scene.shopper.pay_by_form(checkout, NUMBER, cvc=CVC),
        ]
    finally:
        kms.create_alias(AliasName=alias, TargetKeyId=key)

    assert [answer.status_code for answer in answers] == [503, 503]
    assert Page(answers[1]).headings
    assert scene.shop.payment(checkout.id)["status"] == "requires_action"
    assert open_attempts(watched, checkout) == []
    assert scene.witness.found(NUMBER) == []
    assert scene.shopper.pay(checkout, NUMBER, cvc=CVC).status_code == 200


# ------------------------------------------------------------------------------ the encrypted card


@dataclass(frozen=True)
class Sealed:
    """A card as it is kept while a challenge is open."""

    checkout: Checkout
    challenge: str
    ciphertext: bytes


@pytest.fixture
def sealed(scene: Scene, watched: Stack) -> Sealed:
    checkout = scene.shop.checkout()
    challenge = scene.shopper.pay(checkout, CHALLENGE_CARD, cvc=CVC).json()["redirect"]
    (row,) = open_attempts(watched, checkout)
    return Sealed(checkout, challenge, bytes(row["encrypted_card"]))


def test_the_encrypted_card_is_there_while_a_challenge_is_open(
    sealed: Sealed, watched: Stack
) -> None:
    """And can be opened for its own payment: this is the control of the tests that follow."""
    opened = client(watched, "kms").decrypt(
        CiphertextBlob=sealed.ciphertext, EncryptionContext={"payment_id": sealed.checkout.id}
    )
    assert traces(opened["Plaintext"].decode(), CHALLENGE_CARD) == {"number", "cvc"}


@pytest.mark.parametrize("context", [{}, {"payment_id": "pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"}])
def test_the_encrypted_card_cannot_be_read_without_its_payments_context(
    context: dict[str, str], sealed: Sealed, watched: Stack
) -> None:
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        client(watched, "kms").decrypt(CiphertextBlob=sealed.ciphertext, EncryptionContext=context)


def test_the_same_card_is_encrypted_differently_each_time(
    sealed: Sealed, scene: Scene, watched: Stack
) -> None:
    other = scene.shop.checkout()
    scene.shopper.pay(other, CHALLENGE_CARD, cvc=CVC)
    (row,) = open_attempts(watched, other)
    assert bytes(row["encrypted_card"]) != sealed.ciphertext


def _pass(scene: Scene, sealed: Sealed) -> None:
    scene.shopper.answer_challenge(sealed.challenge, code=ONE_TIME_CODE)


def _fail(scene: Scene, sealed: Sealed) -> None:
    scene.shopper.answer_challenge(sealed.challenge, action="fail")


def _abandon(scene: Scene, sealed: Sealed) -> None:
    scene.shopper.post(f"{sealed.challenge}/abandon")


def _return_unfinished(scene: Scene, sealed: Sealed) -> None:
    scene.shopper.open(f"{sealed.challenge}/return")


@pytest.mark.parametrize("end", [_pass, _fail, _abandon, _return_unfinished])
def test_the_encrypted_card_is_gone_once_its_attempt_has_an_outcome(
    end: Callable[[Scene, Sealed], None], sealed: Sealed, scene: Scene, watched: Stack
) -> None:
    end(scene, sealed)
    assert scene.shop.payment(sealed.checkout.id)["status"] != "processing"

    for table in watched.dynamodb.list_tables()["TableNames"]:
        kept = list(texts_in(watched.dynamodb.scan(TableName=table)["Items"]))
        assert sealed.ciphertext.decode("latin-1") not in kept


@pytest.mark.parametrize(("number", "status"), [(NUMBER, 200), (DECLINED_CARD, 402)])
def test_no_encrypted_card_is_left_after_a_payment_without_a_challenge(
    number: str, status: int, scene: Scene, watched: Stack
) -> None:
    checkout = scene.shop.checkout()
    assert scene.shopper.pay(checkout, number, cvc=CVC).status_code == status
    for row in open_attempts(watched, checkout):  # for a moment it may still be there
        assert "encrypted_card" not in row


def writes_to(stack: Stack, table: str) -> list[dict[str, Any]]:
    """The rows as every single write left them, since the table's stream was opened."""
    streams = client(stack, "dynamodbstreams")
    described = stack.dynamodb.describe_table(TableName=stack.resources[table])["Table"]
    arn = described["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    written = []
    while records := streams.get_records(ShardIterator=iterator):
        if not records["Records"]:
            break
        written += [row["dynamodb"].get("NewImage", {}) for row in records["Records"]]
        iterator = records["NextShardIterator"]
    return written


def test_the_card_is_erased_in_the_very_write_that_keeps_the_acquirers_answer(
    scene: Scene, watched: Stack
) -> None:
    """Seen through a stream that only this test opens: the product's table has none."""
    watched.dynamodb.update_table(
        TableName=watched.resources["AttemptsTable"],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    for number in (NUMBER, DECLINED_CARD):
        scene.shopper.pay(scene.shop.checkout(), number, cvc=CVC)

    written = writes_to(watched, "AttemptsTable")

    assert sum("encrypted_card" in row for row in written) >= 2
    answered = [row for row in written if "authorization" in row]
    assert len(answered) == 2
    assert not [row for row in answered if "encrypted_card" in row]


def test_the_table_of_encrypted_cards_has_no_stream(stack: Stack) -> None:
    name = stack.resources["AttemptsTable"]
    table = stack.dynamodb.describe_table(TableName=name)["Table"]
    assert not table.get("StreamSpecification", {}).get("StreamEnabled")
    assert "LatestStreamArn" not in table


@pytest.mark.parametrize(
    ("table", "has_backup"), [("AttemptsTable", False), ("PaymentsTable", True)]
)
def test_the_table_of_encrypted_cards_alone_is_not_backed_up(table: str, has_backup: bool) -> None:
    """Reads the template, for the emulated AWS backs nothing up. Payments are the control."""
    properties = yaml_parse((PROJECT / "template.yaml").read_text())["Resources"][table]
    recovery = properties["Properties"].get("PointInTimeRecoverySpecification", {})
    assert bool(recovery.get("PointInTimeRecoveryEnabled")) == has_backup
