"""Attempts that came to nothing count against their IP address and their merchant."""

from collections.abc import Callable
from functools import partial

from payments.adapters.store.risk_counters import RiskCounters
from payments.errors import UnavailableError
from payments.model.attempt import Attempt
from payments.model.authorization import Authorization
from payments.risk.assessment import Risk
from payments.risk.rules import Action
from payments.use_cases.assess_risk import RunTogether, Subjects

# These speak of us or of the issuer's systems, not of the shopper.
_NOBODYS_FAULT = ("processing_error", "authentication_unavailable")


class RecordFailures:
    """The IP address's failure was counted with the attempt, so only success is news of it.

    The merchant's is counted at the end, for every write to a merchant's counter may be one too
    many at a thousand a second. A challenge of ours counts there until it is passed.
    """

    def __init__(
        self,
        counters: RiskCounters,
        run_together: RunTogether,
        report: Callable[[Exception], None],
    ) -> None:
        self._counters = counters
        self._run_together = run_together
        self._report = report

    def not_asked(self, attempt: Attempt, risk: Risk) -> None:
        """The acquirer did not respond: the task is delivered again, and counts again."""
        if risk.ip_hash:
            key, counted_at_seconds = _ip_of(attempt, risk), _counted_at_seconds(attempt)
            self._change(partial(self._counters.uncount, key, counted_at_seconds))

    def challenged(self, attempt: Attempt, risk: Risk) -> None:
        """The shopper is sent to a challenge because of the risk."""
        if risk.action == Action.CHALLENGE:
            self._change(self._adding(_merchant_of(attempt), attempt, 1))

    def concluded(self, attempt: Attempt, risk: Risk, authorization: Authorization) -> None:
        """The attempt is over. To be told once."""
        is_nobodys_fault = authorization.decline_code in _NOBODYS_FAULT
        has_failed = not authorization.approved and not is_nobodys_fault
        changes = []
        if risk.ip_hash and not has_failed:
            changes.append(self._adding(_ip_of(attempt, risk), attempt, -1))
        if failures := int(has_failed) - int(risk.action == Action.CHALLENGE):
            changes.append(self._adding(_merchant_of(attempt), attempt, failures))
        self._change(*changes)

    def _adding(self, key: str, attempt: Attempt, failures: int) -> Callable[[], None]:
        counted_at_seconds = _counted_at_seconds(attempt)
        return partial(self._counters.add_failures, key, attempt.id, failures, counted_at_seconds)

    def _change(self, *changes: Callable[[], None]) -> None:
        """A count that is lost costs a warning; an outcome that is stored must not fail for it."""
        try:
            self._run_together(changes)
        except UnavailableError as error:
            self._report(error)


def _counted_at_seconds(attempt: Attempt) -> int:
    return attempt.created_at_us // 1_000_000


def _ip_of(attempt: Attempt, risk: Risk) -> str:
    return Subjects(attempt.account, ip_hash=risk.ip_hash).keys["ip"]


def _merchant_of(attempt: Attempt) -> str:
    return Subjects(attempt.account).keys["merchant"]
