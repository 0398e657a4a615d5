"""Single promises, each seen alone: how many calls, what a refusal is like, how long it takes."""

from collections.abc import Iterator
from typing import Any

import pytest

from payments.model.lifecycle import Status
from payments.model.operation_result import OperationResult, OperationStatus
from payments.model.payment import Payment
from tests.reliability.faults import Faults
from tests.reliability.invariants import check
from tests.reliability.money_scenarios import held, paid, prepared
from tests.reliability.scenarios import create
from tests.reliability.world import CANARY_NUMBER, Answer, Stage, World
from tests.support.actors import CHALLENGE_CARD


@pytest.fixture
def world(simulated: Stage) -> Iterator[World]:
    world = World(simulated)
    yield world
    world.close()


def _calls(world: World) -> list[str]:
    calls = list(world.faults.log)
    world.faults.log.clear()
    return calls


def test_a_create_is_one_call_and_with_a_key_two(world: World) -> None:
    world.run(world.create)
    assert _calls(world) == ["dynamodb.GetItem", "dynamodb.PutItem"]  # cold: it reads the rates
    world.run(world.create)
    assert _calls(world) == ["dynamodb.PutItem"]
    world.run(lambda: world.create("order-1"))
    assert _calls(world) == ["dynamodb.PutItem", "dynamodb.PutItem"]


def test_rates_are_read_again_after_a_few_minutes_and_missed_by_nobody(simulated: Stage) -> None:
    away = [False]
    faults = Faults(
        lambda _n, side, name: (
            "refused" if away[0] and (side, name) == ("before", "dynamodb.GetItem") else None
        )
    )
    world = World(simulated, faults=faults)
    try:
        world.run(world.create)
        world.scheduler.wait(301)
        away[0] = True
        _calls(world)
        for _ in range(2):
            world.run(world.create)
        assert _calls(world) == ["dynamodb.GetItem", "dynamodb.PutItem", "dynamodb.PutItem"]
        assert len(world.stored()) == 3
    finally:
        world.close()


def test_a_replay_is_two_calls_and_starts_nothing(world: World) -> None:
    world.run(lambda: world.create("order-1"))
    _calls(world)
    world.run(lambda: world.create("order-1"))
    assert _calls(world) == ["dynamodb.PutItem", "dynamodb.GetItem"]
    _, replayed = world.answers[-1]
    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert len(world.stored()) == 1


def test_a_crash_between_claim_and_put_is_healed_by_the_next_try(simulated: Stage) -> None:
    faults = Faults(lambda number, side, _: "crash" if (number, side) == (3, "before") else None)
    world = World(simulated, faults=faults)
    try:
        world.run(lambda: world.create("order-1"))
        assert world.stored() == []
        world.run(lambda: world.create("order-1"))
        (payment,) = world.stored()
        assert {ticket.id for ticket in world.tickets.values()} == {payment.id}
        _, healed = world.answers[-1]
        assert "Idempotent-Replayed" not in healed.headers
    finally:
        world.close()


def test_a_key_is_free_again_by_the_clock_and_not_by_the_tables_own_cleaning(
    world: World,
) -> None:
    world.run(lambda: world.create("order-1"))
    world.scheduler.wait(26 * 3600)
    world.tickets.clear()
    world.run(lambda: world.create("order-1", description="A year later"))
    assert world.stored()[0].description == "A year later"
    assert len(world.stored()) == 2


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_create_that_aws_refuses_answers_503_with_retry_after(
    simulated: Stage, number: int
) -> None:
    faults = Faults(lambda n, side, _: "refused" if (n, side) == (number, "before") else None)
    world = World(simulated, faults=faults)
    try:
        world.run(lambda: world.create("order-1"))
        _, answer = world.answers[-1]
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert world.stored() == []
    finally:
        world.close()


