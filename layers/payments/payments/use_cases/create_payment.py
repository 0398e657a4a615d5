"""A merchant asks for a payment: it is stored, and a checkout page stands ready for it."""

from collections.abc import Callable
from dataclasses import dataclass

from payments.adapters.store.idempotency import IdempotencyStore
from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.rates import CurrentRates
from payments.errors import KeyReusedError
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


@dataclass(frozen=True, slots=True)
class Created:
    """`is_replay` if an earlier request with the same key made it."""

    payment: Payment
    is_replay: bool


class CreatePayment:
    """Claim the key, then put the payment: a crash in between is healed by the next try."""

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
        """Raises NoLiveAcquirerError, KeyReusedError, RatesUnavailableError."""
        self._acquirer_name(mode)  # raises where nobody could take the money
        account = Account(merchant.id, mode)
        now_us = self._clock.now_us()
        payment_id = ids.new_payment_id(now_us)
        if key is None:
            payment = self._new_payment(account, merchant, request, payment_id, now_us)
            self._payments.add(payment)
            return Created(payment, is_replay=False)
        return self._create_once(account, merchant, request, key, payment_id, now_us)

    def _create_once(
        self,
        account: Account,
        merchant: Merchant,
        request: PaymentRequest,
        key: IdempotencyKey,
        payment_id: str,
        now_us: int,
    ) -> Created:
        """Whoever puts the claimed payment first has made it; everyone else replays it."""
        claim = self._idempotency.claim(account, ROUTE, key, payment_id, now_us)
        if claim.body_hash != key.body_hash:
            raise KeyReusedError
        if not claim.is_new and (stored := self._payments.get(account, claim.resource_id)):
            return Created(stored, is_replay=True)
        payment = self._new_payment(account, merchant, request, claim.resource_id, now_us)
        if self._payments.add(payment):
            return Created(payment, is_replay=False)
        stored = self._payments.get(account, claim.resource_id)
        assert stored is not None, "payments are never deleted"
        return Created(stored, is_replay=True)

    def _new_payment(
        self,
        account: Account,
        merchant: Merchant,
        request: PaymentRequest,
        payment_id: str,
        now_us: int,
    ) -> Payment:
        """Priced only once the key is claimed: a replay needs no rates, and none can refuse it."""
        fixed = price(
            request.amount_minor,
            request.currency,
            merchant,
            account.mode,
            self._rates(),
            since=now_us // 1_000_000 - self._rates_max_age_seconds,
        )
        return _payment(account, merchant, request, fixed, payment_id, now_us)


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
