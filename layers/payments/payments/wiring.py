"""The composition root: builds clients, stores and use cases, and alone reads the environment.

A Lambda function's variables say what it uses; what they do not name cannot be asked for. Parts
are imported where they are built: a function starts with its own and no others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import botocore.session
from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from botocore.config import Config

from payments.clock import Clock, SystemClock
from payments.errors import NoLiveAcquirerError
from payments.ids import Mode

if TYPE_CHECKING:
    from payments.acquirer.port import Acquirer
    from payments.acquirer.simulator import SimulatedAcquirer
    from payments.api_keys import ApiKeys
    from payments.store.attempts import Attempt, AttemptStore
    from payments.store.payments import PaymentStore
    from payments.use_cases.cancel_payment import CancelPayment
    from payments.use_cases.create_payment import CreatePayment
    from payments.use_cases.end_challenge import EndChallenge
    from payments.use_cases.follow_payment import FollowPayment
    from payments.use_cases.pay_payment import PayPayment
    from payments.use_cases.read_payments import GetPayment, ListPayments
    from payments.use_cases.reconcile_attempts import ReconcileAttempts
    from payments.use_cases.resolve_attempt import ResolveAttempt
    from payments.use_cases.run_attempt import RunAttempt
    from payments.use_cases.settle_attempt import SettleAttempt
    from payments.vault import CardVault
    from payments.workflow import Workflow

NAMESPACE = "Payments"
# Bounded waiting: three tries of at most five seconds each, with jitter in between. The services
# check parameters themselves, and a user agent of our own is not put together anew for each call.
_CLIENT_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
    user_agent="payments-api",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of the template, as a function's environment carries them."""

    service: str
    public_base_url: str
    live_acquirer: str
    payment_lifetime_seconds: int
    outcome_wait_seconds: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        return cls(
            service=environment.get("POWERTOOLS_SERVICE_NAME", "payments"),
            public_base_url=environment.get("PUBLIC_BASE_URL", ""),
            live_acquirer=environment.get("LIVE_ACQUIRER", "none"),
            payment_lifetime_seconds=int(environment.get("PAYMENT_LIFETIME_SECONDS", "86400")),
            outcome_wait_seconds=int(environment.get("OUTCOME_WAIT_SECONDS", "10")),
        )


