"""Issue 3, test 3: races on real threads and real HTTP against the running stack.

Whoever wins, nothing happens twice, and every answer, above all the loser's, is true.
What was observed is judged by functions, which the last part of this file feeds with lies.
"""

import itertools
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NoReturn, TypeVar

import pytest
import requests

from payments.acquirers.port import NoWallets
from payments.adapters.aws import AwsClient
from payments.adapters.card_cipher import CardCipher
from payments.adapters.store.attempts import AttemptStore
from payments.adapters.store.items import from_item
from payments.adapters.store.payments import PaymentStore
from payments.adapters.workflow import Workflow
from payments.inputs.checkout_form import parse_form
from payments.model import ids, lifecycle
from payments.model.clock import SystemClock
from payments.model.ids import SIMULATOR
from payments.model.lifecycle import Status
from payments.use_cases.api_keys import hash_key
from payments.use_cases.pay_payment import PayPayment
from payments.use_cases.shopper_payments import ShopperPayments
from tests.conftest import StackFor
from tests.support.actors import (
    DECLINED_CARD,
    PAID_CARD,
    TIMEOUT_SECONDS,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.records import (
    Charge,
    charges,
    charges_by_payment,
    open_attempts,
    statuses,
)
from tests.support.report import record
from tests.support.stack import Stack

Result = TypeVar("Result")

CREATES_AT_ONCE = 200
CREATE_ROUNDS = 3
PAYS_AT_ONCE = 50
PAY_ROUNDS = 4
CANCEL_ROUNDS = 48
EXPIRY_ROUNDS = 112
DUELS_AT_ONCE = 8
LIFETIME_SECONDS = 2
# Where rivals meet, in seconds from the expiry: well before, and closer and closer to it. A pay
# looks at the clock, seals the card, then writes: so many meet right before.
MEETINGS = (-1.4, -1.0, -0.5, -0.06, -0.04, -0.03, -0.02, 0.0)
JITTER_SECONDS = 0.03
SETTLE_SECONDS = 30
INSERTS = 500
INSERTING_THREADS = 8
PAGES_PER_WRITE = 1
PAGES_AHEAD = 2 * PAGES_PER_WRITE * (INSERTING_THREADS + 2)
PAGES_NO_WALK_HAS = 1000
STALLED_SECONDS = 60
INDEX_LAG_SECONDS = 1.0  # what the contract allows a list by status
_NEXT = re.compile(r'<([^>]+)>; rel="next"')


@dataclass(frozen=True)
class Answer:
    """What a client was told."""

    status: int
    body: dict[str, Any]
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, response: requests.Response) -> "Answer":
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        body = response.json() if is_json else {}
        return cls(response.status_code, body, response.text, dict(response.headers))

    @property
    def reason(self) -> str:
        """Why not, as a 409 says it."""
        return str(self.body.get("reason", ""))


def at_once(actions: Sequence[Callable[[], Result]]) -> list[Result]:
    """Each on a thread of its own, and none before all are there."""
    barrier = threading.Barrier(len(actions), timeout=SETTLE_SECONDS)

    def run(action: Callable[[], Result]) -> Result:
        barrier.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def connected(shop: Shop) -> Shop:
    """Another client of the same merchant, its connection open before the race starts."""
    client = Shop(shop.stack, shop.key)
    assert client.request("OPTIONS", "/v1/payments").status_code == 204
    return client


def connected_shopper(stack: Stack) -> Shopper:
    """A browser whose connection is open before the race starts."""
    shopper = Shopper(stack)
    assert shopper.open(f"{stack.url}/checkout/static/style.css").status_code == 200
    return shopper


def held(*races: list[str]) -> bool:
    """Whether nothing is wrong with any of them; says what is, if something is."""
    faults = [fault for race in races for fault in race]
    assert not faults, "\n".join(faults)
    return True


