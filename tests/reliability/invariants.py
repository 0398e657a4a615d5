"""What must hold whatever broke."""

import itertools
import json
import re
from collections.abc import Mapping
from typing import Any

from payments.model import ids, lifecycle
from payments.model.attempt import Attempt
from payments.model.card import Card
from payments.model.ids import payment_id_time_ms
from payments.model.lifecycle import Event, Status
from payments.model.payment import Payment
from tests.reliability.money_invariants import check_money
from tests.reliability.world import CANARY_CODE, CANARY_NUMBER, Sending, World

HELD_OR_PAID = {Status.AUTHORIZED, *lifecycle.PAID}
LET_GO = {"voided", "authorization_expired"}
# What stands in the history of a payment that stays as paid as it is.
NOTED = {Event.REFUND_RESERVED, Event.PART_REFUND, Event.REFUND_FAILED}
_TIMESTAMP = re.compile(r'"timestamp":"[^"]*"')
_CANARY_CODE = re.compile(rf"(?<![0-9a-zA-Z.]){CANARY_CODE}(?![0-9a-zA-Z])")


def check(world: World) -> None:
    """Raises AssertionError naming the payment and the broken promise."""
    assert not world.broken, world.broken
    stored = {payment.id: payment for payment in world.stored()}
    for payment in stored.values():
        _check_payment(world, payment)
    assert not world.attempt_rows(), "an attempt was left behind"
    promised = {ticket.id for ticket in world.tickets.values()}
    assert promised <= stored.keys(), "a payment that was promised is lost"
    failed = [answer for _, answer in world.answers if answer.status >= 500]
    assert len(stored) <= len(promised) + len(failed), "a payment nobody asked for"
    _check_leaks(world)


def _check_payment(world: World, payment: Payment) -> None:
    asked = world.charges(payment)
    taken = [ref for ref, charge in asked.items() if charge["decline_code"] is None]
    assert len(taken) <= 1, f"{payment.id} was charged {len(taken)} times"
    is_paid = payment.status in HELD_OR_PAID or payment.cancellation_reason in LET_GO
    assert bool(taken) == is_paid, f"{payment.id} reads {payment.status}, charged: {taken}"
    for reference, charge in asked.items():
        assert charge["amount_minor"] == payment.amount_minor
        assert charge["currency"] == payment.currency
        _check_sending(world, payment, reference, charge)
    for reference in taken:
        _check_payer(world, payment, reference)
        check_money(world, payment, world.ledger(reference))
    assert payment.status is not Status.PROCESSING, f"{payment.id} is stuck"
    head_start = payment.created_at_us / 1000 - payment_id_time_ms(payment.id)
    assert head_start < 61_000, f"{payment.id} lost {head_start} ms of its lifetime before it began"
    _check_history(payment)
    for subject, answer in world.answers:
        if subject == payment.id and answer.body.get("status") == "succeeded":
            assert is_paid, f"{payment.id}: the shopper was told it is paid"
        if subject == payment.id and answer.body.get("reason") == "already_paid":
            assert is_paid
        if subject == payment.id and "expired" in (
            answer.body.get("status"),
            answer.body.get("reason"),
        ):
            assert not is_paid, f"{payment.id} is paid, and somebody was told that it has expired"
        if subject == payment.id and answer.body.get("status") == "canceled":
            assert payment.status is Status.CANCELED


def _check_sending(
    world: World, payment: Payment, reference: str, charge: Mapping[str, Any]
) -> None:
    """The acquirer's card is the recorded one, and all that was sent with it is one sending's."""
    card, attempt = world.asked[reference].card, world.asked[reference].attempt
    assert attempt is not None, f"{reference} was charged without its attempt"
    assert attempt.token in payment.attempt_tokens, f"{reference} is not recorded"
    recorded = payment.recorded_attempt(attempt.token)
    assert recorded is not None, f"{reference} has no card"
    known = recorded.card
    assert (known.brand, known.last4) == (charge["brand"], charge["last4"]), (
        f"{reference}: {charge['last4']} was charged, {known.last4} is recorded"
    )
    assert (known.exp_month, known.exp_year) == (card.exp_month, card.exp_year)
    assert attempt.number == payment.attempt_tokens.index(attempt.token) + 1
    assert _sendings(world, attempt, card), f"{reference}: nobody has sent this together"


def _check_payer(world: World, payment: Payment, reference: str) -> None:
    """The card that was charged is the recorded one, and its sender was not told otherwise."""
    card, attempt = world.asked[reference].card, world.asked[reference].attempt
    assert attempt is not None
    assert attempt.token == payment.attempt_tokens[-1], f"{payment.id}: an earlier attempt has paid"
    assert attempt.shopper_email == (payment.customer_email or payment.shopper_email or "")
    sendings = _sendings(world, attempt, card)
    is_let_go = payment.cancellation_reason in LET_GO
    refused = [
        sending.answer
        for sending in sendings
        if sending.is_refused
        and not (is_let_go and sending.answer.body.get("reason") == "canceled")
    ]
    assert len(refused) < len(sendings), f"{payment.id} is paid by who was told: {refused}"


def _sendings(world: World, attempt: Attempt, card: Card) -> list[Sending]:
    page_token = ids.page_token_of(attempt.token)
    return [
        sending
        for sending in world.sent
        if sending.payment_id == attempt.payment_id
        and sending.page_token in (page_token, None)
        and (sending.number, sending.ip) == (card.number, attempt.shopper_ip)
        and sending.email == attempt.shopper_email
    ]


def _check_history(payment: Payment) -> None:
    changes = payment.history
    assert changes[0].status is Status.REQUIRES_ACTION
    assert changes[-1].status is payment.status
    allowed = {(before, after) for (before, _), after in lifecycle.TRANSITIONS.items()}
    for before, after in itertools.pairwise(changes):
        is_noted = after.event in NOTED and after.status is before.status is Status.SUCCEEDED
        is_allowed = is_noted or (before.status, after.status) in allowed
        assert is_allowed, f"{payment.id}: {changes}"
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
