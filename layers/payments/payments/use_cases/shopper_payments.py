"""The shopper's view of a payment: find it by its secret, see where it stands, wait for it."""

import hmac
from dataclasses import dataclass

from payments.adapters.store.attempts import AttemptStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.errors import NotPayableError, PaymentNotFoundError
from payments.model import ids, lifecycle
from payments.model.attempt import Attempt
from payments.model.clock import Clock
from payments.model.lifecycle import Event, Status
from payments.model.payment import Payment

_FIRST_WAIT_SECONDS, _WAIT_GROWTH, _LONGEST_WAIT_SECONDS = 0.1, 1.5, 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a payment stands for its shopper. `status` is as of now, expiry included.

    `challenge_url` is where the shopper is needed, if the attempt under way waits for that;
    `challenge_id` names that challenge.
    """

    payment: Payment
    status: Status
    expires_at_us: int
    challenge_url: str | None = None
    challenge_id: str | None = None

    @property
    def is_payable(self) -> bool:
        return self.status is lifecycle.source(Event.SUBMIT)


class ShopperPayments:
    """Reads only: nothing here changes a payment."""

    def __init__(
        self,
        payments: PaymentStore,
        attempts: AttemptStore,
        clock: Clock,
        lifetime_seconds: int,
        outcome_wait_seconds: int,
    ) -> None:
        self._payments = payments
        self._attempts = attempts
        self._clock = clock
        self._lifetime_seconds = lifetime_seconds
        self._outcome_wait_seconds = outcome_wait_seconds

    def find(self, payment_id: str, client_secret: str) -> Payment:
        """Raises PaymentNotFoundError for a wrong id and a wrong secret alike."""
        account = ids.account_of_client_secret(client_secret)
        if account is None or not ids.is_payment_id(payment_id):
            raise PaymentNotFoundError
        payment = self._payments.get(account, payment_id)
        if payment is None or not hmac.compare_digest(payment.client_secret, client_secret):
            raise PaymentNotFoundError
        return payment

    def find_by_challenge(self, challenge_id: str) -> tuple[Payment, Attempt | None]:
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

    def progress(self, payment: Payment) -> Progress:
        """Without waiting: one more read, and only while an attempt is under way."""
        status = payment.status_at(self._clock.now_us(), self._lifetime_seconds)
        expires_at_us = payment.expires_at_us(self._lifetime_seconds)
        if status is Status.PROCESSING and payment.attempt_id:
            attempt = self._attempts.get(payment.attempt_id)
            if attempt and attempt.awaits_challenge:
                return Progress(
                    payment, status, expires_at_us, attempt.challenge_url, attempt.challenge_id
                )
        return Progress(payment, status, expires_at_us)

    def has_expired(self, payment: Payment) -> bool:
        """Whether its time to be paid is over, whatever its status."""
        return self.seconds_left(payment) <= 0

    def seconds_left(self, payment: Payment) -> float:
        """Until the payment expires; negative if it has."""
        expires_at_us = payment.expires_at_us(self._lifetime_seconds)
        return (expires_at_us - self._clock.now_us()) / 1_000_000

    def check_payable(self, payment: Payment) -> None:
        """Raises NotPayableError, its reason saying why not."""
        status = payment.status_at(self._clock.now_us(), self._lifetime_seconds)
        if status in lifecycle.REFUSAL_REASONS:
            raise NotPayableError(lifecycle.REFUSAL_REASONS[status])

    def wait(self, payment: Payment) -> Progress:
        """Until the attempt has an outcome or needs its shopper, but only so long."""
        deadline_us = self._clock.now_us() + self._outcome_wait_seconds * 1_000_000
        pause_seconds = _FIRST_WAIT_SECONDS
        while True:
            progress = self.progress(payment)
            is_waiting = progress.status is Status.PROCESSING and not progress.challenge_url
            if not is_waiting or self._clock.now_us() >= deadline_us:
                return progress
            self._clock.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * _WAIT_GROWTH, _LONGEST_WAIT_SECONDS)
            payment = self._payments.get(payment.account, payment.id) or payment


def refusal_of(refused: TransitionRefusedError) -> NotPayableError:
    """The loser of a race gets the winner's reason."""
    status = refused.current.status if refused.current else Status.CANCELED
    return NotPayableError(lifecycle.REFUSAL_REASONS.get(status, "in_progress"))
