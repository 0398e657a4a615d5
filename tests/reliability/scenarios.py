"""What people do with a payment, each told once: a merchant and a shopper who try again."""

from collections.abc import Callable
from typing import Any

from tests.reliability.world import CANARY_NUMBER, LIFETIME_SECONDS, Answer, Ticket, World
from tests.support.actors import (
    BLOCKED_CARD,
    CHALLENGE_CARD,
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
)

OTHER_PAID_CARD = "5555555555554444"
TRIES = 4
Scenario = Callable[[World], None]


def create(world: World, key: str = "order-1", **changes: Any) -> Ticket:
    """A merchant's server repeats a create that got no answer, under the same key."""
    for _ in range(TRIES):
        ticket = world.create(key, **changes)
        if ticket:
            return ticket
        world.scheduler.sleep(2)
    raise AssertionError("a create failed again and again")


def pay(world: World, ticket: Ticket, number: str, token: str, **typed: Any) -> Answer:
    """A shopper reloads a page that broke: the same form is sent again."""
    answer = world.pay(ticket, number, token, **typed)
    for _ in range(TRIES):
        if answer.status < 500 and answer.body.get("status") != "processing":
            break
        world.scheduler.sleep(20)
        answer = world.pay(ticket, number, token, **typed)
    return answer


def come_back(world: World, answer: Answer, action: str) -> None:
    """A shopper who is sent to a challenge, and loads the way back again if it breaks."""
    if answer.body.get("status") != "requires_challenge":
        return
    back = world.challenge(answer.body["redirect"], action)
    for _ in range(TRIES):
        if back.status < 500:
            break
        world.scheduler.sleep(5)
        back = world.challenge(answer.body["redirect"], action)


def repeated_the_next_day(world: World) -> None:
    """A merchant's server tries a create again a day later, while its key is still bound."""
    if world.create("order-1") is None:
        world.scheduler.sleep(LIFETIME_SECONDS + 600)
        pay(world, create(world), CANARY_NUMBER, "token-0001")


def frictionless(world: World) -> None:
    pay(world, create(world), CANARY_NUMBER, "token-0001")


def third_card_of_one_page_is_paid(world: World) -> None:
    """The back button shows the old page each time."""
    ticket = create(world)
    pay(world, ticket, DECLINED_CARD, "token-0001", email="ana@example.com")
    pay(world, ticket, INSUFFICIENT_FUNDS_CARD, "token-0001")
    pay(world, ticket, CANARY_NUMBER, "token-0001", email="ana.cole@example.co.uk")


def another_card_whatever_became_of_the_first(world: World) -> None:
    """A shopper whose page broke goes back, and takes another card at once."""
    ticket = create(world)
    world.pay(ticket, CANARY_NUMBER, "token-0001", email="ana@example.com")
    pay(world, ticket, OTHER_PAID_CARD, "token-0001", shopper_ip="198.51.100.4")


def challenge_passed(world: World) -> None:
    ticket = create(world)
    come_back(world, pay(world, ticket, CHALLENGE_CARD, "token-0001"), "pass")


def challenge_failed(world: World) -> None:
    ticket = create(world)
    come_back(world, pay(world, ticket, CHALLENGE_CARD, "token-0001"), "fail")


def challenge_abandoned_then_paid(world: World) -> None:
    ticket = create(world)
    come_back(world, pay(world, ticket, CHALLENGE_CARD, "token-0001"), "abandon")
    pay(world, ticket, CANARY_NUMBER, "token-0002")


def challenge_never_answered(world: World) -> None:
    pay(world, create(world), CHALLENGE_CARD, "token-0001")
    world.scheduler.sleep(700)


def blocked_as_fraud(world: World) -> None:
    pay(world, create(world), BLOCKED_CARD, "token-0001")


def canceled(world: World) -> None:
    ticket = create(world)
    for _ in range(TRIES):
        if world.cancel(ticket).status < 500:
            return
        world.scheduler.sleep(2)


def workflow_stopped(world: World) -> None:
    """Somebody stops the execution while the shopper is at the bank; the reconciler ends it."""
    ticket = create(world)
    answer = pay(world, ticket, CHALLENGE_CARD, "token-0001")
    for execution in world.stepfunctions.executions.values():
        world.stepfunctions.abort(execution)
    for _ in range(2):
        world.scheduler.sleep(90)
        world.reconcile()
    come_back(world, answer, "pass")
    pay(world, ticket, CANARY_NUMBER, "token-0002")


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        repeated_the_next_day,
        frictionless,
        third_card_of_one_page_is_paid,
        another_card_whatever_became_of_the_first,
        challenge_passed,
        challenge_failed,
        challenge_abandoned_then_paid,
        challenge_never_answered,
        blocked_as_fraud,
        canceled,
        workflow_stopped,
    )
}


def play(world: World, *scenarios: Callable[[World], Any]) -> None:
    """All at once, then a few minutes for the reconciler."""
    world.run(*(lambda scenario=scenario: scenario(world) for scenario in scenarios))
    world.settle()
