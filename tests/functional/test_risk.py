"""Fraud prevention over the running stack: what is shown, what acts, and for whom."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from local.emulator.demo import SECOND_MERCHANT_KEY
from local.template import Template, load
from payments.model.ids import Mode
from tests.conftest import StackFor
from tests.support.actors import (
    BLOCKED_CARD,
    DECLINED_CARD,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.operator import operate
from tests.support.records import open_attempts
from tests.support.stack import Stack

HIGHEST_RISK_CARD = "4000000000004954"
ELEVATED_RISK_CARD = "4000000000009235"
ANOTHER_CARD = "5555555555554444"
OTHER_CARDS = (ANOTHER_CARD, "378282246310005", "6011111111111117", "3566002020360505")


@pytest.fixture(scope="module")
def deployed() -> Template:
    """The template as CloudFormation gets it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return load({})


@pytest.fixture(params=["observing", "enforcing"])
def merchant_id(request: pytest.FixtureRequest) -> str:
    return f"{request.param}-{time.time_ns()}"


@pytest.fixture
def either(stack: Stack, merchant_id: str) -> Iterator[Shop]:
    """A merchant that has the rules enforced in test mode, and one that has not."""
    enforces = merchant_id.startswith("enforcing")
    shop = open_shop(stack, Mode.TEST, merchant_id, enforces_fraud_rules=enforces)
    yield shop
    shop.close()


@pytest.fixture
def strict(stack: Stack) -> Iterator[Shop]:
    shop = open_shop(stack, enforces_fraud_rules=True)
    yield shop
    shop.close()


def outcome(shopper: Shopper, checkout: Checkout, number: str, **changes: Any) -> str:
    """What the shopper is told: succeeded, requires_challenge, or why not."""
    if number.startswith("37"):
        changes["cvc"] = "3141"
    answer = shopper.pay(checkout, number, **changes).json()
    return str(answer["status"] if "status" in answer else answer["error"]["code"])


def risk(shop: Shop, checkout: Checkout) -> dict[str, Any]:
    shown: dict[str, Any] = shop.payment(checkout.id)["risk"]
    return shown


def lists(stack: Stack, verb: str, merchant_id: str, name: str, kind: str, value: str) -> str:
    """What `make block` and `make unblock` print."""
    entry = {"MERCHANT": merchant_id, "LIST": name, "KIND": kind, "VALUE": value}
    ran = operate(stack, verb, **entry)
    return ran.stdout + ran.stderr


def test_a_payment_shows_score_level_reasons_and_fingerprint(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout)

    shown = risk(shop, checkout)

    assert (shown["score"], shown["level"]) == (10, "normal")
    assert shown["reasons"] == ["card_country_differs"]
    assert len(shown["fingerprint"]) == 32


def test_a_fingerprint_is_the_cards_own_and_another_one_for_another_merchant(
    shop: Shop, strict: Shop, shopper: Shopper
) -> None:
    seen = []
    for merchant, number in (
        (shop, PAID_CARD),
        (shop, PAID_CARD),
        (shop, ANOTHER_CARD),
        (strict, PAID_CARD),
    ):
        checkout = merchant.checkout()
        shopper.pay(checkout, number)
        seen.append(risk(merchant, checkout)["fingerprint"])
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3


@pytest.mark.parametrize(
    ("number", "told", "status", "reason"),
    [
        (BLOCKED_CARD, "card_declined", "blocked", "acquirer_blocked_card"),
        (HIGHEST_RISK_CARD, "card_declined", "blocked", "acquirer_highest_risk"),
        (ELEVATED_RISK_CARD, "requires_challenge", "processing", "acquirer_elevated_risk"),
    ],
)
def test_the_fraud_cards_act_for_every_merchant(
    number: str, told: str, status: str, reason: str, either: Shop, shopper: Shopper
) -> None:
    checkout = either.checkout()

    answer = shopper.pay(checkout, number)

    if told == "requires_challenge":
        assert answer.json()["status"] == told
        assert either.payment(checkout.id)["status"] == status
        shopper.answer_challenge(answer.json()["redirect"])
        assert either.payment(checkout.id)["status"] == "completed"
    else:
        assert answer.status_code == 402
        assert "fraud" not in answer.text
        assert either.payment(checkout.id)["status"] == status
    assert reason in risk(either, checkout)["reasons"]


