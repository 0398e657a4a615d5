"""The shopper pays: the card is sealed, an attempt begins, its workflow runs."""

from dataclasses import replace

from payments.adapters.card_cipher import CardCipher
from payments.adapters.store.attempts import AttemptStore
from payments.adapters.store.payments import PaymentStore, TransitionRefusedError
from payments.adapters.workflow import Workflow, WorkflowRefusedError
from payments.errors import NotPayableError
from payments.inputs.checkout_form import PaymentForm
from payments.model import declines, ids
from payments.model.attempt import Attempt
from payments.model.card import CardSummary
from payments.model.clock import Clock
from payments.model.payment import Payment
from payments.use_cases.shopper_payments import Progress, ShopperPayments, refusal_of


class PayPayment:
    """One attempt at a time, each under its own reference: a payment is never charged twice."""

    def __init__(
        self,
        follow: ShopperPayments,
        payments: PaymentStore,
        attempts: AttemptStore,
        vault: CardCipher,
        workflow: Workflow,
        clock: Clock,
    ) -> None:
        self._follow = follow
        self._payments = payments
        self._attempts = attempts
        self._card_cipher = vault
        self._workflow = workflow
        self._clock = clock

    def __call__(
        self, payment: Payment, form: PaymentForm, base_url: str, shopper_ip: str
    ) -> Progress:
        """Waits for the attempt's outcome or challenge. Raises NotPayableError.

        A form sent twice (double click, reload, back button) is one attempt: its second copy
        gets the answer of the first. Only an old page that comes back with another card is new.
        """
        token = form.attempt or ids.new_attempt_token()
        if self._is_another_card(payment, form, token):
            token = ids.new_attempt_token()
        if token in payment.attempt_tokens:
            return self._repeat(payment, token)
        self._follow.check_payable(payment)
        attempt = self._new_attempt(payment, form, token, base_url, shopper_ip)
        is_new = self._attempts.add(attempt)
        if not is_new and not self._attempts.renew(attempt.id, self._clock.now_us()):
            raise NotPayableError("in_progress")
        try:
            submitted = self._payments.submit(
                payment, token, _card_summary(form), form.email, self._clock.now_us()
            )
        except TransitionRefusedError as refused:
            if refused.current and refused.current.is_under(attempt.id):
                return self._repeat(refused.current, token)
            if is_new:
                self._attempts.remove(attempt.id)
            if refused.current and token in refused.current.attempt_tokens:
                return self._follow.wait(refused.current)
            raise refusal_of(refused) from refused
        if self._follow.has_expired(submitted):
            # The write landed too late: somebody may have been told that the payment has expired.
            self._payments.release(submitted, self._clock.now_us())
            self._attempts.remove(attempt.id)
            raise NotPayableError("expired")
        self._start(attempt.id, submitted)
        return self._follow.wait(submitted)

    def _is_another_card(self, payment: Payment, form: PaymentForm, token: str) -> bool:
        """The back button shows the declined form again; what is typed there now counts.

        So does a corrected security code: the wrong one is not kept, so nobody can compare them.
        """
        was_last = payment.attempt_tokens[-1:] == (token,)
        is_corrected = payment.decline_code == declines.INCORRECT_CVC
        is_another = is_corrected or not _is_same_card(payment.card, form)
        return was_last and not payment.is_under_way and is_another

    def _repeat(self, payment: Payment, token: str) -> Progress:
        """The form was sent before. Whoever sent it may have died before the workflow started."""
        attempt_id = ids.attempt_id(payment.id, token)
        if payment.is_under(attempt_id):
            self._workflow.start(attempt_id)
        return self._follow.wait(payment)

    def _start(self, attempt_id: str, submitted: Payment) -> None:
        """A refused start is undone; a start without an answer may have happened, so it is not."""
        try:
            self._workflow.start(attempt_id)
        except WorkflowRefusedError:
            self._payments.release(submitted, self._clock.now_us())
            self._attempts.remove(attempt_id)
            raise

    def _new_attempt(
        self, payment: Payment, form: PaymentForm, token: str, base_url: str, shopper_ip: str
    ) -> Attempt:
        return Attempt(
            id=ids.attempt_id(payment.id, token),
            account=payment.account,
            payment_id=payment.id,
            token=token,
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            base_url=base_url,
            challenge_id=ids.new_challenge_id(payment.account, payment.id, token),
            created_at_us=self._clock.now_us(),
            number=len(payment.attempt_tokens) + 1,
            shopper_ip=shopper_ip,
            shopper_email=form.email or payment.customer_email or "",
            merchant_country=payment.merchant_country,
            enforces_fraud_rules=payment.enforces_fraud_rules,
            encrypted_card=self._card_cipher.seal(form.card, payment.id),
        )


def _card_summary(form: PaymentForm) -> CardSummary:
    card = form.card
    return CardSummary(form.method, card.brand, card.last4, card.exp_month, card.exp_year)


def _is_same_card(stored: CardSummary | None, form: PaymentForm) -> bool:
    """By what is stored: method, brand, last four and expiry."""
    if stored is None:
        return True
    return replace(stored, country="", funding="") == _card_summary(form)
