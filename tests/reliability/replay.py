"""Crowds at one address, card testers and ordinary shoppers, and two shops for them to come to.

`WholeShop` is everything: handlers, workflow, moto. `RulesShop` is what decides alone, the real
use cases and stores over a DynamoDB of a dictionary, a hundred times as fast. The same crowd must
meet the same fate in both.
"""

import bisect
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from payments.acquirers.port import Acquirer, ChargeRequest
from payments.adapters.aws import AwsClient
from payments.adapters.fingerprints import Fingerprints
from payments.adapters.store.items import from_item, to_item
from payments.adapters.store.merchant_lists import MerchantListStore
from payments.adapters.store.risk_counters import RiskCounters
from payments.model import declines
from payments.model.attempt import Attempt
from payments.model.authorization import Authorization, CardProfile
from payments.model.card import Card, is_luhn_valid
from payments.model.ids import Account, Mode
from payments.model.lifecycle import Status
from payments.model.payment import MAX_ATTEMPTS
from payments.risk.assessment import Thresholds
from payments.risk.rules import Action
from payments.use_cases.assess_risk import AssessRisk
from payments.use_cases.record_failures import RecordFailures
from tests.reliability.scheduler import Call
from tests.reliability.world import CANARY_NUMBER, START_US, Ticket, World, one_after_another
from tests.support.actors import DECLINED_CARD

HOUR_SECONDS = 3600
BURST_SECONDS = 10
CHARGE_SECONDS, CHALLENGE_SECONDS = 2, 45
MERCHANT_COUNTRY = "CR"
ADDRESS = "203.0.113.7"


@dataclass(frozen=True)
class CrowdCard:
    """`is_dead`: its issuer declines it."""

    number: str
    country: str
    is_dead: bool


class Shop(Protocol):
    """Where a crowd comes to. `pay` answers paid, declined, challenged or blocked."""

    def open(self, amount_minor: int) -> Any: ...
    def pay(self, checkout: Any, card: CrowdCard, email: str) -> str: ...
    def pass_challenge(self) -> None: ...
    def is_payable(self, checkout: Any) -> bool: ...
    def sleep(self, seconds: float) -> None: ...


class Crowd:
    """`seen` counts what became of each: blocked, challenged, or let through to the issuer."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self._shop = shop
        self._chance = random.Random(seed)
        self.seen: Counter[str] = Counter()

    def card_testers(self, attempts: int) -> None:
        """A script with a list of stolen cards: one in ten is alive. It passes no challenge.

        Each checkout is used for as many cards as it takes, for the smallest things on sale.
        """
        checkout = None
        for _ in range(attempts):
            checkout = checkout or self._shop.open(self._chance.choice((50, 100, 299, 450)))
            fate = self._shop.pay(checkout, self._card("US GB BR CR MX FR", dead_percent=90), "")
            self.seen[_seen(fate)] += 1
            if not self._shop.is_payable(checkout):
                checkout = None
            self._shop.sleep(self._chance.uniform(1, 6))

    def card_testers_at_once(self, attempts: int) -> None:
        """The same script with as many connections as it likes: all within ten seconds."""
        for _ in range(attempts):
            checkout = self._shop.open(self._chance.choice((50, 100, 299, 450)))
            fate = self._shop.pay(checkout, self._card("US GB BR CR MX FR", dead_percent=90), "")
            self.seen[_seen(fate)] += 1
            self._shop.sleep(self._chance.uniform(0, 2 * BURST_SECONDS / attempts))

    def shoppers(self, people: int, hours: int) -> None:
        """An office: everybody buys something once, with a card of their own.

        One card in twenty-five is declined, and then most try another. Challenges are passed.
        """
        for number in range(people):
            self.seen[self._shopper(number)] += 1
            self._shop.sleep(self._chance.expovariate(people / hours / HOUR_SECONDS))

    def _shopper(self, number: int) -> str:
        checkout = self._shop.open(
            500 + round(min(400, self._chance.lognormvariate(3.5, 0.8)) * 100)
        )
        email = self._chance.choice(("", f"p{number}@gmail.com", f"p{number}@empresa.co.cr"))
        fates = set()
        for _ in range(self._chance.choice((1, 2, 2, 3))):
            fate = self._shop.pay(checkout, self._card("CR CR CR US MX", dead_percent=4), email)
            fates.add(_seen(fate))
            if fate == "challenged":
                self._shop.pass_challenge()
            if fate != "declined":
                break
        return next(fate for fate in ("blocked", "challenged", "let through") if fate in fates)

    def _card(self, countries: str, dead_percent: int) -> CrowdCard:
        """A new card, of one of the countries."""
        number = "4"
        while not is_luhn_valid(number) or len(number) < 16:
            number = f"4{self._chance.randrange(10**15):015}"
        is_dead = self._chance.randrange(100) < dead_percent
        return CrowdCard(number, self._chance.choice(countries.split()), is_dead)


def _seen(fate: str) -> str:
    return fate if fate in ("blocked", "challenged") else "let through"


# ---------------------------------------------------------------- everything
@dataclass
class Issuers:
    """An acquirer in front of many issuers, who know the crowd's cards."""

    acquirer: Acquirer
    cards: dict[str, CrowdCard] = field(default_factory=dict)

    def __getattr__(self, name: str) -> object:
        return getattr(self.acquirer, name)

    def profile(self, charge: ChargeRequest) -> CardProfile:
        country = self.cards[charge.card.number].country
        return replace(self.acquirer.profile(charge), country=country)

    def authorize(self, charge: ChargeRequest, *, capture: bool) -> Authorization:
        number = DECLINED_CARD if self.cards[charge.card.number].is_dead else CANARY_NUMBER
        charge = replace(charge, card=replace(charge.card, number=number))
        return self.acquirer.authorize(charge, capture=capture)


