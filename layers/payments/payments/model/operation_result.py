"""What an acquirer says of a capture, a void or a refund."""

from dataclasses import dataclass
from enum import StrEnum


class OperationStatus(StrEnum):
    """What the acquirer says of a capture, a void or a refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OperationResult:
    """The acquirer's response to a capture, a void or a refund.

    `failure_code` is stable English, None unless it failed. `may_still_fail`: the acquirer tells
    us of a later failure only if we ask again.
    """

    status: OperationStatus
    failure_code: str | None = None
    may_still_fail: bool = False
