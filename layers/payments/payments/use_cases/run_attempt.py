"""The steps of the workflow: authenticate, await the challenge, authorize.

Tasks are delivered at least once, so every step can run twice: each asks the acquirer under the
attempt's reference and writes under a condition. A missing attempt is one that is over.
"""

from collections.abc import Callable

from payments.acquirer.port import Acquirer, Authentication, Authorization, ChargeRequest
from payments.ids import Mode
from payments.payment import Payment
from payments.store.attempts import Attempt, AttemptStore
from payments.use_cases.settle_attempt import SettleAttempt
from payments.vault import CardVault

OVER = Authentication(trans_status="N")
AUTHENTICATION_FAILED = Authorization(approved=False, decline_code="authentication_failed")
CHALLENGE_ERRORS = {
    "ChallengeAbandoned": "authentication_abandoned",
    "States.Timeout": "authentication_timed_out",
}


class RunAttempt:
    """One attempt to pay, from the sealed card to the acquirer's answer."""

    def __init__(
        self,
        attempts: AttemptStore,
        vault: CardVault,
        acquirer_for: Callable[[Mode], Acquirer],
        settle: SettleAttempt,
    ) -> None:
        self._attempts = attempts
        self._vault = vault
        self._acquirer_for = acquirer_for
        self._settle = settle

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
        if attempt.is_reaped:
            return None
        if not authentication.permits_charge:
            return self._settle(attempt, AUTHENTICATION_FAILED, authentication)
        answer = acquirer.authorize(self._charge_request(attempt))
        return self._settle(attempt, answer, authentication)

    def _charge_request(self, attempt: Attempt) -> ChargeRequest:
        assert attempt.encrypted_card is not None, "a card is erased only with its answer stored"
        card = self._vault.open(attempt.encrypted_card, attempt.payment_id)
        return ChargeRequest(attempt.id, attempt.amount_minor, attempt.currency, card)
