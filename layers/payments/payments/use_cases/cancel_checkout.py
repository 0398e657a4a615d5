"""The shopper gives up, or the merchant does before a card was sent."""

from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.model.clock import Clock
from payments.model.lifecycle import Status
from payments.model.payment import Payment
from payments.use_cases.shopper_payments import ShopperPayments, refusal_of

# Longer than a write takes: a cancel this close to the expiry waits for it instead, so that
# nobody is told "expired" of a payment that is then canceled.
MARGIN_SECONDS = 1.0


ABANDONED = "abandoned"


class CancelCheckout:
    """Canceling twice is canceling once."""

    def __init__(
        self, shopper_payments: ShopperPayments, payments: PaymentStore, clock: Clock
    ) -> None:
        self._shopper_payments = shopper_payments
        self._payments = payments
        self._clock = clock

    def __call__(self, payment: Payment, reason: str | None = ABANDONED) -> Payment:
        """Raises NotPayableError if there is nothing left to give up."""
        if payment.status is Status.CANCELED:
            return payment
        seconds_left = self._shopper_payments.seconds_left(payment)
        if 0 < seconds_left < MARGIN_SECONDS:
            self._clock.sleep(seconds_left)
            payment = self._payments.get(payment.account, payment.id) or payment
        self._shopper_payments.check_payable(payment)
        try:
            return self._payments.cancel(payment, reason, self._clock.now_us())
        except TransitionRefusedError as refused:
            if refused.current and refused.current.status is Status.CANCELED:
                return refused.current
            raise refusal_of(refused) from refused