class BusyWorld(World):
    """Hooks that do nothing: no faults, and no other actor between two calls."""

    def meet_before(self, name: str, call: Call) -> None:
        pass

    def meet_after(self, name: str, table: str | None, fate: str | None) -> None:
        pass


class WholeShop:
    """Over the real handlers and the real workflow."""

    def __init__(self, world: World, issuers: Issuers) -> None:
        self._world = world
        self._issuers = issuers
        self._challenge = ""

    def open(self, amount_minor: int) -> Ticket:
        ticket = self._world.create(amount=f"{amount_minor // 100}.{amount_minor % 100:02}")
        assert ticket is not None
        return ticket

    def pay(self, checkout: Ticket, card: CrowdCard, email: str) -> str:
        self._issuers.cards[card.number] = card
        answer = self._world.pay(checkout, card.number, email=email or None)
        if answer.body.get("status") == "requires_challenge":
            self._challenge = answer.body["redirect"]
            return "challenged"
        if answer.body.get("status") == "succeeded":
            return "paid"
        assert answer.status == 402, answer
        status = self._world.payment(checkout).status
        return "blocked" if status is Status.BLOCKED else "declined"

    def pass_challenge(self) -> None:
        self._world.challenge(self._challenge, "pass")

    def is_payable(self, checkout: Ticket) -> bool:
        return self._world.payment(checkout).status is Status.REQUIRES_ACTION

    def sleep(self, seconds: float) -> None:
        self._world.scheduler.sleep(seconds)


