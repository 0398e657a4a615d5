"""An attempt whose outcome is unknown: no answer from the acquirer is not a decline."""

from collections.abc import Callable
from dataclasses import replace

from payments.acquirers.port import Acquirer
from payments.adapters.store.attempts import AttemptStore
from payments.errors import AcquirerUnavailableError
from payments.model.authorization import Authorization
from payments.model.ids import Mode
from payments.model.payment import Payment
from payments.use_cases.settle_attempt import PreChargeResult, SettleAttempt

NOTHING_KNOWN = PreChargeResult()
PROCESSING_ERROR = Authorization(approved=False, decline_code="processing_error")


class ResolveAttempt:
    """Asks the acquirer by our reference, then settles what happened."""

    def __init__(
        self,
        attempts: AttemptStore,
        acquirer_for: Callable[[Mode], Acquirer],
        settle: SettleAttempt,
    ) -> None:
        self._attempts = attempts
        self._acquirer_for = acquirer_for
        self._settle = settle

    def __call__(
        self, attempt_id: str, pre_charge: PreChargeResult = NOTHING_KNOWN
    ) -> Payment | None:
        """If no charge ever arrived, it is forbidden to arrive later, and the attempt ends.

        The card is erased first: what comes after needs only the reference. None if there was
        nothing to resolve. Raises AcquirerUnavailableError: then the outcome is still unknown.
        """
        attempt = self._attempts.get(attempt_id)
        if attempt is None or not self._attempts.reap(attempt):
            return None
        acquirer = self._acquirer_for(attempt.account.mode)
        answer = attempt.authorization or acquirer.look_up(attempt_id) or acquirer.void(attempt_id)
        pre_charge = _with_end_of_3ds(pre_charge, acquirer, attempt_id)
        return self._settle(attempt, answer or PROCESSING_ERROR, pre_charge)


def _with_end_of_3ds(
    pre_charge: PreChargeResult, acquirer: Acquirer, attempt_id: str
) -> PreChargeResult:
    """As the acquirer knows it, where nobody else does; a known outcome does not wait for it."""
    known = pre_charge.authentication
    if known and not known.needs_challenge:
        return pre_charge
    try:
        return replace(pre_charge, authentication=acquirer.authentication_result(attempt_id))
    except AcquirerUnavailableError:
        return pre_charge
