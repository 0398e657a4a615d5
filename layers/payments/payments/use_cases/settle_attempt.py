"""An attempt ends: the card is erased, the outcome stored, the attempt removed."""

from dataclasses import asdict
from typing import Any

from payments.acquirer.port import Authentication, Authorization
from payments.clock import Clock
from payments.errors import PaymentsError
from payments.lifecycle import Event, Status
from payments.payment import MAX_ATTEMPTS, Payment
from payments.store.attempts import Attempt, AttemptStore
from payments.store.payments import PaymentStore, TransitionRefusedError


class OutcomeLostError(PaymentsError):
    """The acquirer took money for a payment that no longer waits for it: a human must look."""


class SettleAttempt:
    """Each of the three steps may have happened before: settling twice is settling once."""

    def __init__(self, payments: PaymentStore, attempts: AttemptStore, clock: Clock) -> None:
        self._payments = payments
        self._attempts = attempts
        self._clock = clock

    def __call__(
        self, attempt: Attempt, answer: Authorization, authentication: Authentication | None
    ) -> Payment | None:
        """The payment as it then stands. Raises OutcomeLostError."""
        if not attempt.authorization:
            self._attempts.record_answer(attempt.id, answer)
        changes: dict[str, Any] = {"decline_code": answer.decline_code}
        if authentication:
            changes["three_d_secure"] = _three_d_secure(authentication)
        payment = self._conclude(attempt, answer, changes)
        self._attempts.remove(attempt.id)
        return payment

    def _conclude(
        self, attempt: Attempt, answer: Authorization, changes: dict[str, Any]
    ) -> Payment | None:
        """Stores the outcome if this attempt still is the one under way."""
        payment = self._payments.get(attempt.account, attempt.payment_id)
        try:
            if payment is None or not payment.is_under(attempt.id):
                raise TransitionRefusedError(payment)
            is_last = len(payment.attempt_tokens) >= MAX_ATTEMPTS
            declined = Event.EXHAUST if is_last else Event.DECLINE
            return self._payments.conclude(
                payment,
                Event.APPROVE if answer.approved else declined,
                self._clock.now_us(),
                changes,
                attempt.challenge_id if attempt.challenge_url else None,
            )
        except TransitionRefusedError as refused:
            if answer.approved and not _was_paid_by(refused.current, attempt):
                raise OutcomeLostError from refused
            return refused.current


def _was_paid_by(payment: Payment | None, attempt: Attempt) -> bool:
    paid = (Status.SUCCEEDED, Status.REFUNDED)
    return payment is not None and payment.status in paid and payment.attempt_id == attempt.id


def _three_d_secure(authentication: Authentication) -> dict[str, str | bool]:
    facts = asdict(authentication)
    del facts["challenge_url"]
    return {name: value for name, value in facts.items() if value is not None}
