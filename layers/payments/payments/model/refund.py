"""A refund: money of one payment on its way back to the shopper."""

from dataclasses import dataclass, field
from enum import StrEnum

from payments.model.ids import Account
from payments.model.operation_result import OperationStatus

MAX_REFUNDS = 20


class RefundReason(StrEnum):
    """Why the merchant refunds."""

    REQUESTED_BY_CUSTOMER = "requested_by_customer"
    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Refund:
    """Amounts in minor units of `currency`, times in microseconds since 1970, UTC.

    `net_minor` is what the merchant's settlement loses, in `net_currency`. `acquirer` and `charge`
    say whom to ask, and of which charge.
    """

    account: Account
    id: str
    payment_id: str
    amount_minor: int
    currency: str
    net_minor: int
    net_currency: str
    reason: RefundReason
    acquirer: str
    charge: str
    created_at_us: int
    updated_at_us: int
    status: OperationStatus = OperationStatus.PENDING
    failure_code: str | None = None
    reference: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
