"""The composition root: builds clients, stores and use cases. Only it reads the environment.

A Lambda function's variables say what it uses; what they do not name cannot be asked for. Parts
are imported where they are built: a function starts with its own and no others.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from payments.model.ids import Mode
from payments.wiring.stores import Stores

if TYPE_CHECKING:
    from payments.acquirers.port import Wallets
    from payments.risk.assessment import Risk
    from payments.use_cases.api_keys import ApiKeys
    from payments.use_cases.assess_risk import AssessRisk, RunTogether
    from payments.use_cases.cancel_checkout import CancelCheckout
    from payments.use_cases.cancel_payment import CancelPayment
    from payments.use_cases.capture_payment import CapturePayment
    from payments.use_cases.complete_challenge import CompleteChallenge
    from payments.use_cases.create_payment import CreatePayment
    from payments.use_cases.end_hold import EndHold
    from payments.use_cases.pay_payment import PayPayment
    from payments.use_cases.read_payments import GetPayment, ListPayments
    from payments.use_cases.read_refunds import ReadRefunds
    from payments.use_cases.reconcile_attempts import ReconcileAttempts
    from payments.use_cases.reconcile_money import ReconcileMoney
    from payments.use_cases.record_failures import RecordFailures
    from payments.use_cases.refresh_rates import RefreshRates
    from payments.use_cases.refund_payment import RefundPayment
    from payments.use_cases.resolve_attempt import ResolveAttempt
    from payments.use_cases.run_attempt import RunAttempt
    from payments.use_cases.settle_attempt import SettleAttempt
    from payments.use_cases.settle_refund import SettleRefund
    from payments.use_cases.shopper_payments import ShopperPayments


class Services(Stores):
    """Every use case that one function's environment allows, built once and then shared."""

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
        from payments.adapters.store.rates import CurrentRates
        from payments.use_cases.create_payment import CreatePayment

        return CreatePayment(
            self._payments,
            self._idempotency,
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
    def resolve_attempt(self) -> ResolveAttempt:
        from payments.use_cases.resolve_attempt import ResolveAttempt

        return ResolveAttempt(self._attempts, self._acquirers, self._settle_attempt)

    @cached_property
    def refund_payment(self) -> RefundPayment:
        from payments.use_cases.refund_payment import RefundPayment

        return RefundPayment(
            self._payments,
            self._refunds,
            self._idempotency,
            self._settle_refund,
            self.clock,
            self.settings.refund_max_age_seconds,
            returns_fees=self.settings.refund_returns_fees,
        )

    @cached_property
    def read_refunds(self) -> ReadRefunds:
        from payments.use_cases.read_refunds import ReadRefunds

        return ReadRefunds(self._payments, self._refunds)

    @cached_property
    def capture_payment(self) -> CapturePayment:
        from payments.use_cases.capture_payment import CapturePayment

        return CapturePayment(self._payments, self._idempotency, self._end_hold, self.clock)

    @cached_property
    def cancel_payment(self) -> CancelPayment:
        from payments.use_cases.cancel_payment import CancelPayment

        return CancelPayment(self._payments, self.cancel_checkout, self._end_hold, self.clock)

    @cached_property
    def reconcile_money(self) -> ReconcileMoney:
        from payments.use_cases.reconcile_money import ReconcileMoney

        return ReconcileMoney(
            self._payments,
            self._refunds,
            self._holds,
            self._settle_refund,
            self._end_hold,
            self.clock,
            self.telemetry.report_open_attempt,
        )

    @cached_property
    def _settle_refund(self) -> SettleRefund:
        from payments.use_cases.settle_refund import SettleRefund

        return SettleRefund(
            self._payments,
            self._refunds,
            self.work,
            self._acquirers,
            self.clock,
            self.telemetry.count,
        )

    @cached_property
    def _end_hold(self) -> EndHold:
        from payments.use_cases.end_hold import EndHold

        return EndHold(
            self._payments,
            self._holds,
            self.work,
            self._acquirers,
            self.clock,
            self.telemetry.count,
        )

    @cached_property
    def reconcile_attempts(self) -> ReconcileAttempts:
        from payments.use_cases.reconcile_attempts import ReconcileAttempts

        return ReconcileAttempts(
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
            self._payments,
            self._attempts,
            self.clock,
            lambda: self._record_failures,
            lambda: self._holds,
        )

    def wallets_for(self, mode: Mode) -> Wallets:
        """Live tokens need an acquirer that can open them, and there is none yet."""
        from payments.acquirers.port import NoWallets
        from payments.acquirers.simulator.wallets import SimulatedWallets

        return SimulatedWallets() if mode is Mode.TEST else NoWallets()
