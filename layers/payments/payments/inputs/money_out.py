"""What merchants may send to capture, cancel and refund (contract, "Money after the payment")."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from payments.inputs.merchant_api import Metadata, Reference
from payments.inputs.queries import DEFAULT_LIST_LIMIT, Limit, RefundCursor, Sort, TestFlag
from payments.model.refund import RefundReason


class CancellationReason(StrEnum):
    """Why the merchant cancels."""

    REQUESTED_BY_CUSTOMER = "requested_by_customer"
    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    ABANDONED = "abandoned"


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class CaptureRequest(_Body):
    """The body of `POST /v1/payments/{id}/capture`. Without an amount all of it."""

    amount: str | None = None


class CancelRequest(_Body):
    """The body of `POST /v1/payments/{id}/cancel`."""

    reason: CancellationReason | None = None


class RefundRequest(_Body):
    """The body of `POST /v1/payments/{id}/refunds`. Without an amount all that is refundable."""

    amount: str | None = None
    reason: Annotated[
        RefundReason,
        BeforeValidator(
            lambda value: RefundReason.REQUESTED_BY_CUSTOMER if value is None else value
        ),
    ] = RefundReason.REQUESTED_BY_CUSTOMER
    reference: Reference | None = None
    metadata: Metadata = {}


class OlderRefundRequest(RefundRequest):
    """The body of `POST /v1/refunds/`, the documented older spelling. It names its payment."""

    charge_id: str | None = None
    payment_id: str | None = None

    @property
    def payment(self) -> str:
        """Either name is right; "" if there is none."""
        return self.payment_id or self.charge_id or ""


class RefundsQuery(BaseModel):
    """The query of `GET /v1/payments/refunds`."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    test: TestFlag = None
    limit: Limit = DEFAULT_LIST_LIMIT
    sort: Sort = "-created_on"
    cursor: RefundCursor = None
