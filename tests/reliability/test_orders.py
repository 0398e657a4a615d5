"""Two requests that meet on one payment, in every order of their calls.

`make test` plays at most 60 orders of each pair, taken from all over (30 where money moves after
the payment), and looks through more of them for one that shows what is broken; `make soak` plays
all of them.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.reliability.faults import Faults
from tests.reliability.invariants import check
from tests.reliability.money_scenarios import (
    FAILS_LATER_CARD,
    STAYS_PENDING_CARD,
    held,
    paid,
    prepared,
)
from tests.reliability.orders import Order, in_order, orders
from tests.reliability.scenarios import OTHER_PAID_CARD, create
from tests.reliability.test_mutants import (
    NothingIsReversed,
    OneRowForAPage,
    change_to,
    is_claim,
    without_condition,
    without_condition_in_transactions,
)
from tests.reliability.world import (
    CANARY_NUMBER,
    LIFETIME_SECONDS,
    Answer,
    Mutation,
    Stage,
    Ticket,
    World,
)
from tests.support import report
from tests.support.actors import CHALLENGE_CARD

ORDERS = int(os.environ.get("ORDERS", "60"))
# Where money moves, a payment is paid first, and each request makes twice as many calls.
FEWER_ORDERS = max(1, ORDERS // 2)
MUTANT_ORDERS = 200
PAGE = "token-0001"
Requests = tuple[Callable[[], object], ...]


def _created(world: World) -> Ticket:
    tickets: list[Ticket] = []
    world.run(lambda: tickets.append(create(world)))
    return tickets[0]


def two_cards(world: World) -> Requests:
    ticket = _created(world)
    return (
        lambda: world.pay(ticket, CANARY_NUMBER, PAGE, email="ana@example.com"),
        lambda: world.pay(ticket, OTHER_PAID_CARD, PAGE, shopper_ip="198.51.100.4"),
    )


def pay_and_cancel(world: World) -> Requests:
    ticket = _created(world)
    return lambda: world.pay(ticket, CANARY_NUMBER, PAGE), lambda: world.cancel(ticket)


def pay_and_expiry(world: World) -> Requests:
    """The time passes, and the merchant asks: what it is told then stays true."""
    ticket = _created(world)
    world.scheduler.wait(LIFETIME_SECONDS - 3)

    def expire() -> None:
        world.scheduler.jump(4)
        world.status(ticket)

    return lambda: world.pay(ticket, CANARY_NUMBER, PAGE), expire


def return_and_abandonment(world: World) -> Requests:
    """Both as soon as the shopper knows of the challenge: the workflow waits for one of them."""
    ticket = _created(world)
    answers: list[Answer] = []
    world.scheduler.spawn(
        "shopper", lambda: answers.append(world.pay(ticket, CHALLENGE_CARD, PAGE))
    )

    def end_by(action: str) -> None:
        world.scheduler.wait(60, until=lambda: bool(answers))
        world.challenge(answers[0].body["redirect"], action)

    return partial(end_by, "pass"), partial(end_by, "abandon")


def authorize_and_reconcile(world: World) -> Requests:
    """The checkout died before the workflow started; the form comes back while we clear up."""
    ticket = _created(world)
    world.faults.choose = lambda _number, side, name: (
        "crash" if side == "before" and name.endswith(".StartExecution") else None
    )
    world.run(lambda: world.pay(ticket, CANARY_NUMBER, PAGE))
    world.faults.choose = Faults().choose
    world.scheduler.wait(90)
    return lambda: world.pay(ticket, CANARY_NUMBER, PAGE), world.reconcile


def two_creates(world: World) -> Requests:
    return lambda: world.create("order-1"), lambda: world.create("order-1")


def hold_and_cancel(world: World) -> Requests:
    """The merchant lets a payment go that its shopper is just paying."""
    ticket = prepared(world, partial(create, capture=False))
    return lambda: world.pay(ticket, CANARY_NUMBER, PAGE), lambda: world.void(ticket)


def capture_and_void(world: World) -> Requests:
    ticket = prepared(world, held)
    return lambda: world.capture(ticket, "80.00"), lambda: world.void(ticket)


def capture_and_lapse(world: World) -> Requests:
    """The acquirer lets go of the money while it is being captured."""
    ticket = prepared(world, held)
    world.scheduler.wait(world.hold_seconds - 5)

    def lapse() -> None:
        world.scheduler.jump(6)
        world.reconcile()

    return lambda: world.capture(ticket), lapse


def two_refunds(world: World) -> Requests:
    """Each is less than the payment, and both together are more."""
    ticket = prepared(world, paid)
    return lambda: world.refund(ticket, "300.00"), lambda: world.refund(ticket, "300.00")


def two_refunds_with_one_key(world: World) -> Requests:
    ticket = prepared(world, paid)
    return (
        lambda: world.refund(ticket, "200.00", "refund-1"),
        lambda: world.refund(ticket, "200.00", "refund-1"),
    )


def refund_and_late_failure(world: World) -> Requests:
    """An earlier refund comes back while what is left is given back."""
    ticket = prepared(world, partial(paid, number=FAILS_LATER_CARD))
    world.run(lambda: world.refund(ticket, "300.00"))
    world.scheduler.wait(70)
    return lambda: world.refund(ticket), world.reconcile


def settle_and_reconcile(world: World) -> Requests:
    """Two runs of the reconciler find the same refund."""
    ticket = prepared(world, partial(paid, number=STAYS_PENDING_CARD))
    world.run(lambda: world.refund(ticket, "300.00"))
    world.scheduler.wait(70)
    return world.reconcile, world.reconcile


@dataclass(frozen=True)
class Pair:
    """Two requests, and a broken variant that some order of them shows by the complaint."""

    prepare: Callable[[World], Requests]
    mutant: Callable[[], dict[str, Any]]
    complaint: str
    orders: int = ORDERS


def _mutation(mutate: Mutation) -> dict[str, Any]:
    return {"mutate": mutate}


def _refund_is_settled(params: dict[str, Any]) -> bool:
    return ":refund_id" in params.get("ExpressionAttributeValues", {})


def _hold_longer_than_the_acquirer(name: str, params: dict[str, Any]) -> None:
    """The payment keeps a time of ours."""
    before_us = params.get("ExpressionAttributeValues", {}).get(":capture_before_us")
    if name == "dynamodb.UpdateItem" and before_us:
        before_us["N"] = str(int(before_us["N"]) + 600_000_000)


def _note_the_end_of_any_challenge(name: str, params: dict[str, Any]) -> None:
    if name == "dynamodb.UpdateItem" and "#is_challenge_over" in params["UpdateExpression"]:
        del params["ConditionExpression"]


PAIRS = {
    "two pays with one token and two cards": Pair(
        two_cards, lambda: _mutation(OneRowForAPage()), "is recorded"
    ),
    "pay and cancel": Pair(
        pay_and_cancel,
        lambda: _mutation(without_condition("UpdateItem", change_to("canceled"))),
        "reads canceled, charged",
    ),
    "pay and expiry": Pair(
        pay_and_expiry,
        lambda: {"checkout_lifetime_seconds": LIFETIME_SECONDS + 60},
        "somebody was told that it has expired",
    ),
    "return and abandonment": Pair(
        return_and_abandonment,
        lambda: _mutation(_note_the_end_of_any_challenge),
        "an attempt was left behind",
    ),
    "authorize and reconcile": Pair(
        authorize_and_reconcile,
        lambda: {"wrap_acquirer": NothingIsReversed},
        "reads requires_action, charged",
    ),
    "hold and cancel": Pair(
        hold_and_cancel,
        lambda: _mutation(without_condition("UpdateItem", change_to("canceled"))),
        "reads canceled, charged",
        FEWER_ORDERS,
    ),
    "capture and void": Pair(
        capture_and_void,
        lambda: _mutation(without_condition_in_transactions),
        "captured here|is still under way|was a promise",
        FEWER_ORDERS,
    ),
    "capture and lapse": Pair(
        capture_and_lapse,
        lambda: _mutation(_hold_longer_than_the_acquirer),
        "may be captured until",
        FEWER_ORDERS,
    ),
    "two refunds": Pair(
        two_refunds,
        lambda: _mutation(without_condition_in_transactions),
        "refundable of",
        FEWER_ORDERS,
    ),
    "two refunds with one key": Pair(
        two_refunds_with_one_key,
        lambda: _mutation(without_condition("PutItem", is_claim)),
        "one key, two refunds",
        FEWER_ORDERS,
    ),
    "refund and late failure": Pair(
        refund_and_late_failure,
        lambda: _mutation(without_condition("UpdateItem", _refund_is_settled)),
        "refunded|refundable of",
        FEWER_ORDERS,
    ),
    "settle and reconcile": Pair(
        settle_and_reconcile,
        lambda: _mutation(without_condition("UpdateItem", _refund_is_settled)),
        "stands twice",
        FEWER_ORDERS,
    ),
    "two creates with one key": Pair(
        two_creates,
        lambda: _mutation(without_condition("PutItem", is_claim)),
        "one key, two payments",
    ),
}


def _play(stage: Stage, pair: Pair, order: Order, **variant: Any) -> None:
    lifetime_seconds = variant.pop("checkout_lifetime_seconds", LIFETIME_SECONDS)
    world = World(stage, **variant)
    lifetime = {"PAYMENT_LIFETIME_SECONDS": str(lifetime_seconds)}
    stage.restart("CheckoutFunction", **lifetime)
    try:
        in_order(world, order, *pair.prepare(world))
        if not order.is_redundant:
            world.settle()
            check(world)
    finally:
        world.close()
        stage.restart("CheckoutFunction")


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.timeout(7200)
def test_every_order_ends_well(simulated: Stage, name: str) -> None:
    played = 0
    for order in orders(partial(_play, simulated, PAIRS[name]), PAIRS[name].orders):
        assert order.turns
        played += 1
    report.record("orders played", played, name)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.timeout(7200)
def test_some_order_shows_what_is_broken(simulated: Stage, name: str) -> None:
    pair = PAIRS[name]
    looked_through = max(pair.orders, MUTANT_ORDERS)
    played = orders(lambda order: _play(simulated, pair, order, **pair.mutant()), looked_through)
    with pytest.raises(AssertionError, match=pair.complaint):
        for _ in played:
            pass
    report.record("mutants caught", 1, f"{name}, by order")
