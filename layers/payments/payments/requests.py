"""What callers may send, field by field. Each fault becomes a FieldError; all come back at once.

The bounds are those of the contract, sections 3 to 5. Input is never part of an error.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from payments.cards import MAX_DIGITS, MIN_DIGITS, Card, brand_of, holds_card_number, is_luhn_valid
from payments.currencies import MINOR_UNIT_DIGITS
from payments.errors import FieldError, InvalidInputError
from payments.ids import ATTEMPT_PATTERN, Mode, is_payment_id
from payments.lifecycle import Status
from payments.money import AmountError, parse_amount

MAX_LIST_LIMIT, DEFAULT_LIST_LIMIT = 100, 20
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")
_EMAIL = re.compile(r"[^\s@<>\"'(),;:\\\[\]]{1,64}@[^\s@<>\"'(),;:\\\[\]]+\.[^\s@.,;:]{2,63}")
_HOST = re.compile(r"[\w.-]{1,253}|[0-9a-f:.]{2,45}")  # nothing that a header would mistake
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_CARD_SEPARATORS = re.compile(r"[ \u00a0\-]")
_MAX_CARD_YEARS = 50

# pydantic's names for a fault -> ours, which are stable and name the messages in the catalogue
_CODES = {
    "missing": "required",
    "string_type": "not_a_string",
    "string_unicode": "not_a_string",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "invalid",
    "list_type": "not_a_list",
    "too_short": "too_few",
    "too_long": "too_many",
    "dict_type": "not_an_object",
    "literal_error": "not_allowed",
}
_DETAILS = ("min_length", "max_length", "expected", "digits")


def _refuse(code: str, **details: str | int) -> NoReturn:
    raise PydanticCustomError("refused", "refused", {"code": code, **details})


def _context(info: ValidationInfo) -> Mapping[str, Any]:
    """What a value is judged against, as `parse` gave it: the mode and today's date."""
    assert info.context is not None
    context: Mapping[str, Any] = info.context
    return context


def _currency(value: str) -> str:
    code = value.upper() if value.isascii() else value
    return code if code in MINOR_UNIT_DIGITS else _refuse("unknown_currency")


def _return_url(value: str, info: ValidationInfo) -> str:
    """Absolute http(s) without credentials; live: https only, localhost excepted."""
    if _CONTROL.search(value) or "\\" in value:
        _refuse("invalid_url")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        _refuse("invalid_url")
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host or ""):
        _refuse("invalid_url")
    if "@" in parts.netloc:
        _refuse("invalid_url")
    if _context(info)["mode"] is Mode.LIVE and parts.scheme != "https" and host not in _LOCAL_HOSTS:
        _refuse("https_required")
    return value


def _without_card_number(value: str) -> str:
    return _refuse("holds_card_number") if holds_card_number(value) else value


def _email(value: str) -> str:
    return _without_card_number(value) if _EMAIL.fullmatch(value) else _refuse("invalid_email")


def _blank_is_absent(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]


class PaymentRequest(BaseModel):
    """The body of `POST /v1/payments/`."""

    model_config = ConfigDict(strict=True, frozen=True)

    currency: Annotated[str, AfterValidator(_currency)]
    amount: str
    description: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    items: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=250)]],
        Field(min_length=1, max_length=100),
    ]
    return_url: Annotated[str, StringConstraints(max_length=2048), AfterValidator(_return_url)]
    customer_email: Email | None = None
    metadata: Annotated[
        dict[
            Annotated[str, StringConstraints(min_length=1, max_length=40)],
            Annotated[str, StringConstraints(max_length=250)],
        ],
        Field(max_length=20),
    ] = {}

    @field_validator("amount")
    @classmethod
    def _fits_the_currency(cls, amount: str, info: ValidationInfo) -> str:
        currency = info.data.get("currency", "USD")  # an unknown currency has its own error
        try:
            parse_amount(amount, currency)
        except AmountError as error:
            _refuse(error.code, digits=MINOR_UNIT_DIGITS[currency])
        return amount

    @property
    def amount_minor(self) -> int:
        """In minor units of `currency`."""
        return parse_amount(self.amount, self.currency)


def _digits(value: object) -> object:
    """Spaces and dashes are how people read numbers; only ASCII digits are digits."""
    return _CARD_SEPARATORS.sub("", value) if isinstance(value, str) else value


def _number(value: str) -> str:
    is_number = value.isascii() and value.isdigit() and MIN_DIGITS <= len(value) <= MAX_DIGITS
    return value if is_number and is_luhn_valid(value) else _refuse("invalid_card_number")


def _integer(value: object, lengths: tuple[int, ...]) -> int:
    """JSON callers may send a number, forms send digits: so many of them."""
    text = value.strip() if isinstance(value, str) else ""
    if text.isascii() and text.isdigit() and len(text) in lengths:
        return int(text)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number else _refuse("invalid_expiry")  # type: ignore[return-value]


def _month_number(value: object) -> int:
    return _integer(value, (1, 2))


def _year_number(value: object) -> int:
    """Two digits mean this century; four are the year itself, so `0034` is no card's year."""
    year = _integer(value, (2, 4))
    if isinstance(value, str) and len(value.strip()) == 4 and year < 1000:
        _refuse("invalid_expiry")
    return year


def _month(value: int) -> int:
    return value if 1 <= value <= 12 else _refuse("invalid_expiry")


Required = BeforeValidator(
    lambda value: _refuse("required") if _blank_is_absent(value) is None else value
)


