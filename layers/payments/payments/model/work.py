"""Work that was begun and must be brought to an end: what the reconciler reads."""

from dataclasses import dataclass
from enum import StrEnum

from payments.model.ids import Account


class WorkKind(StrEnum):
    """What a work row is about: something begun that must be brought to an end."""

    ATTEMPT = "attempt"
    OPERATION = "operation"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class MoneyWork:
    """A capture, void or refund that is not settled yet.

    `id` is that of the operation or refund. `created_at_us` in microseconds since 1970, UTC.
    """

    id: str
    kind: WorkKind
    account: Account
    payment_id: str
    created_at_us: int
