"""Brings captures, voids and refunds to their end, and lets go of money nobody captured in time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from payments.adapters.store.holds import HoldStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.refunds import RefundStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.errors import OperationRefusedError, PaymentsError
from payments.model import ids
from payments.model.clock import Clock
from payments.model.ids import Account
from payments.model.lifecycle import Status
from payments.model.operation import Operation, OperationKind
from payments.model.work import MoneyWork, WorkKind
from payments.use_cases.end_hold import EndHold
from payments.use_cases.reconcile_attempts import GRACE_SECONDS
from payments.use_cases.settle_refund import SettleRefund

# After this a human is told: no acquirer takes so long.
STUCK_SECONDS = 24 * 60 * 60
# A run looks through a day of minutes at most; one that was away for long catches up in steps.
MAX_MINUTES = 24 * 60
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class MoneyReconciled:
    """How many were left to a request under way, failed to end, and are older than a day."""

    left: int
    failed: int
    stuck: int


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
        """The oldest first; then the holds that fall due."""
        left = failed = stuck = 0
        for work in sorted(works, key=lambda work: work.created_at_us):
            age_us = self._clock.now_us() - work.created_at_us
            if age_us < GRACE_SECONDS * 1_000_000:
                left += 1
                continue
            stuck += age_us >= STUCK_SECONDS * 1_000_000
            failed += not self._tried(work.id, lambda work=work: self._end(work))  # type: ignore[misc]
        failed += self._let_go_of_due_holds()
        return MoneyReconciled(left, failed, stuck)

    def _tried(self, work_id: str, act: Callable[[], object]) -> bool:
        try:
            act()
        except OperationRefusedError:
            return True
        except PaymentsError as error:
            self._report(work_id, error)
            return False
        return True

    def _end(self, work: MoneyWork) -> None:
        if work.kind is WorkKind.OPERATION:
            self._end_hold.resume(work.account, work.payment_id, work.id)
            return
        refund = self._refunds.get(work.account, work.id)
        assert refund is not None, "a refund is put with its work row"
        self._settle_refund.look_again(refund)

    def _let_go_of_due_holds(self) -> int:
        """How many could not be let go of. Minutes are looked through in order, and none twice."""
        failed = 0
        this_minute = self._clock.now_us() // _MINUTE_US
        first = self._holds.next_due_minute()
        end = min(this_minute, (this_minute if first is None else first) + MAX_MINUTES)
        for minute in range(this_minute if first is None else first, end):
            for account, payment_id in self._holds.due_in(minute):
                failed += not self._tried(
                    payment_id,
                    lambda account=account, payment_id=payment_id: self._lapse(  # type: ignore[misc]
                        account, payment_id
                    ),
                )
                self._holds.remove_due(minute, payment_id)
        if first is None or end > first:
            self._holds.note_next_due_minute(end)
        return failed

    def _lapse(self, account: Account, payment_id: str) -> None:
        """One that is just being captured or voided is looked at again a minute later."""
        payment = self._payments.get(account, payment_id)
        if payment is None or payment.status is not Status.AUTHORIZED:
            return
        now_us = self._clock.now_us()
        if payment.operation:
            self._holds.add_due(account, payment_id, now_us + _MINUTE_US)
            return
        void_id = ids.new_operation_id(ids.VOID_PREFIX, now_us)
        try:
            self._end_hold.begin(payment, Operation(void_id, OperationKind.LAPSE, now_us))
        except TransitionRefusedError:
            self._holds.add_due(account, payment_id, now_us + _MINUTE_US)
