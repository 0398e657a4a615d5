"""What fraud prevention asks of AWS, and what becomes of a payment when it gets no answer."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from payments.model.lifecycle import Status
from tests.benchmarks.units import item_size
from tests.reliability.faults import Faults
from tests.reliability.scenarios import create
from tests.reliability.scheduler import Call
from tests.reliability.world import CANARY_NUMBER, Stage, World
from tests.support.actors import CHALLENGE_CARD

MAX_UNIT_BYTES = 1024


def _stay(call: Call | None = None) -> None:
    """Nobody else goes on."""


def _quiet_world(simulated: Stage, faults: Faults | None = None) -> World:
    """Nobody goes on between two calls, so that calls come in the order of one function."""
    world = World(simulated, faults=faults or Faults())
    world.scheduler.step = _stay  # type: ignore[method-assign]
    return world


@pytest.fixture
def world(simulated: Stage) -> Iterator[World]:
    world = _quiet_world(simulated)
    yield world
    world.close()


def _risk_calls(world: World, **form: Any) -> list[str]:
    """What is asked between the acquirer's profile of a card and 3DS."""
    world.run(lambda: world.pay(create(world), CANARY_NUMBER, "token-0001", **form))
    log = world.faults.log
    return log[log.index("acquirer.profile") + 1 : log.index("acquirer.authenticate")]


def _counters(world: World) -> list[dict[str, Any]]:
    return [row for row in world.rows() if "last_attempt" in row]


def test_counting_is_three_small_updates_and_a_fourth_for_an_e_mail(world: World) -> None:
    calls = _risk_calls(world)
    assert calls == [
        "kms.GenerateMac",
        "dynamodb.GetItem",
        "dynamodb.BatchGetItem",
        *["dynamodb.UpdateItem"] * 3,
    ]
    assert len(_counters(world)) == 3
    world.faults.log.clear()
    world.run(
        lambda: world.pay(
            create(world, "order-2"), CANARY_NUMBER, "token-0002", email="ana@example.com"
        )
    )
    assert len(_counters(world)) == 4
    # Typed attributes as JSON take more room than DynamoDB counts.
    assert all(len(json.dumps(row)) < MAX_UNIT_BYTES for row in _counters(world))


def test_a_card_sent_from_api_gateways_test_console_is_judged_without_an_address(
    world: World,
) -> None:
    calls = _risk_calls(world, shopper_ip="test-invoke-source-ip")
    assert calls.count("dynamodb.UpdateItem") == 2
    assert not [row for row in _counters(world) if "#ip#" in row["pk"]["S"]]
    assert [answer.status for _, answer in world.answers][-1] == 200


def test_a_counter_of_a_whole_busy_day_stays_within_one_unit(world: World) -> None:
    for half_hour in range(48):
        order = f"order-{half_hour}"
        world.run(lambda order=order: world.pay(create(world, order), CANARY_NUMBER))  # type: ignore[misc]
        world.scheduler.wait(1800)
    for row in _counters(world):
        is_ip = "#ip#" in row["pk"]["S"]
        number = {"N": "9999" if is_ip else "999999"}
        # Every half hour full: a merchant's with six digits, an IP address's with four.
        kinds = "auf" if is_ip else "af"
        full = {f"{kind}{bucket}": number for kind in kinds for bucket in range(48)}
        assert item_size(row | full) <= MAX_UNIT_BYTES


@pytest.mark.parametrize("fate", ["refused", "lost"])
def test_whatever_risk_is_not_told_it_asks_for_a_challenge_instead(
    simulated: Stage, fate: str
) -> None:
    world = _quiet_world(simulated)
    asked = len(_risk_calls(world, email="ana@example.com"))
    first = world.faults.log.index("acquirer.profile") + 2
    world.close()
    assert asked == 7
    for number in range(first, first + asked):
        _pays_by_challenge(simulated, number, fate)


def _pays_by_challenge(simulated: Stage, number: int, fate: str) -> None:
    side = "before" if fate == "refused" else "after"
    faults = Faults(lambda n, s, _: fate if (n, s) == (number, side) else None)
    world = _quiet_world(simulated, faults)

    def shopper() -> None:
        ticket = create(world)
        answer = world.pay(ticket, CANARY_NUMBER, "token-0001", email="ana@example.com")
        assert answer.body["status"] == "requires_challenge", number
        world.challenge(answer.body["redirect"], "pass")

    try:
        world.run(shopper)
        assert world.broken == []
        (payment,) = world.stored()
        assert payment.status is Status.SUCCEEDED
        assert payment.risk is not None
        assert "counters_unavailable" in payment.risk["reasons"]
    finally:
        world.close()


def test_a_task_that_is_delivered_again_counts_its_attempt_once(world: World) -> None:
    def shopper() -> None:
        world.pay(create(world), CHALLENGE_CARD, "token-0001")
        (attempt,) = world.attempts.all()
        authenticate = world.stage.handlers["AuthenticateFunction"]
        again: Any = None
        authenticate({"attempt_id": attempt.id}, again)

    world.run(shopper)

    for row in _counters(world):
        counted = {
            name: value for name, value in row.items() if name[0] == "a" and name[1:].isdigit()
        }
        assert len(counted) == 1, row
        assert list(counted.values()) == [{"N": "1"}]