@pytest.mark.parametrize("refused", ["kms.Encrypt", "dynamodb.UpdateItem", "stepfunctions.Start"])
def test_a_payment_whose_attempt_could_not_begin_is_as_payable_as_before(
    simulated: Stage, refused: str
) -> None:
    seen: list[str] = []

    def once(_number: int, side: str, name: str) -> str | None:
        if side == "before" and name.startswith(refused) and not seen:
            seen.append(name)
            return "refused"
        return None

    world = World(simulated, faults=Faults(once))
    try:
        answers = []

        def shopper() -> None:
            ticket = create(world)
            answers.append(world.pay(ticket, CANARY_NUMBER, "token-0001"))
            answers.append(world.pay(ticket, CANARY_NUMBER, "token-0002"))

        world.run(shopper)
        assert (answers[0].status, answers[0].headers["Retry-After"]) == (503, "2")
        assert answers[1].body["status"] == "succeeded"
        world.settle()
        check(world)
    finally:
        world.close()


def test_an_attempt_whose_workflow_died_is_ended_within_three_minutes(world: World) -> None:
    def shopper() -> None:
        world.pay(create(world), CHALLENGE_CARD, "token-0001")
        for execution in world.stepfunctions.executions.values():
            world.stepfunctions.abort(execution)

    world.run(shopper)
    (stuck,) = world.stored()
    assert stuck.status is Status.PROCESSING
    began_us = world.scheduler.now_us()
    while world.stored()[0].status is Status.PROCESSING:
        world.scheduler.wait(60)  # the template's schedule
        world.run(world.reconcile)
    assert world.scheduler.now_us() - began_us < 180 * 1_000_000
    check(world)


CARDS_BY_FLOW = pytest.mark.parametrize(
    ("number", "flow"), [(CANARY_NUMBER, "frictionless"), (CHALLENGE_CARD, "challenge")]
)


def _paid_in_the_dark(simulated: Stage, number: str, faults: Faults) -> Payment:
    """The payment as it stands when the faults are over and everything has settled."""
    world = World(simulated, faults=faults)
    try:

        def shopper() -> None:
            answer = world.pay(create(world), number, "token-0001")
            if number == CHALLENGE_CARD:
                world.challenge(answer.body["redirect"], "pass")

        world.run(shopper)
        world.settle()
        (payment,) = world.stored()
        check(world)
    finally:
        world.close()
    assert "acquirer.look_up" in world.faults.log
    return payment


def _says_who_answers_for_fraud(payment: Payment, flow: str) -> bool:
    facts = payment.three_d_secure or {}
    return (facts.get("liability_shift"), facts.get("flow")) == (True, flow)


@CARDS_BY_FLOW
def test_a_charge_whose_answer_was_lost_still_says_who_answers_for_fraud(
    simulated: Stage, number: str, flow: str
) -> None:
    """It is looked up, in the end, by a task that has neither asked for 3DS nor seen the card."""

    def lost(_number: int, side: str, name: str) -> str | None:
        return "lost" if (side, name) == ("after", "acquirer.authorize") else None

    payment = _paid_in_the_dark(simulated, number, Faults(lost))
    assert payment.status == Status.SUCCEEDED
    assert _says_who_answers_for_fraud(payment, flow)
    assert payment.card is not None
    assert payment.card.funding == "credit"
    assert payment.risk is not None
    assert payment.risk["checks"]["cvc"] == "pass"


@CARDS_BY_FLOW
def test_a_charge_that_the_reconciler_finds_still_says_who_answers_for_fraud(
    simulated: Stage, number: str, flow: str
) -> None:
    """The workflow has ended without an outcome, and all it knew is gone."""
    fates = {
        ("after", "acquirer.authorize"): "lost",
        ("before", "acquirer.look_up"): "refused",
    }

    def dark(_number: int, side: str, name: str) -> str | None:
        return fates.get((side, name))

    payment = _paid_in_the_dark(simulated, number, Faults(dark))
    assert payment.status == Status.SUCCEEDED
    assert _says_who_answers_for_fraud(payment, flow)