def test_declined_cards_from_one_address_bring_a_challenge_and_then_a_block(
    strict: Shop, shopper: Shopper
) -> None:
    for _ in range(3):
        assert outcome(shopper, strict.checkout(), DECLINED_CARD) != "requires_challenge"
    for _ in range(2):
        assert outcome(shopper, strict.checkout(), DECLINED_CARD) == "requires_challenge"
    checkout = strict.checkout()

    outcome(shopper, checkout, PAID_CARD)

    assert strict.payment(checkout.id)["status"] == "blocked"
    assert {"ip_failures", "card_testing"} <= set(risk(strict, checkout)["reasons"])
    assert risk(strict, checkout)["level"] == "highest"


def test_a_merchant_that_only_observes_sees_the_same_score_and_is_paid(
    shop: Shop, shopper: Shopper
) -> None:
    for _ in range(5):
        shopper.pay(shop.checkout(), DECLINED_CARD)
    checkout = shop.checkout()

    assert outcome(shopper, checkout, PAID_CARD) == "succeeded"

    assert risk(shop, checkout)["level"] == "highest"
    assert {"ip_failures", "card_testing"} <= set(risk(shop, checkout)["reasons"])


def test_the_second_demo_merchant_has_the_rules_enforced() -> None:
    """On a stack of its own: other tests expect to pay this merchant."""
    with closing(Stack()) as stack:
        demo, shopper = Shop(stack, SECOND_MERCHANT_KEY), Shopper(stack)
        for _ in range(3):
            shopper.pay(demo.checkout(), DECLINED_CARD)
        assert outcome(shopper, demo.checkout(), PAID_CARD) != "succeeded"
        demo.close()
        shopper.close()


def test_a_challenge_that_is_passed_is_held_against_nobody(strict: Shop, shopper: Shopper) -> None:
    for _ in range(3):
        shopper.pay(strict.checkout(), DECLINED_CARD)
    for _ in range(4):
        answer = shopper.pay(strict.checkout(), ANOTHER_CARD)
        if answer.status_code == 202:
            shopper.answer_challenge(answer.json()["redirect"])
    assert outcome(shopper, strict.checkout(), PAID_CARD) == "succeeded"


def test_one_card_too_often_brings_a_challenge(strict: Shop, shopper: Shopper) -> None:
    told = [outcome(shopper, strict.checkout(), PAID_CARD) for _ in range(6)]
    assert told == ["succeeded"] * 5 + ["requires_challenge"]


def test_a_third_new_card_on_one_payment_counts_with_a_throw_away_address(
    strict: Shop, shopper: Shopper
) -> None:
    checkout = strict.checkout()
    outcome(shopper, checkout, DECLINED_CARD)
    outcome(shopper, checkout, "4000000000009995")

    told = outcome(shopper, checkout, OTHER_CARDS[0], email="someone@mailinator.com")

    assert told == "requires_challenge"
    assert open_attempts(strict.stack, checkout)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ip", "127.0.0.0/8"),
        ("email", "ana@example.com"),
        ("email", "@EXAMPLE.com"),
        ("country", "us"),
        ("card", "the fingerprint of the payment before"),
    ],
)
def test_a_merchants_lists_act_whether_it_enforces_rules_or_not(
    kind: str, value: str, either: Shop, merchant_id: str, stack: Stack, shopper: Shopper
) -> None:
    before = either.checkout()
    shopper.pay(before, email="ana@example.com")
    value = risk(either, before)["fingerprint"] if kind == "card" else value

    lists(stack, "block", merchant_id, "block", kind, value)
    blocked = either.checkout()
    shopper.pay(blocked, email="ana@example.com")
    lists(stack, "unblock", merchant_id, "block", kind, value)
    after = either.checkout()
    shopper.pay(after, email="ana@example.com")

    assert either.payment(blocked.id)["status"] == "blocked"
    assert "merchant_block_list" in risk(either, blocked)["reasons"]
    assert either.payment(after.id)["status"] == "completed"