# ---------------------------------------------------------------- what decides, alone
class DictionaryAws:
    """DynamoDB and KMS as far as risk asks them."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], dict[str, Any]] = {}

    def update_item(self, TableName: str, Key: Mapping[str, Any], **asked: Any) -> dict[str, Any]:  # noqa: N803 - AWS's names
        item = self._items.setdefault((TableName, str(Key)), from_item(Key))
        values = from_item(asked["ExpressionAttributeValues"])
        sets, _, adds = asked["UpdateExpression"].removeprefix("SET ").partition(" ADD ")
        name, _, value = asked["ConditionExpression"].removeprefix("NOT ").split()
        assert item.get(name) != values[value], "nothing is repeated here"
        item.update((term[0], values[term[2]]) for term in map(str.split, sets.split(", ")))
        for name, value in map(str.split, adds.split(", ")):
            item[name] = item.get(name, 0) + values[value]
        return {"Attributes": to_item(item)}

    def get_item(self, TableName: str, Key: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        item = self._items.get((TableName, str(Key)))
        return {"Item": to_item(item)} if item else {}

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        found = (self.get_item(table, key) for key in asked["Keys"])
        return {"Responses": {table: [answer["Item"] for answer in found if answer]}}

    def generate_mac(self, Message: bytes, **_: str) -> dict[str, bytes]:  # noqa: N803
        return {"Mac": hashlib.sha256(Message).digest()}


class _Clock:
    def __init__(self) -> None:
        self.seconds = START_US / 1_000_000

    def now_us(self) -> int:
        return round(self.seconds * 1_000_000)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class _Checkout:
    name: str
    amount_minor: int
    attempts: int = 0
    fate: str = ""


class RulesShop:
    """Weighs and notes as the workflow does; cards answer as they are, but take their time."""

    def __init__(self, *, takes_time: bool = False) -> None:
        self._takes_time = takes_time
        self._under_way: list[tuple[float, Callable[[], None]]] = []
        aws = AwsClient(DictionaryAws())
        self._clock = _Clock()
        counters = RiskCounters(aws, "counters")
        self._assess = AssessRisk(
            counters,
            MerchantListStore(aws, "lists"),
            Fingerprints(aws, "key"),
            one_after_another,
            lambda _domain: False,
            Thresholds(),
            _must_not_happen,
        )
        self._failures = RecordFailures(counters, one_after_another, _must_not_happen)
        self._account = Account("shop", Mode.TEST)
        self._opened = 0

    def open(self, amount_minor: int) -> _Checkout:
        self._opened += 1
        return _Checkout(f"checkout-{self._opened}", amount_minor)

    def pay(self, checkout: _Checkout, card: CrowdCard, email: str) -> str:
        checkout.attempts += 1
        attempt = self._attempt(checkout, email)
        typed = Card(card.number, "314", 12, 2034)
        risk = self._assess(attempt, typed, CardProfile("credit", card.country))
        answer = _answer(card)
        checkout.fate = "declined" if card.is_dead else "paid"
        if risk.action is Action.BLOCK:
            answer, checkout.fate = _refused(declines.FRAUDULENT), "blocked"
        conclude = partial(self._failures.concluded, attempt, risk, answer)
        if risk.action is Action.CHALLENGE:
            self._failures.challenged(attempt, risk)
            checkout.fate = "challenged"
            self._pass = conclude
        else:
            self._later(conclude)
        return checkout.fate

    def pass_challenge(self) -> None:
        self._later(self._pass)

    def _later(self, conclude: Callable[[], None]) -> None:
        """One charge in ten waits for its bank's challenge to be passed."""
        if not self._takes_time:
            conclude()
            return
        takes_seconds = CHALLENGE_SECONDS if self._opened % 10 == 0 else CHARGE_SECONDS
        due = self._clock.seconds + takes_seconds, conclude
        bisect.insort(self._under_way, due, key=lambda under_way: under_way[0])

    def is_payable(self, checkout: _Checkout) -> bool:
        return checkout.fate == "declined" and checkout.attempts < MAX_ATTEMPTS

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        while self._under_way and self._under_way[0][0] <= self._clock.seconds:
            _, conclude = self._under_way.pop(0)
            conclude()

    def _attempt(self, checkout: _Checkout, email: str) -> Attempt:
        return Attempt(
            id=f"{checkout.name}_{checkout.attempts}",
            account=self._account,
            payment_id=checkout.name,
            token=str(checkout.attempts),
            amount_minor=checkout.amount_minor,
            currency="USD",
            base_url="",
            challenge_id="",
            created_at_us=self._clock.now_us(),
            number=checkout.attempts,
            shopper_ip=ADDRESS,
            shopper_email=email,
            merchant_country=MERCHANT_COUNTRY,
            enforces_fraud_rules=True,
        )


def _answer(card: CrowdCard) -> Authorization:
    return _refused(declines.GENERIC) if card.is_dead else Authorization(approved=True)


def _refused(code: str) -> Authorization:
    return Authorization(approved=False, decline_code=code)


def _must_not_happen(error: Exception) -> None:
    raise error
