"""Two requests that meet on one payment, in every order of their calls.

`make test` plays at most 100 orders of each pair, taken from all over; `make soak` all of them.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.reliability.faults import Faults
from tests.reliability.invariants import check
from tests.reliability.orders import Order, in_order, orders
from tests.reliability.scenarios import OTHER_PAID_CARD, create
from tests.reliability.test_mutants import (
    NothingIsReversed,
    OneRowForAPage,
    change_to,
    is_claim,
    without_condition,
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

ORDERS = int(os.environ.get("ORDERS", "100"))
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


@dataclass(frozen=True)
class Pair:
    """Two requests, and a broken variant that some order of them shows by the complaint."""

    prepare: Callable[[World], Requests]
    mutant: Callable[[], dict[str, Any]]
    complaint: str


def _mutation(mutate: Mutation) -> dict[str, Any]:
    return {"mutate": mutate}


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
    for order in orders(partial(_play, simulated, PAIRS[name]), ORDERS):
        assert order.turns
        played += 1
    report.record("orders played", played, name)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.timeout(7200)
def test_some_order_shows_what_is_broken(simulated: Stage, name: str) -> None:
    pair = PAIRS[name]
    played = orders(lambda order: _play(simulated, pair, order, **pair.mutant()), ORDERS)
    with pytest.raises(AssertionError, match=pair.complaint):
        for _ in played:
            pass
    report.record("mutants caught", 1, f"{name}, by order")
