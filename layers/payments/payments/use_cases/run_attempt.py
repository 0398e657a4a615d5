"""The steps of the workflow: authenticate, await the challenge, authorize.

Tasks are delivered at least once, so every step can run twice: each asks the acquirer under the
attempt's reference and writes under a condition. A missing attempt is one that is over.
"""

from collections.abc import Callable
from dataclasses import replace

from payments.acquirers.port import ChargeRequest
from payments.acquirers.registry import Acquirers
from payments.adapters.card_cipher import CardCipher
from payments.adapters.store.attempts import AttemptStore
from payments.errors import AcquirerUnavailableError
from payments.model import declines
from payments.model.attempt import Attempt
from payments.model.authorization import Authorization, CardProfile
from payments.model.card import Card
from payments.model.payment import Payment
from payments.model.three_d_secure import Authentication, eci_of, shifts_liability
from payments.risk.assessment import Risk
from payments.risk.rules import Action
from payments.use_cases.record_failures import RecordFailures
from payments.use_cases.settle_attempt import PreChargeResult, SettleAttempt

BLOCKED = Authorization(approved=False, decline_code=declines.FRAUDULENT, is_blocked=True)
CHALLENGE_ERRORS = {
    "ChallengeAbandoned": "authentication_abandoned",
    "States.Timeout": "authentication_timed_out",
}


class RunAttempt:
    """One attempt to pay, from the encrypted card to the acquirer's response."""

    def __init__(
        self,
        attempts: AttemptStore,
        card_cipher: CardCipher,
        acquirers: Acquirers,
        assess: Callable[[Attempt, Card, CardProfile], Risk],
        failures: RecordFailures,
        settle: SettleAttempt,
        *,
        charges_when_unavailable: bool,
    ) -> None:
        """`charges_when_unavailable`: charge, without liability shift, where 3DS is unavailable."""
        self._attempts = attempts
        self._card_cipher = card_cipher
        self._acquirers = acquirers
        self._assess = assess
        self._failures = failures
        self._settle = settle
        self._charges_when_unavailable = charges_when_unavailable

    def authenticate(self, attempt_id: str) -> PreChargeResult:
        """Assesses the risk, then asks for 3DS. Raises AcquirerUnavailableError."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or attempt.encrypted_card is None:
            return PreChargeResult()
        charge = self._charge_request(attempt)
        profile = self._acquirers[attempt.acquirer].profile(charge)
        risk = self._assess(attempt, charge.card, profile)
        if risk.action == Action.BLOCK:
            return PreChargeResult(None, risk, profile)
        try:
            authentication = self._ask_issuer(attempt, charge, risk)
        except AcquirerUnavailableError:
            self._failures.not_asked(attempt, risk)
            raise
        self._failures.challenged(attempt, risk)
        if authentication.challenge_url:  # holds the challenge's id: not for the history
            self._attempts.note_challenge(attempt_id, authentication.challenge_url)
            authentication = replace(authentication, challenge_url=None)
        return PreChargeResult(authentication, risk, profile)

    def _ask_issuer(self, attempt: Attempt, charge: ChargeRequest, risk: Risk) -> Authentication:
        """A wallet's cryptogram is an authentication already: the device has verified its owner."""
        if charge.card.cryptogram:
            return _wallet_authentication(charge.card)
        return self._acquirers[attempt.acquirer].authenticate(
            charge,
            f"{attempt.base_url}/3ds/{attempt.challenge_id}/return",
            challenge_mandated=risk.action == Action.CHALLENGE,
        )

    def await_challenge(self, attempt_id: str, task_token: str) -> None:
        """Lets the shopper's browser find the challenge, and its return find the workflow."""
        self._attempts.await_challenge(attempt_id, task_token)

    def authorize(
        self, attempt_id: str, pre_charge: PreChargeResult, challenge_error: str | None
    ) -> Payment | None:
        """Charges if risk and 3DS permit it, erases the card, stores the outcome.

        None if the attempt was over. Raises AcquirerUnavailableError: then nothing is known and
        nothing is changed.
        """
        attempt = self._attempts.get(attempt_id)
        if attempt is None:
            return None
        if challenge_error:
            code = CHALLENGE_ERRORS.get(challenge_error, "authentication_failed")
            return self._settle(attempt, _refusal(code), pre_charge)
        acquirer = self._acquirers[attempt.acquirer]
        if pre_charge.authentication and pre_charge.authentication.needs_challenge:
            pre_charge = replace(
                pre_charge, authentication=acquirer.authentication_result(attempt_id)
            )
        if attempt.authorization:
            return self._settle(attempt, attempt.authorization, pre_charge)
        if attempt.is_reaped:
            return None
        authorization = self._refusal_before_charge(pre_charge)
        if authorization is None:
            authorization = acquirer.authorize(
                self._charge_request(attempt), capture=attempt.captures
            )
        return self._settle(attempt, authorization, pre_charge)

    def _refusal_before_charge(self, pre_charge: PreChargeResult) -> Authorization | None:
        if pre_charge.risk and pre_charge.risk.action == Action.BLOCK:
            return BLOCKED
        authentication = pre_charge.authentication
        if authentication is None:
            return _refusal("authentication_failed")
        if authentication.is_unavailable and not self._charges_when_unavailable:
            return _refusal("authentication_unavailable")
        if authentication.is_authenticated or authentication.is_unavailable:
            return None
        return _refusal("authentication_failed")

    def _charge_request(self, attempt: Attempt) -> ChargeRequest:
        assert attempt.encrypted_card is not None, (
            "a card is erased only once its authorization is stored"
        )
        card = self._card_cipher.decrypt(attempt.encrypted_card, attempt.payment_id)
        return ChargeRequest(attempt.id, attempt.amount_minor, attempt.currency, card)


def _refusal(code: str) -> Authorization:
    return Authorization(approved=False, decline_code=code)


def _wallet_authentication(card: Card) -> Authentication:
    eci = card.eci or eci_of("Y", card.brand)
    return Authentication(
        trans_status="Y", eci=eci, liability_shift=shifts_liability(eci), flow="wallet"
    )
