"""What `make start` prints while it serves: one line a request, and nothing that is secret."""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    ONE_TIME_CODE,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.money import run_reconciler
from tests.support.stack import Stack

CVC = "937"
_LINE = re.compile(
    r"\d\d:\d\d:\d\d (?P<method>[A-Z]+) (?P<path>\S+) (?P<status>\d{3}) \d+ ms(?P<more>.*)"
)


@pytest.fixture(scope="module")
def quiet() -> Iterator[Stack]:
    """A stack as `make start` runs it, without LOG=debug."""
    stack = Stack(log="")
    yield stack
    stack.close()


@pytest.fixture
def quiet_shop(quiet: Stack) -> Iterator[Shop]:
    shop = open_shop(quiet)
    yield shop
    shop.close()


@pytest.fixture
def quiet_shopper(quiet: Stack) -> Iterator[Shopper]:
    shopper = Shopper(quiet)
    yield shopper
    shopper.close()


class Printed:
    """What a stack prints from now on."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._start = len(stack.log)

    @property
    def lines(self) -> list[str]:
        return self._stack.log[self._start :].splitlines()

    @property
    def requests(self) -> list[tuple[str, str, str, str]]:
        """Method, path, status, and what follows. Every line must be one of a request."""
        found = [_LINE.fullmatch(line) for line in self.lines]
        assert all(found), self.lines
        return [
            (match["method"], match["path"], match["status"], match["more"].strip())
            for match in found
            if match
        ]


def test_each_request_is_one_line_with_the_payment_s_id_and_there_are_no_others(
    quiet: Stack, quiet_shop: Shop, quiet_shopper: Shopper
) -> None:
    printed = Printed(quiet)
    checkout = quiet_shop.checkout()
    quiet_shopper.open(checkout.redirect)
    challenge = quiet_shopper.start_challenge(checkout)
    quiet_shopper.open(challenge)
    quiet_shopper.answer_challenge(challenge)
    quiet_shop.payment(checkout.id)
    quiet_shop.list()
    quiet_shopper.open(f"{quiet.url}/checkout/static/style.css")
    run_reconciler(quiet)

    assert printed.requests == [
        ("POST", "/v1/payments/", "202", checkout.id),
        ("GET", "/checkout/", "200", checkout.id),
        ("POST", f"/checkout/{checkout.id}", "202", ""),
        ("GET", "/3ds/…", "200", checkout.id),
        ("POST", "/3ds/…", "303", checkout.id),
        ("GET", "/3ds/…/return", "303", checkout.id),
        ("GET", f"/v1/payments/{checkout.id}", "200", ""),
        ("GET", "/v1/payments/", "200", ""),
        ("GET", "/checkout/static/style.css", "200", ""),
    ]


def test_with_log_debug_the_functions_logs_and_metrics_are_printed_too(
    stack: Stack, shop: Shop
) -> None:
    printed = Printed(stack)
    checkout = shop.checkout()
    run_reconciler(stack)
    lines = "\n".join(printed.lines)
    assert "POST /v1/payments/ 202 " in lines
    assert checkout.id in lines
    for expected in ('"message":"answered"', '"message":"reconciled"', '"PaymentCreated"'):
        assert expected in lines


def test_a_refusal_says_which_fields_or_which_reason(
    quiet: Stack, quiet_shop: Shop, quiet_shopper: Shopper
) -> None:
    checkout, paid = quiet_shop.checkout(), quiet_shop.checkout()
    assert quiet_shopper.pay(paid).status_code == 200
    printed = Printed(quiet)
    quiet_shop.create(amount="9.999", currency="XXX", items=[])
    quiet_shop.list(limit=1000)
    quiet_shopper.pay(checkout, "4242")
    quiet_shopper.pay_by_form(checkout, "4242", cvc="1")
    quiet_shopper.pay(checkout, DECLINED_CARD)
    quiet_shopper.pay(paid)
    Shop(quiet, None).list()
    Shop(quiet, "sk_test_short").list()
    Shop(quiet, "sk_test_0000000000000000").list()
    quiet_shop.request("GET", "/v2/payments")
    quiet_shop.request("POST", "/v1/payments/", data="x", headers={"Content-Type": "text/plain"})

    told = [(status, more) for _, _, status, more in printed.requests]
    assert told == [
        ("400", "currency: unknown_currency, amount: too_many_decimals, items: too_few"),
        ("400", "limit: invalid_limit"),
        ("400", "card_number: invalid_card_number"),
        ("400", "card_number, cvc"),
        ("402", "generic_decline"),
        ("409", "already_paid"),
        ("401", "Authentication credentials were not provided."),
        ("401", "Invalid API key format."),
        ("401", "Invalid API key."),
        ("404", "no such route"),
        ("415", "Unsupported content type"),
    ]


def test_an_error_of_a_function_is_printed_in_full(quiet: Stack, quiet_shop: Shop) -> None:
    checkout = quiet_shop.checkout()
    (row,) = [row for row in quiet.rows("PaymentsTable") if row["id"]["S"] == checkout.id]
    quiet.dynamodb.update_item(
        TableName=quiet.resources["PaymentsTable"],
        Key={"pk": row["pk"], "id": row["id"]},
        UpdateExpression="REMOVE amount_minor",
    )
    printed = Printed(quiet)
    request_id = quiet_shop.get(checkout.id).headers["X-Request-Id"]
    unforeseen, request = printed.lines
    assert json.loads(unforeseen)["request_id"] == request_id
    assert "KeyError" in unforeseen
    assert f"GET /v1/payments/{checkout.id} 500 " in request


def test_nothing_secret_is_printed(quiet: Stack, quiet_shop: Shop, quiet_shopper: Shopper) -> None:
    printed = Printed(quiet)
    key, checkout = quiet_shop.key or "", quiet_shop.checkout()
    quiet_shopper.open(checkout.redirect)
    quiet_shopper.status(checkout)
    challenge = quiet_shopper.pay(checkout, CHALLENGE_CARD, cvc=CVC).json()["redirect"]
    quiet_shopper.answer_challenge(challenge, code="000000")
    secrets = (
        *(key, checkout.client_secret, CHALLENGE_CARD, CVC, ONE_TIME_CODE),
        urlsplit(challenge).path.rpartition("/")[2],
        base64.b64encode(f"{key}:".encode()).decode(),
    )
    for secret in secrets:  # mistaken for a part of the path, of the query, or for a method
        quiet_shop.request("GET", f"/v1/payments/{secret}")
        quiet_shop.request("GET", f"/v1/{secret}/payments?client_secret={secret}")
        quiet_shop.request("GET", f"/checkout/static/{secret}")
        quiet_shop.request("GET", f"/3ds/{secret}")
        quiet_shop.request(secret.replace("=", ""), "/v1/payments/")
    quiet_shop.request(
        "GET", "/v1/payments/" + "/".join(CHALLENGE_CARD[i : i + 4] for i in (0, 4, 8, 12))
    )

    lines = "\n".join(printed.lines)
    assert len(printed.lines) >= 5 * len(secrets)
    for secret in secrets:
        alone = rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])"
        assert not re.search(alone, re.sub(r"\b\d+ ms\b", "", lines))
    for parameter in ("client_secret=", "data=", "?"):
        assert parameter not in lines.replace(" ? ", " ")


@pytest.mark.parametrize("sent", ["%1b%5b31m", "%0aGET%20x", "%0d", "%00", "%e2%80%ae", "%9b"])
def test_control_characters_of_a_path_do_not_reach_the_terminal(
    quiet: Stack, quiet_shop: Shop, sent: str
) -> None:
    printed = Printed(quiet)
    quiet_shop.request("GET", f"/v1/pay{sent}ments")
    quiet_shop.request("GET", f"/checkout/{sent}")
    assert [path for _, path, _, _ in printed.requests] == ["/v1/…", "/checkout/…"]
    assert "\n".join(printed.lines).replace("\n", "").isprintable()
