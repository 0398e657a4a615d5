"""An attempt stays with the acquirer it began with."""

from collections.abc import Iterator
from typing import Any

import pytest

from payments.adapters.store.items import to_item
from payments.model.lifecycle import Status
from tests.reliability.world import CANARY_NUMBER, Stage, World


@pytest.fixture
def world(simulated: Stage) -> Iterator[World]:
    world = World(simulated)
    yield world
    world.close()


def _rename_acquirer(world: World, name: str) -> None:
    """As if this stack had been configured differently when the attempts began."""
    table = world.stage.aws.environments["CheckoutFunction"]["ATTEMPTS_TABLE"]
    for attempt in world.open_attempts():
        world.stage.outside.update_item(
            TableName=table,
            Key=to_item({"id": attempt.id}),
            UpdateExpression="SET acquirer = :name",
            ExpressionAttributeValues=to_item({":name": name}),
        )


def test_an_open_attempt_of_an_acquirer_this_stack_no_longer_has_is_not_settled_as_uncharged(
    world: World,
) -> None:
    tickets: list[Any] = []
    world.run(lambda: tickets.append(world.create()))
    (ticket,) = tickets
    # The checkout dies before it has started the workflow: the attempt stays open.
    world.faults.choose = lambda _number, side, name: (
        "crash" if side == "before" and name.endswith(".StartExecution") else None
    )
    world.run(lambda: world.pay(ticket, CANARY_NUMBER))
    world.faults.is_on = False
    _rename_acquirer(world, "gone")
    for _ in range(3):
        world.scheduler.wait(90)
        world.run(world.reconcile)
    assert world.payment(ticket).status is Status.PROCESSING
    assert [attempt.acquirer for attempt in world.open_attempts()] == ["gone"]
    _rename_acquirer(world, "simulator")  # the deploy is taken back
    world.settle()
    assert world.payment(ticket).status is Status.REQUIRES_ACTION
    assert world.open_attempts() == []


def test_an_attempt_names_its_acquirer_and_its_kind_of_work(world: World) -> None:
    tickets: list[Any] = []
    rows: list[Any] = []
    world.run(lambda: tickets.append(world.create()))
    world.faults.choose = lambda _number, side, name: (
        rows.extend(world.rows()) if (side, name) == ("before", "acquirer.authorize") else None
    )
    world.run(lambda: world.pay(tickets[0], CANARY_NUMBER))
    (attempt,) = [row for row in rows if "encrypted_card" in row]
    assert (attempt["acquirer"], attempt["kind"]) == ({"S": "simulator"}, {"S": "attempt"})
