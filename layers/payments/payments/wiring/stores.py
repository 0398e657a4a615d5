"""AWS clients, stores and acquirers: what a function's environment variables name.

What they do not name cannot be asked for. Parts are imported where they are built: a function
starts with its own and no others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

from payments.adapters.aws import CLIENT_CONFIG, RISK_CLIENT_CONFIG, AwsClient
from payments.model.clock import Clock, SystemClock
from payments.settings import Settings
from payments.telemetry import Telemetry

if TYPE_CHECKING:
    from payments.acquirers.port import Acquirer
    from payments.acquirers.registry import Acquirers
    from payments.acquirers.simulator.acquirer import SimulatedAcquirer
    from payments.adapters.card_cipher import CardCipher
    from payments.adapters.store.attempts import AttemptStore
    from payments.adapters.store.holds import HoldStore
    from payments.adapters.store.idempotency import IdempotencyStore
    from payments.adapters.store.merchants import CachedProfiles
    from payments.adapters.store.payments import PaymentStore
    from payments.adapters.store.rates import RatesStore
    from payments.adapters.store.refunds import RefundStore
    from payments.adapters.store.risk_counters import RiskCounters
    from payments.adapters.store.work import WorkStore
    from payments.adapters.workflow import Workflow
    from payments.use_cases.assess_risk import RunTogether


class Stores:
    """Everything one function's environment allows to read, write and ask, built when needed."""

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
    def _risk_counters(self) -> RiskCounters:
        from payments.adapters.store.risk_counters import RiskCounters

        return RiskCounters(self._risk_dynamodb, self._environment["RISK_TABLE"])

    @cached_property
    def simulator(self) -> SimulatedAcquirer:
        """The acquirer of test mode; its issuer's challenge page asks for it by name."""
        from payments.acquirers.simulator.acquirer import SimulatedAcquirer

        table = self._environment["SIMULATOR_TABLE"]
        return SimulatedAcquirer(self._dynamodb, table, self.clock.now_us)

    @cached_property
    def _refunds(self) -> RefundStore:
        from payments.adapters.store.refunds import RefundStore

        table = self._environment["PAYMENTS_TABLE"]
        return RefundStore(self._dynamodb, table, self.work, self.clock.sleep)

    @cached_property
    def _holds(self) -> HoldStore:
        from payments.adapters.store.holds import HoldStore

        table = self._environment["PAYMENTS_TABLE"]
        return HoldStore(self._dynamodb, table, self.work, self.clock.sleep)

    @cached_property
    def work(self) -> WorkStore:
        from payments.adapters.store.work import WorkStore

        return WorkStore(self._dynamodb, self._environment["ATTEMPTS_TABLE"])

    @cached_property
    def _idempotency(self) -> IdempotencyStore:
        from payments.adapters.store.idempotency import IdempotencyStore

        return IdempotencyStore(self._dynamodb, self._environment["IDEMPOTENCY_TABLE"])

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
