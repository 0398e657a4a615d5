"""The API's functions in SAM's containers, with the built layers, taking payments."""

import json
import re
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.emulator.demo import TEST_KEY
from tests.sam_local.conftest import SECONDS, SamStack, environment, run
from tests.support.actors import ONE_TIME_CODE, TYPED_CARD, Shop, Shopper, order
from tests.support.events import EVENTS, PAYMENT, SECRET, function_id, load_event
from tests.support.html import Page
from tests.support.stack import PROJECT

pytestmark = pytest.mark.timeout(SECONDS)
_INVOKE = re.compile(r"^sam local invoke .*$", re.MULTILINE)


def invoke(name: str, replacements: dict[str, str] | None = None) -> Any:
    """The function's answer to its recorded event, by the command that the docs show."""
    event = json.dumps(load_event(name))
    for recorded, real in (replacements or {}).items():
        event = event.replace(recorded, real)
    (command,) = _INVOKE.findall((PROJECT / "docs/design.md").read_text("utf-8"))
    sam, local, verb, _, option, shown_event = shlex.split(command)
    assert (PROJECT / shown_event).parent == EVENTS
    typed = (sam, local, verb, function_id(name), option, "-")
    return json.loads(run(typed, environment(), event))


@pytest.fixture
def demo_shop(stack: SamStack) -> Iterator[Shop]:
    """The merchant of the recorded events."""
    shop = Shop(stack, TEST_KEY)
    yield shop
    shop.close()


def test_a_shopper_pays_on_the_page_and_the_merchant_reads_it(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout(amount="12.00", description="Tea")
    assert shop.payment(checkout.id)["status"] == "requires_action"
    page = Page(shopper.open(checkout.redirect))
    assert "Tea" in page.text

    paid = page.form("card_number").send(shopper.session, **TYPED_CARD)

    assert paid.status_code == 303
    assert shopper.way_out(paid).endswith(f"/payment-result?id_payment={checkout.id}")
    assert shop.payment(checkout.id)["status"] == "completed"
    (listed,) = shop.list(status="succeeded").json()
    assert (listed["id"], listed["amount"]) == (checkout.id, 12.0)


def test_a_shopper_passes_a_challenge(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    assert challenge.startswith(f"{shop.stack.url}/3ds/")
    assert ONE_TIME_CODE in Page(shopper.open(challenge)).text

    back = shopper.answer_challenge(challenge)

    assert back.status_code == 303
    assert shopper.way_out(back).endswith(f"?id_payment={checkout.id}")
    assert shop.payment(checkout.id)["status"] == "completed"


def test_nobody_gets_in_without_a_valid_key(stack: SamStack, shop: Shop) -> None:
    before = stack.row_counts()

    for auth, status in ((None, 401), (("sk_test_nobody", ""), 403), (("sk", ""), 403)):
        refused = shop.request("POST", "/v1/payments/", auth=auth, json=order())
        assert refused.status_code == status, "SAM's own: see the next test"
        assert shop.request("GET", "/v1/payments/", auth=auth).status_code == status
    assert stack.row_counts() == before


def test_sam_differs_from_aws_where_the_docs_say_so(shop: Shop) -> None:
    refused = [
        shop.request("GET", "/v1/payments/", auth=None),
        shop.request("GET", "/v1/payments/", auth=("sk_test_nobody", "")),
        shop.request("GET", "/v2/"),
        shop.request("OPTIONS", "/v1/payments/"),
    ]
    created = [shop.create(), shop.create()]

    assert [answer.status_code for answer in refused] == [401, 403, 403, 403]
    assert {tuple(answer.json()) for answer in refused} == {("message",)}
    assert not any("X-Request-Id" in answer.headers for answer in refused)
    assert len({answer.headers["X-Request-Id"] for answer in created}) == 1


def test_every_function_answers_its_recorded_event(demo_shop: Shop, shopper: Shopper) -> None:
    paid, unpaid = demo_shop.checkout(), demo_shop.checkout()
    assert shopper.pay(paid).status_code == 200
    real = {PAYMENT: unpaid.id, SECRET: unpaid.client_secret}
    functions = [event.stem for event in EVENTS.iterdir()]

    with ThreadPoolExecutor(2) as pool:
        answered = pool.map(lambda name: invoke(name, real), functions)
    answers = dict(zip(functions, answered, strict=True))

    statuses = {name: answer.get("statusCode") for name, answer in answers.items()}
    # The checkout's event pays the payment, perhaps before the refund's event comes to it.
    assert statuses.pop("refunds") in (201, 409)
    expected = dict.fromkeys(statuses) | {
        "create_payment": 202,
        "get_payment": 200,
        "list_payments": 200,
        "checkout": 303,
        "captures": 409,
        "simulated_issuer": 404,
        "three_d_secure_return": 404,
    }
    assert statuses == expected
    assert answers["authorizer"]["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert json.loads(answers["get_payment"]["body"])["id"] == unpaid.id
    assert paid.id in {row["id"] for row in json.loads(answers["list_payments"]["body"])}
    assert demo_shop.payment(unpaid.id)["status"] == "completed"
    assert answers["authenticate"]["needs_challenge"] is False
    assert answers["authorize"] == answers["resolve"] == {"status": "over"}
    assert answers["reconcile_attempts"]["failed"] == 0
