"""What merchants may ask of lists and of single payments and refunds, by query parameters.

The bounds are those of the contract, section 4. Errors are those of `merchant_api.parse`.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict

from payments.inputs.merchant_api import refuse
from payments.model.ids import is_payment_id, is_refund_id
from payments.model.lifecycle import Status

MAX_LIST_LIMIT, DEFAULT_LIST_LIMIT = 100, 20


def _boolean(value: object) -> object:
    booleans = {"true": True, "false": False}
    lowered = value.lower() if isinstance(value, str) else ""
    return booleans[lowered] if lowered in booleans else refuse("not_a_boolean")


def _limit(value: object) -> object:
    text = value if isinstance(value, str) and value.isascii() and value.isdigit() else ""
    is_limit = len(text) <= 3 and 1 <= int(text or 0) <= MAX_LIST_LIMIT
    return int(text) if is_limit else refuse("invalid_limit", max_length=MAX_LIST_LIMIT)


def _status(value: object) -> object:
    """Any status, and both spellings of paid (contract, section 4)."""
    if value == "completed":
        return Status.SUCCEEDED
    return value if value in tuple(Status) else refuse("unknown_status")


class Cursor(NamedTuple):
    """Where a page ended, and a hash of the filters it was read with. Opaque to callers."""

    after: str
    filters_hash: str

    def encode(self) -> str:
        return base64.urlsafe_b64encode(f"{self.after}.{self.filters_hash}".encode()).decode()


def _cursor(value: object, is_id: Callable[[str], bool] = is_payment_id) -> Cursor:
    text = value if isinstance(value, str) else ""
    try:
        decoded = base64.b64decode(text, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        refuse("invalid_cursor")
    after, _, filters_hash = decoded.partition(".")
    return Cursor(after, filters_hash) if is_id(after) else refuse("invalid_cursor")


TestFlag = Annotated[bool | None, BeforeValidator(_boolean)]
Limit = Annotated[int, BeforeValidator(_limit)]
Sort = Literal["created_on", "-created_on"]
RefundCursor = Annotated[Cursor | None, BeforeValidator(lambda value: _cursor(value, is_refund_id))]


class PaymentQuery(BaseModel):
    """The query of `GET /v1/payments/{id}`."""

    test: TestFlag = None


class ListQuery(BaseModel):
    """The query of `GET /v1/payments/`. Whether the cursor is of this list, the list knows."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    status: Annotated[Status | None, BeforeValidator(_status)] = None
    test: TestFlag = None
    limit: Limit = DEFAULT_LIST_LIMIT
    sort: Sort = "-created_on"
    cursor: Annotated[Cursor | None, BeforeValidator(_cursor)] = None
