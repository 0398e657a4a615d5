"""`make smoke`: a test merchant takes payments through a stack's API, as its users would.

It prints a line for each step: what was tried, and what came back. The first step that fails ends
it. It asks the address that merchants use, so it also tries the gateway, the keys and the links.
"""

import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from local.operator.deployed import DeployedStack
from local.variables import optional, whole_number
from payments.adapters.store.api_keys import ApiKeyStore
from payments.model.ids import Mode
from payments.model.merchant import Merchant
from payments.use_cases.api_keys import ApiKeys
from payments.web.checkout_link import read_checkout_data

_PAID_CARD = "4242424242424242"
_CHALLENGE_CARD = "4000002760003184"
_ONE_TIME_CODE = "123456"
_TIMEOUT_SECONDS = 35  # API Gateway waits for 29
_OUTCOME_SECONDS = 60  # every function may have to start first
_MOST_SHOWN_CHARACTERS = 300
# It needs no profile: its key carries this copy.
_MERCHANT = Merchant(
    id="smoke-test",
    name="Smoke test",
    email="smoke-test@example.com",
    country="US",
    statement_descriptor="SMOKE TEST",
    local_currency="USD",
    settlement_currency="USD",
)
_ORDER = {
    "amount": "1.00",
    "currency": "USD",
    "description": "Smoke test",
    "items": ["Tea"],
    "return_url": "https://example.com/done",
}


class _FailedStepError(ValueError):
    """The text says what was tried and what came back."""


@dataclass(frozen=True)
class _Checkout:
    """A created payment. `pay_url` takes its card."""

    id: str
    client_secret: str
    redirect: str

    @property
    def pay_url(self) -> str:
        return urljoin(self.redirect, self.id)


@dataclass(frozen=True)
class _Answer:
    """`told` is the request and the status it was answered with."""

    told: str
    response: requests.Response

    def json(self, key: str) -> Any:
        try:
            return self.response.json()[key]
        except (ValueError, KeyError, TypeError):
            raise _FailedStepError(f"{self.told}, without {key}: {self._shown()}") from None

    def must_be(self, *statuses: int) -> None:
        if self.response.status_code not in statuses:
            expected = " or ".join(map(str, statuses))
            raise _FailedStepError(f"{self.told}, expected {expected}: {self._shown()}")

    def _shown(self) -> str:
        return " ".join(self.response.text.split())[:_MOST_SHOWN_CHARACTERS]