def test_whoever_is_on_the_allow_list_is_not_scored(stack: Stack, shopper: Shopper) -> None:
    merchant_id = f"lists-{time.time_ns()}"
    shop = open_shop(stack, Mode.TEST, merchant_id, enforces_fraud_rules=True)
    for _ in range(3):
        shopper.pay(shop.checkout(), DECLINED_CARD)
    printed = lists(stack, "block", merchant_id, "allow", "ip", "127.0.0.1")
    checkout = shop.checkout()

    assert printed == f"{merchant_id}, allow list, ip: 127.0.0.1/32\n"
    assert outcome(shopper, checkout, PAID_CARD) == "succeeded"
    assert risk(shop, checkout)["reasons"] == ["merchant_allow_list"]
    shop.close()


def test_a_card_number_is_no_entry_and_is_not_repeated(stack: Stack) -> None:
    printed = lists(stack, "block", "anybody", "block", "card", PAID_CARD)
    assert "fingerprint" in printed
    assert PAID_CARD not in printed


def test_counters_hold_neither_card_nor_e_mail_nor_address(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, email="carmen@example.com", attempt="page-token-1")

    kept = repr(stack.rows("RiskTable"))
    assert "#email#" in kept
    assert not any(secret in kept for secret in (PAID_CARD, "carmen", "127.0.0.1"))
    assert "127.0.0.1" not in repr(shop.payment(checkout.id))
    assert open_attempts(stack, checkout) == []


@pytest.fixture(scope="session")
def blind(stack_for: StackFor) -> Stack:
    """A stack whose counters are gone. Nobody else may use it: the parameter says so."""
    stack = stack_for(LogRetentionDays="7")
    stack.dynamodb.delete_table(TableName=stack.resources["RiskTable"])
    return stack


@pytest.mark.parametrize("enforces", [True, False])
def test_without_counters_a_challenge_takes_their_place(blind: Stack, *, enforces: bool) -> None:
    shop, shopper = open_shop(blind, enforces_fraud_rules=enforces), Shopper(blind)
    checkout = shop.checkout()

    answer = shopper.pay(checkout)

    assert answer.json()["status"] == "requires_challenge"
    shopper.answer_challenge(answer.json()["redirect"])
    assert shop.payment(checkout.id)["status"] == "completed"
    assert "counters_unavailable" in risk(shop, checkout)["reasons"]
    assert '"RiskUnavailable"' in blind.log


def test_the_block_list_acts_without_counters(blind: Stack) -> None:
    merchant_id = f"lists-{time.time_ns()}"
    shop, shopper = open_shop(blind, Mode.TEST, merchant_id), Shopper(blind)
    lists(blind, "block", merchant_id, "block", "ip", "127.0.0.1")
    checkout = shop.checkout()
    shopper.pay(checkout)
    assert shop.payment(checkout.id)["status"] == "blocked"


def test_only_the_first_task_may_make_fingerprints(deployed: Template) -> None:
    (key,) = (
        body["Properties"]
        for body in deployed.of_type("AWS::KMS::Key").values()
        if body["Properties"].get("KeySpec") == "HMAC_256"
    )
    makers = [
        statement["Principal"]["AWS"]
        for statement in key["KeyPolicy"]["Statement"]
        if "kms:GenerateMac" in statement["Action"]
    ]
    assert makers == [{"Fn::GetAtt": ["AuthenticateFunctionRole", "Arn"]}]


def test_counters_are_neither_backed_up_nor_kept(deployed: Template) -> None:
    table = deployed.resources["RiskTable"]["Properties"]
    assert "PointInTimeRecoverySpecification" not in table
    assert "StreamSpecification" not in table
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
