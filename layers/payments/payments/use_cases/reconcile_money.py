"""Brings captures, voids and refunds to their end, and lets go of money nobody captured in time."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from payments.adapters.store.holds import DueHold, HoldStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.refunds import RefundStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.errors import OperationRefusedError, PaymentsError
from payments.model import ids
from payments.model.clock import Clock
from payments.model.lifecycle import ENDS_OF_HOLDS, Status
from payments.model.operation import Operation, OperationKind
from payments.model.work import MoneyWork, WorkKind
from payments.use_cases.end_hold import EndHold
from payments.use_cases.reconcile_attempts import GRACE_SECONDS
from payments.use_cases.settle_refund import RefundNotSettledError, SettleRefund

# After this a human is told: no acquirer takes so long.
STUCK_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class MoneyReconciled:
    """How many were left to a request under way and failed to end; which have none after a day."""

    left: int
    failed: int
    stuck: tuple[str, ...]


class ReconcileMoney:
    """One that cannot be ended now does not hold up the others."""

    def __init__(
        self,
        payments: PaymentStore,
        refunds: RefundStore,
        holds: HoldStore,
        settle_refund: SettleRefund,
        end_hold: EndHold,
        clock: Clock,
        report: Callable[[str, Exception], None],
    ) -> None:
        self._payments = payments
        self._refunds = refunds
        self._holds = holds
        self._settle_refund = settle_refund
        self._end_hold = end_hold
        self._clock = clock
        self._report = report

    def __call__(self, works: Iterable[MoneyWork]) -> MoneyReconciled:
        """The oldest first; then the holds whose time is over."""
        left = failed = 0
        stuck: list[str] = []
        for work in sorted(works, key=lambda work: work.created_at_us):
            age_us = self._clock.now_us() - work.created_at_us
            if age_us < GRACE_SECONDS * 1_000_000:
                left += 1
                continue
            if age_us >= STUCK_SECONDS * 1_000_000:
                stuck.append(work.id)
            failed += not self._tried(work.id, partial(self._end, work))
        for due in self._holds.due_at(self._clock.now_us()):
            failed += not self._tried(due.payment_id, partial(self._lapse, due))
        return MoneyReconciled(left, failed, tuple(stuck))

    def _tried(self, work_id: str, act: Callable[[], object]) -> bool:
        try:
            act()
        except PaymentsError as error:
            self._report(work_id, error)
            return False
        return True

    def _end(self, work: MoneyWork) -> None:
        if work.kind is WorkKind.OPERATION:
            with suppress(OperationRefusedError):  # then the money is held as before
                self._end_hold.resume(work.account, work.payment_id, work.id)
            return
        refund = self._refunds.get(work.account, work.id)
        if refund is None:
            raise RefundNotSettledError(work.id)
        self._settle_refund.look_again(refund)

    def _lapse(self, due: DueHold) -> None:
        """One that is just being captured or voided is looked at again by the next run.

        Every run asks under the same reference, so an acquirer that refuses is not asked for more
        and more voids. It is reported each time: a human must look.
        """
        payment = self._payments.get(due.account, due.payment_id)
        if payment and payment.status is Status.AUTHORIZED and not payment.operation:
            lapse_id = ids.lapse_id(payment.id)
            operation = Operation(lapse_id, OperationKind.LAPSE, self._clock.now_us())
            with suppress(TransitionRefusedError):  # somebody else has the lock
                payment = self._end_hold.begin(payment, operation)
        if payment is None or payment.status in ENDS_OF_HOLDS:
            self._holds.remove_due(due)
