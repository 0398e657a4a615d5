"""What must hold whatever broke."""

import itertools
import json
import re

from payments.model import lifecycle
from payments.model.ids import payment_id_time_ms
from payments.model.lifecycle import Status
from payments.model.payment import Payment
from tests.reliability.world import CANARY_CODE, CANARY_NUMBER, World

_TIMESTAMP = re.compile(r'"timestamp":"[^"]*"')
_CANARY_CODE = re.compile(rf"(?<![0-9a-zA-Z.]){CANARY_CODE}(?![0-9a-zA-Z])")


def check(world: World) -> None:
    """Raises AssertionError naming the payment and the broken promise."""
    assert world.broken == []
    stored = {payment.id: payment for payment in world.stored()}
    for payment in stored.values():
        _check_payment(world, payment)
    assert list(world.attempts.all()) == [], "an attempt was left behind"
    promised = {ticket.id for ticket in world.tickets.values()}
    assert promised <= stored.keys(), "a payment that was promised is lost"
    failed = [answer for _, answer in world.answers if answer.status >= 500]
    assert len(stored) <= len(promised) + len(failed), "a payment nobody asked for"
    _check_leaks(world)


def _check_payment(world: World, payment: Payment) -> None:
    charges = world.charges(payment)
    assert len(charges) <= 1, f"{payment.id} was charged {len(charges)} times"
    is_paid = payment.status is Status.SUCCEEDED
    assert bool(charges) == is_paid, f"{payment.id} reads {payment.status}, charged: {charges}"
    for charge in charges:
        assert charge["amount_minor"] == payment.amount_minor
        assert charge["currency"] == payment.currency
    assert payment.status is not Status.PROCESSING, f"{payment.id} is stuck"
    head_start = payment.created_at_us / 1000 - payment_id_time_ms(payment.id)
    assert head_start < 61_000, f"{payment.id} lost {head_start} ms of its lifetime before it began"
    _check_history(payment)
    for subject, answer in world.answers:
        if subject == payment.id and answer.body.get("status") == "succeeded":
            assert is_paid, f"{payment.id}: the shopper was told it is paid"
        if subject == payment.id and answer.body.get("reason") == "already_paid":
            assert is_paid
        if subject == payment.id and answer.body.get("status") == "canceled":
            assert payment.status is Status.CANCELED


def _check_history(payment: Payment) -> None:
    changes = payment.history
    assert changes[0].status is Status.REQUIRES_ACTION
    assert changes[-1].status is payment.status
    allowed = {(before, after) for (before, _), after in lifecycle.TRANSITIONS.items()}
    for before, after in itertools.pairwise(changes):
        assert (before.status, after.status) in allowed, f"{payment.id}: {changes}"
        assert before.at_us <= after.at_us, f"{payment.id}: {changes}"


def _check_leaks(world: World) -> None:
    """The canary card stands nowhere in clear: not in a table, a log, a workflow or an answer."""
    places = {
        "log": _TIMESTAMP.sub("", world.stage.log.getvalue()),
        "workflow": json.dumps(world.stepfunctions.seen),
        "answers": repr(world.answers),
        "tables": repr(world.rows()),
    }
    for place, text in places.items():
        assert CANARY_NUMBER not in text, f"the card's number is in the {place}"
        assert not _CANARY_CODE.search(text), f"the card's code is in the {place}"
    assert "/3ds/" not in places["workflow"], "a challenge's id is in the workflow's history"
