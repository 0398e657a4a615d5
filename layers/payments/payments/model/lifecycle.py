"""The life of a payment: one table. Everything else about statuses is derived from it.

    requires_action ──submit──▶ processing ──approve──▶ succeeded ──refund──▶ refunded
      │   │    ▲                  │  │  │
      │   │    └─decline, release─┘  │  └─block──▶ blocked
      │   └─cancel──▶ canceled       └─exhaust──▶ failed
      └─expire──▶ expired

`expired` is never stored: it is `requires_action` whose time has passed (contract, section 4).
"""

from enum import StrEnum


class Status(StrEnum):
    """As stored, filtered and listed. The one-view spells `succeeded` as `completed`."""

    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    BLOCKED = "blocked"
    REFUNDED = "refunded"


class Event(StrEnum):
    """What can happen to a payment."""

    SUBMIT = "submit"  # the shopper sent a card: an attempt begins
    APPROVE = "approve"  # the acquirer took the money
    DECLINE = "decline"  # the attempt ended without money; another card may be tried
    EXHAUST = "exhaust"  # the last attempt ended without money
    RELEASE = "release"  # the attempt never began, through no fault of the shopper
    BLOCK = "block"  # taken for fraud
    CANCEL = "cancel"  # the shopper gave up
    EXPIRE = "expire"  # nobody paid in time
    REFUND = "refund"  # the money went back


TRANSITIONS: dict[tuple[Status, Event], Status] = {
    (Status.REQUIRES_ACTION, Event.SUBMIT): Status.PROCESSING,
    (Status.REQUIRES_ACTION, Event.CANCEL): Status.CANCELED,
    (Status.REQUIRES_ACTION, Event.EXPIRE): Status.EXPIRED,
    (Status.PROCESSING, Event.APPROVE): Status.SUCCEEDED,
    (Status.PROCESSING, Event.DECLINE): Status.REQUIRES_ACTION,
    (Status.PROCESSING, Event.EXHAUST): Status.FAILED,
    (Status.PROCESSING, Event.RELEASE): Status.REQUIRES_ACTION,
    (Status.PROCESSING, Event.BLOCK): Status.BLOCKED,
    (Status.SUCCEEDED, Event.REFUND): Status.REFUNDED,
}


def target(status: Status, event: Event) -> Status | None:
    """The status that follows, or None where the event cannot happen."""
    return TRANSITIONS.get((status, event))


def source(event: Event) -> Status:
    """The one status in which the event can happen: the condition of its write."""
    (status,) = (status for status, happened in TRANSITIONS if happened is event)
    return status


def only_event_into(status: Status) -> Event | None:
    """The event that leads to the status, None where several do: then a history line names it."""
    events = [event for (_, event), after in TRANSITIONS.items() if after is status]
    return events[0] if len(events) == 1 else None


# Why a payment cannot be paid or canceled now: the `reason` of a 409 (contract, section 5).
REFUSAL_REASONS: dict[Status, str] = {
    Status.PROCESSING: "in_progress",
    Status.SUCCEEDED: "already_paid",
    Status.REFUNDED: "already_paid",
    Status.FAILED: "failed",
    Status.BLOCKED: "failed",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "expired",
}
