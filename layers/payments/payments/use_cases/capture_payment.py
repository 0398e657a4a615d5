"""A merchant takes money that is held, all or a part of it."""

from dataclasses import dataclass

from payments.adapters.store.idempotency import IdempotencyStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.errors import (
    ConflictError,
    FieldError,
    InvalidInputError,
    KeyReusedError,
    OperationRefusedError,
    PaymentNotFoundError,
    UnavailableError,
)
from payments.inputs.idempotency_key import IdempotencyKey
from payments.inputs.money_out import CaptureRequest, requested_minor
from payments.model import ids
from payments.model.clock import Clock
from payments.model.ids import Account
from payments.model.lifecycle import PAID, Status
from payments.model.merchant import Merchant
from payments.model.operation import Operation, OperationKind
from payments.model.payment import Payment
from payments.model.pricing import capture_price
from payments.money.amounts import format_amount
from payments.use_cases.end_hold import AUTHORIZATION_EXPIRED, EndHold


@dataclass(frozen=True, slots=True)
class Captured:
    """`is_replay` if an earlier request with the same key captured it."""

    payment: Payment
    is_replay: bool


class CapturePayment:
    """Take the lock, ask the acquirer, store. A crash leaves a work row to the reconciler."""

    def __init__(
        self,
        payments: PaymentStore,
        idempotency: IdempotencyStore,
        end_hold: EndHold,
        clock: Clock,
    ) -> None:
        self._payments = payments
        self._idempotency = idempotency
        self._end_hold = end_hold
        self._clock = clock

    def __call__(
        self,
        merchant: Merchant,
        account: Account,
        payment_id: str,
        request: CaptureRequest,
        key: IdempotencyKey | None,
    ) -> Captured:
        """The payment, still `authorized` with its operation if the acquirer has not responded.

        Raises PaymentNotFoundError, ConflictError, InvalidInputError, KeyReusedError,
        OperationRefusedError.
        """
        payment = self._payments.get(account, payment_id) if ids.is_payment_id(payment_id) else None
        if payment is None:
            raise PaymentNotFoundError
        now_us = self._clock.now_us()
        capture_id = ids.new_operation_id(ids.CAPTURE_PREFIX, now_us)
        if key is None:
            operation = self._operation(merchant, payment, request, capture_id, now_us)
            return Captured(self._capture(payment, operation), is_replay=False)
        route = f"POST /v1/payments/{payment_id}/capture"
        known = self._idempotency.find(account, route, key, now_us)
        if known is None:
            self._operation(merchant, payment, request, capture_id, now_us)
            known = self._idempotency.claim(account, route, key, capture_id, now_us)
        if known.body_hash != key.body_hash:
            raise KeyReusedError
        if not known.is_new and _is_by(payment, known.resource_id):
            return Captured(payment, is_replay=True)
        # Refused now, the key stays bound: another request with it may be making the capture.
        operation = self._operation(merchant, payment, request, known.resource_id, now_us)
        return Captured(self._capture(payment, operation), is_replay=not known.is_new)

    def _capture(self, payment: Payment, operation: Operation) -> Payment:
        try:
            return self._end_hold.begin(payment, operation)
        except TransitionRefusedError as refused:
            current = refused.current or self._payments.get(payment.account, payment.id)
            if current and _is_by(current, operation.id):  # the same request, sent twice
                return current
            raise _conflict(current) from refused
        except OperationRefusedError as refused:
            if refused.code == AUTHORIZATION_EXPIRED:  # between the check and the lock
                raise ConflictError(refused.code) from refused
            raise
        except UnavailableError:
            current = self._payments.get(payment.account, payment.id)
            if current is None or not _is_by(current, operation.id):
                raise  # it has not begun
            return current

    def _operation(
        self,
        merchant: Merchant,
        payment: Payment,
        request: CaptureRequest,
        capture_id: str,
        now_us: int,
    ) -> Operation:
        """Raises ConflictError, InvalidInputError."""
        if payment.status is not Status.AUTHORIZED or payment.operation:
            raise _conflict(payment)
        if now_us >= (payment.capture_before_us or 0):
            raise ConflictError(AUTHORIZATION_EXPIRED)
        amount_minor = _amount_minor(request.amount, payment)
        fee_minor, net_minor = capture_price(payment, merchant, amount_minor)
        return Operation(
            capture_id, OperationKind.CAPTURE, now_us, amount_minor, fee_minor, net_minor
        )


def _amount_minor(text: str | None, payment: Payment) -> int:
    """All that is authorized, or less. Raises InvalidInputError."""
    amount_minor = requested_minor(text, payment.currency) or payment.amount_minor
    if amount_minor > payment.amount_minor:
        most = format_amount(payment.amount_minor, payment.currency)
        raise InvalidInputError(FieldError("amount", "too_large", {"maximum": most}))
    return amount_minor


def _is_by(payment: Payment, operation_id: str) -> bool:
    """Whether this very capture is under way, or has captured the money."""
    if payment.operation:
        return payment.operation.id == operation_id
    return any(change.subject == operation_id for change in payment.history)


def _conflict(payment: Payment | None) -> ConflictError:
    if payment is None or payment.status is Status.AUTHORIZED:
        return ConflictError.operation_in_progress()
    if payment.status in PAID:
        return ConflictError("already_captured")
    if payment.cancellation_reason == AUTHORIZATION_EXPIRED:
        return ConflictError(AUTHORIZATION_EXPIRED)
    if payment.status is Status.CANCELED:
        return ConflictError("canceled")
    return ConflictError("not_authorized")