@pytest.mark.parametrize("looked_up_by", ["workflow", "reconciler"])
def test_a_hold_whose_answer_was_lost_is_found_and_falls_due(
    simulated: Stage, looked_up_by: str
) -> None:
    fates = {("after", "acquirer.authorize"): "lost"}
    if looked_up_by == "reconciler":
        fates["before", "acquirer.look_up"] = "refused"
    world = World(simulated, faults=Faults(lambda _number, side, name: fates.get((side, name))))
    try:
        world.run(lambda: held(world))
        world.settle()
        (payment,) = world.stored()
        assert payment.status is Status.AUTHORIZED
        check(world)  # that it is due, too
        world.scheduler.wait(world.hold_seconds)
        world.settle()
        (payment,) = world.stored()
        assert (payment.status, payment.cancellation_reason) == (
            Status.CANCELED,
            "authorization_expired",
        )
        check(world)
    finally:
        world.close()


def test_a_lapse_that_could_not_begin_is_made_up_for(simulated: Stage) -> None:
    """Every write is refused in the minute in which the hold falls due, and later none is."""
    world = World(simulated)
    try:
        prepared(world, held)
        world.scheduler.wait(world.hold_seconds)
        world.faults.choose = lambda _number, side, name: (
            "refused" if (side, name) == ("before", "dynamodb.TransactWriteItems") else None
        )
        world.run(world.reconcile)
        assert world.stored()[0].status is Status.AUTHORIZED
        world.settle()
        assert world.stored()[0].status is Status.CANCELED
        check(world)
    finally:
        world.close()


@pytest.mark.parametrize("verb", ["capture", "void"])
def test_what_aws_refused_before_it_began_is_not_told_as_done(simulated: Stage, verb: str) -> None:
    world = World(simulated)
    try:
        ticket = prepared(world, held)
        world.faults.choose = lambda _number, side, name: (
            "refused" if (side, name) == ("before", "dynamodb.TransactWriteItems") else None
        )
        answers: list[Answer] = []
        world.run(lambda: answers.append(getattr(world, verb)(ticket)))
        assert answers[0].status == 503
        world.settle()
        assert world.stored()[0].status is Status.AUTHORIZED
        check(world)
    finally:
        world.close()


def test_a_capture_without_an_answer_is_told_as_under_way(simulated: Stage) -> None:
    world = World(simulated)
    try:
        ticket = prepared(world, held)
        world.faults.choose = lambda _number, side, name: (
            "lost" if (side, name) == ("after", "acquirer.capture") else None
        )
        answers: list[Answer] = []
        world.run(lambda: answers.append(world.capture(ticket, "80.00")))
        assert answers[0].status == 202
        assert answers[0].body["operation"]["status"] == "pending"
        world.settle()
        assert world.stored()[0].captured_minor == 80_00
        check(world)
    finally:
        world.close()


