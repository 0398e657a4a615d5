"""The process dies, or a call goes wrong, at every AWS and acquirer call there is, one at a time.

The calls are found by a hook on the client, so a new call is covered without anyone remembering.
"""

import pytest

from tests.reliability.faults import AFTER, BEFORE, Faults
from tests.reliability.invariants import check
from tests.reliability.money_scenarios import MONEY_SCENARIOS, MoneyScenario, prepared
from tests.reliability.scenarios import SCENARIOS, play
from tests.reliability.world import Stage, World
from tests.support import report

FATES = [("before", fate) for fate in BEFORE] + [("after", fate) for fate in AFTER]


def _calls_of(stage: Stage, name: str) -> list[str]:
    """Every call of the scenario when nothing goes wrong, in order."""
    world = World(stage)
    try:
        world.run(lambda: SCENARIOS[name](world))
        calls = list(world.faults.log)
        world.settle()
        check(world)
    finally:
        world.close()
    return calls


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_nobody_is_charged_twice_wherever_it_breaks(
    simulated: Stage, name: str
) -> None:
    calls = _calls_of(simulated, name)
    for number, call in enumerate(calls, start=1):
        for side, fate in FATES:

            def choose(
                n: int, s: str, _: str, at: int = number, on: str = side, what: str = fate
            ) -> str | None:
                return what if (n, s) == (at, on) else None

            world = World(simulated, faults=Faults(choose))
            try:
                play(world, SCENARIOS[name])
                check(world)
            except AssertionError as error:
                raise AssertionError(f"{fate} {side} call {number}, {call}: {error}") from error
            finally:
                world.close()
    report.record("crash points covered", len(calls) * len(FATES), name)


def _play_money(stage: Stage, scenario: MoneyScenario, faults: Faults) -> list[str]:
    """The calls that were made for the merchant, in order."""
    world = World(stage)
    try:
        ticket = prepared(world, scenario.prepare)
        world.faults.choose = faults.choose
        world.run(lambda: scenario.act(world, ticket))
        calls = list(world.faults.log)
        world.settle()
        check(world)
    finally:
        world.close()
    return calls


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MONEY_SCENARIOS)
def test_money_is_moved_once_wherever_it_breaks(simulated: Stage, name: str) -> None:
    scenario = MONEY_SCENARIOS[name]
    calls = _play_money(simulated, scenario, Faults())
    for number, call in enumerate(calls, start=1):
        for side, fate in FATES:

            def choose(
                n: int, s: str, _: str, at: int = number, on: str = side, what: str = fate
            ) -> str | None:
                return what if (n, s) == (at, on) else None

            try:
                _play_money(simulated, scenario, Faults(choose))
            except AssertionError as error:
                raise AssertionError(f"{fate} {side} call {number}, {call}: {error}") from error
    report.record("crash points covered", len(calls) * len(FATES), name)
