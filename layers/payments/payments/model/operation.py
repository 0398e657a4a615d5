"""A capture or a void of held money, while it is under way."""

from dataclasses import dataclass
from enum import StrEnum


class OperationKind(StrEnum):
    """What is asked of the acquirer."""

    CAPTURE = "capture"
    VOID = "void"
    LAPSE = "lapse"  # a void, because nobody captured the money in time


@dataclass(frozen=True, slots=True)
class Operation:
    """The lock of a held payment: captures and voids exclude each other by it.

    `id` is our reference at the acquirer. `amount_minor`, `fee_minor` and `net_minor` are what the
    payment has after a capture; zero for a void.
    """

    id: str
    kind: OperationKind
    created_at_us: int
    amount_minor: int = 0
    fee_minor: int = 0
    net_minor: int = 0