class _TakesItsTime:
    """An acquirer that says of each first capture that it will see."""

    def __init__(self, acquirer: Any) -> None:
        self._acquirer = acquirer
        self._asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._acquirer, name)

    def capture(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        if reference not in self._asked:
            self._asked.add(reference)
            return OperationResult(OperationStatus.PENDING)
        result: OperationResult = self._acquirer.capture(charge, reference, amount_minor)
        return result


def test_a_capture_that_the_acquirer_has_not_decided_is_told_as_under_way(
    simulated: Stage,
) -> None:
    world = World(simulated, wrap_acquirer=_TakesItsTime)
    try:
        ticket = prepared(world, held)
        answers: list[Answer] = []
        world.run(lambda: answers.append(world.capture(ticket)))
        assert answers[0].status == 202
        assert answers[0].body["operation"]["status"] == "pending"
        world.settle()
        assert world.stored()[0].status is Status.SUCCEEDED
        check(world)
    finally:
        world.close()


def test_a_refund_that_has_no_outcome_for_a_day_is_told_to_a_human(simulated: Stage) -> None:
    away = [True]
    world = World(simulated)
    try:
        ticket = prepared(world, paid)
        world.faults.choose = lambda _number, side, name: (
            "refused" if away[0] and side == "before" and name.startswith("acquirer.") else None
        )
        answers: list[Answer] = []
        world.run(lambda: answers.append(world.refund(ticket, "10.00")))
        assert answers[0].status == 202
        world.run(world.reconcile)
        world.scheduler.wait(86_400)
        world.run(world.reconcile)
        assert world.stored()[0].refundable_minor == 490_00
        log = world.stage.log.getvalue()
        assert log.count("no outcome for a day") == 1
        assert answers[0].body["id"] in log
        away[0] = False
        world.settle()
        check(world)
    finally:
        world.close()


def test_a_known_outcome_does_not_wait_for_an_acquirer_that_is_away(simulated: Stage) -> None:
    """The answer was kept, but not the payment's new status: every later write was refused."""
    writes_since_answer: list[str] = []
    is_away: list[bool] = []

    def choose(_number: int, side: str, name: str) -> str | None:
        if is_away:
            return "refused" if (side, name[:9]) == ("before", "acquirer.") else None
        if (side, name) == ("after", "acquirer.authorize") or (
            writes_since_answer and (side, name) == ("before", "dynamodb.UpdateItem")
        ):
            writes_since_answer.append(name)
            return "refused" if len(writes_since_answer) > 2 else None
        return None

    world = World(simulated, faults=Faults(choose))
    try:
        world.run(lambda: world.pay(create(world), CANARY_NUMBER, "token-0001"))
        (attempt,) = world.open_attempts()
        assert attempt.authorization is not None
        is_away.append(True)
        world.scheduler.wait(90)
        world.run(world.reconcile)
        assert world.stored()[0].status is Status.SUCCEEDED
        check(world)
    finally:
        world.close()


def test_the_reconciler_leaves_alone_what_a_workflow_still_looks_after(world: World) -> None:
    def shopper() -> None:
        ticket = create(world)
        answer = world.pay(ticket, CHALLENGE_CARD, "token-0001")
        world.scheduler.sleep(300)
        world.reconcile()
        world.challenge(answer.body["redirect"], "pass")

    world.run(shopper)
    (payment,) = world.stored()
    assert payment.status is Status.SUCCEEDED
    check(world)


def test_an_acquirer_that_stays_away_holds_its_attempt_without_the_card(
    simulated: Stage,
) -> None:
    away = [True]
    faults = Faults(
        lambda _n, side, name: (
            "refused" if away[0] and side == "before" and name.startswith("acquirer.") else None
        )
    )
    world = World(simulated, faults=faults)
    try:
        world.run(lambda: world.pay(create(world), CANARY_NUMBER, "token-0001"))
        for _ in range(10):
            world.scheduler.wait(60)
            world.run(world.reconcile)
        (attempt,) = world.open_attempts()
        assert attempt.encrypted_card is None
        assert world.stored()[0].status is Status.PROCESSING
        away[0] = False
        world.settle()
        assert world.stored()[0].status is Status.REQUIRES_ACTION
        check(world)
    finally:
        world.close()


def test_canceling_again_after_a_lost_answer_is_told_the_truth(simulated: Stage) -> None:
    def lost(_number: int, side: str, name: str) -> str | None:
        return "lost" if (side, name) == ("after", "dynamodb.UpdateItem") else None

    world = World(simulated, faults=Faults(lost))
    try:
        answers = []

        def shopper() -> None:
            ticket = create(world)
            answers.append(world.cancel(ticket))
            world.faults.is_on = False
            answers.append(world.cancel(ticket))

        world.run(shopper)
        assert [answer.status for answer in answers] == [503, 200]
        assert answers[1].body["status"] == "canceled"
        check(world)
    finally:
        world.close()
