"""The recorded events are what AWS sends, and every function makes sense of its own."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local.emulator.demo import TEST_KEY
from local.template import Template
from payments.model import ids
from payments.web.checkout_link import read_checkout_data
from tests.support.actors import ONE_TIME_CODE, Shop, Shopper
from tests.support.events import EVENTS, PAYMENT, SECRET, function_id, load_event
from tests.support.stack import Stack, rows_where

ATTEMPT = f"{PAYMENT}_0123456789abcdef-abcdefgh"
CHALLENGE = (
    f"ch_test_4geeks_{PAYMENT[4:]}_0123456789abcdef-abcdefgh_00112233445566778899aabbccddeeff"
)
NOT_REQUESTS = {
    *("authenticate", "authorize", "authorizer"),
    *("reconcile_attempts", "refresh_rates", "resolve"),
}


def invoke(stack: Stack, name: str, replacements: dict[str, str] | None = None) -> Any:
    """The function's answer to its recorded event, by Lambda's Invoke on the emulated AWS."""
    payload = json.dumps(load_event(name))
    for recorded, real in (replacements or {}).items():
        assert recorded in payload
        payload = payload.replace(recorded, real)
    function = stack.resources[function_id(name)]
    answer = stack.aws("lambda").invoke(FunctionName=function, Payload=payload)
    returned = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, returned
    return returned


@pytest.fixture
def demo_shop(stack: Stack) -> Iterator[Shop]:
    """The merchant of the recorded events."""
    shop = Shop(stack, TEST_KEY)
    yield shop
    shop.close()


@pytest.fixture
def challenge(demo_shop: Shop, shopper: Shopper) -> str:
    """The id of a challenge that waits for its shopper."""
    return shopper.start_challenge(demo_shop.checkout()).rpartition("/")[2]


@pytest.fixture
def attempt(challenge: str) -> ids.ChallengeReference:
    """The attempt that challenge belongs to: authenticated, not yet charged."""
    reference = ids.parse_challenge_id(challenge)
    assert reference is not None
    return reference


def test_there_is_exactly_one_event_for_each_function(deployed: Template) -> None:
    functions = deployed.of_type("AWS::Lambda::Function")

    assert {event.stem for event in EVENTS.iterdir()} == {
        deployed.paths[function].name for function in functions
    }


def test_every_recorded_request_is_one_the_gateway_hands_to_that_function(
    gateway: dict[str, Any],
) -> None:
    for name in {event.stem for event in EVENTS.iterdir()} - NOT_REQUESTS:
        event = load_event(name)
        context = event["requestContext"]
        operation = gateway["paths"][event["resource"]][event["httpMethod"].lower()]
        path = event["resource"].format(**(event["pathParameters"] or {}))
        headers = event["headers"].items()

        assert f"${{{function_id(name)}Aliaslive}}" in str(
            operation["x-amazon-apigateway-integration"]
        )
        assert event["path"].rstrip("/") == path
        assert context["path"] == f"/{context['stage']}{event['path']}"
        assert context["resourcePath"] == event["resource"]
        assert context["httpMethod"] == event["httpMethod"]
        assert {header: [value] for header, value in headers} == event["multiValueHeaders"]


def test_the_authorizer_allows_all_routes_and_says_what_merchants_events_carry(
    stack: Stack,
) -> None:
    answer = invoke(stack, "authorizer")

    (statement,) = answer["policyDocument"]["Statement"]
    assert statement == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": ["arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/*"],
    }
    for name in ("captures", "create_payment", "get_payment", "list_payments", "refunds"):
        authorizer = load_event(name)["requestContext"]["authorizer"]
        del authorizer["integrationLatency"]
        assert authorizer == answer["context"] | {"principalId": answer["principalId"]}


def test_the_recorded_order_makes_a_payment_that_is_read_and_paid_and_listed(stack: Stack) -> None:
    created = invoke(stack, "create_payment")
    assert created["statusCode"] == 202
    redirect = urlsplit(json.loads(created["body"])["data"]["redirect"])
    payment_id, secret = read_checkout_data(parse_qs(redirect.query)["data"][0])

    read = invoke(stack, "get_payment", {PAYMENT: payment_id})
    paid = invoke(stack, "checkout", {PAYMENT: payment_id, SECRET: secret})
    listed = invoke(stack, "list_payments")

    assert json.loads(read["body"])["status"] == "requires_action"
    assert paid["statusCode"] == 303
    assert f"/checkout/{payment_id}?" in paid["headers"]["Location"]
    newest = json.loads(listed["body"])[0]
    assert [newest[key] for key in ("id", "status")] == [payment_id, "succeeded"]


@pytest.mark.parametrize(
    "name",
    [
        *("captures", "checkout", "get_payment", "refunds"),
        *("simulated_issuer", "three_d_secure_return"),
    ],
)
def test_what_the_recorded_requests_ask_for_does_not_exist(stack: Stack, name: str) -> None:
    assert invoke(stack, name)["statusCode"] == 404


def test_the_recorded_capture_takes_a_part_of_held_money_and_the_recorded_refund_gives_some_back(
    stack: Stack, demo_shop: Shop, shopper: Shopper
) -> None:
    checkout = demo_shop.checkout(capture=False)
    shopper.pay(checkout)

    captured = invoke(stack, "captures", {PAYMENT: checkout.id})
    refunded = invoke(stack, "refunds", {PAYMENT: checkout.id})

    assert [captured["statusCode"], refunded["statusCode"]] == [200, 201]
    payment = demo_shop.payment(checkout.id)
    amounts = [payment[f"{name}_amount"] for name in ("captured", "refunded", "refundable")]
    assert amounts == ["80.00", "10.00", "70.00"]


def test_the_recorded_challenge_shows_the_issuers_page_for_a_real_one(
    stack: Stack, challenge: str
) -> None:
    shown = invoke(stack, "simulated_issuer", {CHALLENGE: challenge})

    assert shown["statusCode"] == 200
    assert ONE_TIME_CODE in shown["body"]
    assert f"/3ds/{challenge}" in shown["body"]


def test_a_task_that_comes_after_its_attempt_is_over_asks_the_acquirer_nothing(
    stack: Stack,
) -> None:
    authenticated = invoke(stack, "authenticate")
    assert authenticated.pop("attempt_id") == ATTEMPT
    assert authenticated.pop("needs_challenge") is False
    assert set(authenticated.values()) == {None}
    assert invoke(stack, "authorize") == {"status": "over"}
    assert invoke(stack, "resolve") == {"status": "over"}
    assert ATTEMPT not in {row["reference"]["S"] for row in stack.rows("SimulatorTable")}


def test_the_recorded_authentication_leads_a_real_attempt_to_its_challenge(
    stack: Stack, challenge: str, attempt: ids.ChallengeReference
) -> None:
    answer = invoke(stack, "authenticate", {ATTEMPT: attempt.attempt_id})

    assert answer["attempt_id"] == attempt.attempt_id
    assert answer["authentication"]["trans_status"] == "C"
    # The history keeps no challenge id: the URL is in the attempt's row.
    assert answer["authentication"]["challenge_url"] is None
    (row,) = rows_where(stack, "AttemptsTable", "id", attempt.attempt_id)
    assert row["challenge_url"] == f"{stack.url}/3ds/{challenge}"


def test_the_recorded_authorization_takes_the_money_of_a_real_attempt(
    stack: Stack, attempt: ids.ChallengeReference, demo_shop: Shop
) -> None:
    assert invoke(stack, "authorize", {ATTEMPT: attempt.attempt_id}) == {"status": "succeeded"}
    assert demo_shop.payment(attempt.payment_id)["status"] == "completed"


def test_the_recorded_resolution_ends_a_real_attempt_that_was_never_charged(
    stack: Stack, attempt: ids.ChallengeReference, demo_shop: Shop
) -> None:
    outcome = invoke(stack, "resolve", {ATTEMPT: attempt.attempt_id})

    assert outcome == {"status": "requires_action"}
    assert demo_shop.payment(attempt.payment_id)["decline_code"] == "processing_error"


def test_the_recorded_tick_leaves_an_attempt_to_the_workflow_that_runs_it(
    stack: Stack, attempt: ids.ChallengeReference, demo_shop: Shop
) -> None:
    counts = invoke(stack, "reconcile_attempts")

    assert counts["left"] >= 1
    assert demo_shop.payment(attempt.payment_id)["status"] == "processing"
