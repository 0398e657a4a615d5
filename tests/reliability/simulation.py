"""One seed, one story: random merchants and shoppers, faults, stopped workflows, clock jumps."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from tests.reliability.faults import Faults
from tests.reliability.money_scenarios import FAILS_LATER_CARD, STAYS_PENDING_CARD
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
REFUNDS_MOSTLY = (*("refund",) * 12, "capture", "cancel")
HOLDS_MOSTLY = (*("capture", "refund") * 4, "cancel")
REFUND_CARDS = (FAILS_LATER_CARD, STAYS_PENDING_CARD)
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
MONEY_TROUBLED = ("acquirer.refund", "acquirer.capture", "acquirer.void", "dynamodb.Transact")
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
    moves_money = seed % 3 == 2
    places = TROUBLED + MONEY_TROUBLED if moves_money else TROUBLED
    troubled, rate, sides = plan.choice(places), plan.choice(RATES), plan.choice(SIDES)
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
        chance = random.Random(plan.getrandbits(64))
        actors += _party(world, chance, f"order-{number}", moves_money=moves_money)
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


def _party(
    world: World, chance: random.Random, key: str, *, moves_money: bool
) -> list[Callable[[], Any]]:
    """A merchant who may send everything twice, and one or two browsers of the same shopper.

    In every third story the merchant's bookkeepers capture, cancel and refund.
    """
    found: list[Ticket] = []
    books = random.Random(f"{world.seed} {key}")
    wish = {"capture": False} if moves_money and books.random() < 0.4 else {}
    cards = CARDS + REFUND_CARDS if moves_money else CARDS

    def merchant() -> None:
        for _ in range(chance.randint(1, 4)):
            ticket = world.create(key, **wish)
            if ticket:
                found.append(ticket)
            world.scheduler.sleep(chance.choice((0, 0.5, 20)))

    tokens = [f"{key}-form-{n}" for n in range(3)]
    browsers = [random.Random(chance.getrandbits(64)) for _ in range(chance.randint(1, 2))]
    people = [lambda mind=mind: _shopper(world, mind, found, tokens, cards) for mind in browsers]
    for _ in range(books.randint(1, 2) if moves_money else 0):
        mind = random.Random(books.getrandbits(64))
        people.append(lambda mind=mind: _bookkeeper(world, mind, found, is_held=bool(wish)))
    return [merchant, merchant, *people] if chance.random() < 0.3 else [merchant, *people]


def _bookkeeper(world: World, mind: random.Random, found: list[Ticket], *, is_held: bool) -> None:
    """Captures, lets go and gives back, whatever of it makes sense; some of it twice."""
    verbs = HOLDS_MOSTLY if is_held else REFUNDS_MOSTLY
    world.scheduler.wait(60, until=lambda: bool(found))
    if mind.random() < 0.8:
        world.scheduler.wait(2000, until=lambda: bool(found) and _is_paid(world, found[0]))
    for _ in range(mind.randint(2, 6) if found else 0):
        world.scheduler.sleep(mind.choice((0, 1, 30, 400, world.hold_seconds // 2)))
        key = mind.choice((None, "book-1", "book-2", "book-3"))
        match mind.choice(verbs):
            case "refund":
                amount = mind.choice((None, "0.01", "123.45", "250.00", "500.00"))
                world.refund(found[0], amount, key)
            case "capture":
                world.capture(found[0], mind.choice((None, "500.00", "80.00")), key)
            case "cancel":
                world.void(found[0])


def _is_paid(world: World, ticket: Ticket) -> bool:
    """As far as its shopper knows."""
    return any(
        subject == ticket.id and answer.body.get("status") in ("succeeded", "authorized")
        for subject, answer in world.answers
    )


def _shopper(
    world: World,
    mind: random.Random,
    found: list[Ticket],
    tokens: list[str],
    cards: Sequence[str],
) -> None:
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
        answer = _send(world, mind, ticket, token, cards)
        if mind.random() < 0.2:  # the back button, and the old page again
            answer = _send(world, mind, ticket, token, cards)
        if answer.body.get("status") == "requires_challenge":
            world.scheduler.sleep(mind.choice((0, 10, 599, 601, 2000)))
            action = mind.choice(("pass", "pass", "pass", "fail", "abandon", "return", "leave"))
            if action != "leave":
                for _ in range(mind.randint(1, 2)):
                    world.challenge(answer.body["redirect"], action)


def _send(
    world: World, mind: random.Random, ticket: Ticket, token: str | None, cards: Sequence[str]
) -> Answer:
    """A form; one in four is clicked twice, and the answer to the second click is seen."""
    form: dict[str, Any] = {
        "number": mind.choice(cards),
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
