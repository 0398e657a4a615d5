"""D: DynamoDB, in calls and request units."""

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.emulator.functions import Context
from payments.model import ids
from payments.model.ids import Account, Mode
from tests.benchmarks.lives import CHALLENGE_CARD, PAID_CARD, Scene
from tests.benchmarks.rows import Row
from tests.benchmarks.units import Call, item_size
from tests.reliability.money_scenarios import held, paid, prepared
from tests.reliability.world import Answer, Ticket
from tests.support.events import load_event

STORED = (100, 1_000, 5_000)
QUERIES: tuple[dict[str, str], ...] = (
    {},
    {"sort": "created_on"},
    {"status": "requires_action"},
    {"status": "expired"},
    {"status": "expired", "sort": "created_on"},
)


_numbers = itertools.count(1)


def rows(scene: Scene) -> list[Row]:
    return [
        *create_rows(scene),
        *_get(scene),
        *_life(scene),
        *_list(scene),
        *money_rows(scene),
    ]


def _names(calls: Iterable[Call]) -> list[str]:
    return [call.name for call in calls]


def _writes(calls: Iterable[Call]) -> float:
    return sum(call.write_units for call in calls)


def create_rows(scene: Scene) -> list[Row]:
    key = f"order-{next(_numbers)}"
    plain = scene.during(scene.world.create)
    keyed = scene.during(lambda: scene.world.create(key))
    replayed = scene.during(lambda: scene.world.create(key))
    starts = _names(replayed).count("stepfunctions.StartExecution")
    return [
        Row("D1", "create: calls", len(plain), 1),
        Row("D1", "create: write units", _writes(plain), 2),
        Row("D1", "create with key: calls", len(keyed), 2),
        Row("D1", "create with key: write units", _writes(keyed), 3),
        Row("D1", "replay: calls", len(replayed), 2),
        Row("D1", "replay: workflow starts", starts, 0),
    ]


def _get(scene: Scene) -> list[Row]:
    payment = scene.world.stored()[0]
    owner = scene.world.merchant
    own = scene.during(lambda: _read(scene, payment.id))
    scene.world.merchant = replace(owner, id="somebody-else")
    others = scene.during(lambda: _read(scene, payment.id))
    scene.world.merchant = owner
    return [
        row
        for what, calls in (("own payment", own), ("another merchant's", others))
        for row in (
            Row("D2", f"get, {what}: consistent GetItem calls", _consistent(calls), 1),
            Row("D2", f"get, {what}: calls", len(calls), 1),
            Row("D2", f"get, {what}: read units", sum(call.read_units for call in calls), 1),
        )
    ]


def _read(scene: Scene, payment_id: str) -> None:
    parameters = {"id": payment_id}
    scene.world.request("GetPaymentFunction", "GET", "/v1/payments/{id}", {}, parameters)


def _consistent(calls: Iterable[Call]) -> int:
    return sum(
        call.name == "dynamodb.GetItem" and call.parameters.get("ConsistentRead") is True
        for call in calls
    )


def _life(scene: Scene) -> list[Row]:
    frictionless, challenge = scene.live(PAID_CARD), scene.live(CHALLENGE_CARD)
    assert (frictionless.outcome, challenge.outcome) == ("completed", "completed")
    (largest, *_) = sorted(map(item_size, stored_items(scene)), reverse=True)
    return [
        Row("D4", "life, frictionless: write units", frictionless.write_units, 15),
        Row("D4", "life, challenge: write units", challenge.write_units, 18),
        Row("D4", "the pages' example stored, bytes at most", largest, 1024),
    ]


def money_rows(scene: Scene) -> list[Row]:
    """Of what comes after a payment, without keys: each on a payment of its own."""
    refund, ending_a_hold = (6, 20), (4, 18)
    moves: dict[str, tuple[Callable[[Ticket], Answer], tuple[int, int]]] = {
        "refund of all": (scene.world.refund, refund),
        "refund of a part": (lambda ticket: scene.world.refund(ticket, "10.00"), refund),
        "capture of all": (scene.world.capture, ending_a_hold),
        "capture of a part": (lambda ticket: scene.world.capture(ticket, "80.00"), ending_a_hold),
        "void": (scene.world.void, ending_a_hold),
    }
    return [
        row
        for what, (move, most) in moves.items()
        for calls in [_moved(scene, move, paid if most == refund else held)]
        for row in (
            Row("D5", f"{what}: calls", len(calls), most[0]),
            Row("D5", f"{what}: write units", _writes(calls), most[1]),
        )
    ]