class Root:
    """Everything one function's environment allows, built once and then shared."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        acquirer: Acquirer | None = None,
        session: botocore.session.Session | None = None,
    ) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        self._acquirer = acquirer
        self.settings = Settings.read(self._environment)
        self.clock: Clock = clock or SystemClock()
        self.logger = Logger(service=self.settings.service)
        session = session or botocore.session.get_session()
        self._dynamodb = session.create_client("dynamodb", config=_CLIENT_CONFIG)
        if "CARD_KEY_ID" in self._environment:
            self._kms = session.create_client("kms", config=_CLIENT_CONFIG)
        if "WORKFLOW_ARN" in self._environment:
            self._stepfunctions = session.create_client("stepfunctions", config=_CLIENT_CONFIG)

    @cached_property
    def api_keys(self) -> ApiKeys:
        from payments.api_keys import ApiKeys
        from payments.store.api_keys import ApiKeyStore

        return ApiKeys(ApiKeyStore(self._dynamodb, self._environment["KEYS_TABLE"]))

    @cached_property
    def create_payment(self) -> CreatePayment:
        from payments.store.idempotency import IdempotencyStore
        from payments.use_cases.create_payment import CreatePayment

        idempotency = IdempotencyStore(self._dynamodb, self._environment["IDEMPOTENCY_TABLE"])
        return CreatePayment(self._payments, idempotency, self.clock, self._takes)

    @cached_property
    def get_payment(self) -> GetPayment:
        from payments.use_cases.read_payments import GetPayment

        return GetPayment(self._payments)

    @cached_property
    def list_payments(self) -> ListPayments:
        from payments.use_cases.read_payments import ListPayments

        return ListPayments(self._payments, self.clock, self.settings.payment_lifetime_seconds)

    @cached_property
    def follow_payment(self) -> FollowPayment:
        from payments.use_cases.follow_payment import FollowPayment

        return FollowPayment(
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
            self.follow_payment,
            self._payments,
            self._attempts,
            self._vault,
            self._workflow,
            self.clock,
        )

    @cached_property
    def cancel_payment(self) -> CancelPayment:
        from payments.use_cases.cancel_payment import CancelPayment

        return CancelPayment(self.follow_payment, self._payments, self.clock)

    @cached_property
    def end_challenge(self) -> EndChallenge:
        from payments.use_cases.end_challenge import EndChallenge

        return EndChallenge(self.follow_payment, self._payments, self._attempts, self._workflow)

    @cached_property
    def run_attempt(self) -> RunAttempt:
        from payments.use_cases.run_attempt import RunAttempt

        return RunAttempt(self._attempts, self._vault, self._acquirer_for, self._settle_attempt)

    @cached_property
    def resolve_attempt(self) -> ResolveAttempt:
        from payments.use_cases.resolve_attempt import ResolveAttempt

        return ResolveAttempt(self._attempts, self._acquirer_for, self._settle_attempt)

    @cached_property
    def reconcile_attempts(self) -> ReconcileAttempts:
        from payments.use_cases.reconcile_attempts import ReconcileAttempts

        return ReconcileAttempts(
            self._attempts, self._workflow, self.resolve_attempt, self.clock, self._report
        )

    def _report(self, attempt: Attempt, error: Exception) -> None:
        self.logger.error(
            "an attempt could not be ended", attempt=attempt.id, error=type(error).__name__
        )

    @cached_property
    def _settle_attempt(self) -> SettleAttempt:
        from payments.use_cases.settle_attempt import SettleAttempt

        return SettleAttempt(self._payments, self._attempts, self.clock)

    @cached_property
    def simulator(self) -> SimulatedAcquirer:
        """The acquirer of test mode; its issuer's challenge page asks for it by name."""
        from payments.acquirer.simulator import SimulatedAcquirer

        table = self._environment["SIMULATOR_TABLE"]
        return SimulatedAcquirer(self._dynamodb, table, self.clock.now_us)

    @cached_property
    def _payments(self) -> PaymentStore:
        from payments.store.payments import PaymentStore

        return PaymentStore(self._dynamodb, self._environment["PAYMENTS_TABLE"])

    @cached_property
    def _attempts(self) -> AttemptStore:
        from payments.store.attempts import AttemptStore

        return AttemptStore(self._dynamodb, self._environment["ATTEMPTS_TABLE"])

    @cached_property
    def _workflow(self) -> Workflow:
        from payments.workflow import Workflow

        return Workflow(self._stepfunctions, self._environment["WORKFLOW_ARN"])

    @cached_property
    def _vault(self) -> CardVault:
        from payments.vault import CardVault

        return CardVault(self._kms, self._environment["CARD_KEY_ID"])

    def count(self, metric: str, mode: Mode) -> None:
        """One more of a business metric, by mode."""
        self._emit(metric, 1, {"mode": str(mode)})

    def measure(self, metric: str, value: int) -> None:
        """How large something is now."""
        self._emit(metric, value, {})

    def _emit(self, metric: str, value: int, dimensions: dict[str, str]) -> None:
        with single_metric(
            name=metric,
            unit=MetricUnit.Count,
            value=value,
            namespace=NAMESPACE,
            default_dimensions={"service": self.settings.service, **dimensions},
        ):
            pass

    def _takes(self, mode: Mode) -> bool:
        """Whether there is an acquirer for the mode's money (contract, section 9)."""
        return mode is Mode.TEST or self.settings.live_acquirer == "simulator"

    def _acquirer_for(self, mode: Mode) -> Acquirer:
        if not self._takes(mode):
            raise NoLiveAcquirerError
        return self._acquirer or self.simulator
