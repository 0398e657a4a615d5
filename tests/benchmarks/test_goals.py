"""The rows without a clock meet their goals; `make bench` measures those with one too."""

import re

import pytest

from tests.benchmarks import authorizer, cold, data, states, waiting
from tests.benchmarks.built import Layout
from tests.benchmarks.lives import Scene
from tests.benchmarks.report import published
from tests.benchmarks.rows import Row, as_table, goal_of


def check(rows: list[Row]) -> None:
    missed = [row for row in rows if not row.passes]
    assert not missed, as_table(missed)
    shown = re.sub(r"\| [\d.,]+ \| (?=[≤≥])", "| ", published("bench"))  # without the values
    for row in rows:
        assert f"\n| {row.name} | {row.what} | {goal_of(row)} | yes |" in shown, "run make bench"


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("counting")
def test_cold_starts_meet_their_goals(layout: Layout) -> None:
    check(cold.rows(layout))


@pytest.mark.timeout(900)
def test_requests_take_the_calls_and_units_they_should(scene: Scene) -> None:
    check(data.rows(scene))


def test_the_gateways_memory_spares_the_key_store(scene: Scene) -> None:
    check(authorizer.rows(scene))


def test_a_shopper_waits_for_few_calls(scene: Scene) -> None:
    check(waiting.rows(scene))


def test_a_payment_takes_few_states_and_little_money(scene: Scene) -> None:
    check(states.rows(scene))


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("bench", ("C1", "C6", "W1", "W5", "D1", "D4", "A1", "L1", "S2", "P1")),
        ("bench-peers", ("C2", "W4", "W5")),
    ],
)
def test_the_documentation_shows_every_goal_met_on_a_day(
    target: str, names: tuple[str, ...]
) -> None:
    table = published(target)

    assert "Measured on 20" in table
    assert table.count("| yes |") == table.count("\n| ") - 1
    for name in names:
        assert f"\n| {name} |" in table
