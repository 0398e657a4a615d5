"""Held money is captured or let go: the acquirer is asked under the lock, and its word stored."""

from collections.abc import Callable
from dataclasses import replace

from payments.acquirers.port import Acquirer
from payments.acquirers.registry import Acquirers
from payments.adapters.store.holds import HoldStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.adapters.store.work import WorkStore
from payments.errors import OperationRefusedError
from payments.model.clock import Clock
from payments.model.ids import SIMULATOR, Account, Mode
from payments.model.lifecycle import Event
from payments.model.operation import Operation, OperationKind
from payments.model.operation_result import OperationResult, OperationStatus
from payments.model.payment import Payment

_EVENTS = {
    OperationKind.CAPTURE: Event.CAPTURE,
    OperationKind.VOID: Event.VOID,
    OperationKind.LAPSE: Event.LAPSE,
}
AUTHORIZATION_EXPIRED = "authorization_expired"
_METRICS = {
    OperationKind.CAPTURE: "PaymentCaptured",
    OperationKind.VOID: "PaymentVoided",
    OperationKind.LAPSE: "AuthorizationLapsed",
}
_CANCELLATION_REASONS = {Event.VOID: "voided", Event.LAPSE: AUTHORIZATION_EXPIRED}
_TOO_LATE = OperationResult(OperationStatus.FAILED, AUTHORIZATION_EXPIRED)


class EndHold:
    """What is not known stays under the lock: no response is no refusal."""

    def __init__(
        self,
        payments: PaymentStore,
        holds: HoldStore,
        work: WorkStore,
        acquirers: Acquirers,
        clock: Clock,
        count: Callable[[str, Mode], None],
    ) -> None:
        """`count` is told of each outcome once, by whoever stored it."""
        self._payments = payments
        self._holds = holds
        self._work = work
        self._acquirers = acquirers
        self._clock = clock
        self._count = count

    def begin(self, payment: Payment, operation: Operation) -> Payment:
        """Takes the lock, asks, and stores the response.

        Raises TransitionRefusedError if another has the lock, OperationRefusedError, and
        AcquirerUnavailableError: then the operation stays under way.
        """
        self._holds.begin(payment, operation)
        locked = replace(payment, operation=operation)
        return self._store(locked, operation, self._ask(locked, operation))

    def look_again(self, payment: Payment, operation: Operation) -> Payment:
        """What became of it; one that never arrived is done now, if it still may be.

        Raises OperationRefusedError, AcquirerUnavailableError.
        """
        known = self._acquirer(payment).look_up_operation(_charge(payment), operation.id)
        return self._store(payment, operation, known or self._ask(payment, operation))

    def resume(self, account: Account, payment_id: str, operation_id: str) -> Payment | None:
        """For the reconciler: brings an operation to its end, or finds that it has ended."""
        payment = self._payments.get(account, payment_id)
        if payment is None or payment.operation is None or payment.operation.id != operation_id:
            self._work.remove(operation_id)
            return payment
        return self.look_again(payment, payment.operation)

    def _acquirer(self, payment: Payment) -> Acquirer:
        return self._acquirers[payment.acquirer or SIMULATOR]

    def _ask(self, payment: Payment, operation: Operation) -> OperationResult:
        acquirer, charge = self._acquirer(payment), _charge(payment)
        if operation.kind is not OperationKind.CAPTURE:
            return acquirer.void(charge, operation.id)
        if self._clock.now_us() >= (payment.capture_before_us or 0):
            return _TOO_LATE
        return acquirer.capture(charge, operation.id, operation.amount_minor)

    def _store(self, payment: Payment, operation: Operation, result: OperationResult) -> Payment:
        if result.status is OperationStatus.PENDING:
            return payment
        now_us = self._clock.now_us()
        try:
            if result.status is OperationStatus.FAILED:
                self._holds.release(payment, operation, now_us)
            else:
                payment = self._conclude(payment, operation, now_us)
                self._count(_METRICS[operation.kind], payment.account.mode)
        except TransitionRefusedError as refused:  # somebody else has stored it
            payment = refused.current or payment
        self._work.remove(operation.id)
        if result.status is OperationStatus.FAILED:
            raise OperationRefusedError(result.failure_code or "refused_by_acquirer")
        return payment

    def _conclude(self, payment: Payment, operation: Operation, now_us: int) -> Payment:
        event = _EVENTS[operation.kind]
        if event is not Event.CAPTURE:
            reason = _CANCELLATION_REASONS[event]
            return self._holds.conclude(
                payment, operation, event, now_us, cancellation_reason=reason
            )
        return self._holds.conclude(
            payment,
            operation,
            event,
            now_us,
            captured_minor=operation.amount_minor,
            refundable_minor=operation.amount_minor,
            fee_minor=operation.fee_minor,
            net_minor=operation.net_minor,
        )


def _charge(payment: Payment) -> str:
    assert payment.attempt_id is not None, "held money was authorized by an attempt"
    return payment.attempt_id
