"""What merchants may send, field by field. Each error becomes a FieldError; all come back at once.

The bounds are those of the contract, sections 3 and 4. Input is never part of an error.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, TypeVar
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

from payments.errors import AmountError, FieldError, InvalidInputError
from payments.model.card import holds_card_number, is_card_number_address
from payments.model.hosts import ascii_host, is_host
from payments.model.ids import Mode
from payments.money.amounts import parse_amount
from payments.money.currencies import MINOR_UNIT_DIGITS

_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")
# Line breaks and tabs are text. What turns the direction of writing could show another order.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_VISIBLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
# What browsers accept, less dots at an edge or in a row, and less a domain that does not end in a
# name (`x.1`, an IP address) or has no dot. GOV.UK refuses the same.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LAST_LABEL = r"(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,58}[A-Za-z0-9])"
_EMAIL = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LAST_LABEL}")
_QUOTED = re.compile(r"'([^']*)'")
_LOCAL_HOSTS = ("localhost", "127.0.0.1")

# pydantic's names for an error -> ours, which are stable and name the messages in the catalogue
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
    "bool_type": "not_a_boolean",
    "enum": "not_allowed",
}
_DETAILS = ("min_length", "max_length", "expected", "digits")


def refuse(code: str, **details: str | int) -> NoReturn:
    """Ends a validator; `code` names the message in the catalogue."""
    raise PydanticCustomError("refused", "refused", {"code": code, **details})


def context_of(info: ValidationInfo) -> Mapping[str, Any]:
    """What a value is judged against, as `parse` gave it: mode, today's date, and more."""
    assert info.context is not None
    context: Mapping[str, Any] = info.context
    return context


def _currency(value: str) -> str:
    code = value.upper() if value.isascii() else value
    return code if code in MINOR_UNIT_DIGITS else refuse("unknown_currency")


def _return_url(value: str, info: ValidationInfo) -> str:
    """Absolute http(s) without credentials; live: https only, localhost excepted."""
    if _CONTROL.search(value) or "\\" in value:
        refuse("invalid_url")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        refuse("invalid_url")
    if parts.scheme not in ("http", "https") or not is_host(host or ""):
        refuse("invalid_url")
    if "@" in parts.netloc or parts.netloc.endswith(":"):
        refuse("invalid_url")
    if (
        context_of(info)["mode"] is Mode.LIVE
        and parts.scheme != "https"
        and host not in _LOCAL_HOSTS
    ):
        refuse("https_required")
    return value


def without_card_number(value: str) -> str:
    """For what is kept in clear: a card number typed there must not be."""
    return refuse("holds_card_number") if holds_card_number(value) else value


def _email(value: str) -> str:
    local_part, _, domain = value.rpartition("@")
    if not _EMAIL.fullmatch(f"{local_part}@{ascii_host(domain)}"):
        refuse("invalid_email")
    return refuse("holds_card_number") if is_card_number_address(value) else value


def readable_text(value: str) -> str:
    """What people read on the page."""
    if not value.strip():
        refuse("too_short", min_length=1)
    return refuse("invalid") if _NOT_TEXT.search(value) else value


def _visible(value: str) -> str:
    return value if _VISIBLE.fullmatch(value) else refuse("invalid")


def blank_is_absent(value: object) -> object:
    """A form sends every field, filled in or not."""
    return None if isinstance(value, str) and not value.strip() else value


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email)]


Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=40)],
        Annotated[str, StringConstraints(max_length=250)],
    ],
    Field(max_length=20),
    BeforeValidator(lambda value: {} if value is None else value),
]
# The merchant's own number for it; not unique.
Reference = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    AfterValidator(_visible),
    AfterValidator(without_card_number),
]


class PaymentRequest(BaseModel):
    """The body of `POST /v1/payments/`."""

    model_config = ConfigDict(strict=True, frozen=True)

    currency: Annotated[str, AfterValidator(_currency)]
    amount: str
    description: Annotated[
        str, StringConstraints(min_length=1, max_length=500), AfterValidator(readable_text)
    ]
    items: Annotated[
        list[
            Annotated[
                str, StringConstraints(min_length=1, max_length=250), AfterValidator(readable_text)
            ]
        ],
        Field(min_length=1, max_length=100),
    ]
    return_url: Annotated[str, StringConstraints(max_length=2048), AfterValidator(_return_url)]
    customer_email: Email | None = None
    metadata: Metadata = {}
    reference: Reference | None = None
    capture: Annotated[bool, BeforeValidator(lambda value: True if value is None else value)] = True

    @field_validator("amount")
    @classmethod
    def _fits_the_currency(cls, amount: str, info: ValidationInfo) -> str:
        currency = info.data.get("currency", "USD")  # an unknown currency has its own error
        try:
            parse_amount(amount, currency)
        except AmountError as error:
            refuse(error.code, digits=MINOR_UNIT_DIGITS[currency])
        return amount

    @property
    def amount_minor(self) -> int:
        """In minor units of `currency`."""
        return parse_amount(self.amount, self.currency)


Model = TypeVar("Model", bound=BaseModel)


def parse(
    model: type[Model],
    values: Mapping[str, Any],
    mode: Mode = Mode.TEST,
    now_us: int = 0,
    also: Sequence[FieldError] = (),
    **context: object,
) -> Model:
    """The request as a model. Raises InvalidInputError with every error found and those `also`."""
    today = datetime.fromtimestamp(now_us / 1_000_000, UTC).date()
    errors_found = list(also)
    try:
        parsed = model.model_validate(values, context={**context, "mode": mode, "today": today})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        errors_found += [_field_error(one) for one in found]
    if errors_found:
        raise InvalidInputError(*errors_found)
    return parsed


def _field_error(found: Mapping[str, Any]) -> FieldError:
    context = found.get("ctx", {})
    code = context.get("code") or _CODES.get(found["type"], "invalid")
    details = {name: context[name] for name in _DETAILS if name in context}
    if "expected" in details:  # pydantic lists them in English: 'a', 'b' or 'c'
        details["expected"] = ", ".join(_QUOTED.findall(details["expected"]))
    return FieldError(_field_name(found["loc"]), code, details)


def _field_name(location: tuple[str | int, ...]) -> str:
    """`items.3`; of metadata only its name, for its keys are the caller's own words."""
    names = (str(part) for part in location[:2] if isinstance(part, int) or part == location[0])
    return ".".join(names)
