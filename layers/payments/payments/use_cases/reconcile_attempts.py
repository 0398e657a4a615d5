"""Ends the attempts that no workflow works on any more, so that no payment stays `processing`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from payments.adapters.workflow import Workflow
from payments.errors import PaymentsError
from payments.model.attempt import Attempt
from payments.model.clock import Clock
from payments.model.payment import Payment
from payments.use_cases.resolve_attempt import ResolveAttempt

# Longer than a checkout request can last: a younger attempt may still be starting its workflow.
GRACE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a run found: ended now, left to a workflow that runs, and what could not be ended."""

    ended: tuple[Payment | None, ...]
    left: int
    failed: tuple[str, ...]


class ReconcileAttempts:
    """Each attempt that is still open."""

    def __init__(
        self,
        workflow: Workflow,
        resolve: ResolveAttempt,
        clock: Clock,
        report: Callable[[str, Exception], None],
    ) -> None:
        self._workflow = workflow
        self._resolve = resolve
        self._clock = clock
        self._report = report

    def __call__(self, attempts: Iterable[Attempt]) -> Reconciled:
        """The oldest first. One that cannot be ended now does not hold up the others."""
        ended: list[Payment | None] = []
        failed: list[str] = []
        left = 0
        for attempt in sorted(attempts, key=lambda attempt: attempt.created_at_us):
            try:
                if self._is_looked_after(attempt):
                    left += 1
                else:
                    ended.append(self._resolve(attempt.id))
            except PaymentsError as error:
                self._report(attempt.id, error)
                failed.append(attempt.id)
        return Reconciled(tuple(ended), left, tuple(failed))

    def _is_looked_after(self, attempt: Attempt) -> bool:
        age_us = self._clock.now_us() - attempt.created_at_us
        return age_us < GRACE_SECONDS * 1_000_000 or self._workflow.is_running(attempt.id)
