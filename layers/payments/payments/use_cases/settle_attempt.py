"""An attempt ends: the card is erased, the outcome stored, the attempt removed."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from payments.adapters.store.attempts import AttemptStore
from payments.adapters.store.holds import DueHold, HoldStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.errors import PaymentsError
from payments.model import declines, ids
from payments.model.attempt import Attempt
from payments.model.authorization import Authorization, CardProfile
from payments.model.clock import Clock
from payments.model.ids import Mode
from payments.model.lifecycle import Event
from payments.model.payment import MAX_ATTEMPTS, Payment
from payments.model.three_d_secure import Authentication
from payments.risk.assessment import Risk
from payments.use_cases.record_failures import RecordFailures


class OutcomeLostError(PaymentsError):
    """The acquirer took money for a payment that no longer waits for it: a human must look."""


@dataclass(frozen=True, slots=True)
class PreChargeResult:
    """What came out before the charge; None where it was not asked, or is no longer known."""

    authentication: Authentication | None = None
    risk: Risk | None = None
    profile: CardProfile | None = None

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> "PreChargeResult":
        """As Authenticate left them in the workflow's state."""
        authentication, risk, profile = (
            state.get(name) for name in ("authentication", "risk", "profile")
        )
        return cls(
            authentication and Authentication(**authentication),
            risk and Risk(**risk),
            profile and CardProfile(**profile),
        )


class SettleAttempt:
    """Each of the three steps may have happened before: settling twice is settling once."""

    def __init__(
        self,
        payments: PaymentStore,
        attempts: AttemptStore,
        clock: Clock,
        failures: Callable[[], RecordFailures],
        holds: Callable[[], HoldStore],
    ) -> None:
        """`failures` is asked for only where an attempt's risk is known, `holds` for held money."""
        self._payments = payments
        self._attempts = attempts
        self._clock = clock
        self._failures = failures
        self._holds = holds

    def __call__(
        self, attempt: Attempt, authorization: Authorization, pre_charge: PreChargeResult
    ) -> Payment | None:
        """The payment as it then stands. Raises OutcomeLostError."""
        if authorization.decline_code:
            authorization = replace(
                authorization, decline_code=declines.known(authorization.decline_code)
            )
        if not attempt.authorization:
            self._attempts.record_authorization(attempt.id, authorization)
        payment = self._conclude(attempt, authorization, pre_charge)
        # Of several who settle at once, one has removed it.
        if self._attempts.remove(attempt.id) and pre_charge.risk:
            self._failures().concluded(attempt, pre_charge.risk, authorization)
        return payment

    def _conclude(
        self, attempt: Attempt, authorization: Authorization, pre_charge: PreChargeResult
    ) -> Payment | None:
        """Stores the outcome if this attempt still is the one under way."""
        payment = self._payments.get(attempt.account, attempt.payment_id)
        try:
            if payment is None or not payment.is_under(attempt.id):
                raise TransitionRefusedError(payment)
            if authorization.capture_before_us:
                before_us = authorization.capture_before_us
                self._holds().add_due(DueHold(payment.account, payment.id, before_us))
            return self._payments.conclude(
                payment,
                _event(payment, authorization),
                self._clock.now_us(),
                _changes(attempt, payment, authorization, pre_charge),
                ids.challenge_secret(attempt.challenge_id) if attempt.challenge_url else None,
            )
        except TransitionRefusedError as refused:
            if authorization.approved and not _was_paid_by(refused.current, attempt):
                raise OutcomeLostError from refused
            return refused.current


def _event(payment: Payment, authorization: Authorization) -> Event:
    if authorization.approved:
        return Event.HOLD if authorization.capture_before_us else Event.APPROVE
    if authorization.is_blocked:
        return Event.BLOCK
    is_last = len(payment.attempt_tokens) >= MAX_ATTEMPTS
    return Event.EXHAUST if is_last else Event.DECLINE


def _changes(
    attempt: Attempt, payment: Payment, authorization: Authorization, pre_charge: PreChargeResult
) -> dict[str, Any]:
    """What the attempt leaves on the payment. Nothing of an earlier attempt stays behind."""
    changes: dict[str, Any] = {
        "decline_code": authorization.decline_code,
        "three_d_secure": _three_d_secure(pre_charge.authentication),
        "risk": _risk(pre_charge.risk, authorization),
        "acquirer": attempt.acquirer if attempt.account.mode is Mode.LIVE else None,
    }
    if authorization.capture_before_us:
        changes["capture_before_us"] = authorization.capture_before_us
    if payment.card and pre_charge.profile:
        profile = pre_charge.profile
        card = replace(payment.card, funding=profile.funding, country=profile.country)
        changes["card"] = asdict(card)
    return changes


def _was_paid_by(payment: Payment | None, attempt: Attempt) -> bool:
    return (
        payment is not None
        and payment.attempt_id == attempt.id
        and payment.authorized_total_minor > 0
    )


def _three_d_secure(authentication: Authentication | None) -> Mapping[str, str | bool] | None:
    if authentication is None:
        return None
    facts = asdict(authentication)
    del facts["challenge_url"]
    return {name: value for name, value in facts.items() if value is not None}


def _risk(risk: Risk | None, authorization: Authorization) -> Mapping[str, Any] | None:
    checks = {"checks": authorization.checks.facts} if authorization.checks else {}
    decision = risk.facts if risk else {}
    return {**decision, **checks} or None
