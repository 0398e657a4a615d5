"""The parameters of the template, as a function's environment carries them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from payments.errors import NoLiveAcquirerError
from payments.model.ids import NO_ACQUIRER, SIMULATOR, Mode


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of the template, as a function's environment carries them."""

    service: str
    function: str
    version: str
    release: str
    public_base_url: str
    live_acquirer: str
    payment_lifetime_seconds: int
    outcome_wait_seconds: int
    three_ds_unavailable: str
    rates_max_age_seconds: int
    elevated_risk_score: int
    highest_risk_score: int
    refund_max_age_seconds: int
    refund_returns_fees: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        return cls(
            service=environment.get("POWERTOOLS_SERVICE_NAME", "payments"),
            function=environment.get("AWS_LAMBDA_FUNCTION_NAME", "local"),
            version=environment.get("AWS_LAMBDA_FUNCTION_VERSION", "local"),
            release=environment.get("RELEASE") or "local",
            public_base_url=environment.get("PUBLIC_BASE_URL", ""),
            live_acquirer=environment.get("LIVE_ACQUIRER", NO_ACQUIRER),
            payment_lifetime_seconds=int(environment.get("PAYMENT_LIFETIME_SECONDS", "86400")),
            outcome_wait_seconds=int(environment.get("OUTCOME_WAIT_SECONDS", "10")),
            three_ds_unavailable=environment.get("THREE_DS_UNAVAILABLE", "refuse"),
            rates_max_age_seconds=int(environment.get("RATES_MAX_AGE_HOURS", "48")) * 3600,
            elevated_risk_score=int(environment.get("ELEVATED_RISK_SCORE", "50")),
            highest_risk_score=int(environment.get("HIGHEST_RISK_SCORE", "80")),
            refund_max_age_seconds=int(environment.get("REFUND_MAX_AGE_DAYS", "365")) * 86_400,
            refund_returns_fees=environment.get("REFUND_RETURNS_FEES", "no") == "yes",
        )

    def acquirer_name(self, mode: Mode) -> str:
        """Who is asked by attempts that begin now (contract, section 9).

        Raises NoLiveAcquirerError.
        """
        if mode is Mode.TEST:
            return SIMULATOR
        if self.live_acquirer == NO_ACQUIRER:
            raise NoLiveAcquirerError
        return self.live_acquirer
