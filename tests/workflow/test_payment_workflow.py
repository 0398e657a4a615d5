"""The 3DS/authorization flow as Step Functions runs it (contract, section 5)."""

import json
from typing import Any

import pytest

from payments.adapters.aws import AwsClient
from payments.adapters.workflow import Workflow
from payments.model.ids import attempt_id
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
from tests.support.records import charges, open_attempts, questions, times_paid
from tests.support.stack import Stack


def _execution_arn(stack: Stack, checkout: Checkout) -> str:
    """The execution of the payment's only attempt."""
    executions = stack.aws("stepfunctions").list_executions(
        stateMachineArn=stack.resources["PaymentWorkflow"], maxResults=1000
    )["executions"]
    (arn,) = (row["executionArn"] for row in executions if row["name"].startswith(checkout.id))
    return str(arn)


def _history(stack: Stack, checkout: Checkout) -> list[dict[str, Any]]:
    arn = _execution_arn(stack, checkout)
    answer = stack.aws("stepfunctions").get_execution_history(executionArn=arn, maxResults=1000)
    events: list[dict[str, Any]] = answer["events"]
    return events


def _states(stack: Stack, checkout: Checkout) -> list[str]:
    return [
        event["stateEnteredEventDetails"]["name"]
        for event in _history(stack, checkout)
        if "stateEnteredEventDetails" in event
    ]


def test_a_frictionless_payment_enters_three_states(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, PAID_CARD)
    assert _states(stack, checkout) == ["Authenticate", "IsChallenged", "Authorize"]


def test_a_declined_payment_enters_three_states(stack: Stack, shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, DECLINED_CARD)
    assert _states(stack, checkout) == ["Authenticate", "IsChallenged", "Authorize"]


def test_a_challenged_payment_enters_four_states(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    shopper.answer_challenge(shopper.start_challenge(checkout))
    states = ["Authenticate", "IsChallenged", "AwaitChallenge", "Authorize"]
    assert _states(stack, checkout) == states


def test_nothing_starts_before_a_card_is_submitted(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    shopper.open(checkout.redirect)
    shopper.pay(checkout, "4242424242424241")  # refused input
    with pytest.raises(ValueError, match="not enough values"):
        _execution_arn(stack, checkout)


def test_the_execution_is_named_by_payment_and_attempt_and_is_told_no_more(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, attempt="page-token-1")
    arn = _execution_arn(stack, checkout)
    name = arn.rpartition(":")[2]
    assert name.startswith(attempt_id(checkout.id, "page-token-1-"))
    described = stack.aws("stepfunctions").describe_execution(executionArn=arn)
    assert json.loads(described["input"]) == {"attempt_id": name}


def test_a_second_start_of_the_same_attempt_charges_nothing(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, attempt="page-token-1")
    lambda_client = stack.aws("lambda")
    name = _execution_arn(stack, checkout).rpartition(":")[2]
    before = shop.payment(checkout.id)
    for function in ("AuthenticateFunction", "AuthorizeFunction", "ResolveFunction"):
        event = {"attempt_id": name, "authentication": {"trans_status": "Y"}}
        answer = lambda_client.invoke(
            FunctionName=stack.resources[function], Payload=json.dumps(event)
        )
        assert "FunctionError" not in answer
    assert shop.payment(checkout.id) == before
    (charge,) = charges(stack, checkout)
    assert charge.amount_minor == 50000


def test_an_attempt_that_breaks_is_resolved_without_a_charge_and_can_be_paid_again(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    (attempt,) = open_attempts(stack, checkout)
    stack.dynamodb.update_item(
        TableName=stack.resources["AttemptsTable"],
        Key={"id": {"S": attempt["id"]}},
        UpdateExpression="SET encrypted_card = :broken",
        ExpressionAttributeValues={":broken": {"B": b"not a card"}},
    )

    shopper.answer_challenge(challenge)

    assert _states(stack, checkout)[-2:] == ["Authorize", "Resolve"]
    payment = shop.payment(checkout.id)
    assert (payment["status"], payment["decline_code"]) == ("requires_action", "processing_error")
    assert shopper.pay(checkout).status_code == 200
    asked = questions(stack, checkout)
    assert [attempt[-1] for attempt in asked] == ["reverse", "authorize"]
    assert times_paid(stack, checkout) == 1


def test_a_task_that_breaks_says_no_more_than_that_it_broke(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    answer = stack.aws("lambda").invoke(
        FunctionName=stack.resources["AuthorizeFunction"],
        Payload=json.dumps({"attempt_id": {"4242424242424242": "314"}}),
    )
    assert json.loads(answer["Payload"].read()) == {
        "errorType": "TaskFailedError",
        "errorMessage": "the task failed; its log says where",
    }


def test_the_challenge_card_is_sealed_until_it_is_used_and_then_gone(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    answer = shopper.pay(checkout, CHALLENGE_CARD)
    (row,) = open_attempts(stack, checkout)
    assert CHALLENGE_CARD.encode() not in bytes(row["encrypted_card"])

    shopper.answer_challenge(answer.json()["redirect"])

    assert open_attempts(stack, checkout) == []


# --------------------------------------------------------------------------------- alias, upgrades


def test_an_execution_started_by_the_alias_is_seen_running_and_then_over(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    workflow = Workflow(
        AwsClient(stack.aws("stepfunctions")), f"{stack.resources['PaymentWorkflow']}:live"
    )
    challenge = shopper.start_challenge(checkout)
    attempt = _execution_arn(stack, checkout).rpartition(":")[2]
    assert workflow.is_running(attempt)
    assert not workflow.is_running(attempt_id(checkout.id, "unknown"))
    shopper.answer_challenge(challenge)
    assert not workflow.is_running(attempt)


def test_a_changed_definition_leaves_executions_under_way_alone(stack_for: StackFor) -> None:
    stack = stack_for(OutcomeWaitSeconds="1", WorkflowTimeoutSeconds="1201")  # this test's own
    shop, shopper = open_shop(stack), Shopper(stack)
    under_way, later = shop.checkout(), shop.checkout()
    challenge = shopper.start_challenge(under_way)

    changed = {"StartAt": "Refuse", "States": {"Refuse": {"Type": "Fail"}}}
    stack.aws("stepfunctions").update_state_machine(
        stateMachineArn=stack.resources["PaymentWorkflow"], definition=json.dumps(changed)
    )

    shopper.answer_challenge(challenge)
    assert shop.payment(under_way.id)["status"] == "completed"
    shopper.pay(later)
    assert _states(stack, later) == ["Refuse"]
