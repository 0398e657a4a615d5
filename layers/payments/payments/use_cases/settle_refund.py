"""A refund is asked of the acquirer, and what it responds is stored. Twice is once."""

from collections.abc import Callable

from payments.acquirers.registry import Acquirers
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.refunds import RefundStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.adapters.store.work import WorkStore
from payments.errors import UnavailableError
from payments.model.clock import Clock
from payments.model.ids import Mode
from payments.model.operation_result import OperationResult, OperationStatus
from payments.model.payment import Payment
from payments.model.refund import MAX_REFUNDS, Refund

# Each lost race is another refund's gain, and each refund of a payment changes it at most thrice.
MAX_TRIES = 3 * MAX_REFUNDS


class RefundNotSettledError(UnavailableError):
    """The payment changed each time it was to be written, or its refund is not there.

    The reconciler tries again.
    """


class SettleRefund:
    """What is not known stays reserved: no response is no refusal."""

    def __init__(
        self,
        payments: PaymentStore,
        refunds: RefundStore,
        work: WorkStore,
        acquirers: Acquirers,
        clock: Clock,
        count: Callable[[str, Mode], None],
    ) -> None:
        """`count` is told of each outcome once, by whoever stored it."""
        self._payments = payments
        self._refunds = refunds
        self._work = work
        self._acquirers = acquirers
        self._clock = clock
        self._count = count

    def ask(self, refund: Refund) -> Refund:
        """Asks for the money, under the refund's own reference. Raises AcquirerUnavailableError."""
        acquirer = self._acquirers[refund.acquirer]
        return self._store(refund, acquirer.refund(refund.charge, refund.id, refund.amount_minor))

    def look_again(self, refund: Refund) -> Refund:
        """What became of it; one that never arrived is asked for now.

        Raises AcquirerUnavailableError: then it is still unknown.
        """
        known = self._acquirers[refund.acquirer].look_up_operation(refund.charge, refund.id)
        return self._store(refund, known) if known else self.ask(refund)

    def _store(self, refund: Refund, result: OperationResult) -> Refund:
        """The payment first, for it decides; then the refund's row; then the work is done."""
        if result.status is OperationStatus.PENDING:
            return refund
        has_failed = result.status is OperationStatus.FAILED
        self._account_for(refund, has_failed=has_failed)
        refund = self._refunds.finish(
            refund, result.status, result.failure_code, self._clock.now_us()
        )
        if not result.may_still_fail:
            self._work.remove(refund.id)
        return refund

    def _account_for(self, refund: Refund, *, has_failed: bool) -> None:
        for _ in range(MAX_TRIES):
            payment = self._payments.get(refund.account, refund.payment_id)
            assert payment is not None, "payments are never deleted"
            if _is_accounted_for(payment, refund, has_failed=has_failed):
                return
            store = self._refunds.fail if has_failed else self._refunds.succeed
            try:
                store(payment, refund, self._clock.now_us())
            except TransitionRefusedError:
                continue
            outcome = "RefundFailed" if has_failed else "RefundSucceeded"
            self._count(outcome, refund.account.mode)
            return
        raise RefundNotSettledError(refund.id)


def _is_accounted_for(payment: Payment, refund: Refund, *, has_failed: bool) -> bool:
    if refund.id in payment.failed_refunds:
        return True
    return not has_failed and refund.id not in payment.open_refunds
