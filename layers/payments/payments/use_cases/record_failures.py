"""Attempts that came to nothing count against their IP address and their merchant."""

from collections.abc import Callable
from functools import partial

from payments.adapters.store.risk_counters import RiskCounters
from payments.errors import UnavailableError
from payments.model.attempt import Attempt
from payments.model.authorization import Authorization
from payments.risk.assessment import Risk
from payments.risk.rules import IP_UNDER_WAY, Action
from payments.use_cases.assess_risk import RunTogether, Subjects

# These speak of us or of the issuer's systems, not of the shopper.
_NOBODYS_FAULT = ("processing_error", "authentication_unavailable")


class RecordFailures:
    """An attempt is under way from its IP address until it is held against it, or ends.

    A challenge of ours is held against IP address and merchant until it is passed: whoever leaves
    it open has failed it. But not one that only many at once have brought about: that would block
    a crowd of honest shoppers. The merchant's failures alone are counted there, for every write to
    a merchant's counter may be one too many at a thousand a second.
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
        if _is_held_against(risk):
            self._add(attempt, risk, failures=1, under_way=-1)

    def concluded(self, attempt: Attempt, risk: Risk, authorization: Authorization) -> None:
        """The attempt is over. To be told once."""
        is_nobodys_fault = authorization.decline_code in _NOBODYS_FAULT
        has_failed = not authorization.approved and not is_nobodys_fault
        was_held = _is_held_against(risk)
        self._add(
            attempt,
            risk,
            failures=int(has_failed) - int(was_held),
            under_way=int(was_held) - 1,
        )

    def _add(self, attempt: Attempt, risk: Risk, *, failures: int, under_way: int) -> None:
        counted_at_seconds = _counted_at_seconds(attempt)
        changes = []
        if risk.ip_hash and (failures or under_way):
            changes.append(
                partial(
                    self._counters.change,
                    _ip_of(attempt, risk),
                    attempt.id,
                    counted_at_seconds,
                    failures=failures,
                    under_way=under_way,
                )
            )
        if failures:
            merchant = Subjects(attempt.account).keys["merchant"]
            changes.append(
                partial(
                    self._counters.change,
                    merchant,
                    attempt.id,
                    counted_at_seconds,
                    failures=failures,
                )
            )
        self._change(*changes)

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


def _is_held_against(risk: Risk) -> bool:
    return risk.action == Action.CHALLENGE and IP_UNDER_WAY not in risk.reasons
