"""A merchant asks for a payment: it is stored, and a checkout page stands ready for it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from payments.adapters.store.idempotency import IdempotencyStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.rates import CurrentRates
from payments.errors import KeyReusedError, NotPayableError, UnavailableError
from payments.inputs.idempotency_key import IdempotencyKey
from payments.inputs.merchant_api import PaymentRequest
from payments.model import ids
from payments.model.clock import Clock
from payments.model.ids import Account, Mode
from payments.model.lifecycle import Status
from payments.model.merchant import Merchant
from payments.model.payment import Payment, StatusChange
from payments.model.pricing import Price, price

ROUTE = "POST /v1/payments"
# No function lives this long, so whoever claimed the key can no longer store the payment. Its id is
# as old as the claim, and a payment's lifetime counts from its id: another id takes its place.
STALE_CLAIM_SECONDS = 60
# Each lost take-over is another request's gain, which then stores the payment or dies.
MAX_TAKE_OVERS = 3


@dataclass(frozen=True, slots=True)
class Created:
    """`is_replay` if an earlier request with the same key made it."""

    payment: Payment
    is_replay: bool


class CreatePayment:
    """Claim the key, then put the payment: a crash in between is healed by the next try.

    What can refuse is asked before that, so that a refused request binds no key.
    """

    def __init__(
        self,
        payments: PaymentStore,
        idempotency: IdempotencyStore,
        rates: CurrentRates,
        rates_max_age_seconds: int,
        clock: Clock,
        acquirer_name: Callable[[Mode], str],
    ) -> None:
        self._payments = payments
        self._idempotency = idempotency
        self._rates = rates
        self._rates_max_age_seconds = rates_max_age_seconds
        self._clock = clock
        self._acquirer_name = acquirer_name

    def __call__(
        self, merchant: Merchant, mode: Mode, request: PaymentRequest, key: IdempotencyKey | None
    ) -> Created:
        """Raises NoLiveAcquirerError, KeyReusedError, RatesUnavailableError, NotPayableError."""
        self._acquirer_name(mode)  # raises where nobody could take the money
        account = Account(merchant.id, mode)
        now_us = self._clock.now_us()
        try:
            fixed = self._price(merchant, mode, request, now_us)
        except UnavailableError:
            if key and (stored := self._stored_under(account, key, now_us)):
                return Created(stored, is_replay=True)
            raise
        payment_id = ids.new_payment_id(now_us)
        payment = _payment(account, merchant, request, fixed, payment_id, now_us)
        if key:
            return self._create_once(payment, key, now_us)
        self._payments.add(payment)
        return Created(payment, is_replay=False)

    def _price(self, merchant: Merchant, mode: Mode, request: PaymentRequest, now_us: int) -> Price:
        return price(
            request.amount_minor,
            request.currency,
            merchant,
            mode,
            self._rates(),
            since=now_us // 1_000_000 - self._rates_max_age_seconds,
        )

    def _stored_under(self, account: Account, key: IdempotencyKey, now_us: int) -> Payment | None:
        """What the key made before: a replay needs no rates, and none can refuse it."""
        claim = self._idempotency.find(account, ROUTE, key, now_us)
        if claim is None:
            return None
        if claim.body_hash != key.body_hash:
            raise KeyReusedError
        return self._payments.get(account, claim.resource_id)

    def _create_once(self, payment: Payment, key: IdempotencyKey, now_us: int) -> Created:
        """The first to put the claimed payment has made it; everyone else replays it."""
        account = payment.account
        for _ in range(MAX_TAKE_OVERS):
            claim = self._idempotency.claim(account, ROUTE, key, payment.id, now_us)
            if claim.body_hash != key.body_hash:
                raise KeyReusedError
            if claim.is_new:
                return self._add_or_replay(payment)
            if stored := self._payments.get(account, claim.resource_id):
                return Created(stored, is_replay=True)
            is_stale = now_us // 1_000_000 - claim.claimed_at >= STALE_CLAIM_SECONDS
            payment_id = payment.id if is_stale else claim.resource_id
            if self._idempotency.take_over(account, ROUTE, key, claim, payment_id, now_us):
                return self._add_or_replay(replace(payment, id=payment_id))
        raise NotPayableError("in_progress")

    def _add_or_replay(self, payment: Payment) -> Created:
        if self._payments.add(payment):
            return Created(payment, is_replay=False)
        stored = self._payments.get(payment.account, payment.id)
        assert stored is not None, "payments are never deleted"
        return Created(stored, is_replay=True)


def _payment(
    account: Account,
    merchant: Merchant,
    request: PaymentRequest,
    fixed: Price,
    payment_id: str,
    now_us: int,
) -> Payment:
    return Payment(
        account=account,
        id=payment_id,
        client_secret=ids.new_client_secret(account),
        status=Status.REQUIRES_ACTION,
        amount_minor=request.amount_minor,
        currency=request.currency,
        description=request.description,
        items=tuple(request.items),
        return_url=request.return_url,
        company_name=merchant.name,
        company_email=merchant.email,
        statement_descriptor=merchant.statement_descriptor,
        local_currency=merchant.local_currency,
        fee_minor=fixed.fee_minor,
        net_minor=fixed.net_minor,
        net_currency=fixed.net_currency,
        quote=fixed.quote,
        created_at_us=now_us,
        updated_at_us=now_us,
        history=(StatusChange(Status.REQUIRES_ACTION, now_us),),
        customer_email=request.customer_email,
        metadata=dict(request.metadata),
        merchant_country=merchant.country,
        enforces_fraud_rules=account.mode is Mode.LIVE or merchant.enforces_fraud_rules_in_test,
    )
