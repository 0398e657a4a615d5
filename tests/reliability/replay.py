"""Crowds at one address: card testers and ordinary shoppers, against the real handlers.

Nothing breaks here, so the world does without its hooks around every call: a thousand attempts
take seconds.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from payments.acquirer.port import Acquirer, Authorization, CardProfile, ChargeRequest
from payments.cards import is_luhn_valid
from payments.lifecycle import Status
from tests.reliability.world import Answer, Ticket, World
from tests.support.actors import DECLINED_CARD

HOUR_SECONDS = 3600


@dataclass
class Issuers:
    """An acquirer in front of many issuers: some cards are dead, each comes from somewhere."""

    acquirer: Acquirer
    dead: set[str] = field(default_factory=set)
    countries: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> object:
        return getattr(self.acquirer, name)

    def profile(self, charge: ChargeRequest) -> CardProfile:
        profile = self.acquirer.profile(charge)
        return replace(profile, country=self.countries[charge.card.number])

    def authorize(self, charge: ChargeRequest) -> Authorization:
        if charge.card.number in self.dead:
            charge = replace(charge, card=replace(charge.card, number=DECLINED_CARD))
        return self.acquirer.authorize(charge)

    def issue(self, chance: random.Random, countries: str, dead_percent: int) -> str:
        """A new card's number, of one of the countries."""
        while True:
            number = f"4{chance.randrange(10**14):014}{chance.randrange(10)}"
            if is_luhn_valid(number) and number not in self.countries:
                break
        self.countries[number] = chance.choice(countries.split())
        if chance.randrange(100) < dead_percent:
            self.dead.add(number)
        return number


class BusyWorld(World):
    """Hooks that do nothing: no faults, and no other actor between two calls."""

    def meet_before(self, name: str) -> None:
        pass

    def meet_after(self, name: str) -> None:
        pass


@dataclass
class Replay:
    """Plays one crowd. `seen` counts what became of each: blocked, challenged, let through."""

    world: World
    issuers: Issuers
    chance: random.Random
    seen: Counter[str] = field(default_factory=Counter)

    def card_testers(self, attempts: int) -> None:
        """A script with a list of stolen cards: one in ten is alive. It passes no challenge.

        Each checkout is used for as many cards as it takes, for the smallest things on sale.
        """
        ticket: Ticket | None = None
        for _ in range(attempts):
            ticket = ticket or self._checkout(self.chance.choice(("0.50", "1.00", "2.99", "4.50")))
            card = self.issuers.issue(self.chance, "US GB BR CR MX FR", dead_percent=90)
            answer = self.world.pay(ticket, card)
            self.seen[self._fate(ticket, answer)] += 1
            is_payable = answer.body.get("error") and self._status(ticket) is Status.REQUIRES_ACTION
            ticket = ticket if is_payable else None
            self.world.scheduler.sleep(self.chance.uniform(1, 6))

    def shoppers(self, people: int, hours: int) -> None:
        """An office: everybody buys something once, with a card of their own.

        One card in twenty-five is declined, and then most try another. Challenges are passed.
        """
        for number in range(people):
            self.seen[self._shopper(number)] += 1
            self.world.scheduler.sleep(self.chance.expovariate(people / hours / HOUR_SECONDS))

    def _shopper(self, number: int) -> str:
        amount = f"{min(400, 5 + self.chance.lognormvariate(3.5, 0.8)):.2f}"
        ticket = self._checkout(amount)
        email = self.chance.choice((None, f"p{number}@gmail.com", f"p{number}@empresa.co.cr"))
        fates = set()
        for _ in range(self.chance.choice((1, 2, 2, 3))):
            card = self.issuers.issue(self.chance, "CR CR CR US MX", dead_percent=4)
            answer = self.world.pay(ticket, card, email=email)
            fates.add(self._fate(ticket, answer))
            if answer.body.get("status") == "requires_challenge":
                self.world.challenge(answer.body["redirect"], "pass")
            if "error" not in answer.body or "blocked" in fates:
                break
        return next(fate for fate in ("blocked", "challenged", "let through") if fate in fates)

    def _checkout(self, amount: str) -> Ticket:
        ticket = self.world.create(amount=amount)
        assert ticket is not None
        return ticket

    def _status(self, ticket: Ticket) -> Status:
        payment = self.world.payment(ticket)
        return payment.status

    def _fate(self, ticket: Ticket, answer: Answer) -> str:
        """`let through` is whatever the acquirer was asked to charge."""
        if answer.body.get("status") == "requires_challenge":
            return "challenged"
        assert answer.status in (200, 402), answer
        return "blocked" if self._status(ticket) is Status.BLOCKED else "let through"


def replay(world: World, issuers: Issuers, crowd: Callable[[Replay], None], seed: int) -> Replay:
    """The crowd from its first attempt to the end of its last one."""
    played = Replay(world, issuers, random.Random(seed))
    world.run(lambda: crowd(played))
    return played
