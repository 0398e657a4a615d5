"""The two who use the product: a merchant's server and a shopper's browser, over real HTTP."""

import base64
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from payments.model.ids import Mode
from payments.model.merchant import Merchant, Profile
from payments.use_cases.api_keys import ApiKeys
from tests.support.stack import Stack

PAID_CARD = "4242424242424242"
CHALLENGE_CARD = "4000002760003184"
DECLINED_CARD = "4000000000000002"
INSUFFICIENT_FUNDS_CARD = "4000000000009995"
BLOCKED_CARD = "4100000000000019"
ONE_TIME_CODE = "123456"
TIMEOUT_SECONDS = 30
_numbers = itertools.count(1)


def order(**changes: Any) -> dict[str, Any]:
    """The documentation's create example, with changes; a value of None leaves the field out."""
    body = {
        "amount": "500.00",
        "description": "Premium subscription payment",
        "currency": "USD",
        "items": ["Premium Plan - Monthly"],
        "return_url": "https://example.com/payment-result",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


@dataclass(frozen=True)
class Checkout:
    """A created payment as its shopper gets it."""

    id: str
    client_secret: str
    redirect: str
    data: dict[str, Any]

    @classmethod
    def of(cls, created: requests.Response) -> "Checkout":
        assert created.status_code == 202, (created.status_code, created.text)
        return cls.at(created.json()["data"]["redirect"])

    @classmethod
    def at(cls, redirect: str) -> "Checkout":
        """What a shop sends its shopper to."""
        encoded = parse_qs(urlsplit(redirect).query)["data"][0]
        data = json.loads(base64.b64decode(encoded))
        return cls(data["id_payment"], data["client_secret"], redirect, data)


@dataclass
class Shop:
    """A merchant's server. Without a key it sends no credentials."""

    stack: Stack
    key: str | None
    session: requests.Session = field(default_factory=requests.Session)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any request, `path` starting with a slash; `auth` and `headers` may be overridden."""
        options.setdefault("auth", (self.key, "") if self.key else None)
        options.setdefault("timeout", TIMEOUT_SECONDS)
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.stack.url + path, **options)

    def create(self, headers: dict[str, str] | None = None, **changes: Any) -> requests.Response:
        return self.request("POST", "/v1/payments/", json=order(**changes), headers=headers)

    def checkout(self, **changes: Any) -> Checkout:
        """A new payment, ready to be paid."""
        return Checkout.of(self.create(**changes))

    def get(self, payment_id: str, **query: str) -> requests.Response:
        return self.request("GET", f"/v1/payments/{payment_id}", params=query)

    def list(self, **query: str | int) -> requests.Response:
        return self.request("GET", "/v1/payments/", params=query)

    def payment(self, payment_id: str) -> dict[str, Any]:
        """The one-view of a payment that must be there."""
        answer = self.get(payment_id)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        view: dict[str, Any] = answer.json()
        return view

    def close(self) -> None:
        self.session.close()


def open_shop(
    stack: Stack,
    mode: Mode = Mode.TEST,
    merchant_id: str = "",
    *,
    enforces_fraud_rules: bool = False,
) -> Shop:
    """A merchant nobody else uses (or the named one), with a fresh key."""
    merchant = Merchant(
        id=merchant_id or f"shop-{next(_numbers)}-{time.time_ns()}",
        name="Corner Shop",
        email="shop@example.com",
        country="CR",
        statement_descriptor="CORNER",
        local_currency="CRC",
        settlement_currency="USD",
        enforces_fraud_rules_in_test=enforces_fraud_rules,
    )
    # Live cards come as JSON only where the profile says so.
    stack.merchant_store.put(Profile(merchant, accepts_json_cards=True))
    key = ApiKeys(stack.key_store).issue(merchant, mode, int(time.time()))
    return Shop(stack, key)


# What a shopper types into the page's form, to pay without a challenge.
TYPED_CARD = {
    "card_number": PAID_CARD,
    "exp_month": "12",
    "exp_year": "34",
    "cvc": "314",
    "name": "Ada Lovelace",
}


@dataclass
class Shopper:
    """A browser without JavaScript, or a script that posts JSON."""

    stack: Stack
    session: requests.Session = field(default_factory=requests.Session)

    def open(self, url: str, **options: Any) -> requests.Response:
        """GET of an absolute URL, redirects not followed."""
        options.setdefault("allow_redirects", False)
        return self.session.get(url, timeout=TIMEOUT_SECONDS, **options)

    def post(self, url: str, **options: Any) -> requests.Response:
        """POST to an absolute URL, redirects not followed."""
        options.setdefault("allow_redirects", False)
        return self.session.post(url, timeout=TIMEOUT_SECONDS, **options)

    def card_form(self, checkout: Checkout, number: str, **changes: Any) -> dict[str, Any]:
        """The payment form's fields; a value of None leaves the field out."""
        sent = {"client_secret": checkout.client_secret, "method": "card", "card_number": number}
        form = TYPED_CARD | {"exp_year": "2034"} | sent
        return {name: value for name, value in (form | changes).items() if value is not None}

    def pay(self, checkout: Checkout, number: str = PAID_CARD, **changes: Any) -> requests.Response:
        """Pays by JSON."""
        form = self.card_form(checkout, number, **changes)
        return self.post(f"{self.stack.url}/checkout/{checkout.id}", json=form)

    def pay_by_form(
        self, checkout: Checkout, number: str = PAID_CARD, **changes: Any
    ) -> requests.Response:
        """Pays as the page's form does."""
        form = self.card_form(checkout, number, **changes)
        return self.post(f"{self.stack.url}/checkout/{checkout.id}", data=form)

    def wallet_form(
        self, checkout: Checkout, method: str, token: object, **changes: Any
    ) -> dict[str, Any]:
        """The fields that the page sends once a wallet's sheet was confirmed."""
        form = {
            "client_secret": checkout.client_secret,
            "method": method,
            "wallet_token": token,
        }
        return {name: value for name, value in (form | changes).items() if value is not None}

    def pay_by_wallet(
        self, checkout: Checkout, method: str, token: object, **changes: Any
    ) -> requests.Response:
        """Pays by JSON; the token as it is, or as its JSON text."""
        form = self.wallet_form(checkout, method, token, **changes)
        return self.post(f"{self.stack.url}/checkout/{checkout.id}", json=form)

    def pay_by_wallet_form(
        self, checkout: Checkout, method: str, token: str, **changes: Any
    ) -> requests.Response:
        """Pays as the page's form does: the token can only be text."""
        form = self.wallet_form(checkout, method, token, **changes)
        return self.post(f"{self.stack.url}/checkout/{checkout.id}", data=form)

    def status(self, checkout: Checkout, *, as_json: bool = True) -> requests.Response:
        """The status of the payment: as JSON, or the page."""
        accept = "application/json" if as_json else "text/html"
        return self.open(
            f"{self.stack.url}/checkout/{checkout.id}",
            params={"client_secret": checkout.client_secret},
            headers={"Accept": accept},
        )

    def cancel(self, checkout: Checkout) -> requests.Response:
        """Gives up, as the page's form does."""
        return self.post(
            f"{self.stack.url}/checkout/{checkout.id}/cancel",
            data={"client_secret": checkout.client_secret},
        )

    def start_challenge(self, checkout: Checkout) -> str:
        """Pays with a challenge card by JSON; the challenge's URL."""
        answer = self.pay(checkout, CHALLENGE_CARD)
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "requires_challenge"
        url: str = answer.json()["redirect"]
        return url

    def answer_challenge(
        self, url: str, *, code: str = ONE_TIME_CODE, action: str = "pass"
    ) -> requests.Response:
        """Types the code, or presses the fail button, and follows the way back to us."""
        answer = self.post(url, data={"code": code, "action": action})
        if answer.status_code == 303:
            return self.open(answer.headers["Location"])
        return answer

    def way_out(self, answer: requests.Response) -> str:
        """Where a form post leads, through our own pages: to the shop, or to the challenge.

        No redirect may lead elsewhere, for browsers hold form-action against redirects too.
        """
        while answer.status_code == 303:
            assert answer.headers["Location"].startswith(f"{self.stack.url}/")
            answer = self.open(answer.headers["Location"])
        assert answer.status_code == 200, answer.text
        assert "Refresh" in answer.headers, f"stays on: {answer.text}"
        delay, _, target = answer.headers["Refresh"].partition("; url=")
        assert delay == "0"
        return urljoin(answer.url, target)

    def close(self) -> None:
        self.session.close()