class _Steps:
    """Each of them returns what happened, or raises _FailedStepError."""

    def __init__(self, api: str, key: str, session: requests.Session) -> None:
        self._api = api
        self._key = key
        self._session = session
        self._paid: list[str] = []

    def create(self) -> str:
        self._checkout, told = self._create()
        return f"{told} {self._checkout.id}"

    def page(self) -> str:
        return self._ask("GET", self._checkout.redirect, 200).told

    def pay(self) -> str:
        answer = self._pay(self._checkout, _PAID_CARD, 200, 202)
        return f"{answer.told}; {self._completed(self._checkout)}"

    def challenge(self) -> str:
        """A second payment, whose card's bank asks for a one-time code."""
        checkout, _ = self._create()
        challenge = self._pay(checkout, _CHALLENGE_CARD, 202).json("redirect")
        shown = self._ask("GET", challenge, 200)
        code = {"code": _ONE_TIME_CODE, "action": "pass"}
        back = self._ask("POST", challenge, 303, data=code)
        way_back = urljoin(challenge, back.response.headers["Location"])
        self._ask("GET", way_back, 200, 303)
        return f"{shown.told}; {back.told}; {self._completed(checkout)}"

    def refund(self) -> str:
        """A part of the first payment, which stays paid."""
        url = f"{self._api}{self._checkout.id}/refunds"
        headers = {"Idempotency-Key": f"smoke-{uuid.uuid4()}"}
        body = {"amount": "0.40"}
        answer = self._ask("POST", url, 201, 202, key=self._key, json=body, headers=headers)
        return f"{answer.told} {answer.json('id')} {answer.json('status')}"

    def list(self) -> str:
        answer = self._ask("GET", self._api, 200, key=self._key)
        listed = {row["id"]: row["status"] for row in answer.response.json()}
        found = {paid: listed.get(paid) for paid in self._paid}
        if set(found.values()) != {"succeeded"}:
            raise _FailedStepError(f"{answer.told}, but the paid payments read {found}")
        return f"{answer.told} with both payments"

    def wrong_key(self) -> str:
        never_issued = f"sk_test_{secrets.token_hex(16)}"  # a new one: the gateway remembers
        return self._ask("GET", self._api, 401, key=never_issued).told

    def _create(self) -> tuple[_Checkout, str]:
        headers = {"Idempotency-Key": f"smoke-{uuid.uuid4()}"}
        answer = self._ask("POST", self._api, 202, key=self._key, json=_ORDER, headers=headers)
        redirect = answer.json("data")["redirect"]
        payment, secret = read_checkout_data(parse_qs(urlsplit(redirect).query)["data"][0])
        return _Checkout(payment, secret, redirect), answer.told

    def _pay(self, checkout: _Checkout, card: str, *expected: int) -> _Answer:
        form = {
            "client_secret": checkout.client_secret,
            "method": "card",
            "card_number": card,
            "exp_month": "12",
            "exp_year": str(time.gmtime().tm_year + 5),
            "cvc": "314",
            "name": "Smoke Test",
        }
        return self._ask("POST", checkout.pay_url, *expected, json=form)

    def _completed(self, checkout: _Checkout) -> str:
        """The payment as the merchant reads it, once its attempt has ended."""
        deadline = time.monotonic() + _OUTCOME_SECONDS
        while True:
            answer = self._ask("GET", self._api + checkout.id, 200, key=self._key)
            status = answer.json("status")
            if status == "completed":
                self._paid.append(checkout.id)
                return f"{answer.told} completed"
            if status != "processing" or time.monotonic() > deadline:
                raise _FailedStepError(f"{answer.told}, but it reads {status}, not completed")
            time.sleep(0.5)

    def _ask(
        self, method: str, url: str, *expected: int, key: str | None = None, **options: Any
    ) -> _Answer:
        tried = f"{method} {urlsplit(url).path}"  # the query holds a secret
        try:
            response = self._session.request(
                method,
                url,
                auth=(key, "") if key else None,
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
                **options,
            )
        except requests.RequestException as error:
            raise _FailedStepError(f"{tried}: no answer ({type(error).__name__})") from None
        answer = _Answer(f"{tried} -> {response.status_code}", response)
        answer.must_be(*expected)
        return answer


TIMES = optional("TIMES", whole_number(1, 1000, "a number of runs from 1 to 1000"), 1)


def smoke(stack: DeployedStack, times: int) -> str:
    """Raises _FailedStepError. The key that it makes stops working when it ends."""
    api = stack.output("ApiUrl")
    keys = ApiKeys(ApiKeyStore(stack.aws_client, stack.output("KeysTable")))
    key = keys.issue(_MERCHANT, Mode.TEST, int(time.time()))
    try:
        with requests.Session() as session:
            for number in range(1, times + 1):
                if times > 1:
                    print(f"Run {number} of {times}")
                _run(_Steps(api, key, session))
    finally:
        keys.revoke(key, int(time.time()))
    return f"Stack {stack.name} takes payments."


def _run(steps: _Steps) -> None:
    for step in (
        steps.create,
        steps.page,
        steps.pay,
        steps.challenge,
        steps.refund,
        steps.list,
        steps.wrong_key,
    ):
        name = step.__name__.replace("_", " ")
        try:
            print(f"ok  {name:<10} {step()}", flush=True)
        except _FailedStepError as error:
            raise _FailedStepError(f"FAILED  {name}: {error}") from None