class CardForm(BaseModel):
    """The payment form of the checkout page, posted as a form or as JSON (contract, section 5).

    Validation needs `today` in its context, for a card may have expired.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    method: Literal["card"] = "card"
    card_number: Annotated[str, AfterValidator(_number), BeforeValidator(_digits), Required]
    exp_year: Annotated[int, BeforeValidator(_year_number), Required]
    exp_month: Annotated[int, AfterValidator(_month), BeforeValidator(_month_number), Required]
    cvc: Annotated[str, BeforeValidator(_digits), Required]
    name: Annotated[
        Annotated[str, StringConstraints(max_length=100), AfterValidator(_without_card_number)]
        | None,
        BeforeValidator(_blank_is_absent),
    ] = None
    email: Annotated[Email | None, BeforeValidator(_blank_is_absent)] = None
    attempt: Annotated[
        Annotated[
            str,
            StringConstraints(pattern=rf"^{ATTEMPT_PATTERN}$"),
            AfterValidator(_without_card_number),
        ]
        | None,
        BeforeValidator(_blank_is_absent),
    ] = None

    @field_validator("exp_year")
    @classmethod
    def _full_year(cls, year: int, info: ValidationInfo) -> int:
        this_year = _context(info)["today"].year
        full = year + this_year // 100 * 100 if year < 100 else year
        if full > this_year + _MAX_CARD_YEARS:
            _refuse("invalid_expiry")
        return full if full >= this_year else _refuse("card_expired")

    @field_validator("exp_month")
    @classmethod
    def _not_expired(cls, month: int, info: ValidationInfo) -> int:
        today = _context(info)["today"]
        year = info.data.get("exp_year")  # a faulty year has its own error
        if year is not None and (year, month) < (today.year, today.month):
            _refuse("card_expired")
        return month

    @field_validator("cvc")
    @classmethod
    def _fits_the_brand(cls, cvc: str, info: ValidationInfo) -> str:
        length = 4 if brand_of(info.data.get("card_number", "")) == "amex" else 3
        is_code = cvc.isascii() and cvc.isdigit() and len(cvc) == length
        return cvc if is_code else _refuse("invalid_cvc", digits=length)

    @field_validator("email")
    @classmethod
    def _is_not_the_code(cls, email: str | None, info: ValidationInfo) -> str | None:
        if email and email.partition("@")[0] == info.data.get("cvc"):
            _refuse("holds_card_number")
        return email

    @property
    def card(self) -> Card:
        """What goes into the vault."""
        return Card(self.card_number, self.cvc, self.exp_month, self.exp_year, self.name or "")


def _boolean(value: object) -> object:
    booleans = {"true": True, "false": False}
    lowered = value.lower() if isinstance(value, str) else ""
    return booleans[lowered] if lowered in booleans else _refuse("not_a_boolean")


def _limit(value: object) -> object:
    text = value if isinstance(value, str) and value.isascii() and value.isdigit() else ""
    is_limit = len(text) <= 3 and 1 <= int(text or 0) <= MAX_LIST_LIMIT
    return int(text) if is_limit else _refuse("invalid_limit", max_length=MAX_LIST_LIMIT)


def _status(value: object) -> object:
    """Any status, and both spellings of paid (contract, section 4)."""
    if value == "completed":
        return Status.SUCCEEDED
    return value if value in tuple(Status) else _refuse("unknown_status")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended, and a hash of the filters it was read with. Opaque to callers."""

    after: str
    filters_hash: str

    def encode(self) -> str:
        return base64.urlsafe_b64encode(f"{self.after}.{self.filters_hash}".encode()).decode()


def _cursor(value: object) -> Cursor:
    text = value if isinstance(value, str) else ""
    try:
        decoded = base64.b64decode(text, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        _refuse("invalid_cursor")
    after, _, filters_hash = decoded.partition(".")
    return Cursor(after, filters_hash) if is_payment_id(after) else _refuse("invalid_cursor")


TestFlag = Annotated[bool | None, BeforeValidator(_boolean)]


class PaymentQuery(BaseModel):
    """The query of `GET /v1/payments/{id}`."""

    test: TestFlag = None


class ListQuery(BaseModel):
    """The query of `GET /v1/payments/`. Whether the cursor is of this list, the list knows."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    status: Annotated[Status | None, BeforeValidator(_status)] = None
    test: TestFlag = None
    limit: Annotated[int, BeforeValidator(_limit)] = DEFAULT_LIST_LIMIT
    sort: Literal["created_on", "-created_on"] = "-created_on"
    cursor: Annotated[Cursor | None, BeforeValidator(_cursor)] = None


Model = TypeVar("Model", bound=BaseModel)


def parse(
    model: type[Model],
    values: Mapping[str, Any],
    mode: Mode = Mode.TEST,
    now_us: int = 0,
    also: Sequence[FieldError] = (),
) -> Model:
    """The request as a model. Raises InvalidInputError with every fault found, and those `also`."""
    today = datetime.fromtimestamp(now_us / 1_000_000, UTC).date()
    faults = list(also)
    try:
        parsed = model.model_validate(values, context={"mode": mode, "today": today})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        faults += [_field_error(fault) for fault in found]
    if faults:
        raise InvalidInputError(*faults)
    return parsed


def _field_error(fault: Mapping[str, Any]) -> FieldError:
    context = fault.get("ctx", {})
    code = context.get("code") or _CODES.get(fault["type"], "invalid")
    details = {name: context[name] for name in _DETAILS if name in context}
    return FieldError(_field_name(fault["loc"]), code, details)


def _field_name(location: tuple[str | int, ...]) -> str:
    """`items.3`; of metadata only its name, for its keys are the caller's own words."""
    names = (str(part) for part in location[:2] if isinstance(part, int) or part == location[0])
    return ".".join(names)
