"""An attempt whose outcome is unknown: no response from the acquirer is not a decline."""

from dataclasses import replace

from payments.acquirers.port import Acquirer
from payments.acquirers.registry import Acquirers
from payments.adapters.store.attempts import AttemptStore
from payments.errors import AcquirerUnavailableError
from payments.model.authorization import Authorization
from payments.model.payment import Payment
from payments.use_cases.settle_attempt import PreChargeResult, SettleAttempt

NOTHING_KNOWN = PreChargeResult()
PROCESSING_ERROR = Authorization(approved=False, decline_code="processing_error")


class ResolveAttempt:
    """Asks the acquirer by our reference, then settles what happened."""

    def __init__(
        self,
        attempts: AttemptStore,
        acquirers: Acquirers,
        settle: SettleAttempt,
    ) -> None:
        self._attempts = attempts
        self._acquirers = acquirers
        self._settle = settle

    def __call__(
        self, attempt_id: str, pre_charge: PreChargeResult = NOTHING_KNOWN
    ) -> Payment | None:
        """If no charge ever arrived, one that arrives later is refused, and the attempt ends.

        The card is erased first: what comes after needs only the reference. None if there was
        nothing to resolve. Raises AcquirerUnavailableError: then the outcome is still unknown.
        """
        attempt = self._attempts.get(attempt_id)
        if attempt is None or not self._attempts.reap(attempt.id):
            return None
        acquirer = self._acquirers[attempt.acquirer]
        known = attempt.authorization or acquirer.look_up(attempt_id)
        authorization = known or acquirer.reverse(attempt_id) or PROCESSING_ERROR
        return self._settle(
            attempt, authorization, _with_end_of_3ds(pre_charge, acquirer, attempt_id)
        )


def _with_end_of_3ds(
    pre_charge: PreChargeResult, acquirer: Acquirer, attempt_id: str
) -> PreChargeResult:
    """3DS facts from the acquirer if they are missing; a known outcome does not wait for them."""
    known = pre_charge.authentication
    if known and not known.needs_challenge:
        return pre_charge
    try:
        return replace(pre_charge, authentication=acquirer.authentication_result(attempt_id))
    except AcquirerUnavailableError:
        return pre_charge
