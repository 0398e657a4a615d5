"""Attempts that came to nothing count against their IP address and their merchant."""

from collections.abc import Callable
from functools import partial

from payments.adapters.store.risk_counters import RiskCounters
from payments.errors import UnavailableError
from payments.model.authorization import Authorization
from payments.model.clock import Clock
from payments.model.ids import Account
from payments.risk.assessment import Risk
from payments.risk.rules import Action
from payments.use_cases.assess_risk import RunTogether, Subjects

# These speak of us or of the issuer's systems, not of the shopper.
_NOBODYS_FAULT = ("processing_error", "authentication_unavailable")


class RecordFailures:
    """A challenge of ours counts until it is passed: whoever leaves it open has failed it."""

    def __init__(
        self,
        counters: RiskCounters,
        clock: Clock,
        run_together: RunTogether,
        report: Callable[[Exception], None],
    ) -> None:
        self._counters = counters
        self._clock = clock
        self._run_together = run_together
        self._report = report

    def challenged(self, account: Account, risk: Risk) -> None:
        """The shopper is sent to a challenge because of the risk."""
        if risk.action == Action.CHALLENGE:
            self._add(account, risk, 1)

    def concluded(self, account: Account, risk: Risk | None, authorization: Authorization) -> None:
        """The attempt is over."""
        if risk is None or authorization.decline_code in _NOBODYS_FAULT:
            return
        was_held_against = risk.action == Action.CHALLENGE
        failures = int(not authorization.approved) - int(was_held_against)
        if failures:
            self._add(account, risk, failures)

    def _add(self, account: Account, risk: Risk, failures: int) -> None:
        """A count that is lost costs a warning; an outcome that is stored must not fail for it."""
        subjects = Subjects(account, ip_hash=risk.ip_hash)
        now_seconds = self._clock.now_us() // 1_000_000
        try:
            self._run_together(
                [
                    partial(self._counters.add_failures, key, failures, now_seconds)
                    for key in subjects.keys.values()
                ]
            )
        except UnavailableError as error:
            self._report(error)