def stored_by(shop: Shop) -> dict[str, dict[str, Any]]:
    """The shop's payments as they are stored, by their ids."""
    assert shop.key is not None
    key = shop.stack.key_store.find(hash_key(shop.key))
    assert key is not None
    pages_of_rows = shop.stack.dynamodb.get_paginator("query").paginate(
        TableName=shop.stack.resources["PaymentsTable"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": str(key.account)}},
        ConsistentRead=True,
    )
    rows = [from_item(item) for page in pages_of_rows for item in page["Items"]]
    return {row["id"]: row for row in rows}


def settled(shop: Shop, payment_id: str) -> str:
    """The status that stays, once no attempt is under way."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (status := str(shop.payment(payment_id)["status"])) == "processing":
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return status


# ------------------------------------------------------------------------------------ creating


@dataclass(frozen=True)
class Creates:
    """Creates with one key, and what was stored by them."""

    answers: list[Answer]
    stored: list[str]
    claims: int


def create_faults(seen: Creates) -> list[str]:
    """Everything wrong with it: one payment, one truth, no 5xx."""
    faults = [
        f"answered {answer.status} {answer.text[:200]}"
        for answer in seen.answers
        if answer.status not in (202, 409)
    ]
    created = [answer for answer in seen.answers if answer.status == 202]
    refused = [answer for answer in seen.answers if answer.status == 409]
    faults += [
        f"a 409 for {answer.reason}, Retry-After {answer.headers.get('Retry-After')}"
        for answer in refused
        if answer.reason != "in_progress" or not answer.headers.get("Retry-After", "").isdigit()
    ]
    if not created:
        faults.append("nobody was told of a payment")
    if len({answer.text for answer in created}) > 1:
        faults.append("two were told of different payments")
    first = [answer for answer in created if "Idempotent-Replayed" not in answer.headers]
    if len(first) > 1:
        faults.append(f"{len(first)} are said to be the first")
    promised = {answer.body["data"]["id_payment"] for answer in created}
    if set(seen.stored) != promised or len(seen.stored) != 1:
        faults.append(f"stored {seen.stored}, promised {promised}")
    if seen.claims != 1:
        faults.append(f"{seen.claims} claims for one key")
    return faults


def _create_at_once(shop: Shop, key: str) -> Creates:
    clients = at_once([partial(connected, shop)] * CREATES_AT_ONCE)
    assert shop.list(limit=1).status_code == 200  # the gateway knows the key: the race is ours
    before = len(shop.stack.rows("IdempotencyTable"))
    stored_before = set(stored_by(shop))
    answers = at_once([partial(client.create, {"Idempotency-Key": key}) for client in clients])
    for client in clients:
        client.close()
    stored = [payment_id for payment_id in stored_by(shop) if payment_id not in stored_before]
    claims = len(shop.stack.rows("IdempotencyTable")) - before
    return Creates([Answer.of(answer) for answer in answers], stored, claims)


def test_200_simultaneous_creates_with_one_key_make_one_payment_and_no_5xx(shop: Shop) -> None:
    seen = [_create_at_once(shop, f"race-{number}") for number in range(CREATE_ROUNDS)]

    assert held(*map(create_faults, seen))
    again = shop.create({"Idempotency-Key": "race-0"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["data"]["id_payment"] == seen[0].stored[0]
    told = Counter(answer.status for creates in seen for answer in creates.answers)
    record(
        "races held",
        CREATE_ROUNDS,
        f"{CREATES_AT_ONCE} simultaneous creates with one key: 1 payment, "
        f"{told[202]} times 202, {told[409]} times in_progress",
    )


# -------------------------------------------------------------------------------------- paying


@dataclass(frozen=True)
class Pays:
    """Many pays of one payment, what the acquirer did, and what the payment reads at last."""

    answers: list[Answer]
    charges: list[Charge]
    final: str
    amount_minor: int
    history: list[str]
    attempts_left: int


_FINAL_FOR_REASON = {
    "already_paid": "completed",
    "canceled": "canceled",
    "expired": "expired",
    "failed": "failed",
}


def pay_faults(seen: Pays) -> list[str]:
    """Everything wrong with it: at most one charge, and nobody was told what is not so."""
    faults = []
    taken = [charge for charge in seen.charges if charge.took_money]
    if len(taken) > 1:
        faults.append(f"charged {len(taken)} times")
    if bool(taken) != (seen.final == "completed"):
        faults.append(f"{len(taken)} charges, but it reads {seen.final}")
    if any(charge.amount_minor != seen.amount_minor for charge in taken):
        faults.append(f"another amount was charged: {taken}")
    if seen.final == "processing":
        faults.append("no attempt is under way, but it reads processing")
    if seen.attempts_left:
        faults.append(f"{seen.attempts_left} attempts are left behind")
    faults += _history_faults(seen.history, seen.final)
    for answer in seen.answers:
        if fault := _untruth(answer, seen):
            faults.append(fault)
    if taken and not any(answer.status in (200, 202) for answer in seen.answers):
        faults.append("paid, and nobody was told")
    return faults


def _untruth(answer: Answer, seen: Pays) -> str:
    """What is not so in an answer to a pay; "" if all is."""
    said = f"told {answer.status} {answer.text[:200]}, it reads {seen.final}"
    match answer.status:
        case 200:
            is_true = answer.body.get("status") == "succeeded" and seen.final == "completed"
        case 202:
            is_true = answer.body.get("status") == "processing"
        case 402:
            is_true = any(not charge.took_money for charge in seen.charges)
        case 409 if answer.reason == "in_progress":
            is_true = bool(seen.charges)  # somebody's attempt was under way
        case 409:
            is_true = _FINAL_FOR_REASON.get(answer.reason) == seen.final
        case _:
            is_true = False
    return "" if is_true else said


def _history_faults(history: list[str], final: str) -> list[str]:
    """A history in which the lifecycle is broken, or that ends elsewhere."""
    allowed = {(before, after) for (before, _), after in lifecycle.TRANSITIONS.items()}
    steps = itertools.pairwise(history)
    faults = [
        f"from {before} to {after}" for before, after in steps if (before, after) not in allowed
    ]
    stored = {"completed": "succeeded", "expired": "requires_action"}.get(final, final)
    if history[:1] != ["requires_action"] or history[-1] != stored:
        faults.append(f"reads {final} after {history}")
    return faults


def _pay_at_once(shop: Shop, cards: Sequence[tuple[str, str | None]]) -> Pays:
    """Pays one payment with all of these (card, attempt token) at once."""
    checkout = shop.checkout()
    shoppers = at_once([partial(connected_shopper, shop.stack)] * len(cards))
    answers = at_once(
        [
            partial(shopper.pay, checkout, card, attempt=token)
            for shopper, (card, token) in zip(shoppers, cards, strict=True)
        ]
    )
    for shopper in shoppers:
        shopper.close()
    return _outcome(shop, checkout, answers)


def _outcome(shop: Shop, checkout: Checkout, answers: Sequence[requests.Response]) -> Pays:
    """What was told, and what became of the payment."""
    final = settled(shop, checkout.id)
    row = stored_by(shop)[checkout.id]
    return Pays(
        [Answer.of(answer) for answer in answers],
        charges(shop.stack, checkout),
        final,
        int(row["amount_minor"]),
        statuses(row),
        _attempts_left(shop, checkout),
    )


def _attempts_left(shop: Shop, checkout: Checkout) -> int:
    """How many rows of the payment the attempts table holds, once it had the time to be cleared."""
    deadline = time.monotonic() + 5
    while True:
        left = open_attempts(shop.stack, checkout)
        if not left or time.monotonic() > deadline:
            return len(left)
        time.sleep(0.05)


def test_50_simultaneous_pays_of_one_payment_are_one_charge_and_every_answer_is_true(
    shop: Shop,
) -> None:
    """Half are one form sent again and again, half are other tabs of the page."""
    cards = [
        (PAID_CARD, "one-and-the-same" if number % 2 else f"another-{number}")
        for number in range(PAYS_AT_ONCE)
    ]
    seen = [_pay_at_once(shop, cards) for _ in range(PAY_ROUNDS)]

    assert held(*map(pay_faults, seen))
    assert [pays.final for pays in seen] == ["completed"] * PAY_ROUNDS
    told = Counter(
        answer.reason or answer.body["status"] for pays in seen for answer in pays.answers
    )
    said = ", ".join(f"{count} times {what}" for what, count in sorted(told.items()))
    record("races held", PAY_ROUNDS, f"{PAYS_AT_ONCE} simultaneous pays of one: 1 charge, {said}")


def test_50_simultaneous_pays_with_good_and_declined_cards_are_at_most_one_charge(
    shop: Shop,
) -> None:
    """A declined attempt makes room for the next one in the middle of the race."""
    cards = [
        (PAID_CARD, "one-and-the-same") if number % 2 else (DECLINED_CARD, f"another-{number}")
        for number in range(PAYS_AT_ONCE)
    ]
    seen = [_pay_at_once(shop, cards) for _ in range(PAY_ROUNDS)]

    assert held(*map(pay_faults, seen))
    ends = Counter(pays.final for pays in seen)
    said = ", ".join(f"{count} {what}" for what, count in sorted(ends.items()))
    record("races held", PAY_ROUNDS, f"{PAYS_AT_ONCE} simultaneous pays, half declined: {said}")


class _DiedError(Exception):
    """The process is gone."""


class _DiesBeforeSubmit(PaymentStore):
    """For a pay that stops half way: its attempt is written, its payment is not yet submitted."""

    def submit(self, *_arguments: object, **_named: object) -> NoReturn:
        raise _DiedError


def _pay_and_die(checkout: Checkout, shopper: Shopper, token: str) -> None:
    stack, clock = shopper.stack, SystemClock()
    aws = AwsClient(stack.dynamodb)
    payments = _DiesBeforeSubmit(aws, stack.resources["PaymentsTable"])
    attempts = AttemptStore(aws, stack.resources["AttemptsTable"])
    cipher = CardCipher(AwsClient(stack.aws("kms")), stack.resources["CardKey"])
    follow = ShopperPayments(payments, attempts, clock, 24 * 60 * 60, 0)
    pay = PayPayment(
        follow, payments, attempts, cipher, Workflow(aws, ""), clock, lambda _: SIMULATOR
    )
    posted = shopper.card_form(checkout, PAID_CARD, attempt=token)
    form = parse_form(posted, NoWallets().open_token, clock.now_us())
    with pytest.raises(_DiedError):
        pay(follow.find(checkout.id, checkout.client_secret), form, stack.url, "127.0.0.1")


def test_a_form_whose_first_copy_died_pays_truly_after_another_card_was_declined_in_between(
    shop: Shop, shopper: Shopper
) -> None:
    """A dies with its attempt written, another tab is declined, then A's form is sent again."""
    checkout = shop.checkout()
    _pay_and_die(checkout, shopper, "one-and-the-same")
    declined = shopper.pay(checkout, DECLINED_CARD, attempt="another-tab")
    again = shopper.pay(checkout, PAID_CARD, attempt="one-and-the-same")

    seen = _outcome(shop, checkout, [declined, again])
    assert seen.attempts_left == 1, "what died is the reconciler's to remove, a minute later"
    assert held(pay_faults(replace(seen, attempts_left=0)))
    record("races held", 1, "a form whose first copy died, sent again after another was declined")


# ---------------------------------------------------------- pay against cancel against expiry


@dataclass(frozen=True)
class Duel:
    """Pays and cancels of one payment, and how it ended."""

    pays: list[Answer]
    cancels: list[Answer]
    charges: int
    final: str
    history: list[str]


def duel_faults(seen: Duel) -> list[str]:
    """Everything wrong with it: exactly one wins, and the losers are told who."""
    faults = _history_faults(seen.history, seen.final)
    if seen.final not in ("completed", "canceled", "expired"):
        faults.append(f"nobody won: it reads {seen.final}")
    if seen.charges != (1 if seen.final == "completed" else 0):
        faults.append(f"{seen.charges} charges, but it reads {seen.final}")
    said = [("pay", answer, _paid_truths(seen)) for answer in seen.pays]
    said += [("cancel", answer, _canceled_truths(seen)) for answer in seen.cancels]
    return faults + [
        f"{what} was told {_told(answer)}, it reads {seen.final}"
        for what, answer, truths in said
        if _told(answer) not in truths
    ]


def _told(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.reason or str(answer.body.get("status"))


def _truths(seen: Duel, of_the_winner: dict[str, set[tuple[int, str]]]) -> set[tuple[int, str]]:
    """What may be said: who won, or, while it lasted, that an attempt was under way."""
    under_way = {(409, "in_progress")} if "processing" in seen.history else set()
    return of_the_winner.get(seen.final, set()) | under_way


def _paid_truths(seen: Duel) -> set[tuple[int, str]]:
    return _truths(
        seen,
        {
            "completed": {(200, "succeeded"), (202, "processing"), (409, "already_paid")},
            "canceled": {(409, "canceled")},
            "expired": {(409, "expired")},
        },
    )


def _canceled_truths(seen: Duel) -> set[tuple[int, str]]:
    return _truths(
        seen,
        {
            "completed": {(409, "already_paid")},
            "canceled": {(200, "canceled")},
            # A pay that came too late is undone: for that moment an attempt was in progress.
            "expired": {(409, "expired"), (409, "in_progress")},
        },
    )


@dataclass(frozen=True)
class Moment:
    """When somebody acts on a payment: `at` in seconds since 1970, or at once."""

    checkout: Checkout
    is_pay: bool
    at: float = 0.0


def _duel(shop: Shop, moments: Sequence[Moment]) -> dict[str, Duel]:
    """Everybody acts at their moment; then each payment is looked at."""
    shoppers = at_once([partial(connected_shopper, shop.stack)] * len(moments))

    def act(shopper: Shopper, moment: Moment) -> requests.Response:
        time.sleep(max(0.0, moment.at - time.time()))
        if moment.is_pay:
            return shopper.pay(moment.checkout)
        url = f"{shop.stack.url}/checkout/{moment.checkout.id}/cancel"
        return shopper.post(url, json={"client_secret": moment.checkout.client_secret})

    responses = at_once(
        [partial(act, shopper, moment) for shopper, moment in zip(shoppers, moments, strict=True)]
    )
    for shopper in shoppers:
        shopper.close()
    answers = [Answer.of(response) for response in responses]
    found = {}
    for payment_id in {moment.checkout.id for moment in moments}:
        own = [
            (moment, answer)
            for moment, answer in zip(moments, answers, strict=True)
            if moment.checkout.id == payment_id
        ]
        found[payment_id] = Duel(
            pays=[answer for moment, answer in own if moment.is_pay],
            cancels=[answer for moment, answer in own if not moment.is_pay],
            charges=0,
            final=settled(shop, payment_id),
            history=[],
        )
    return found


def _with_records(shop: Shop, duels: dict[str, Duel]) -> list[Duel]:
    """The duels, with what the acquirer and the payments table say of them."""
    taken = charges_by_payment(shop.stack, list(duels))
    rows = stored_by(shop)
    return [
        replace(
            duel,
            charges=sum(charge.took_money for charge in taken[payment_id]),
            history=statuses(rows[payment_id]),
        )
        for payment_id, duel in duels.items()
    ]


def _wins(duels: Sequence[Duel]) -> str:
    ends = Counter(duel.final for duel in duels)
    return ", ".join(f"{count} {what}" for what, count in sorted(ends.items()))


def test_pay_against_cancel_has_one_winner_and_the_loser_is_told_the_truth(shop: Shop) -> None:
    seen: dict[str, Duel] = {}
    for _ in range(CANCEL_ROUNDS // DUELS_AT_ONCE):
        checkouts = [shop.checkout() for _ in range(DUELS_AT_ONCE)]
        moments = [
            Moment(checkout, is_pay)
            for checkout in checkouts
            for is_pay in (True, False, True, False)
        ]
        random.Random(len(seen)).shuffle(moments)
        seen |= _duel(shop, moments)
    duels = _with_records(shop, seen)

    assert held(*map(duel_faults, duels))
    assert len(duels) == CANCEL_ROUNDS
    record("races held", len(duels), f"two pays against two cancels: {_wins(duels)}")


def test_pay_against_cancel_against_expiry_has_one_winner_and_the_losers_are_told_the_truth(
    stack_for: StackFor,
) -> None:
    """Everybody acts around the instant at which the payment expires."""
    shop = open_shop(stack_for(PaymentLifetimeSeconds=str(LIFETIME_SECONDS)))
    chance = random.Random(3)
    seen: dict[str, Duel] = {}
    for _ in range(EXPIRY_ROUNDS // DUELS_AT_ONCE):
        checkouts = [shop.checkout() for _ in range(DUELS_AT_ONCE)]
        moments = [
            Moment(
                checkout,
                is_pay,
                _expiry(checkout) + meeting + chance.uniform(-1, 1) * JITTER_SECONDS,
            )
            for checkout, meeting in zip(checkouts, MEETINGS, strict=True)
            for is_pay in (True, False)
        ]
        seen |= _duel(shop, moments)
    duels = _with_records(shop, seen)
    shop.close()

    assert held(*map(duel_faults, duels))
    assert len(duels) == EXPIRY_ROUNDS
    assert {"completed", "expired"} <= {duel.final for duel in duels}
    record("races held", len(duels), f"pay against cancel against expiry: {_wins(duels)}")


def _expiry(checkout: Checkout) -> float:
    """When the payment expires, in seconds since 1970."""
    return ids.payment_id_time_ms(checkout.id) / 1000 + LIFETIME_SECONDS


# ------------------------------------------------------------------------------------ listing


def pages(shop: Shop, **query: str | int) -> Iterator[list[dict[str, Any]]]:
    """A list page by page, by its Link headers alone."""
    answer = shop.list(**query)
    while True:
        assert answer.status_code == 200, (answer.status_code, answer.text)
        yield answer.json()
        link = _NEXT.fullmatch(answer.headers.get("Link", ""))
        if link is None:
            return
        assert shop.key is not None
        answer = shop.session.get(link[1], auth=(shop.key, ""), timeout=TIMEOUT_SECONDS)


@dataclass(frozen=True)
class Walk:
    """A list read page by page while others write. `due`: what must come, by what was known."""

    status: str
    newest_first: bool
    rows: list[tuple[str, str]]
    due: frozenset[str]


def walk_faults(seen: Walk) -> list[str]:
    """Everything wrong with it: a row missing, repeated, out of order, or of another status."""
    found = [payment_id for payment_id, _ in seen.rows]
    faults = [f"{payment_id} is missing" for payment_id in sorted(seen.due - set(found))]
    faults += [f"{payment_id} came twice" for payment_id, n in Counter(found).items() if n > 1]
    if found != sorted(found, reverse=seen.newest_first):
        faults.append("the rows are not in order")
    if seen.status:
        faults += [f"{row} is not {seen.status}" for row in seen.rows if row[1] != seen.status]
    return faults


class Known:
    """What the writers were told, and when: from then on it is so for good."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: list[tuple[float, str, str]] = []

    def tell(self, status: str, payment_id: str) -> None:
        """The payment is there (""), or has this status and keeps it."""
        with self._lock:
            self._told.append((time.monotonic(), status, payment_id))

    def due(self, status: str, now: float) -> frozenset[str]:
        """What a walk that starts now must show. By status the list may lag a second."""
        by = now - (INDEX_LAG_SECONDS if status else 0)
        with self._lock:
            return frozenset(
                payment_id for at, what, payment_id in self._told if what == status and at <= by
            )


Writing = Callable[[], AbstractContextManager[None]]


class Pace:
    """Lets reading and writing keep step, however fast the machine is.

    Pages let writes begin, so writes come in the middle of walks; and writes let further pages be
    read, so no walker goes round and round while a slow write holds everything up.
    """

    def __init__(self) -> None:
        self._pages_allowed = threading.Semaphore(PAGES_AHEAD)
        self._writes_allowed = threading.Semaphore(0)

    def page_read(self) -> None:
        self._writes_allowed.release()
        assert self._pages_allowed.acquire(timeout=STALLED_SECONDS), "nobody writes any more"

    @contextmanager
    def writing(self) -> Iterator[None]:
        for _ in range(PAGES_PER_WRITE):
            assert self._writes_allowed.acquire(timeout=STALLED_SECONDS), "nobody reads any more"
        yield
        self._pages_allowed.release(PAGES_PER_WRITE)

    def let_walks_end(self) -> None:
        self._pages_allowed.release(PAGES_NO_WALK_HAS * len(WALKS))


def _walk(
    shop: Shop,
    known: Known,
    status: str,
    page_read: Callable[[], None] = lambda: None,
    *,
    newest_first: bool,
    limit: int,
) -> Walk:
    query: dict[str, str | int] = {
        "limit": limit,
        "sort": "-created_on" if newest_first else "created_on",
    }
    if status:
        query["status"] = status
    due = known.due(status, time.monotonic())
    rows = []
    for page in pages(shop, **query):
        rows += [(row["id"], row["status"]) for row in page]
        page_read()
    return Walk(status, newest_first, rows, due)


def _insert(shop: Shop, known: Known, writing: Writing, count: int) -> None:
    client = connected(shop)
    for _ in range(count):
        with writing():
            payment_id = client.checkout().id
        known.tell("", payment_id)
        known.tell("requires_action", payment_id)
    client.close()


def _cancel(stack: Stack, known: Known, writing: Writing, checkouts: Sequence[Checkout]) -> None:
    shopper = connected_shopper(stack)
    for checkout in checkouts:
        with writing():
            assert shopper.cancel(checkout).status_code == 303
        known.tell("canceled", checkout.id)
    shopper.close()


def _pay(shop: Shop, known: Known, writing: Writing, checkouts: Sequence[Checkout]) -> None:
    shopper, client = connected_shopper(shop.stack), connected(shop)
    for checkout in checkouts:
        with writing():
            # On a busy machine the answer comes first: "processing", after ten seconds.
            assert shopper.pay(checkout).status_code in (200, 202)
            assert settled(client, checkout.id) == "completed"
        known.tell("succeeded", checkout.id)
    shopper.close()
    client.close()


def _start_with(shop: Shop, known: Known) -> tuple[list[Checkout], list[Checkout]]:
    """Payments in three statuses that stay; and others, to be canceled and paid meanwhile."""
    steady, canceled, to_cancel, to_pay = ([shop.checkout() for _ in range(15)] for _ in range(4))
    for checkout in [*steady, *canceled, *to_cancel, *to_pay]:
        known.tell("", checkout.id)
    for checkout in steady:
        known.tell("requires_action", checkout.id)
    _cancel(shop.stack, known, nullcontext, canceled[:12])
    _pay(shop, known, nullcontext, canceled[12:])
    return to_cancel, to_pay


WALKS = [
    ("", True, 47),
    ("", False, 61),
    ("requires_action", True, 59),
    ("requires_action", False, 83),
    ("canceled", True, 4),
    ("canceled", False, 5),
    ("succeeded", True, 3),
]


@pytest.mark.timeout(300)
def test_paging_through_a_list_misses_and_repeats_nothing_while_500_payments_are_inserted(
    shop: Shop,
) -> None:
    known = Known()
    to_cancel, to_pay = _start_with(shop, known)
    time.sleep(INDEX_LAG_SECONDS)
    pace, writing = Pace(), threading.Event()
    writing.set()

    def walk_on(status: str, limit: int, *, newest_first: bool) -> list[Walk]:
        client, walks = connected(shop), []
        while writing.is_set():
            walks.append(
                _walk(client, known, status, pace.page_read, newest_first=newest_first, limit=limit)
            )
        client.close()
        return walks

    with ThreadPoolExecutor(INSERTING_THREADS + 2 + len(WALKS)) as pool:
        walking = [
            pool.submit(walk_on, status, limit, newest_first=newest_first)
            for status, newest_first, limit in WALKS
        ]
        share = INSERTS // INSERTING_THREADS + 1
        writers = [
            pool.submit(_insert, shop, known, pace.writing, share) for _ in range(INSERTING_THREADS)
        ]
        writers.append(pool.submit(_cancel, shop.stack, known, pace.writing, to_cancel))
        writers.append(pool.submit(_pay, shop, known, pace.writing, to_pay))
        try:
            for writer in writers:
                writer.result()
        finally:
            writing.clear()
            pace.let_walks_end()
        walks = [walk for walker in walking for walk in walker.result()]
    time.sleep(INDEX_LAG_SECONDS)
    last = [
        _walk(shop, known, status, newest_first=newest_first, limit=100)
        for status, newest_first, _ in WALKS
    ]

    assert held(*map(walk_faults, [*walks, *last]))
    assert len(last[0].due) == 60 + share * INSERTING_THREADS >= 60 + INSERTS
    assert {walk.status for walk in walks} == {"", "requires_action", "canceled", "succeeded"}
    assert any(len(walk.rows) > len(walk.due) > 0 for walk in walks), "nothing came meanwhile"
    record(
        "races held",
        len(walks) + len(last),
        f"walks through lists while {share * INSERTING_THREADS} payments were inserted "
        f"and {len(to_cancel) + len(to_pay)} changed",
    )


# ----------------------------------------------------------------- each of these must be noticed


def _created(number: int, *, replayed: bool = True, status: int = 202) -> Answer:
    body = {"code": 202, "data": {"id_payment": f"pay_{number}"}}
    headers = {"Idempotent-Replayed": "true"} if replayed else {}
    return Answer(status, body, str(body), headers)


_CREATED = Creates([_created(1, replayed=False), _created(1)], ["pay_1"], 1)
BROKEN_CREATES = {
    "two payments for one key": replace(_CREATED, stored=["pay_1", "pay_2"]),
    "two answers for one key": replace(_CREATED, answers=[*_CREATED.answers, _created(2)]),
    "two who are the first": replace(
        _CREATED, answers=[_created(1, replayed=False), _created(1, replayed=False)]
    ),
    "a payment that was promised and is not stored": replace(_CREATED, stored=[]),
    "a 5xx": replace(_CREATED, answers=[*_CREATED.answers, Answer(503, {})]),
    "key_reused for the same body": replace(
        _CREATED, answers=[*_CREATED.answers, Answer(409, {"reason": "key_reused"})]
    ),
    "in_progress without Retry-After": replace(
        _CREATED, answers=[*_CREATED.answers, Answer(409, {"reason": "in_progress"})]
    ),
    "everybody refused": Creates(
        [Answer(409, {"reason": "in_progress"}, "", {"Retry-After": "2"})], [], 1
    ),
    "the claim removed": replace(_CREATED, claims=0),
}

_PAID = Answer(200, {"status": "succeeded"})
_BUSY = Answer(409, {"reason": "in_progress"})
_PAYS = Pays(
    [_PAID, _BUSY, Answer(409, {"reason": "already_paid"})],
    [Charge("pay_1_a", 500, "USD", None)],
    "completed",
    500,
    ["requires_action", "processing", "succeeded"],
    0,
)
_UNPAID = replace(
    _PAYS,
    answers=[Answer(402, {"error": {}})],
    charges=[Charge("pay_1_a", 500, "USD", "generic_decline")],
    final="requires_action",
    history=["requires_action", "processing", "requires_action"],
)
BROKEN_PAYS = {
    "two charges": replace(_PAYS, charges=[Charge("pay_1_a", 500, "USD", None)] * 2),
    "paid without a charge": replace(_PAYS, charges=[]),
    "charged and not paid": replace(_UNPAID, charges=_PAYS.charges),
    "another amount": replace(_PAYS, charges=[Charge("pay_1_a", 501, "USD", None)]),
    "told succeeded, but it is not": replace(_UNPAID, answers=[_PAID]),
    "told already paid, but it is not": replace(
        _UNPAID, answers=[Answer(409, {"reason": "already_paid"})]
    ),
    "told declined, but nothing was": replace(
        _PAYS, answers=[*_PAYS.answers, Answer(402, {"error": {}})]
    ),
    "told expired, but it is paid": replace(
        _PAYS, answers=[*_PAYS.answers, Answer(409, {"reason": "expired"})]
    ),
    "told of an attempt under way, but there was none": replace(
        _UNPAID, charges=[], answers=[_BUSY]
    ),
    "told nothing": replace(_PAYS, answers=[_BUSY]),
    "a 5xx": replace(_PAYS, answers=[*_PAYS.answers, Answer(500, {})]),
    "stuck": replace(_UNPAID, final="processing", history=["requires_action", "processing"]),
    "an attempt left behind": replace(_PAYS, attempts_left=1),
    "a history with a hole": replace(_PAYS, history=["requires_action", "succeeded"]),
    "a history that ends elsewhere": replace(_PAYS, history=["requires_action", "processing"]),
}

_CANCELED = Duel(
    pays=[Answer(409, {"reason": "canceled"})],
    cancels=[Answer(200, {"status": "canceled"})],
    charges=0,
    final="canceled",
    history=["requires_action", "canceled"],
)
_WON = Duel([_PAID], [_BUSY], 1, "completed", ["requires_action", "processing", "succeeded"])
_EXPIRED = Duel(
    [Answer(409, {"reason": "expired"})],
    [Answer(409, {"reason": "expired"})],
    0,
    "expired",
    ["requires_action"],
)
BROKEN_DUELS = {
    "canceled and charged": replace(_CANCELED, charges=1),
    "canceled and told paid": replace(_CANCELED, pays=[_PAID]),
    "canceled and told expired": replace(_CANCELED, pays=_EXPIRED.pays),
    "canceled and told in progress": replace(_CANCELED, pays=[_BUSY]),
    "expired and charged": replace(_EXPIRED, charges=1),
    "expired and told paid": replace(_EXPIRED, pays=[_PAID]),
    "expired and told canceled": replace(_EXPIRED, cancels=_CANCELED.cancels),
    "paid and told canceled": replace(_WON, cancels=_CANCELED.cancels),
    "paid and told expired": replace(_WON, cancels=_EXPIRED.cancels),
    "paid twice": replace(_WON, charges=2),
    "paid after it was canceled": replace(
        _WON, history=["requires_action", "canceled", "processing", "succeeded"]
    ),
    "nobody won": replace(_EXPIRED, final="requires_action"),
    "a 5xx": replace(_WON, cancels=[Answer(503, {})]),
}

_ROWS = [("pay_3", "canceled"), ("pay_2", "canceled"), ("pay_1", "canceled")]
_WALK = Walk("canceled", newest_first=True, rows=_ROWS, due=frozenset({"pay_1", "pay_3"}))
BROKEN_WALKS = {
    "a row missing": replace(_WALK, rows=_ROWS[:2]),
    "a row repeated": replace(_WALK, rows=[_ROWS[0], *_ROWS]),
    "rows out of order": replace(_WALK, rows=_ROWS[::-1]),
    "a row of another status": replace(_WALK, rows=[*_ROWS, ("pay_0", "succeeded")]),
}


def test_what_is_right_is_not_complained_of() -> None:
    assert create_faults(_CREATED) == []
    assert [pay_faults(pays) for pays in (_PAYS, _UNPAID)] == [[], []]
    assert [duel_faults(duel) for duel in (_CANCELED, _WON, _EXPIRED)] == [[], [], []]
    assert walk_faults(_WALK) == []


def test_every_broken_race_is_noticed() -> None:
    noticed = {
        **{name: create_faults(seen) for name, seen in BROKEN_CREATES.items()},
        **{f"pays: {name}": pay_faults(seen) for name, seen in BROKEN_PAYS.items()},
        **{f"duels: {name}": duel_faults(seen) for name, seen in BROKEN_DUELS.items()},
        **{name: walk_faults(seen) for name, seen in BROKEN_WALKS.items()},
    }

    assert [name for name, faults in noticed.items() if not faults] == []
    record("mutants caught", len(noticed), "races with a lie in what was seen")


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.CANCELED, Status.FAILED])
def test_a_race_that_leaves_a_final_status_is_noticed(status: Status) -> None:
    history = ["requires_action", "processing", status, "processing"]
    assert _history_faults(history, "processing")
