"""The one table of statuses and events, over every pair (contract, section 4)."""

import itertools

import pytest

from payments.model import lifecycle
from payments.model.lifecycle import Event, Status

HAPPENS = {
    ("requires_action", "submit"): "processing",
    ("requires_action", "cancel"): "canceled",
    ("requires_action", "expire"): "expired",
    ("processing", "approve"): "succeeded",
    ("processing", "hold"): "authorized",
    ("processing", "decline"): "requires_action",
    ("processing", "exhaust"): "failed",
    ("processing", "release"): "requires_action",
    ("processing", "block"): "blocked",
    ("authorized", "capture"): "succeeded",
    ("authorized", "void"): "canceled",
    ("authorized", "lapse"): "canceled",
    ("succeeded", "refund"): "refunded",
    ("refunded", "refund_failed"): "succeeded",
}
# They stand in the history, and leave the status alone.
NOTED = {Event.REFUND_RESERVED, Event.PART_REFUND}


@pytest.mark.parametrize(("status", "event"), list(itertools.product(Status, Event)))
def test_an_event_happens_in_a_status_or_not_as_the_table_says(
    status: Status, event: Event
) -> None:
    expected = HAPPENS.get((status.value, event.value))
    assert lifecycle.target(status, event) == expected


def test_every_event_happens_in_exactly_one_status() -> None:
    assert {event: lifecycle.source(event) for event in set(Event) - NOTED} == {
        Event(event): Status(status) for status, event in HAPPENS
    }


def test_what_is_only_noted_happens_to_no_status() -> None:
    assert {event for _, event in lifecycle.TRANSITIONS}.isdisjoint(NOTED)


@pytest.mark.parametrize("start", [Status.AUTHORIZED, Status.SUCCEEDED])
def test_money_once_held_or_taken_is_never_asked_for_again(start: Status) -> None:
    reachable = {start}
    for _ in Status:
        reachable |= {
            after for (before, _), after in lifecycle.TRANSITIONS.items() if before in reachable
        }
    assert Status.PROCESSING not in reachable
    assert Status.REQUIRES_ACTION not in reachable


def test_every_status_that_cannot_be_paid_says_why() -> None:
    payable = lifecycle.source(Event.SUBMIT)
    assert lifecycle.REFUSAL_REASONS.keys() == set(Status) - {payable}
