"""The composition root: builds clients, stores and use cases. Only it reads the environment.

A Lambda function's variables say what it uses; what they do not name cannot be asked for. Parts
are imported where they are built: a function starts with its own and no others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

from payments.adapters.aws import CLIENT_CONFIG, RISK_CLIENT_CONFIG, AwsClient
from payments.model.clock import Clock, SystemClock
from payments.model.ids import Mode
from payments.settings import Settings
from payments.telemetry import Telemetry

if TYPE_CHECKING:
    from payments.acquirers.port import Acquirer, Wallets
    from payments.acquirers.registry import Acquirers
    from payments.acquirers.simulator.acquirer import SimulatedAcquirer
    from payments.adapters.card_cipher import CardCipher
    from payments.adapters.store.attempts import AttemptStore
    from payments.adapters.store.merchants import CachedProfiles
    from payments.adapters.store.payments import PaymentStore
    from payments.adapters.store.rates import RatesStore
    from payments.adapters.store.risk_counters import RiskCounters
    from payments.adapters.workflow import Workflow
    from payments.risk.assessment import Risk
    from payments.use_cases.api_keys import ApiKeys
    from payments.use_cases.assess_risk import AssessRisk, RunTogether
    from payments.use_cases.cancel_checkout import CancelCheckout
    from payments.use_cases.complete_challenge import CompleteChallenge
    from payments.use_cases.create_payment import CreatePayment
    from payments.use_cases.pay_payment import PayPayment
    from payments.use_cases.read_payments import GetPayment, ListPayments
    from payments.use_cases.reconcile_attempts import ReconcileAttempts
    from payments.use_cases.record_failures import RecordFailures
    from payments.use_cases.refresh_rates import RefreshRates
    from payments.use_cases.resolve_attempt import ResolveAttempt
    from payments.use_cases.run_attempt import RunAttempt
    from payments.use_cases.settle_attempt import SettleAttempt
    from payments.use_cases.shopper_payments import ShopperPayments


class Services:
    """Everything one function's environment allows, built once and then shared."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        acquirer: Acquirer | None = None,
        run_together: RunTogether | None = None,
        session: boto3.session.Session | None = None,
    ) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        self._acquirer = acquirer
        self._given_run_together = run_together
        self.settings = Settings.read(self._environment)
        self.clock: Clock = clock or SystemClock()
        self.telemetry = Telemetry(self.settings)
        aws: Any = session or boto3
        self._dynamodb = AwsClient(aws.client("dynamodb", config=CLIENT_CONFIG))
        if "CARD_KEY_ID" in self._environment:
            self._kms = AwsClient(aws.client("kms", config=CLIENT_CONFIG))
        if "RISK_TABLE" in self._environment:
            self._risk_dynamodb = AwsClient(aws.client("dynamodb", config=RISK_CLIENT_CONFIG))
        if "FINGERPRINT_KEY_ID" in self._environment:
            self._risk_kms = AwsClient(aws.client("kms", config=RISK_CLIENT_CONFIG))
        if "WORKFLOW_ARN" in self._environment:
            self._stepfunctions = AwsClient(aws.client("stepfunctions", config=CLIENT_CONFIG))

    @cached_property
    def _run_together(self) -> RunTogether:
        from payments.adapters.threads import threads

        return self._given_run_together or threads()

    @cached_property
    def api_keys(self) -> ApiKeys:
        from payments.adapters.store.api_keys import ApiKeyStore
        from payments.use_cases.api_keys import ApiKeys

        return ApiKeys(ApiKeyStore(self._dynamodb, self._environment["KEYS_TABLE"]))

    @cached_property
    def create_payment(self) -> CreatePayment:
        from payments.adapters.store.idempotency import IdempotencyStore
        from payments.adapters.store.rates import CurrentRates
        from payments.use_cases.create_payment import CreatePayment

        idempotency = IdempotencyStore(self._dynamodb, self._environment["IDEMPOTENCY_TABLE"])
        return CreatePayment(
            self._payments,
            idempotency,
            CurrentRates(self._rates, self.clock),
            self.settings.rates_max_age_seconds,
            self.clock,
            self.settings.acquirer_name,
        )

    @cached_property
    def refresh_rates(self) -> RefreshRates:
        from payments.adapters.rates_feed import RatesFeed
        from payments.use_cases.refresh_rates import RefreshRates

        feed = RatesFeed(self._environment["RATES_URL"], self.clock)
        return RefreshRates(self._rates, feed)

    @cached_property
    def get_payment(self) -> GetPayment:
        from payments.use_cases.read_payments import GetPayment

        return GetPayment(self._payments)

    @cached_property
    def list_payments(self) -> ListPayments:
        from payments.use_cases.read_payments import ListPayments

        return ListPayments(self._payments, self.clock, self.settings.payment_lifetime_seconds)

    @cached_property
    def shopper_payments(self) -> ShopperPayments:
        from payments.use_cases.shopper_payments import ShopperPayments

        return ShopperPayments(
            self._payments,
            self._attempts,
            self.clock,
            self.settings.payment_lifetime_seconds,
            self.settings.outcome_wait_seconds,
        )

    @cached_property
    def pay_payment(self) -> PayPayment:
        from payments.use_cases.pay_payment import PayPayment

        return PayPayment(
            self.shopper_payments,
            self._payments,
            self._attempts,
            self._card_cipher,
            self._workflow,
            self.clock,
            self.settings.acquirer_name,
        )

    @cached_property
    def cancel_checkout(self) -> CancelCheckout:
        from payments.use_cases.cancel_checkout import CancelCheckout

        return CancelCheckout(self.shopper_payments, self._payments, self.clock)

    @cached_property
    def complete_challenge(self) -> CompleteChallenge:
        from payments.use_cases.complete_challenge import CompleteChallenge

        return CompleteChallenge(self.shopper_payments, self._attempts, self._workflow)

    @cached_property
    def run_attempt(self) -> RunAttempt:
        from payments.use_cases.run_attempt import RunAttempt

        return RunAttempt(
            self._attempts,
            self._card_cipher,
            self._acquirers,
            self._assess,
            self._record_failures,
            self._settle_attempt,
            charges_when_unavailable=self.settings.three_ds_unavailable == "proceed",
        )

    def _assess(self, *known: Any) -> Risk:
        """Built when it is first called: Authorize has no use for it."""
        return self._assess_risk(*known)

    @cached_property
    def _assess_risk(self) -> AssessRisk:
        from disposable_email_domains import blocklist

        from payments.adapters.fingerprints import Fingerprints
        from payments.adapters.store.merchant_lists import MerchantListStore
        from payments.risk.assessment import Thresholds
        from payments.use_cases.assess_risk import AssessRisk

        return AssessRisk(
            self._risk_counters,
            MerchantListStore(self._risk_dynamodb, self._environment["MERCHANTS_TABLE"]),
            Fingerprints(self._risk_kms, self._environment["FINGERPRINT_KEY_ID"]),
            self._run_together,
            blocklist.__contains__,
            Thresholds(self.settings.elevated_risk_score, self.settings.highest_risk_score),
            self.telemetry.report_risk_unavailable,
        )

    @cached_property
    def _record_failures(self) -> RecordFailures:
        from payments.use_cases.record_failures import RecordFailures

        report = self.telemetry.report_risk_unavailable
        return RecordFailures(self._risk_counters, self._run_together, report)

    @cached_property
    def _risk_counters(self) -> RiskCounters:
        from payments.adapters.store.risk_counters import RiskCounters

        return RiskCounters(self._risk_dynamodb, self._environment["RISK_TABLE"])

    @cached_property
    def resolve_attempt(self) -> ResolveAttempt:
        from payments.use_cases.resolve_attempt import ResolveAttempt

        return ResolveAttempt(self._attempts, self._acquirers, self._settle_attempt)

    @cached_property
    def reconcile_attempts(self) -> ReconcileAttempts:
        from payments.use_cases.reconcile_attempts import ReconcileAttempts

        return ReconcileAttempts(
            self._attempts,
            self._workflow,
            self.resolve_attempt,
            self.clock,
            self.telemetry.report_open_attempt,
        )

    @cached_property
    def _settle_attempt(self) -> SettleAttempt:
        from payments.use_cases.settle_attempt import SettleAttempt

        # Made when first needed: the reconciler knows no attempt's risk, so it has no counters.
        return SettleAttempt(
            self._payments, self._attempts, self.clock, lambda: self._record_failures
        )

    def wallets_for(self, mode: Mode) -> Wallets:
        """Live tokens need an acquirer that can open them, and there is none yet."""
        from payments.acquirers.port import NoWallets
        from payments.acquirers.simulator.wallets import SimulatedWallets

        return SimulatedWallets() if mode is Mode.TEST else NoWallets()

    @cached_property
    def simulator(self) -> SimulatedAcquirer:
        """The acquirer of test mode; its issuer's challenge page asks for it by name."""
        from payments.acquirers.simulator.acquirer import SimulatedAcquirer

        table = self._environment["SIMULATOR_TABLE"]
        return SimulatedAcquirer(self._dynamodb, table, self.clock.now_us)

    @cached_property
    def _payments(self) -> PaymentStore:
        from payments.adapters.store.payments import PaymentStore

        return PaymentStore(self._dynamodb, self._environment["PAYMENTS_TABLE"])

    @cached_property
    def _attempts(self) -> AttemptStore:
        from payments.adapters.store.attempts import AttemptStore

        return AttemptStore(self._dynamodb, self._environment["ATTEMPTS_TABLE"])

    @cached_property
    def profiles(self) -> CachedProfiles:
        """What only the checkout needs to know of merchants."""
        from payments.adapters.store.merchants import CachedProfiles, MerchantStore

        store = MerchantStore(self._dynamodb, self._environment["MERCHANTS_TABLE"])
        return CachedProfiles(store, self.clock)

    @cached_property
    def _rates(self) -> RatesStore:
        from payments.adapters.store.rates import RatesStore

        return RatesStore(self._dynamodb, self._environment["RATES_TABLE"])

    @cached_property
    def _workflow(self) -> Workflow:
        from payments.adapters.workflow import Workflow

        return Workflow(self._stepfunctions, self._environment["WORKFLOW_ARN"])

    @cached_property
    def _card_cipher(self) -> CardCipher:
        from payments.adapters.card_cipher import CardCipher

        return CardCipher(self._kms, self._environment["CARD_KEY_ID"])

    @cached_property
    def _acquirers(self) -> Acquirers:
        from payments.acquirers.registry import Acquirers
        from payments.model.ids import SIMULATOR

        return Acquirers({SIMULATOR: lambda: self._acquirer or self.simulator})
