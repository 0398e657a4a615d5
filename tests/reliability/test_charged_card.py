"""The card that is charged is the one that is recorded, whatever broke on the way to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from payments.model.lifecycle import Status
from tests.reliability.invariants import check
from tests.reliability.scenarios import OTHER_PAID_CARD, create
from tests.reliability.world import CANARY_NUMBER, Answer, Stage, Ticket, World

PAGE = "token-0001"


@pytest.fixture
def world(simulated: Stage) -> Iterator[World]:
    world = World(simulated)
    yield world
    world.close()


def _ticket(world: World) -> Ticket:
    tickets: list[Ticket] = []
    world.run(lambda: tickets.append(create(world)))
    return tickets[0]


def _sent(world: World, ticket: Ticket, number: str, **typed: Any) -> Answer:
    world.run(lambda: world.pay(ticket, number, PAGE, **typed))
    return world.sent[-1].answer


def _at_submit(world: World, ticket: Ticket, side: str, fate: str) -> Callable[[], None]:
    """The next card's submission meets this fate; gives a way to end that."""
    seen: list[str] = []

    def choose(_number: int, on: str, name: str) -> str | None:
        if on != side or name != "dynamodb.UpdateItem" or seen:
            return None
        seen.append(name)
        return fate

    world.faults.choose = choose
    assert world.payment(ticket).attempt_tokens == ()

    def end() -> None:
        assert seen, "nobody submitted"
        world.faults.choose = lambda _number, _side, _name: None

    return end


def _last4(world: World, ticket: Ticket) -> tuple[list[str], str]:
    payment = world.payment(ticket)
    assert payment.card is not None
    asked = world.charges(payment).values()
    return [charge["last4"] for charge in asked], payment.card.last4


@pytest.mark.parametrize(("fate", "status"), [("refused", 503), ("crash", 502)])
def test_after_a_submission_that_was_throttled_or_died_another_card_is_the_one_charged(
    world: World, fate: str, status: int
) -> None:
    ticket = _ticket(world)
    end = _at_submit(world, ticket, "before", fate)
    first = _sent(world, ticket, CANARY_NUMBER, email="ana@example.com")
    end()
    second = _sent(world, ticket, OTHER_PAID_CARD, shopper_ip="198.51.100.4")
    assert (first.status, second.body["status"]) == (status, "succeeded")
    assert _last4(world, ticket) == (["4444"], "4444")
    assert world.payment(ticket).shopper_email is None
    world.settle()
    check(world)


@pytest.mark.parametrize("fate", ["crash", "lost"])
def test_after_a_submission_that_landed_without_a_word_another_card_is_refused_and_none_charged(
    world: World, fate: str
) -> None:
    ticket = _ticket(world)
    end = _at_submit(world, ticket, "after", fate)
    _sent(world, ticket, CANARY_NUMBER)
    end()
    second = _sent(world, ticket, OTHER_PAID_CARD)
    assert (second.status, second.body["reason"]) == (409, "in_progress")
    world.settle()
    assert world.payment(ticket).status is Status.REQUIRES_ACTION
    assert world.asked == {}
    check(world)


def test_a_submission_that_the_client_repeats_is_one_attempt_and_is_charged(world: World) -> None:
    """It got no answer to the first, and the second is refused: by the first."""
    ticket = _ticket(world)
    end = _at_submit(world, ticket, "after", "repeated")
    answer = _sent(world, ticket, CANARY_NUMBER)
    end()
    assert answer.body["status"] == "succeeded"
    assert len(world.payment(ticket).attempt_tokens) == 1
    check(world)


def test_an_attempt_that_a_double_click_has_started_is_not_undone_by_who_could_not_start_it(
    world: World,
) -> None:
    ticket = _ticket(world)
    starts, undoing, undone = [0], [0], [0]

    def choose(_number: int, side: str, name: str) -> str | None:
        """The first start is refused. It is undone only once the second click's card is charged."""
        if (side, name) == ("before", "stepfunctions.StartExecution"):
            starts[0] += 1
            return "refused" if starts[0] == 1 else None
        if (side, name) == ("before", "dynamodb.UpdateItem") and starts[0] == 1 and not undoing[0]:
            undoing[0] = 1
            world.scheduler.wait(60, until=lambda: bool(world.asked))
        elif (side, name) == ("after", "dynamodb.UpdateItem") and world.asked:
            undone[0] = 1
        elif (side, name) == ("after", "acquirer.authorize"):
            world.scheduler.wait(60, until=lambda: bool(undone[0]))
        return None

    world.faults.choose = choose

    def second_click() -> None:
        world.scheduler.wait(60, until=lambda: bool(undoing[0]))
        world.pay(ticket, CANARY_NUMBER, PAGE)

    world.run(lambda: world.pay(ticket, CANARY_NUMBER, PAGE), second_click)
    assert (starts[0], undone[0]) == (2, 1)
    assert [sending.answer.body["status"] for sending in world.sent] == ["succeeded"] * 2
    world.settle()
    check(world)


def test_a_card_that_is_declined_while_another_follows_gets_its_own_reason(world: World) -> None:
    """Its sender asks again only after the other has ended as well."""
    ticket = _ticket(world)
    _sent(world, ticket, "4000000000000002")
    _sent(world, ticket, "4000000000009995")
    again = _sent(world, ticket, "4000000000000002")
    assert again.body["error"]["decline_code"] == "generic_decline"
    check(world)