def _moved(
    scene: Scene, move: Callable[[Ticket], Answer], prepare: Callable[..., Ticket]
) -> list[Call]:
    """The calls of our own; what the acquirer does with its ledger costs nothing in production."""
    key = f"order-{next(_numbers)}"
    ticket = prepared(scene.world, lambda world: prepare(world, key=key))
    answers: list[Answer] = []
    calls = scene.during(lambda: answers.append(move(ticket)))
    assert answers[0].status in (200, 201), answers
    ledger = scene.stage.aws.environments["RefundsFunction"]["SIMULATOR_TABLE"]
    return [call for call in calls if call.table != ledger]


def stored_items(scene: Scene) -> list[Mapping[str, Any]]:
    table = scene.stage.aws.environments["GetPaymentFunction"]["PAYMENTS_TABLE"]
    pages = scene.stage.outside.get_paginator("scan").paginate(TableName=table)
    return [item for page in pages for item in page["Items"]]


def _list(scene: Scene) -> list[Row]:
    """Every page asked for, whatever is stored: the same call for the same units."""
    seen: dict[str, set[tuple[str, float]]] = {}
    calls: list[Call] = []
    model = stored_items(scene)[0]
    for count in STORED:
        account = Account(f"shop-of-{count:05}", Mode.TEST)  # names count as bytes
        _store(scene, model, account, count)
        for query in QUERIES:
            first, second = _two_pages(scene, account, query)
            calls += [*first, *second]
            for number, page in enumerate((first, second)):
                asked = {(call.name, call.read_units) for call in page}
                seen.setdefault(f"{query}, page {number}", set()).update(asked)
    filtered = [call for call in calls if "FilterExpression" in call.parameters]
    pages = len(STORED) * len(QUERIES) * 2
    return [
        Row("D3", f"list of 20, at {', '.join(map(str, STORED))} stored: calls a page",
            len(calls) / pages, 1),
        Row("D3", "… kinds of call and units that one page takes", max(map(len, seen.values())), 1),
        Row("D3", "… read units at most", max(call.read_units for call in calls), 6),
        Row("D3", "… other calls than Query, or filters",
            len(filtered) + sum(call.name != "dynamodb.Query" for call in calls), 0),
    ]  # fmt: skip


def _store(scene: Scene, model: Mapping[str, Any], account: Account, count: int) -> None:
    """Copies of a payment, a second apart: half of them expired."""
    table = scene.stage.aws.environments["GetPaymentFunction"]["PAYMENTS_TABLE"]
    now_us = scene.world.scheduler.now_us()
    lifetime_us = 86_400 * 1_000_000
    requests = []
    for number in range(count):
        expired = lifetime_us if number % 2 else 0
        payment_id = ids.new_payment_id(now_us - expired - number * 1_000_000)
        changes = {
            "pk": {"S": str(account)},
            "id": {"S": payment_id},
            "status": {"S": "requires_action"},
            "status_pk": {"S": f"{account}#requires_action"},
        }
        requests.append({"PutRequest": {"Item": {**model, **changes}}})
    for start in range(0, count, 25):
        scene.stage.outside.batch_write_item(RequestItems={table: requests[start : start + 25]})


def _two_pages(
    scene: Scene, account: Account, query: Mapping[str, str]
) -> tuple[list[Call], list[Call]]:
    links: list[str] = []
    first = scene.during(lambda: links.append(_ask(scene, account, query)))
    (cursor,) = parse_qs(urlsplit(links[0].partition(">")[0]).query)["cursor"]
    second = scene.during(lambda: _ask(scene, account, {**query, "cursor": cursor}))
    return first, second


def _ask(scene: Scene, account: Account, query: Mapping[str, str]) -> str:
    """One page by the recorded event; the link to the next."""
    event = load_event("list_payments")
    merchant = json.loads(event["requestContext"]["authorizer"]["merchant"])
    merchant["id"] = account.merchant_id
    event["requestContext"]["authorizer"]["merchant"] = json.dumps(merchant)
    event["queryStringParameters"] = dict(query)
    answer = scene.stage.handlers["ListPaymentsFunction"](event, Context())
    assert answer["statusCode"] == 200, answer
    assert len(json.loads(answer["body"])) == 20
    return str(answer["headers"].get("Link", ""))
