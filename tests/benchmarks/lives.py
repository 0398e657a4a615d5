"""Payments lived from create to paid, in simulated time, with every call metered."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3

from tests.benchmarks.units import Call, Meter, run_together
from tests.reliability.world import Answer, Stage, World, stage
from tests.support.actors import CHALLENGE_CARD, DECLINED_CARD, PAID_CARD

__all__ = ["CHALLENGE_CARD", "DECLINED_CARD", "PAID_CARD", "Life", "Scene", "on_stage"]


@dataclass(frozen=True)
class Life:
    """What one payment took. `states`: the workflow's, in the order they were entered."""

    calls: list[Call]
    states: list[str]
    outcome: str

    @property
    def write_units(self) -> float:
        return sum(call.write_units for call in self.calls)

    @property
    def read_units(self) -> float:
        return sum(call.read_units for call in self.calls)

    def count(self, service: str) -> int:
        return sum(call.name.startswith(f"{service}.") for call in self.calls)


@dataclass
class Scene:
    """One warm set of functions, and the meter on their clients."""

    stage: Stage
    world: World
    meter: Meter

    def during(self, act: object) -> list[Call]:
        """The calls that something makes."""
        assert callable(act)
        self.meter.take()
        self.world.run(act)
        assert not self.world.broken, self.world.broken
        return self.meter.take()

    def live(self, card: str) -> Life:
        """The documentation's example, created without a key and paid with this card."""
        before = set(self.world.stepfunctions.executions)
        answers: list[Answer] = []

        def shopper() -> None:
            ticket = self.world.create()
            assert ticket is not None
            answers.append(self.world.pay(ticket, card, "bench-attempt"))
            if answers[-1].body.get("status") == "requires_challenge":
                answers.append(self.world.challenge(answers[-1].body["redirect"], "pass"))
            answers.append(
                self.world.request(
                    "GetPaymentFunction", "GET", "/v1/payments/{id}", {}, {"id": ticket.id}
                )
            )

        calls = self.during(shopper)
        executions = self.world.stepfunctions.executions
        (execution,) = (executions[name] for name in executions.keys() - before)
        ledger = self.stage.aws.environments["AuthorizeFunction"]["SIMULATOR_TABLE"]
        counted = [call for call in calls if call.table != ledger]
        return Life(counted, execution.entered, answers[-1].body["status"])


@contextmanager
def on_stage() -> Iterator[Scene]:
    session = boto3.session.Session()
    meter = Meter(session)
    with stage(session, run_together) as built:
        world = World(built)
        try:
            scene = Scene(built, world, meter)
            scene.live(PAID_CARD)  # what is read once and remembered is read now
            yield scene
        finally:
            world.close()
