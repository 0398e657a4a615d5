"""The steps of the workflow: authenticate, await the challenge, authorize, resolve.

Tasks are delivered at least once, so every step can run twice: each asks the acquirer under the
attempt's reference and writes under a condition. A missing attempt is one that is over.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from payments.acquirer.port import Acquirer, Authentication, Authorization, ChargeRequest
from payments.clock import Clock
from payments.errors import PaymentsError
from payments.ids import Mode
from payments.lifecycle import Event, Status
from payments.payment import MAX_ATTEMPTS, Payment
from payments.store.attempts import Attempt, AttemptStore
from payments.store.payments import PaymentStore, TransitionRefusedError
from payments.vault import CardVault

OVER = Authentication(trans_status="N")
AUTHENTICATION_FAILED = Authorization(approved=False, decline_code="authentication_failed")
PROCESSING_ERROR = Authorization(approved=False, decline_code="processing_error")
CHALLENGE_ERRORS = {
    "ChallengeAbandoned": "authentication_abandoned",
    "States.Timeout": "authentication_timed_out",
}


class OutcomeLostError(PaymentsError):
    """The acquirer took money for a payment that no longer waits for it: a human must look."""


class RunAttempt:
    """One attempt to pay, from the sealed card to the stored outcome."""

    def __init__(
        self,
        payments: PaymentStore,
        attempts: AttemptStore,
        vault: CardVault,
        acquirer_for: Callable[[Mode], Acquirer],
        clock: Clock,
    ) -> None:
        self._payments = payments
        self._attempts = attempts
        self._vault = vault
        self._acquirer_for = acquirer_for
        self._clock = clock

    def authenticate(self, attempt_id: str) -> Authentication:
        """Asks for 3DS. Raises AcquirerUnavailableError."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or attempt.encrypted_card is None:
            return OVER
        return_url = f"{attempt.base_url}/3ds/{attempt.challenge_id}/return"
        acquirer = self._acquirer_for(attempt.account.mode)
        return acquirer.authenticate(self._charge_request(attempt), return_url)

    def await_challenge(self, attempt_id: str, task_token: str, challenge_url: str) -> None:
        """Lets the shopper's browser find the challenge, and its return find the workflow."""
        self._attempts.await_challenge(attempt_id, task_token, challenge_url)

    def authorize(
        self, attempt_id: str, authentication: Authentication, challenge_error: str | None
    ) -> Payment | None:
        """Charges if 3DS permits it, erases the card, stores the outcome; None if it was over.

        Raises AcquirerUnavailableError: then nothing is known and nothing is changed.
        """
        attempt = self._attempts.get(attempt_id)
        if attempt is None:
            return None
        acquirer = self._acquirer_for(attempt.account.mode)
        if challenge_error:
            code = CHALLENGE_ERRORS.get(challenge_error, "authentication_failed")
            return self._settle(
                attempt, Authorization(approved=False, decline_code=code), authentication
            )
        if authentication.needs_challenge:
            authentication = acquirer.authentication_result(attempt_id)
        if attempt.authorization:
            return self._settle(attempt, attempt.authorization, authentication)
        if not authentication.permits_charge:
            return self._settle(attempt, AUTHENTICATION_FAILED, authentication)
        answer = acquirer.authorize(self._charge_request(attempt))
        return self._settle(attempt, answer, authentication)

    def resolve(self, attempt_id: str) -> Payment | None:
        """An attempt whose outcome is unknown: asks the acquirer by our reference, then settles.

        If no charge ever arrived, it is forbidden to arrive later, and the attempt ends.
        Raises AcquirerUnavailableError: then it is still unknown.
        """
        attempt = self._attempts.get(attempt_id)
        if attempt is None:
            return None
        acquirer = self._acquirer_for(attempt.account.mode)
        answer = attempt.authorization or acquirer.look_up(attempt_id) or acquirer.void(attempt_id)
        return self._settle(attempt, answer or PROCESSING_ERROR, None)

    def _charge_request(self, attempt: Attempt) -> ChargeRequest:
        assert attempt.encrypted_card is not None, "a card is erased only with its answer stored"
        card = self._vault.open(attempt.encrypted_card, attempt.payment_id)
        return ChargeRequest(attempt.id, attempt.amount_minor, attempt.currency, card)

    def _settle(
        self, attempt: Attempt, answer: Authorization, authentication: Authentication | None
    ) -> Payment | None:
        """Erase the card, store the outcome, remove the attempt: each may have happened before."""
        if not attempt.authorization and not self._attempts.record_answer(attempt.id, answer):
            return None
        changes: dict[str, Any] = {"decline_code": answer.decline_code}
        if authentication:
            changes["three_d_secure"] = _three_d_secure(authentication)
        if attempt.challenge_url:
            changes["challenge_id"] = attempt.challenge_id
        payment = self._conclude(attempt, answer, changes)
        self._attempts.remove(attempt.id)
        return payment

    def _conclude(
        self, attempt: Attempt, answer: Authorization, changes: dict[str, Any]
    ) -> Payment | None:
        is_last = attempt.number >= MAX_ATTEMPTS
        declined = Event.EXHAUST if is_last else Event.DECLINE
        try:
            return self._payments.conclude(
                attempt.account,
                attempt.payment_id,
                (attempt.number, attempt.token),
                Event.APPROVE if answer.approved else declined,
                self._clock.now_us(),
                changes,
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
