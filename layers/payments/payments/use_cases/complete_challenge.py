"""The shopper comes back from a 3DS challenge, or leaves it."""

import hmac

from payments.adapters.store.attempts import AttemptStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.workflow import Workflow
from payments.errors import PaymentNotFoundError
from payments.model import ids
from payments.model.attempt import Attempt
from payments.model.payment import Payment
from payments.use_cases.shopper_payments import Progress, ShopperPayments


class CompleteChallenge:
    """A challenge ends once. A replayed return changes nothing and shows the stored outcome."""

    def __init__(
        self,
        follow: ShopperPayments,
        payments: PaymentStore,
        attempts: AttemptStore,
        workflow: Workflow,
    ) -> None:
        self._follow = follow
        self._payments = payments
        self._attempts = attempts
        self._workflow = workflow

    def find(self, challenge_id: str) -> tuple[Payment, Attempt | None]:
        """The payment and, while it is under way, the attempt. Raises PaymentNotFoundError."""
        reference = ids.parse_challenge_id(challenge_id)
        if reference is None:
            raise PaymentNotFoundError
        attempt = self._attempts.get(reference.attempt_id)
        payment = self._payments.get(reference.account, reference.payment_id)
        if payment is None:
            raise PaymentNotFoundError
        claimed = challenge_id if attempt else ids.challenge_secret(challenge_id)
        known = (attempt.challenge_id,) if attempt else payment.challenge_secrets
        if not any(hmac.compare_digest(one, claimed) for one in known):
            raise PaymentNotFoundError
        return payment, attempt

    def resume(self, challenge_id: str) -> Progress:
        """How the challenge went is not taken from the browser: the workflow asks the acquirer."""
        payment, attempt = self.find(challenge_id)
        if attempt and attempt.task_token:
            self._workflow.complete_challenge(attempt.task_token)
            self._attempts.complete_challenge(attempt.id)
        return self._follow.wait(payment)

    def abandon(self, challenge_id: str) -> Progress:
        """The attempt ends, and another card may be tried."""
        payment, attempt = self.find(challenge_id)
        if attempt and attempt.task_token:
            self._workflow.abandon_challenge(attempt.task_token)
            self._attempts.complete_challenge(attempt.id)
        return self._follow.wait(payment)
