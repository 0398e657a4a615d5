"""A merchant lets a payment go: before it is paid, or while its money is only held."""

from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.errors import ConflictError, NotPayableError, PaymentNotFoundError, UnavailableError
from payments.inputs.money_out import CancelRequest
from payments.model import ids, lifecycle
from payments.model.clock import Clock
from payments.model.ids import Account
from payments.model.lifecycle import Status
from payments.model.operation import Operation, OperationKind
from payments.model.payment import Payment
from payments.use_cases.cancel_checkout import CancelCheckout
from payments.use_cases.end_hold import EndHold


class CancelPayment:
    """Canceling twice is canceling once, so no idempotency key is needed. It never refunds."""

    def __init__(
        self,
        payments: PaymentStore,
        cancel_checkout: CancelCheckout,
        end_hold: EndHold,
        clock: Clock,
    ) -> None:
        self._payments = payments
        self._cancel_checkout = cancel_checkout
        self._end_hold = end_hold
        self._clock = clock

    def __call__(self, account: Account, payment_id: str, request: CancelRequest) -> Payment:
        """The payment, still `authorized` with its operation if the acquirer has not responded.

        Raises PaymentNotFoundError, ConflictError, OperationRefusedError.
        """
        payment = self._payments.get(account, payment_id) if ids.is_payment_id(payment_id) else None
        if payment is None:
            raise PaymentNotFoundError
        if payment.status is Status.AUTHORIZED:
            return self._void(payment)
        try:
            return self._cancel_checkout(payment, request.reason)
        except NotPayableError as refused:
            current = self._payments.get(account, payment_id)
            if current and current.status is Status.AUTHORIZED:  # the shopper was faster
                return self._void(current)
            raise _conflict(refused.reason) from refused

    def _void(self, payment: Payment) -> Payment:
        now_us = self._clock.now_us()
        void_id = ids.new_operation_id(ids.VOID_PREFIX, now_us)
        try:
            return self._end_hold.begin(payment, Operation(void_id, OperationKind.VOID, now_us))
        except TransitionRefusedError as refused:
            current = refused.current or self._payments.get(payment.account, payment.id)
            if current and _is_let_go(current):
                return current
            if current is None or current.status is Status.AUTHORIZED:
                raise ConflictError.operation_in_progress() from refused
            raise _conflict(lifecycle.REFUSAL_REASONS[current.status]) from refused
        except UnavailableError:
            current = self._payments.get(payment.account, payment.id)
            if current is None or not _is_let_go(current):
                raise  # nothing was begun
            return current


def _conflict(reason: str) -> ConflictError:
    """Of a paid payment it says how to give the money back: a cancel never turns into a refund."""
    return ConflictError(reason, "cancel_already_paid" if reason == "already_paid" else "")


def _is_let_go(payment: Payment) -> bool:
    """Whether it is canceled, or a void is under way."""
    if payment.operation:
        return payment.operation.kind is not OperationKind.CAPTURE
    return payment.status is Status.CANCELED
