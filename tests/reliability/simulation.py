"""One seed, one story: random merchants and shoppers, faults, stopped workflows, clock jumps."""

import random
from collections.abc import Callable
from typing import Any

from tests.reliability.faults import Faults
from tests.reliability.scenarios import OTHER_PAID_CARD
from tests.reliability.world import CANARY_NUMBER, Answer, Mutation, Stage, Ticket, World
from tests.support.actors import CHALLENGE_CARD, DECLINED_CARD, INSUFFICIENT_FUNDS_CARD

CARDS = (
    CANARY_NUMBER,
    CANARY_NUMBER,
    OTHER_PAID_CARD,
    CHALLENGE_CARD,
    "4000000000003220",  # a challenge too
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
    "4000000000000127",  # its security code is wrong
)
EMAILS = (None, None, "ana@example.com", "ana.cole+shop@example.co.uk", "13912345678@163.com")
ADDRESSES = ("203.0.113.7", "198.51.100.4", "2001:db8::7")
AWS_FATES = {"before": ("crash", "refused"), "after": ("crash", "lost", "repeated")}
ACQUIRER_FATES = {
    "before": ("crash", "refused", "late", "slow"),
    "after": ("crash", "lost", "repeated"),
}
DAY_SECONDS = 86_400
# A bad day is bad at one place mostly; "" is everywhere a little.
TROUBLED = (
    "",
    "",
    "acquirer.",
    "acquirer.authorize",
    "acquirer.authorize",
    "stepfunctions.",
    "kms.",
    "dynamodb.Update",
)
# Where most calls do not even arrive, few answers are left to be lost.
SIDES = (("before", "after"), ("after",))
RATES = (0.0, 0.02, 0.06, 0.3, 0.9)


def simulate(
    stage: Stage,
    seed: int,
    mutate: Mutation = lambda _name, _params: None,
    wrap_acquirer: Callable[[Any], Any] = lambda acquirer: acquirer,
    reconciles: bool = True,
) -> World:
    """Plays the seed to its end, minutes of reconciling included. The world is still open."""
    plan = random.Random(seed)
    troubled, rate, sides = plan.choice(TROUBLED), plan.choice(RATES), plan.choice(SIDES)
    world = World(
        stage,
        seed,
        Faults(_fates(random.Random(seed + 1), troubled, rate, sides)),
        mutate=mutate,
        wrap_acquirer=wrap_acquirer,
        reconciles=reconciles,
    )
    actors: list[Callable[[], Any]] = []
    for number in range(plan.randint(1, 2)):
        actors += _party(world, random.Random(plan.getrandbits(64)), f"order-{number}")
    if plan.random() < 0.3:
        actors.append(lambda: _saboteur(world, random.Random(seed + 2)))
    if reconciles and plan.random() < 0.7:
        actors.append(lambda: _reconciler(world, runs=plan.randint(1, 20)))
    world.run(*actors)
    world.settle()
    return world


def _fates(
    chance: random.Random, troubled: str, rate: float, sides: tuple[str, ...]
) -> Callable[[int, str, str], str | None]:
    def choose(_number: int, side: str, name: str) -> str | None:
        is_troubled = name.startswith(troubled) and side in sides
        if chance.random() >= (rate if is_troubled else rate / 20):
            return None
        fates = ACQUIRER_FATES if name.startswith("acquirer.") else AWS_FATES
        return chance.choice(fates[side])

    return choose


def _party(world: World, chance: random.Random, key: str) -> list[Callable[[], Any]]:
    """A merchant who may send everything twice, and one or two browsers of the same shopper."""
    found: list[Ticket] = []

    def merchant() -> None:
        for _ in range(chance.randint(1, 4)):
            ticket = world.create(key)
            if ticket:
                found.append(ticket)
            world.scheduler.sleep(chance.choice((0, 0.5, 20)))

    tokens = [f"{key}-form-{n}" for n in range(3)]
    browsers = [random.Random(chance.getrandbits(64)) for _ in range(chance.randint(1, 2))]
    shoppers = [lambda mind=mind: _shopper(world, mind, found, tokens) for mind in browsers]
    return [merchant, merchant, *shoppers] if chance.random() < 0.3 else [merchant, *shoppers]


def _shopper(world: World, mind: random.Random, found: list[Ticket], tokens: list[str]) -> None:
    world.scheduler.wait(60, until=lambda: bool(found))
    if not found:
        return
    ticket = found[0]
    for _ in range(mind.randint(1, 6)):
        world.scheduler.sleep(mind.choice((0, 0, 1, 30, 400, DAY_SECONDS // 3)))
        if mind.random() < 0.12:
            world.cancel(ticket)
            continue
        token = mind.choice(tokens) if mind.random() < 0.8 else None
        answer = _send(world, mind, ticket, token)
        if mind.random() < 0.2:  # the back button, and the old page again
            answer = _send(world, mind, ticket, token)
        if answer.body.get("status") == "requires_challenge":
            world.scheduler.sleep(mind.choice((0, 10, 599, 601, 2000)))
            action = mind.choice(("pass", "pass", "pass", "fail", "abandon", "return", "leave"))
            if action != "leave":
                for _ in range(mind.randint(1, 2)):
                    world.challenge(answer.body["redirect"], action)


def _send(world: World, mind: random.Random, ticket: Ticket, token: str | None) -> Answer:
    """A form; one in four is clicked twice, and the answer to the second click is seen."""
    form: dict[str, Any] = {
        "number": mind.choice(CARDS),
        "attempt": token,
        "shopper_ip": mind.choice(ADDRESSES),
        "email": mind.choice(EMAILS),
        "exp_year": mind.choice((2034, 2034, 2035)),
    }
    if mind.random() < 0.25:
        world.scheduler.spawn("first click", lambda: world.pay(ticket, **form))
    return world.pay(ticket, **form)


def _saboteur(world: World, chance: random.Random) -> None:
    """Stops executions in the middle of whatever they do."""
    for _ in range(chance.randint(1, 5)):
        world.scheduler.sleep(chance.choice((0.01, 0.3, 5, 60)))
        running = [e for e in world.stepfunctions.executions.values() if e.status == "RUNNING"]
        if running:
            world.stepfunctions.abort(chance.choice(running))


def _reconciler(world: World, runs: int) -> None:
    """As scheduled: once a minute, while everything else goes on."""
    for _ in range(runs):
        world.scheduler.sleep(60)
        world.reconcile()
