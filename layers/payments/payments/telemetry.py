"""What a function tells its operators: a log and metrics, nothing of what people typed."""

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

from payments.errors import AwsUnavailableError
from payments.model.ids import Mode
from payments.settings import Settings

NAMESPACE = "Payments"


class Telemetry:
    """One function's log and metrics, named by its service."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.logger = Logger(service=settings.service)
        self._emits_metrics = not is_metrics_disabled()

    def count(self, metric: str, mode: Mode) -> None:
        """One more of a business metric, by mode."""
        self._emit(metric, 1, {"mode": str(mode)})

    def measure(self, metric: str, value: int) -> None:
        """How large something is now."""
        self._emit(metric, value, {})

    def count_unforeseen_error(self) -> None:
        """By release, whose alarm rolls a deploy back; and by version, which says where to look."""
        here = self._settings
        self._emit("UnforeseenErrors", 1, {"release": here.release})
        self._emit("UnforeseenErrors", 1, {"function": here.function, "version": here.version})

    def report_risk_unavailable(self, error: Exception) -> None:
        """Counters, lists or fingerprints were not there: a challenge takes their place."""
        self.logger.warning("risk could not be read or counted", error=error_name(error))
        self.measure("RiskUnavailable", 1)

    def report_open_attempt(self, attempt_id: str, error: Exception) -> None:
        """The reconciler could not end it; its next run tries again."""
        self.logger.error(
            "an attempt could not be ended", attempt=attempt_id, error=error_name(error)
        )

    def _emit(self, metric: str, value: int, dimensions: dict[str, str]) -> None:
        if not self._emits_metrics:  # powertools' own switch, which single_metric overlooks
            return
        with single_metric(
            name=metric,
            unit=MetricUnit.Count,
            value=value,
            namespace=NAMESPACE,
            default_dimensions={"service": self._settings.service, **dimensions},
        ):
            pass


def error_name(error: Exception) -> str:
    """Never its text, which may quote input; AWS's own code where there is one."""
    code = f" {error.code}" if isinstance(error, AwsUnavailableError) else ""
    return type(error).__name__ + code
