"""Seeded stories of merchants and shoppers on a bad day. A seed that fails is printed.

`make soak SEEDS=10000` plays more of them; `SEED=1234` plays one again, identically.
"""

import os

import pytest

from tests.reliability.invariants import check
from tests.reliability.simulation import simulate
from tests.reliability.world import Stage
from tests.support import report

SEEDS = int(os.environ.get("SEEDS", "500"))
CHUNKS = 10


def _play(stage: Stage, seed: int) -> None:
    world = simulate(stage, seed)
    try:
        check(world)
    except AssertionError as error:
        raise AssertionError(
            f"seed {seed} (play it again: make soak SEED={seed}): {error}"
        ) from error
    finally:
        world.close()


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.timeout(7200)
def test_every_story_ends_well(simulated: Stage, chunk: int) -> None:
    only = os.environ.get("SEED")
    seeds = [int(only)] if only else range(chunk, SEEDS, CHUNKS)
    for seed in seeds:
        _play(simulated, seed)
    report.record("seeds run", len(seeds))


@pytest.mark.parametrize("seed", [3, 17, 42])
def test_a_seed_replays_identically(simulated: Stage, seed: int) -> None:
    stories = []
    for _ in range(2):
        world = simulate(simulated, seed)
        try:
            calls = list(world.faults.log)
            ends = [(p.status, [(c.status, c.at_us) for c in p.history]) for p in world.stored()]
        finally:
            world.close()
        stories.append((calls, ends))
    assert stories[0] == stories[1]
    assert len(stories[0][0]) > 5
