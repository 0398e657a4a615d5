"""A merchant gives money back: the amount is reserved first, and then the acquirer is asked."""

from dataclasses import dataclass

from payments.adapters.store.idempotency import IdempotencyStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.refunds import RefundStore
from payments.adapters.store.transitions import TransitionRefusedError
from payments.errors import (
    ConflictError,
    KeyReusedError,
    PaymentNotFoundError,
    UnavailableError,
)
from payments.inputs.idempotency_key import IdempotencyKey
from payments.inputs.money_out import RefundRequest, requested_minor
from payments.model import ids
from payments.model.clock import Clock
from payments.model.ids import SIMULATOR, Account
from payments.model.lifecycle import Status
from payments.model.payment import Payment
from payments.model.pricing import refunds_net_minor
from payments.model.refund import MAX_REFUNDS, Refund
from payments.money.amounts import format_amount
from payments.use_cases.settle_refund import MAX_TRIES, SettleRefund


@dataclass(frozen=True, slots=True)
class Refunded:
    """`is_replay` if an earlier request with the same key made the refund."""

    refund: Refund
    is_replay: bool


class RefundPayment:
    """Reserve, ask, settle. A crash after the first leaves a work row to the reconciler."""

    def __init__(
        self,
        payments: PaymentStore,
        refunds: RefundStore,
        idempotency: IdempotencyStore,
        settle: SettleRefund,
        clock: Clock,
        max_age_seconds: int,
        *,
        returns_fees: bool,
    ) -> None:
        """`returns_fees`: whether a refund gives the merchant its share of the fee back."""
        self._payments = payments
        self._refunds = refunds
        self._idempotency = idempotency
        self._settle = settle
        self._clock = clock
        self._max_age_seconds = max_age_seconds
        self._returns_fees = returns_fees

    def __call__(
        self, account: Account, payment_id: str, request: RefundRequest, key: IdempotencyKey | None
    ) -> Refunded:
        """The refund as far as it is known: pending if the acquirer has not responded.

        Raises PaymentNotFoundError, ConflictError, InvalidInputError, KeyReusedError.
        """
        payment = self._find(account, payment_id)
        now_us = self._clock.now_us()
        refund_id = ids.new_refund_id(now_us)
        if key is None:
            return Refunded(self._refund(payment, request, refund_id), is_replay=False)
        route = f"POST /v1/payments/{payment_id}/refunds"
        known = self._idempotency.find(account, route, key, now_us)
        if known is None:
            self._new_refund(payment, request, refund_id, now_us)  # what is refused binds no key
            known = self._idempotency.claim(account, route, key, refund_id, now_us)
        if known.body_hash != key.body_hash:
            raise KeyReusedError
        if not known.is_new and (stored := self._refunds.get(account, known.resource_id)):
            return Refunded(stored, is_replay=True)
        # Refused now, the key stays bound: another request with it may be making the refund.
        refund = self._refund(payment, request, known.resource_id)
        return Refunded(refund, is_replay=not known.is_new)

    def _find(self, account: Account, payment_id: str) -> Payment:
        payment = self._payments.get(account, payment_id) if ids.is_payment_id(payment_id) else None
        if payment is None:
            raise PaymentNotFoundError
        return payment

    def _refund(self, payment: Payment, request: RefundRequest, refund_id: str) -> Refund:
        refund = self._reserve(payment, request, refund_id)
        try:
            return self._settle.ask(refund)
        except UnavailableError:
            return refund

    def _reserve(self, payment: Payment, request: RefundRequest, refund_id: str) -> Refund:
        """Whoever reserves first has it; who comes after is judged by what is left."""
        for _ in range(MAX_TRIES):
            if refund_id in payment.refund_ids:
                stored = self._refunds.get(payment.account, refund_id)
                assert stored is not None, "a refund is put with its reservation"
                return stored
            # Each time the time: what others have done meanwhile came before.
            refund = self._new_refund(payment, request, refund_id, self._clock.now_us())
            try:
                self._refunds.reserve(payment, refund)
            except TransitionRefusedError as refused:
                current = refused.current or self._payments.get(payment.account, payment.id)
                payment = current or payment
            else:
                return refund
        raise ConflictError.operation_in_progress()

    def _new_refund(
        self, payment: Payment, request: RefundRequest, refund_id: str, now_us: int
    ) -> Refund:
        """Raises ConflictError, InvalidInputError."""
        self._check_refundable(payment, now_us)
        left_minor = payment.refundable_total_minor
        amount_minor = requested_minor(request.amount, payment.currency) or left_minor
        if amount_minor > left_minor:
            left = format_amount(left_minor, payment.currency)
            raise ConflictError("exceeds_refundable", refundable_amount=left)
        after_minor = payment.captured_total_minor - left_minor + amount_minor
        net_after = refunds_net_minor(payment, after_minor, returns_fees=self._returns_fees)
        assert payment.attempt_id is not None, "a paid payment was charged"
        return Refund(
            account=payment.account,
            id=refund_id,
            payment_id=payment.id,
            amount_minor=amount_minor,
            currency=payment.currency,
            net_minor=net_after - payment.refunds_net_minor,
            net_currency=payment.net_currency,
            reason=request.reason,
            acquirer=payment.acquirer or SIMULATOR,
            charge=payment.attempt_id,
            created_at_us=now_us,
            updated_at_us=now_us,
            reference=request.reference,
            metadata=dict(request.metadata),
        )

    def _check_refundable(self, payment: Payment, now_us: int) -> None:
        if payment.status is Status.REFUNDED:
            raise ConflictError("already_refunded")
        if payment.status is not Status.SUCCEEDED:
            raise ConflictError("not_paid")
        if now_us - payment.created_at_us > self._max_age_seconds * 1_000_000:
            raise ConflictError("too_old")
        if len(payment.refund_ids) >= MAX_REFUNDS:
            raise ConflictError("too_many_refunds")
        if payment.refundable_total_minor == 0:
            raise ConflictError("already_refunded")
