"""Every order in which the calls of two requests can come, less those that make no difference.

Two orders make no difference if one becomes the other by swapping neighbours that commute: calls
for different rows, or two that only read. Of all such orders one is played (by sleep sets: a call
that was tried first elsewhere sleeps until one comes that does not commute with it).
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.reliability.scheduler import Actor, Call
from tests.reliability.world import World

Path = tuple[int, ...]


@dataclass(frozen=True)
class Prefix:
    """How an order begins: whose turn it is, one after another; and who sleeps after that."""

    turns: tuple[Path, ...] = ()
    asleep: frozenset[Path] = frozenset()


@dataclass
class Order:
    """Plays a prefix and goes on from there. `branches` are the orders that turn off on the way.

    `is_redundant` if it turned out to be another one's equal.
    """

    prefix: Prefix
    turns: list[Path] = field(default_factory=list)
    branches: list[Prefix] = field(default_factory=list)
    is_redundant: bool = False

    def __post_init__(self) -> None:
        self._asleep = self.prefix.asleep

    def choose(self, ready: list[Actor]) -> Actor:
        """Whose turn it is. What somebody does before a call concerns nobody else."""
        for actor in ready:
            if actor.call is None or actor.is_killed:
                return actor
        if len(self.turns) < len(self.prefix.turns):
            path = self.prefix.turns[len(self.turns)]
            chosen = next(actor for actor in ready if actor.path == path)
        else:
            awake = [actor for actor in ready if actor.path not in self._asleep]
            if not awake:
                return self._give_up(ready)
            chosen = awake[0]
            self._branch(ready, awake)
            self._asleep = self._still_asleep(ready, self._asleep, chosen)
        self.turns.append(chosen.path)
        return chosen

    def _branch(self, ready: list[Actor], awake: list[Actor]) -> None:
        for number, other in enumerate(awake[1:], start=1):
            tried = self._asleep | {actor.path for actor in awake[:number]}
            asleep = self._still_asleep(ready, tried, other)
            self.branches.append(Prefix((*self.turns, other.path), asleep))

    @staticmethod
    def _still_asleep(
        ready: list[Actor], asleep: frozenset[Path], chosen: Actor
    ) -> frozenset[Path]:
        return frozenset(
            actor.path
            for actor in ready
            if actor.path in asleep and _call(actor).commutes_with(_call(chosen))
        )

    def _give_up(self, ready: list[Actor]) -> Actor:
        self.is_redundant = True
        for actor in ready:
            actor.is_killed = True
        return ready[0]


def _call(actor: Actor) -> Call:
    assert actor.call is not None
    return actor.call


def orders(play: Callable[[Order], None], limit: int) -> Iterator[Order]:
    """Plays order after order and yields those that differ; at most so many, from all over."""
    chance = random.Random(0)
    waiting, found = [Prefix()], 0
    while waiting and found < limit:
        order = Order(waiting.pop(chance.randrange(len(waiting))))
        play(order)
        waiting += order.branches
        if not order.is_redundant:
            found += 1
            yield order


def in_order(world: World, order: Order, *requests: Callable[[], object]) -> None:
    """The requests at once, in that order; then chance decides again."""
    by_chance = world.scheduler.choose
    world.scheduler.choose = order.choose
    try:
        world.run(*requests)
    finally:
        world.scheduler.choose = by_chance
