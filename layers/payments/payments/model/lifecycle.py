"""The life of a payment: one table. Everything else about statuses is derived from it.

    requires_action ──submit──▶ processing ──approve──▶ succeeded ──refund──▶ refunded
      │   │    ▲                 │ │ │  │                ▲    ▲                  │
      │   │    └─decline,release─┘ │ │  │             capture └───refund_failed──┘
      │   └─cancel──▶ canceled     │ │  └─hold──▶ authorized ──void, lapse──▶ canceled
      └─expire──▶ expired          │ └─block──▶ blocked
                                   └─exhaust──▶ failed

`expired` is never stored: it is `requires_action` whose time has passed (contract, section 4). A
payment of which a part is refunded is still `succeeded`.
"""

from enum import StrEnum


class Status(StrEnum):
    """As stored, filtered and listed. The one-view spells `succeeded` as `completed`."""

    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
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
    HOLD = "hold"  # the acquirer holds the money until it is captured
    DECLINE = "decline"  # the attempt ended without money; another card may be tried
    EXHAUST = "exhaust"  # the last attempt ended without money
    RELEASE = "release"  # the attempt never began, through no fault of the shopper
    BLOCK = "block"  # taken for fraud
    CANCEL = "cancel"  # shopper or merchant gave up before a card was charged
    EXPIRE = "expire"  # nobody paid in time
    CAPTURE = "capture"  # held money was taken
    VOID = "void"  # held money was let go
    LAPSE = "lapse"  # held money was not captured in time
    REFUND = "refund"  # all the money went back
    REFUND_FAILED = "refund_failed"  # a refund came to nothing, perhaps long after it succeeded
    # These leave the status alone, and stand in the history only.
    REFUND_RESERVED = "refund_reserved"  # a refund began
    PART_REFUND = "part_refund"  # a part of the money went back


TRANSITIONS: dict[tuple[Status, Event], Status] = {
    (Status.REQUIRES_ACTION, Event.SUBMIT): Status.PROCESSING,
    (Status.REQUIRES_ACTION, Event.CANCEL): Status.CANCELED,
    (Status.REQUIRES_ACTION, Event.EXPIRE): Status.EXPIRED,
    (Status.PROCESSING, Event.APPROVE): Status.SUCCEEDED,
    (Status.PROCESSING, Event.HOLD): Status.AUTHORIZED,
    (Status.PROCESSING, Event.DECLINE): Status.REQUIRES_ACTION,
    (Status.PROCESSING, Event.EXHAUST): Status.FAILED,
    (Status.PROCESSING, Event.RELEASE): Status.REQUIRES_ACTION,
    (Status.PROCESSING, Event.BLOCK): Status.BLOCKED,
    (Status.AUTHORIZED, Event.CAPTURE): Status.SUCCEEDED,
    (Status.AUTHORIZED, Event.VOID): Status.CANCELED,
    (Status.AUTHORIZED, Event.LAPSE): Status.CANCELED,
    (Status.SUCCEEDED, Event.REFUND): Status.REFUNDED,
    (Status.REFUNDED, Event.REFUND_FAILED): Status.SUCCEEDED,
}
# What a history line of these statuses means if it names no event: the only one there was when such
# lines were first written. It saves most payments the room.
_UNNAMED: dict[Status, Event] = {
    Status.SUCCEEDED: Event.APPROVE,
    Status.CANCELED: Event.CANCEL,
}


def target(status: Status, event: Event) -> Status | None:
    """The status that follows, or None where the event cannot happen."""
    return TRANSITIONS.get((status, event))


def source(event: Event) -> Status:
    """The one status in which the event can happen: the condition of its write."""
    (status,) = (status for status, happened in TRANSITIONS if happened is event)
    return status


def unnamed_event(status: Status) -> Event | None:
    """The event that a history line of this status need not name, None where each is named."""
    events = [event for (_, event), after in TRANSITIONS.items() if after is status]
    return events[0] if len(events) == 1 else _UNNAMED.get(status)


# Paid, whatever went back since.
PAID = frozenset({Status.SUCCEEDED, Status.REFUNDED})
# Where money that was held has been captured or let go.
ENDS_OF_HOLDS = PAID | {Status.CANCELED}
# Why a payment cannot be paid or canceled now: the `reason` of a 409 (contract, section 5).
REFUSAL_REASONS: dict[Status, str] = {
    Status.PROCESSING: "in_progress",
    Status.AUTHORIZED: "already_paid",
    Status.SUCCEEDED: "already_paid",
    Status.REFUNDED: "already_paid",
    Status.FAILED: "failed",
    Status.BLOCKED: "failed",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "expired",
}
