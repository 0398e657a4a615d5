"""Simulated time and simulated concurrency: one actor runs at a time, a seed decides which.

Every AWS and acquirer call is a point where another actor may go on instead, or where the process
may die. Nothing sleeps: when everybody waits, the clock jumps to the first who is due. Actors are
greenlets of one thread, so the next one starts at once, however busy the machine is.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from greenlet import getcurrent, greenlet

MAX_STEPS = 20_000
# Time passes for all, and a transaction writes rows of several tables.
EVERYWHERE = frozenset({"clock", "transaction"})


class Crash(BaseException):
    """The process dies here. No handler can catch it, as none can catch a power cut."""


@dataclass(frozen=True)
class Call:
    """What an actor is about to ask for: of which row, and whether that can change it.

    `place` is where the row is: a table, the acquirer, Step Functions. Without one the call changes
    nothing, and nothing changes what it answers. Without a row it concerns the whole place, and the
    places in EVERYWHERE concern all others.
    """

    place: str = ""
    row: str = ""
    writes: bool = True

    def commutes_with(self, other: "Call") -> bool:
        """Whether it makes no difference which of the two comes first."""
        if not self.place or not other.place:
            return True
        if EVERYWHERE & {self.place, other.place}:
            return False
        is_elsewhere = self.place != other.place or ("" != self.row != other.row != "")
        return is_elsewhere or not (self.writes or other.writes)


@dataclass
class Actor:
    """One flow of control: a request, a workflow, a task.

    `path` names it alike in every run: the how-manieth of whom it is. `call` is what it asks for
    at its next turn, None while it has not got there.
    """

    name: str
    path: tuple[int, ...]
    run: Callable[[], Any]
    wake_us: int
    call: Call | None = None
    spawned: int = 0
    is_due: Callable[[], bool] | None = None
    is_done: bool = False
    result: Any = None
    error: BaseException | None = None
    is_killed: bool = False

    def __post_init__(self) -> None:
        self.flow = greenlet(self._live)

    def _live(self) -> None:
        try:
            if not self.is_killed:
                self.result = self.run()
        except (Crash, Exception) as error:  # noqa: BLE001 - it ends one actor, not the test
            self.error = error
        finally:
            self.is_done = True


class Scheduler:
    """Runs actors one at a time. Also the product's clock."""

    def __init__(self, seed: int, start_us: int) -> None:
        self.random = random.Random(seed)
        self._now_us = start_us
        self._actors: list[Actor] = []
        self._home = getcurrent()
        self._current: Actor | None = None
        self.path: tuple[int, ...] = ()
        self.spawned = 0
        self.choose: Callable[[list[Actor]], Actor] = self._choose_by_chance

    # ------------------------------------------------------------ the product's clock
    def now_us(self) -> int:
        self._now_us += 1  # time never stands still, so ids and histories stay ordered
        return self._now_us

    def sleep(self, seconds: float) -> None:
        self.wait(seconds)

    # ------------------------------------------------------------ for actors
    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> None:
        """Lets time pass, or less if `until` comes true before."""
        actor = self._current
        if actor is None:
            self._now_us += round(seconds * 1_000_000)
            return
        actor.wake_us = self._now_us + round(seconds * 1_000_000)
        actor.is_due = until
        actor.call = None
        self._hand_back(actor)

    def jump(self, seconds: float) -> None:
        """Time passes for everybody, between any two calls."""
        self.step(Call("clock"))
        self._now_us += round(seconds * 1_000_000)

    def step(self, call: Call | None = None) -> None:
        """Here another actor may go on, before the call is made."""
        if self._current is not None:
            self._current.call = call
            self._current.wake_us = self._now_us
            self._current.is_due = None
            self._hand_back(self._current)

    def _hand_back(self, actor: Actor) -> None:
        self._home.switch()
        if actor.is_killed:
            raise Crash

    # ------------------------------------------------------------ for the one in charge
    def spawn(self, name: str, run: Callable[[], Any], after_seconds: float = 0) -> Actor:
        """A new actor; it starts when its turn comes."""
        parent = self._current or self
        path = (*parent.path, parent.spawned)
        parent.spawned += 1
        actor = Actor(name, path, run, self._now_us + round(after_seconds * 1_000_000))
        self._actors.append(actor)
        return actor

    def kill(self, actor: Actor) -> None:
        """It dies at its next turn."""
        actor.is_killed = True
        actor.wake_us = self._now_us

    def run(self) -> None:
        """Until every actor is done. Raises AssertionError if that takes too many steps."""
        self._home = getcurrent()
        for _ in range(MAX_STEPS):
            waiting = [actor for actor in self._actors if not actor.is_done]
            if not waiting:
                self._actors.clear()
                return
            ready = [actor for actor in waiting if self._is_ready(actor)]
            if not ready:
                self._now_us = min(actor.wake_us for actor in waiting)
                continue
            actor = self.choose(ready)
            self._current = actor
            actor.flow.parent = self._home  # where its end leads back to, whoever spawned it
            actor.flow.switch()
            self._current = None
        raise AssertionError("the simulation does not come to an end")

    def _choose_by_chance(self, ready: list[Actor]) -> Actor:
        return ready[0] if len(ready) == 1 else self.random.choice(ready)

    def _is_ready(self, actor: Actor) -> bool:
        return actor.wake_us <= self._now_us or (actor.is_due is not None and actor.is_due())
