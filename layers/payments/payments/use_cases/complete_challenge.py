"""The shopper comes back from a 3DS challenge, or leaves it."""

from payments.adapters.store.attempts import AttemptStore
from payments.adapters.workflow import Workflow
from payments.use_cases.shopper_payments import Progress, ShopperPayments


class CompleteChallenge:
    """A challenge ends once. A replayed return changes nothing and shows the stored outcome."""

    def __init__(
        self,
        shopper_payments: ShopperPayments,
        attempts: AttemptStore,
        workflow: Workflow,
    ) -> None:
        self._shopper_payments = shopper_payments
        self._attempts = attempts
        self._workflow = workflow

    def resume(self, challenge_id: str) -> Progress:
        """How the challenge went is not taken from the browser: the workflow asks the acquirer."""
        payment, attempt = self._shopper_payments.find_by_challenge(challenge_id)
        if attempt and attempt.task_token:
            self._workflow.complete_challenge(attempt.task_token)
            self._attempts.complete_challenge(attempt.id)
        return self._shopper_payments.wait(payment)

    def abandon(self, challenge_id: str) -> Progress:
        """The attempt ends, and another card may be tried."""
        payment, attempt = self._shopper_payments.find_by_challenge(challenge_id)
        if attempt and attempt.task_token:
            self._workflow.abandon_challenge(attempt.task_token)
            self._attempts.complete_challenge(attempt.id)
        return self._shopper_payments.wait(payment)
