"""What merchants may send to capture, cancel and refund (contract, "Money after the payment")."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from payments.errors import AmountError, FieldError, InvalidInputError
from payments.inputs.merchant_api import Metadata, Reference
from payments.inputs.queries import DEFAULT_LIST_LIMIT, Limit, RefundCursor, Sort, TestFlag
from payments.model.refund import RefundReason
from payments.money.amounts import parse_amount
from payments.money.currencies import MINOR_UNIT_DIGITS


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


def requested_minor(amount: str | None, currency: str) -> int | None:
    """The amount in minor units, None if the merchant names none. Raises InvalidInputError.

    Only the payment knows the currency, so the body's model cannot judge its amount.
    """
    if amount is None:
        return None
    try:
        return parse_amount(amount, currency)
    except AmountError as error:
        error_found = FieldError("amount", error.code, {"digits": MINOR_UNIT_DIGITS[currency]})
        raise InvalidInputError(error_found) from None
