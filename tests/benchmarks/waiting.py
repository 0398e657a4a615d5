"""L: the AWS calls in sequence that a shopper waits for, from the click on pay to the answer.

Counted is the path of a typed card that needs no challenge: what the checkout calls until the
workflow is started, what the workflow's tasks call until the payment's outcome is stored, and what
the checkout calls after that until it answers. Calls that run at the same time (risk's counters and
lists) count as one step. Not counted is what nobody waits for: how often the checkout looks while
the workflow runs, and what a task does after the outcome is stored. The simulated acquirer's table
is not counted either, for a real acquirer is one HTTPS call.
"""

from tests.benchmarks.lives import PAID_CARD, Scene
from tests.benchmarks.rows import Row
from tests.benchmarks.units import Call, in_sequence
from tests.reliability.world import Answer, Ticket

CHECKOUT = "CheckoutFunction"


def rows(scene: Scene) -> list[Row]:
    what = "pay, typed card without a challenge: AWS calls in sequence until the answer"
    return [Row("L1", what, in_sequence(waited_for(scene)), 15)]


def waited_for(scene: Scene) -> list[Call]:
    """The calls on the path of one paid attempt, with an e-mail so that all counters take part.

    A payment before it makes every function warm: what one reads once and remembers is not counted.
    """
    scene.live(PAID_CARD)
    tickets: list[Ticket | None] = []
    scene.during(lambda: tickets.append(scene.world.create()))
    (ticket,) = tickets
    assert ticket is not None
    answers: list[Answer] = []
    email = {"email": "shopper@example.com"}
    calls = scene.during(
        lambda: answers.append(scene.world.pay(ticket, PAID_CARD, "bench-attempt", **email))
    )
    assert answers[0].body["status"] == "succeeded", answers
    return _on_the_path(calls, scene.stage.aws.environments[CHECKOUT]["PAYMENTS_TABLE"])


def _on_the_path(calls: list[Call], payments_table: str) -> list[Call]:
    started = [call.name for call in calls].index("stepfunctions.StartExecution")
    stored = max(
        number
        for number, call in enumerate(calls)
        if call.function != CHECKOUT and payments_table in call.written_tables
    )
    workflow = [call for call in calls[started + 1 : stored + 1] if call.function != CHECKOUT]
    answering = [call for call in calls[stored + 1 :] if call.function == CHECKOUT]
    return [*calls[: started + 1], *workflow, *answering]
