"""AWS clients whose errors are ours: botocore's are translated here and nowhere else."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from payments.errors import AwsUnavailableError, PaymentsError

# Bounded waiting: three tries of at most five seconds each, with jitter in between. The services
# check parameters themselves, and a fixed user agent is not built again for each call.
CLIENT_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,
    user_agent="payments-api",
)
# Fraud prevention waits only shortly: without a response it asks for a challenge.
RISK_CLIENT_CONFIG = CLIENT_CONFIG.merge(
    Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2})
)
_CONDITION_FAILED = "ConditionalCheckFailedException"
_TRANSACTION_CANCELED = "TransactionCanceledException"


class ConditionFailedError(PaymentsError):
    """A write was refused by its own condition, and not by a fault.

    `item` is what stood there, with DynamoDB's typed attributes; empty if nothing did, or if the
    write did not ask for it.
    """

    def __init__(self, item: Mapping[str, Any]) -> None:
        super().__init__("the condition does not hold")
        self.item = item


class TransactionCanceledError(PaymentsError):
    """A transaction was refused. `reasons` has one entry for each of its writes, in their order.

    `Code` is `None`, `ConditionalCheckFailed` or `TransactionConflict`; `Item` is what stood
    there, if the write asked for it.
    """

    def __init__(self, reasons: tuple[Mapping[str, Any], ...]) -> None:
        super().__init__(", ".join(str(reason.get("Code")) for reason in reasons))
        self.reasons = reasons


class AwsClient:
    """Has every operation of the boto3 client it is given.

    Each raises ConditionFailedError, TransactionCanceledError, or AwsUnavailableError for whatever
    else went wrong, botocore's own retries included.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._client, operation)

        def call(**parameters: Any) -> Any:
            try:
                return method(**parameters)
            except ClientError as error:
                raise _translated(error) from error
            except BotoCoreError as error:
                raise AwsUnavailableError(type(error).__name__) from error

        return call


def _translated(error: ClientError) -> PaymentsError:
    response: Mapping[str, Any] = error.response
    code = response["Error"]["Code"]
    if code == _CONDITION_FAILED:
        return ConditionFailedError(response.get("Item", {}))
    if code == _TRANSACTION_CANCELED:
        return TransactionCanceledError(tuple(response.get("CancellationReasons", ())))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return AwsUnavailableError(code, was_refused=status < 500)
