"""Issue 3, test 6: every route with what belongs to another merchant, or to the other mode.

The routes are those of `functions/openapi.yaml`: one that is added fails here until somebody has
tried to break into it. What is seen is judged by functions, which the last part feeds with lies.
"""

import base64
import itertools
import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
import requests
import yaml

from payments.model.ids import Mode
from payments.model.lifecycle import Status
from tests.conftest import StackFor
from tests.support.actors import (
    ONE_TIME_CODE,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
    order,
)
from tests.support.report import record
from tests.support.stack import PROJECT, Stack

UNKNOWN_ID = "pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"
THEIR_TOKEN = "their-own-token"
UNKNOWN_CHALLENGE = f"ch_test_nobody_{UNKNOWN_ID[4:]}_0123456789abcdef_{'0' * 32}"
_LINK_DATA = re.compile(r"/checkout/\?data=([A-Za-z0-9%]+)")
_names = itertools.count(1)

Route = tuple[str, str]


def routes_of(document: Mapping[str, Any]) -> set[Route]:
    """Every (method, path) that the document describes."""
    return {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method != "parameters"
    }


def _document() -> dict[str, Any]:
    text = (PROJECT / "functions/openapi.yaml").read_text("utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


ROUTES = sorted(routes_of(_document()))


# ------------------------------------------------------------------------------- who is there


@dataclass(frozen=True)
class Belongings:
    """What one merchant has in one mode. Nobody else may see or touch it."""

    merchant: str
    mode: Mode
    shop: Shop
    open: Checkout
    spare: Checkout
    paid: Checkout
    challenged: Checkout
    challenge_id: str
    cursors: tuple[tuple[str, dict[str, str]], ...]
    keys: tuple[str, str]
    description: str

    @property
    def checkouts(self) -> tuple[Checkout, ...]:
        return self.open, self.spare, self.paid, self.challenged

    @property
    def marks(self) -> tuple[str, ...]:
        """Every part of it that an answer could show."""
        own = [text for one in self.checkouts for text in (one.id, one.client_secret)]
        return (*own, self.challenge_id, self.description, str(self.shop.key))

    def order(self) -> dict[str, Any]:
        """What its keys were used with."""
        return order(description=self.description)


def _belongings(stack: Stack, mode: Mode, merchant: str) -> Belongings:
    shop, shopper = open_shop(stack, mode, merchant), Shopper(stack)
    description = f"{mode} secrets of {merchant}"
    keys = (f"first-{mode}-{merchant}", f"second-{mode}-{merchant}")
    paid, challenged = (shop.checkout(description=description) for _ in range(2))
    opened, spare = (
        Checkout.of(shop.create({"Idempotency-Key": key}, description=description)) for key in keys
    )
    assert shopper.pay(paid, attempt=THEIR_TOKEN).status_code == 200
    challenge_id = shopper.start_challenge(challenged).rpartition("/")[2]
    shopper.close()
    cursors = tuple(_cursors(shop))
    return Belongings(
        *(merchant, mode, shop, opened, spare, paid, challenged),
        *(challenge_id, cursors, keys, description),
    )


def _cursors(shop: Shop) -> Iterator[tuple[str, dict[str, str]]]:
    """A cursor of each sort order, with its filters."""
    queries: tuple[dict[str, str], ...] = ({}, {"sort": "created_on"})
    for query in queries:
        link = shop.list(limit=1, **query).headers["Link"]
        yield parse_qs(urlsplit(link.strip("<").partition(">")[0]).query)["cursor"][0], query


@dataclass(frozen=True)
class Intrusion:
    """Somebody's key against somebody else's belongings."""

    who: str
    mine: Belongings
    theirs: Belongings


@dataclass
class Scene:
    """A stack that takes live money, two merchants with both modes, and what was tried."""

    stack: Stack
    shopper: Shopper
    owners: dict[str, Belongings]
    tried: int = 0
    made: dict[str, set[str]] = field(default_factory=dict)

    @property
    def intrusions(self) -> tuple[Intrusion, ...]:
        return tuple(
            Intrusion(f"{mine} at {theirs}", self.owners[mine], self.owners[theirs])
            for mine, theirs in (
                ("a stranger's test key", "test data"),
                ("a stranger's test key", "live data"),
                ("a stranger's live key", "test data"),
                ("a stranger's live key", "live data"),
                ("test data", "live data"),
            )
        )

    def note(self, who: Belongings, made: Checkout) -> None:
        """The intruder has made a payment of its own."""
        self.made.setdefault(who.description, set()).add(made.id)

    def own_ids(self, who: Belongings) -> set[str]:
        return {one.id for one in who.checkouts} | self.made.get(who.description, set())

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.shopper.open(self.stack.url + path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.shopper.post(self.stack.url + path, **options)


@pytest.fixture(scope="module")
def scene(stack_for: StackFor) -> Iterator[Scene]:
    stack = stack_for(LiveAcquirer="simulator")
    victim, stranger = (f"isolated-{next(_names)}-{time.time_ns()}" for _ in range(2))
    scene = Scene(
        stack,
        Shopper(stack),
        {
            "test data": _belongings(stack, Mode.TEST, victim),
            "live data": _belongings(stack, Mode.LIVE, victim),
            "a stranger's test key": _belongings(stack, Mode.TEST, stranger),
            "a stranger's live key": _belongings(stack, Mode.LIVE, stranger),
        },
    )
    yield scene
    scene.shopper.close()
    for owner in scene.owners.values():
        owner.shop.close()
    if scene.tried:
        record("intrusions refused", scene.tried, f"on {len(ROUTES)} routes")


# ------------------------------------------------------------------------------- what is judged


@dataclass(frozen=True)
class Attempted:
    """An intrusion's answer. `nothing`: the answer to the same about an id that nobody has.

    `marks` may not show; `also` is what else was found wrong.
    """

    what: str
    answer: requests.Response
    marks: tuple[str, ...]
    nothing: requests.Response | None = None
    statuses: tuple[int, ...] = (404,)
    also: tuple[str, ...] = ()


def leaks(seen: Attempted) -> list[str]:
    """Everything that tells more than an answer about nothing at all would."""
    answer, nothing = seen.answer, seen.nothing
    faults = list(seen.also)
    if answer.status_code not in seen.statuses:
        faults.append(f"answered {answer.status_code}")
    shown = "\n".join((answer.text, *map(": ".join, answer.headers.items())))
    shown += decoded_links(shown)
    faults += [f"shows {mark}" for mark in seen.marks if mark in shown]
    if nothing is not None and _shape(answer) != _shape(nothing):
        faults.append(f"differs from {nothing.status_code} {nothing.text[:200]}")
    return [f"{seen.what}: {fault}" for fault in faults]


def decoded_links(text: str) -> str:
    """What stands in the `data` of checkout links, which show more than one sees."""
    return "\n".join(
        base64.b64decode(unquote(found)).decode() for found in _LINK_DATA.findall(text)
    )


def _shape(answer: requests.Response) -> tuple[int, str, dict[str, str]]:
    """An answer without what differs between any two."""
    headers = {k: v for k, v in answer.headers.items() if k not in ("X-Request-Id", "Date")}
    return answer.status_code, answer.text, headers


def foreign_rows(rows: Sequence[Mapping[str, Any]], own: set[str], *, test: bool) -> list[str]:
    """Rows of a list that are not the asker's, or of the other mode."""
    return [
        f"lists {row['id']}, test: {row['test']}"
        for row in rows
        if row["id"] not in own or row["test"] is not test
    ]


def changed_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Rows that somebody changed, added or removed."""
    names = sorted(before.keys() | after.keys())
    return [f"{name} was touched" for name in names if before.get(name) != after.get(name)]


def uncovered(document: Mapping[str, Any], covered: Collection[Route]) -> list[str]:
    """Routes nobody has tried to break into, and attempts at routes that are no more."""
    return [f"{method} {path}" for method, path in sorted(routes_of(document) ^ set(covered))]


def _stored(scene: Scene, owner: Belongings) -> dict[str, Any]:
    """All that is stored of the owner's, in every table."""
    account = f"{owner.merchant}#{owner.mode}"
    payments = [row for row in scene.stack.rows("PaymentsTable") if row["pk"]["S"] == account]
    attempts = [row for row in scene.stack.rows("AttemptsTable") if row["account"]["S"] == account]
    ids = {row["id"]["S"] for row in payments}
    asked = [
        row
        for row in scene.stack.rows("SimulatorTable")
        if row["reference"]["S"].partition("_" + THEIR_TOKEN)[0] in ids
        or row["reference"]["S"].rpartition("_")[0] in ids
    ]
    return {
        **{f"payment {row['id']['S']}": row for row in payments},
        **{f"attempt {row['id']['S']}": row for row in attempts},
        **{f"reference {row['reference']['S']}": row for row in asked},
    }


# ------------------------------------------------------------------------------- how it is tried

Intruding = Callable[[Scene, Intrusion, str], Iterator[Attempted]]
INTRUSIONS: dict[Route, Intruding] = {}


def _tries(method: str, *paths: str) -> Callable[[Intruding], Intruding]:
    """Marks how these routes are broken into."""

    def register(how: Intruding) -> Intruding:
        INTRUSIONS.update({(method, path): how for path in paths})
        return how

    return register


@_tries("POST", "/v1/payments")
def _create(scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    """Their Idempotency-Keys are free, and naming their things in a body means nothing."""
    mine, theirs = by.mine, by.theirs
    naming = order(
        **dict.fromkeys(("id", "id_payment", "sk", "payment_id"), theirs.open.id),
        **dict.fromkeys(("merchant", "merchant_id", "account_id"), theirs.merchant),
        **dict.fromkeys(("pk", "account"), f"{theirs.merchant}#{theirs.mode}"),
        client_secret=theirs.open.client_secret,
        mode=theirs.mode,
        test=theirs.mode is Mode.TEST,
        api_key=theirs.shop.key,
    )
    first, second = theirs.keys
    for key, body in ((first, theirs.order()), (second, order()), ("", naming)):
        headers = {"Idempotency-Key": key} if key else {}
        answer = mine.shop.request("POST", path, json=body, headers=headers)
        made = Checkout.of(answer)
        scene.note(mine, made)
        marks = tuple(mark for mark in theirs.marks if mark != theirs.description)
        also = [
            *(["replays theirs"] if "Idempotent-Replayed" in answer.headers else []),
            *(["is in their mode"] if made.data["test"] != (mine.mode is Mode.TEST) else []),
            *(["is not mine"] if mine.shop.get(made.id).status_code != 200 else []),
        ]
        yield Attempted(f"key {key}", answer, marks, statuses=(202,), also=tuple(also))
    again = theirs.shop.create({"Idempotency-Key": first}, description=theirs.description)
    also = [] if again.json()["data"]["id_payment"] == theirs.open.id else ["their key is lost"]
    yield Attempted("their own replay", again, (), statuses=(202,), also=tuple(also))


@_tries("GET", "/v1/payments", "/v1/payments/internal")
def _list(scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    """Their cursors are none; no filter and no made-up parameter shows their rows."""
    mine, theirs = by.mine, by.theirs
    for cursor, query in theirs.cursors:
        answer = mine.shop.request("GET", path, params={"cursor": cursor, **query})
        yield Attempted("their cursor", answer, theirs.marks, statuses=(400,))
    account = f"{theirs.merchant}#{theirs.mode}"
    queries: list[dict[str, str]] = [
        {},
        {"merchant": theirs.merchant, "account": account, "pk": account, "id": theirs.open.id},
        *({"status": status} for status in (*Status, "completed")),
    ]
    is_test = mine.mode is Mode.TEST
    for query in queries:
        answer = mine.shop.request("GET", path, params={"limit": "100", **query})
        also = foreign_rows(answer.json(), scene.own_ids(mine), test=is_test)
        yield Attempted(f"{query}", answer, theirs.marks, statuses=(200,), also=tuple(also))
    other = mine.shop.request("GET", path, params={"test": "false" if is_test else "true"})
    also = ["a test key lists live data"] if is_test and other.json() else []
    yield Attempted("the other mode", other, theirs.marks, statuses=(200,), also=tuple(also))


@_tries("GET", "/v1/payments/{id}")
def _one(_scene: Scene, by: Intrusion, _path: str) -> Iterator[Attempted]:
    queries: tuple[dict[str, str], ...] = ({}, {"test": "true"}, {"test": "false"})
    for query in queries:
        nothing = by.mine.shop.get(UNKNOWN_ID, **query)
        for checkout in by.theirs.checkouts:
            answer = by.mine.shop.get(checkout.id, **query)
            yield Attempted(f"reading {query}", answer, by.theirs.marks, nothing)


@_tries("OPTIONS", "/v1/payments", "/v1/payments/internal", "/v1/payments/{id}")
def _preflight(_scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    """The gateway answers without looking."""
    nothing = by.mine.shop.request("OPTIONS", path.replace("{id}", UNKNOWN_ID), auth=None)
    for checkout in by.theirs.checkouts:
        answer = by.mine.shop.request("OPTIONS", path.replace("{id}", checkout.id))
        yield Attempted("a preflight", answer, by.theirs.marks, nothing, (204,))


def _stolen_pairs(by: Intrusion) -> Iterator[tuple[str, str, str]]:
    """(what, payment id, secret), none of which fits."""
    mine, theirs = by.mine.open.client_secret, by.theirs.open.client_secret
    kind, mode, merchant, chance = theirs.split("_")
    for checkout in by.theirs.checkouts:
        yield "their id, my secret", checkout.id, mine
        yield "their id, my key for a secret", checkout.id, str(by.mine.shop.key)
        yield "their id, their id for a secret", checkout.id, checkout.id
        yield "their id, no secret", checkout.id, ""
        mixed = f"{kind}_{mode}_{merchant}_{mine.rpartition('_')[2]}"
        yield "their id, my secret in their name", checkout.id, mixed
    yield "my id, their secret", by.mine.open.id, theirs
    yield "their id, their secret of another", by.theirs.open.id, by.theirs.paid.client_secret
    other = Mode.LIVE if by.theirs.mode is Mode.TEST else Mode.TEST
    renamed = f"{kind}_{other}_{merchant}_{chance}"
    yield "their id, their secret in the other mode", by.theirs.open.id, renamed
    renamed = f"{kind}_{mode}_{by.mine.merchant}x_{chance}"
    yield "their id, their secret in another name", by.theirs.open.id, renamed


@_tries("GET", "/checkout")
def _billing_page(scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    def page(payment_id: str, secret: str) -> requests.Response:
        data = by.mine.open.data | {"id_payment": payment_id, "client_secret": secret}
        encoded = base64.b64encode(json.dumps(data).encode()).decode()
        return scene.get(path, params={"data": encoded})

    nothing = page(UNKNOWN_ID, by.mine.open.client_secret)
    for what, payment_id, secret in _stolen_pairs(by):
        yield Attempted(what, page(payment_id, secret), by.theirs.marks, nothing)
    mine = page(by.mine.open.id, by.mine.open.client_secret)
    yield Attempted("my own, to compare", mine, by.theirs.marks, statuses=(200,))


@_tries("GET", "/checkout/{id}")
def _status(scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    def status(payment_id: str, secret: str, accept: str) -> requests.Response:
        query = {"client_secret": secret, "wait": "1"}
        return scene.get(path.replace("{id}", payment_id), params=query, headers={"Accept": accept})

    for accept in ("application/json", "text/html"):
        nothing = status(UNKNOWN_ID, by.mine.open.client_secret, accept)
        for what, payment_id, secret in _stolen_pairs(by):
            answer = status(payment_id, secret, accept)
            yield Attempted(f"{what}, {accept}", answer, by.theirs.marks, nothing)


def _posted(
    scene: Scene, by: Intrusion, path: str, fields: Mapping[str, str]
) -> Iterator[Attempted]:
    """As a form and as JSON, with a key that means nothing to the checkout."""

    def send(payment_id: str, secret: str, kind: str) -> requests.Response:
        options: dict[str, Any] = {kind: {**fields, "client_secret": secret}}
        return scene.post(
            path.replace("{id}", payment_id), auth=(str(by.mine.shop.key), ""), **options
        )

    for kind in ("json", "data"):
        nothing = send(UNKNOWN_ID, by.mine.open.client_secret, kind)
        for what, payment_id, secret in _stolen_pairs(by):
            answer = send(payment_id, secret, kind)
            yield Attempted(f"{what}, {kind}", answer, by.theirs.marks, nothing)


@_tries("POST", "/checkout/{id}")
def _pay(scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    """Nobody pays with a stolen pair; and their attempt token is just a word here."""
    form = scene.shopper.card_form(by.mine.open, PAID_CARD, attempt=THEIR_TOKEN)
    yield from _posted(scene, by, path, form)
    checkout = by.mine.shop.checkout()
    scene.note(by.mine, checkout)
    answer = scene.shopper.pay(checkout, attempt=THEIR_TOKEN)
    also = [] if by.mine.shop.payment(checkout.id)["status"] == "completed" else ["is not paid"]
    marks = by.theirs.marks
    yield Attempted("their attempt token", answer, marks, statuses=(200,), also=tuple(also))


@_tries("POST", "/checkout/{id}/cancel")
def _cancel(scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    yield from _posted(scene, by, path, {})


@_tries("GET", "/checkout/static/{file}")
def _file(scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    nothing = scene.get(path.replace("{file}", "nothing.css"))
    for mark in by.theirs.marks:
        answer = scene.get(path.replace("{file}", mark))
        yield Attempted("a file by that name", answer, by.theirs.marks, nothing)


def _forged_challenges(by: Intrusion) -> Iterator[tuple[str, str]]:
    """(what, challenge id): theirs with one part of mine, and other things of theirs."""
    mine, theirs = by.mine.challenge_id.split("_"), by.theirs.challenge_id.split("_")
    parts = ("kind", "mode", "merchant", "payment", "token", "chance")
    for index, part in enumerate(parts):
        if mine[index] != theirs[index]:
            forged = [*theirs[:index], mine[index], *theirs[index + 1 :]]
            yield f"theirs with my {part}", "_".join(forged)
            forged = [*mine[:index], theirs[index], *mine[index + 1 :]]
            yield f"mine with their {part}", "_".join(forged)
    yield "theirs with no chance", "_".join([*theirs[:-1], "0" * 32])
    for checkout in (by.theirs.open, by.theirs.paid):
        forged = [*theirs[:3], checkout.id.removeprefix("pay_"), *theirs[4:]]
        yield "theirs, of a payment without a challenge", "_".join(forged)
        yield "a payment's id", checkout.id
        yield "a payment's secret", checkout.client_secret


def _challenge(scene: Scene, by: Intrusion, path: str, method: str) -> Iterator[Attempted]:
    def send(challenge_id: str) -> requests.Response:
        url = path.replace("{challenge}", challenge_id)
        passed = {"code": ONE_TIME_CODE, "action": "pass"}
        return scene.get(url) if method == "GET" else scene.post(url, data=passed)

    nothing = send(UNKNOWN_CHALLENGE)
    for what, challenge_id in _forged_challenges(by):
        yield Attempted(what, send(challenge_id), by.theirs.marks, nothing)


@_tries("GET", "/3ds/{challenge}", "/3ds/{challenge}/return")
def _open_challenge(scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    yield from _challenge(scene, by, path, "GET")


@_tries("POST", "/3ds/{challenge}", "/3ds/{challenge}/return", "/3ds/{challenge}/abandon")
def _answer_challenge(scene: Scene, by: Intrusion, path: str) -> Iterator[Attempted]:
    yield from _challenge(scene, by, path, "POST")


# ------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_gives_away_or_changes_what_is_another_s(
    method: str, path: str, scene: Scene
) -> None:
    assert (method, path) in INTRUSIONS, "nobody has tried to break into this route"
    faults = []
    for by in scene.intrusions:
        before = _stored(scene, by.theirs)
        seen = list(INTRUSIONS[method, path](scene, by, path))
        touched = changed_rows(before, _stored(scene, by.theirs))
        scene.tried += len(seen)
        assert seen, "nothing was tried"
        assert len(before) >= 4 + 2 + 1, "they have nothing to take"
        faults += [f"{by.who}, {fault}" for one in seen for fault in leaks(one)]
        faults += [f"{by.who}, {fault}" for fault in touched]

    assert not faults, "\n".join(faults)


def test_what_is_refused_to_others_is_there_for_its_owner(scene: Scene) -> None:
    """Or the refusals would say nothing."""
    for owner in scene.owners.values():
        statuses = [owner.shop.get(checkout.id).status_code for checkout in owner.checkouts]
        pages = [scene.shopper.status(checkout).status_code for checkout in owner.checkouts]
        challenge = scene.get(f"/3ds/{owner.challenge_id}")
        links = [
            owner.shop.list(cursor=cursor, **query).status_code for cursor, query in owner.cursors
        ]
        assert {*statuses, *pages, challenge.status_code, *links} == {200}


def test_a_live_key_sees_test_data_only_if_it_asks_for_it(scene: Scene) -> None:
    live, test = scene.owners["live data"], scene.owners["test data"]
    queries: tuple[dict[str, str], ...] = ({}, {"test": "false"}, {"test": "true"})
    read = [live.shop.get(test.paid.id, **query).status_code for query in queries]
    listed = [
        {row["id"] for row in live.shop.list(limit=100, **query).json()} & scene.own_ids(test)
        for query in queries
    ]

    assert read == [404, 404, 200]
    assert listed[:2] == [set(), set()]
    assert listed[2] >= {checkout.id for checkout in test.checkouts}


# ----------------------------------------------------------------- each of these must be noticed


def _answer(
    status: int, body: object, headers: Mapping[str, str] | None = None
) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer._content = json.dumps(body).encode()
    answer.headers.update(headers or {})
    return answer


def _link(**data: str) -> str:
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    return f"http://127.0.0.1/checkout/?data={quote(encoded, safe='')}"


_NOTHING = _answer(404, {"code": 404}, {"X-Request-Id": "1"})
_REFUSED = Attempted(
    "x", _answer(404, {"code": 404}, {"X-Request-Id": "2"}), ("their secret",), _NOTHING
)
LEAKY = {
    "another's payment": replace(_REFUSED, answer=_answer(200, {"id": "their secret"})),
    "another body": replace(_REFUSED, answer=_answer(404, {"code": 404, "title": "not yours"})),
    "another status": replace(_REFUSED, answer=_answer(403, {"code": 404})),
    "another header": replace(_REFUSED, answer=_answer(404, {"code": 404}, {"Retry-After": "2"})),
    "a secret in the body": replace(
        _REFUSED, nothing=None, answer=_answer(404, {"title": "their secret"})
    ),
    "a secret in a header": replace(
        _REFUSED, nothing=None, answer=_answer(404, {}, {"Location": "/their secret"})
    ),
    "a secret in a link": replace(
        _REFUSED, nothing=None, answer=_answer(404, {"redirect": _link(name="their secret")})
    ),
    "a replay of another's create": replace(_REFUSED, also=("replays theirs",)),
}
_OWN = {"id": "pay_1", "test": True}
FOREIGN = {
    "another's row": [_OWN, {"id": "pay_2", "test": True}],
    "a live row": [_OWN | {"test": False}],
}
_BEFORE = {"payment pay_1": {"status": "requires_action"}}
TOUCHED: dict[str, dict[str, Any]] = {
    "paid for by a stranger": {"payment pay_1": {"status": "succeeded"}},
    "a row more": _BEFORE | {"reference pay_1_x": {}},
    "a row less": {},
}


def test_what_is_right_is_not_complained_of() -> None:
    assert leaks(_REFUSED) == []
    assert foreign_rows([_OWN], {"pay_1"}, test=True) == []
    assert changed_rows(_BEFORE, _BEFORE) == []
    assert uncovered(_document(), INTRUSIONS) == []


def test_every_leak_is_noticed() -> None:
    document = _document()
    new = document | {"paths": document["paths"] | {"/v1/refunds": {"post": {}}}}
    noticed = {
        **{name: leaks(seen) for name, seen in LEAKY.items()},
        **{name: foreign_rows(rows, {"pay_1"}, test=True) for name, rows in FOREIGN.items()},
        **{name: changed_rows(_BEFORE, after) for name, after in TOUCHED.items()},
        "a new route": uncovered(new, INTRUSIONS),
        "a route that is no more": uncovered({"paths": {}}, INTRUSIONS),
    }

    assert [name for name, faults in noticed.items() if not faults] == []
    record("mutants caught", len(noticed), "leaks between merchants and modes")
