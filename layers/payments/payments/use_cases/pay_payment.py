"""The shopper pays: the card is encrypted, an attempt begins, its workflow runs."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeGuard

from payments.adapters.card_cipher import CardCipher
from payments.adapters.store.attempts import AttemptStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.adapters.workflow import Workflow, WorkflowRefusedError
from payments.errors import NotPayableError
from payments.inputs.checkout_form import PaymentForm
from payments.model import declines, ids
from payments.model.attempt import Attempt
from payments.model.card import CardSummary
from payments.model.clock import Clock
from payments.model.ids import Mode
from payments.model.payment import Payment
from payments.use_cases.shopper_payments import Progress, ShopperPayments, refusal_of


class PayPayment:
    """One attempt at a time, each under its own reference: a payment is never charged twice.

    Each sending of a form has a row of its own, so no form is ever charged with another's card.
    The row whose token the payment records is the attempt; any other is removed unused.
    """

    def __init__(
        self,
        shopper_payments: ShopperPayments,
        payments: PaymentStore,
        attempts: AttemptStore,
        card_cipher: CardCipher,
        workflow: Workflow,
        clock: Clock,
        acquirer_name: Callable[[Mode], str],
    ) -> None:
        self._shopper_payments = shopper_payments
        self._payments = payments
        self._attempts = attempts
        self._card_cipher = card_cipher
        self._workflow = workflow
        self._clock = clock
        self._acquirer_name = acquirer_name

    def __call__(
        self, payment: Payment, form: PaymentForm, base_url: str, shopper_ip: str
    ) -> Progress:
        """Waits for the attempt's outcome or challenge. Raises NotPayableError.

        A form sent twice (double click, reload, back button) is one attempt: its second copy
        gets the outcome of the first. Another card from the same page is another attempt.
        """
        page_token = form.attempt or ids.new_page_token()
        card = _card_summary(form)
        if token := _attempt_begun_by(payment, page_token, card):
            return self._repeat(payment, token)
        self._shopper_payments.check_payable(payment)
        attempt = self._new_attempt(payment, form, page_token, base_url, shopper_ip)
        self._attempts.add(attempt)
        email = None if payment.customer_email else form.email  # the merchant's is never replaced
        now_us = self._clock.now_us()
        try:
            submitted = self._payments.submit(payment, attempt.token, card, email, now_us)
        except TransitionRefusedError as refused:
            current = refused.current
            if not _has_attempt(current, attempt.token):
                self._attempts.remove(attempt.id)
                if current and (token := _attempt_begun_by(current, page_token, card)):
                    return self._repeat(current, token)
                raise refusal_of(refused) from refused
            # The client sent the write twice, for it got no answer to the first.
            submitted = replace(current, updated_at_us=now_us)
        return self._run(submitted, attempt)

    def _run(self, submitted: Payment, attempt: Attempt) -> Progress:
        """A refused start is undone; one without a response may have happened, so it is not."""
        if self._shopper_payments.has_expired(submitted):
            # The write was too late: a reader may have seen the payment as expired already.
            if self._undo(submitted, attempt.id):
                raise NotPayableError("expired")
        else:
            try:
                self._workflow.start(attempt.id)
            except WorkflowRefusedError:
                if self._undo(submitted, attempt.id):
                    raise
        return self._wait(submitted, attempt.token)

    def _undo(self, submitted: Payment, attempt_id: str) -> bool:
        """False if the same form has come back meanwhile, and runs the attempt."""
        try:
            self._payments.release(submitted, self._clock.now_us())
        except TransitionRefusedError as refused:
            if _has_attempt(refused.current, submitted.attempt_tokens[-1]):
                return False
        self._attempts.remove(attempt_id)
        return True

    def _repeat(self, payment: Payment, token: str) -> Progress:
        """The form was sent before. Whoever sent it may have died before the workflow started."""
        if payment.attempt_tokens[-1] != token:
            return self._ended(payment, token)
        if payment.is_under_way and not self._shopper_payments.has_expired(payment):
            try:
                payment = self._payments.take_over(payment, self._clock.now_us())
            except TransitionRefusedError as refused:  # it has just ended, or was undone
                payment = refused.current or payment
            else:
                self._workflow.start(ids.attempt_id(payment.id, token))
        return self._wait(payment, token)

    def _wait(self, payment: Payment, token: str) -> Progress:
        """Until the attempt has an outcome, whatever other attempts follow it meanwhile."""
        progress = self._shopper_payments.wait(payment)
        if progress.payment.attempt_tokens[-1:] == (token,):
            return progress
        return self._ended(progress.payment, token)

    def _ended(self, payment: Payment, token: str) -> Progress:
        """An attempt that other attempts have followed has its own reason, not theirs."""
        self._shopper_payments.check_payable(payment)
        ended = payment.recorded_attempt(token)
        if ended is None:  # it was undone
            raise NotPayableError("in_progress")
        return self._shopper_payments.progress(
            replace(payment, card=ended.card, decline_code=ended.decline_code)
        )

    def _new_attempt(
        self, payment: Payment, form: PaymentForm, page_token: str, base_url: str, shopper_ip: str
    ) -> Attempt:
        token = ids.new_attempt_token(page_token)
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
            acquirer=self._acquirer_name(payment.account.mode),
            number=len(payment.attempt_tokens) + 1,
            shopper_ip=shopper_ip,
            shopper_email=payment.customer_email or form.email or "",
            merchant_country=payment.merchant_country,
            enforces_fraud_rules=payment.enforces_fraud_rules,
            captures=payment.captures,
            encrypted_card=self._card_cipher.encrypt(form.card, payment.id),
        )


def _has_attempt(payment: Payment | None, token: str) -> TypeGuard[Payment]:
    return payment is not None and token in payment.attempt_tokens


def _attempt_begun_by(payment: Payment, page_token: str, card: CardSummary) -> str | None:
    """The token of the attempt that this very form began.

    None if the form is a new one: another page's, with another card, or with a corrected security
    code (codes are not stored, so they cannot be compared).
    """
    for token, attempt in payment.attempts_newest_first:
        if ids.page_token_of(token) == page_token and _is_same(attempt.card, card):
            return None if attempt.decline_code == declines.INCORRECT_CVC else token
    return None


def _card_summary(form: PaymentForm) -> CardSummary:
    card = form.card
    return CardSummary(form.method, card.brand, card.last4, card.exp_month, card.exp_year)


def _is_same(recorded: CardSummary, typed: CardSummary) -> bool:
    """By method, brand, last four and expiry: the rest is the acquirer's to tell."""
    return replace(recorded, country="", funding="") == typed
