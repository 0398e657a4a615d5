"""An attack and a crowd, each a thousand strong behind one address: who is stopped, who is not."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from payments.risk.rules import RULES
from tests.reliability.replay import BusyWorld, Crowd, Issuers, RulesShop, Shop, WholeShop
from tests.reliability.world import Stage, Ticket, World
from tests.support import report
from tests.support.actors import INSUFFICIENT_FUNDS_CARD

PEOPLE = 1_000
SAMPLE = 60
SEEDS = range(1, 6)
CARDS_AT_ONCE = 40
(FAILURES_ALLOWED,) = (rule.limit for rule in RULES if rule.name == "ip_failures")
Play = Callable[[Crowd, int], None]


def card_testers(crowd: Crowd, people: int) -> None:
    crowd.card_testers(people)


def card_testers_at_once(crowd: Crowd, people: int) -> None:
    crowd.card_testers_at_once(people)


def shoppers_of_a_day(crowd: Crowd, people: int) -> None:
    crowd.shoppers(people, hours=8)


def shoppers_of_an_hour(crowd: Crowd, people: int) -> None:
    crowd.shoppers(people, hours=1)


def _played(shop: Shop, play: Play, people: int, seed: int = 1) -> Counter[str]:
    crowd = Crowd(shop, seed)
    play(crowd, people)
    assert crowd.seen.total() == people
    return crowd.seen


def _played_by_thousands(name: str, play: Play) -> Counter[str]:
    """Over a few seeds, for one crowd may be lucky."""
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        seen += _played(RulesShop(takes_time=True), play, PEOPLE, seed)
    for fate in ("blocked", "challenged", "let through"):
        report.record(f"{name} {fate}", f"{seen[fate] / len(SEEDS):g}", "of 1,000")
    return seen


@pytest.mark.parametrize("play", [card_testers, card_testers_at_once])
def test_of_a_thousand_card_tests_from_one_address_99_percent_are_stopped(play: Play) -> None:
    seen = _played_by_thousands(play.__name__.replace("_", " "), play)
    assert seen["let through"] <= seen.total() * 0.01


def test_of_stolen_cards_sent_at_once_no_more_reach_the_bank_than_one_after_another(
    simulated: Stage,
) -> None:
    world = World(simulated, enforces_fraud_rules=True)
    tickets: list[Ticket | None] = []
    world.run(lambda: tickets.extend(world.create() for _ in range(CARDS_AT_ONCE)))
    try:
        world.run(
            *(
                partial(world.pay, ticket, INSUFFICIENT_FUNDS_CARD, exp_year=2027 + number)
                for number, ticket in enumerate(tickets)
                if ticket
            )
        )
        assert len(world.tickets) == CARDS_AT_ONCE
        assert 1 <= len(world.asked) <= FAILURES_ALLOWED
    finally:
        world.close()


@pytest.mark.parametrize("play", [shoppers_of_a_day, shoppers_of_an_hour])
def test_of_a_thousand_shoppers_behind_one_address_one_percent_at_most_are_blocked(
    play: Play,
) -> None:
    seen = _played_by_thousands(play.__name__.replace("_", " "), play)
    assert seen["blocked"] <= seen.total() * 0.01


@pytest.mark.parametrize("play", [card_testers, shoppers_of_an_hour])
def test_the_same_crowd_meets_the_same_fate_at_the_real_handlers(
    simulated: Stage, play: Play
) -> None:
    known: list[Issuers] = []

    def behind(acquirer: object) -> Issuers:
        known.append(Issuers(acquirer))  # type: ignore[arg-type]
        return known[0]

    world = BusyWorld(simulated, wrap_acquirer=behind, enforces_fraud_rules=True)
    fates: list[Counter[str]] = []
    try:
        shop = WholeShop(world, known[0])
        world.run(lambda: fates.append(_played(shop, play, SAMPLE)))
    finally:
        world.close()
    assert fates == [_played(RulesShop(), play, SAMPLE)]
