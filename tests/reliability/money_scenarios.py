"""What a merchant does with money that was held or taken, each told once."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.reliability.scenarios import TRIES, create, pay
from tests.reliability.world import CANARY_NUMBER, Answer, Ticket, World

PAGE = "token-0001"
FAILS_LATER_CARD = "4000000000005126"
STAYS_PENDING_CARD = "4000000000007726"


def paid(world: World, number: str = CANARY_NUMBER, key: str = "order-1") -> Ticket:
    """A payment whose money was taken."""
    ticket = create(world, key)
    pay(world, ticket, number, PAGE)
    return ticket


def held(world: World, key: str = "order-1") -> Ticket:
    """A payment whose money is held, while the reconciler runs as scheduled."""
    ticket = create(world, key, capture=False)
    pay(world, ticket, CANARY_NUMBER, PAGE)
    return ticket


def refund(world: World, ticket: Ticket, key: str, amount: str | None = None) -> Answer:
    """A merchant's server repeats a refund that got no answer, under the same key."""
    answer = world.refund(ticket, amount, key)
    for _ in range(TRIES):
        if answer.status < 500:
            break
        world.scheduler.sleep(5)
        answer = world.refund(ticket, amount, key)
    return answer


def capture(world: World, ticket: Ticket, key: str, amount: str | None = None) -> Answer:
    """The same of a capture."""
    answer = world.capture(ticket, amount, key)
    for _ in range(TRIES):
        if answer.status < 500:
            break
        world.scheduler.sleep(5)
        answer = world.capture(ticket, amount, key)
    return answer


def refunded_in_part(world: World, ticket: Ticket) -> None:
    refund(world, ticket, "refund-1", "10.00")


def refunded_without_a_key(world: World, ticket: Ticket) -> None:
    """Who has no key asks once, and then looks."""
    world.refund(ticket)
    world.scheduler.sleep(90)
    world.status(ticket)


def refunded_piece_by_piece(world: World, ticket: Ticket) -> None:
    refund(world, ticket, "refund-1", "123.45")
    refund(world, ticket, "refund-2", "123.45")
    refund(world, ticket, "refund-3")


def refund_fails_late(world: World, ticket: Ticket) -> None:
    """The whole payment is given back, comes back, and is given back once more."""
    refund(world, ticket, "refund-1")
    for _ in range(2):
        world.scheduler.sleep(70)
        world.reconcile()
    refund(world, ticket, "refund-2", "500.00")


def refund_stays_pending(world: World, ticket: Ticket) -> None:
    refund(world, ticket, "refund-1", "499.99")
    world.scheduler.sleep(70)
    world.reconcile()
    refund(world, ticket, "refund-2")


def captured_whole(world: World, ticket: Ticket) -> None:
    capture(world, ticket, "capture-1")


def captured_in_part_and_refunded(world: World, ticket: Ticket) -> None:
    capture(world, ticket, "capture-1", "80.00")
    world.scheduler.sleep(90)
    world.reconcile()
    refund(world, ticket, "refund-1", "79.00")
    refund(world, ticket, "refund-2")


def voided(world: World, ticket: Ticket) -> None:
    for _ in range(TRIES):
        if world.void(ticket).status < 500:
            return
        world.scheduler.sleep(5)


def lapsed(world: World, ticket: Ticket) -> None:
    """Nobody captures in time; somebody tries when it is too late."""
    world.scheduler.sleep(world.hold_seconds)
    world.capture(ticket)
    for _ in range(2):
        world.scheduler.sleep(61)
        world.reconcile()
    world.capture(ticket)


@dataclass(frozen=True)
class MoneyScenario:
    """How its payment came about, and what is done with it then."""

    prepare: Callable[[World], Ticket]
    act: Callable[[World, Ticket], None]


def _paid_by(number: str) -> Callable[[World], Ticket]:
    return lambda world: paid(world, number)


MONEY_SCENARIOS = {
    scenario.act.__name__: scenario
    for scenario in (
        MoneyScenario(paid, refunded_in_part),
        MoneyScenario(paid, refunded_without_a_key),
        MoneyScenario(paid, refunded_piece_by_piece),
        MoneyScenario(_paid_by(FAILS_LATER_CARD), refund_fails_late),
        MoneyScenario(_paid_by(STAYS_PENDING_CARD), refund_stays_pending),
        MoneyScenario(held, captured_whole),
        MoneyScenario(held, captured_in_part_and_refunded),
        MoneyScenario(held, voided),
        MoneyScenario(held, lapsed),
    )
}


def prepared(world: World, prepare: Callable[[World], Ticket]) -> Ticket:
    """The payment as it stands before the scenario: nothing has gone wrong yet."""
    tickets: list[Ticket] = []
    world.run(lambda: tickets.append(prepare(world)))
    world.faults.log.clear()
    return tickets[0]
