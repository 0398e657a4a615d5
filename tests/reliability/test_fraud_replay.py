"""An attack and a crowd, each a thousand strong behind one address: who is stopped, who is not."""

from collections.abc import Callable

import pytest

from tests.reliability import report
from tests.reliability.replay import BusyWorld, Issuers, Replay, replay
from tests.reliability.world import Stage

PEOPLE = 1_000
FATES = ("blocked", "challenged", "let through")


def _play(stage: Stage, name: str, crowd: Callable[[Replay], None]) -> Replay:
    issuers: list[Issuers] = []

    def behind(acquirer: object) -> Issuers:
        issuers.append(Issuers(acquirer))  # type: ignore[arg-type]
        return issuers[0]

    world = BusyWorld(stage, wrap_acquirer=behind, enforces_fraud_rules=True)
    try:
        played = replay(world, issuers[0], crowd, seed=7)
    finally:
        world.close()
    for fate in FATES:
        report.record(f"{name} {fate}", played.seen[fate], "of 1,000 at one address")
    return played


@pytest.mark.timeout(300)
def test_of_a_thousand_card_tests_from_one_address_99_percent_are_stopped(
    simulated: Stage,
) -> None:
    attack = _play(simulated, "card tests", lambda played: played.card_testers(PEOPLE))

    assert attack.seen.total() == PEOPLE
    assert attack.seen["blocked"] + attack.seen["challenged"] >= PEOPLE * 0.99


@pytest.mark.timeout(300)
def test_of_a_thousand_shoppers_behind_one_address_one_percent_at_most_are_blocked(
    simulated: Stage,
) -> None:
    office = _play(simulated, "office shoppers", lambda played: played.shoppers(PEOPLE, hours=8))

    assert office.seen.total() == PEOPLE
    assert office.seen["blocked"] <= PEOPLE * 0.01
