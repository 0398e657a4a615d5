"""What shoppers may send: the payment form of the checkout page, as a form or as JSON.

The fields and their rules are those of the contract, section 5. Validation needs today's date in
its context, for a card may have expired, and the acquirer's way to open a wallet's token.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from payments.errors import WalletTokenError
from payments.inputs.merchant_api import (
    Email,
    blank_is_absent,
    context_of,
    parse,
    readable_text,
    refuse,
    without_card_number,
)
from payments.model.card import (
    APPLE_PAY,
    GOOGLE_PAY,
    MAX_DIGITS,
    MIN_DIGITS,
    Card,
    is_card_number,
    is_luhn_valid,
    scheme_of,
)
from payments.model.ids import PAGE_PATTERN

_CARD_SEPARATORS = re.compile(r"[ \u00a0\-]")
_MAX_CARD_YEARS = 50
_CVC_DIGITS = (3, 4)


def without_separators(text: str) -> str:
    """Spaces and dashes are how people read numbers."""
    return _CARD_SEPARATORS.sub("", text)


def _digits(value: object) -> object:
    """Only ASCII digits are digits."""
    return without_separators(value) if isinstance(value, str) else value


def _number(value: str) -> str:
    is_number = value.isascii() and value.isdigit() and MIN_DIGITS <= len(value) <= MAX_DIGITS
    if not is_number or not is_luhn_valid(value):
        refuse("invalid_card_number")
    if scheme_of(value) is None:
        refuse("unsupported_card")
    return value if is_card_number(value) else refuse("invalid_card_number")


def _integer(value: object, lengths: tuple[int, ...]) -> int:
    """JSON callers may send a number, forms send digits: so many of them."""
    text = value.strip() if isinstance(value, str) else ""
    if text.isascii() and text.isdigit() and len(text) in lengths:
        return int(text)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return refuse("invalid_expiry")


def _month_number(value: object) -> int:
    return _integer(value, (1, 2))


def _year_number(value: object) -> int:
    """Two digits mean this century; four are the year itself, so `0034` is no card's year."""
    year = _integer(value, (2, 4))
    if isinstance(value, str) and len(value.strip()) == 4 and year < 1000:
        refuse("invalid_expiry")
    return year


def _month(value: int) -> int:
    return value if 1 <= value <= 12 else refuse("invalid_expiry")


Required = BeforeValidator(
    lambda value: refuse("required") if blank_is_absent(value) is None else value
)


# A form sent twice is one attempt: this is the page's token for it.
PageToken = Annotated[
    str, StringConstraints(pattern=rf"^{PAGE_PATTERN}$"), AfterValidator(without_card_number)
]
# The bounds are those of EMV 3-D Secure: issuers judge a cardholder by the name.
Holder = Annotated[
    str,
    StringConstraints(min_length=2, max_length=45, strip_whitespace=True),
    AfterValidator(without_card_number),
    AfterValidator(readable_text),
]
BlankIsAbsent = BeforeValidator(blank_is_absent)


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class CardForm(_Form):
    """A card typed in."""

    method: Literal["card", "apple_pay", "google_pay"] = "card"
    card_number: Annotated[str, AfterValidator(_number), BeforeValidator(_digits), Required]
    exp_year: Annotated[int, BeforeValidator(_year_number), Required]
    exp_month: Annotated[int, AfterValidator(_month), BeforeValidator(_month_number), Required]
    cvc: Annotated[str, BeforeValidator(_digits), Required]
    name: Annotated[Holder, Required]
    email: Annotated[Email | None, BlankIsAbsent] = None
    attempt: Annotated[PageToken | None, BlankIsAbsent] = None

    @field_validator("exp_year")
    @classmethod
    def _full_year(cls, year: int, info: ValidationInfo) -> int:
        this_year = context_of(info)["today"].year
        full = year + this_year // 100 * 100 if year < 100 else year
        if full > this_year + _MAX_CARD_YEARS:
            refuse("invalid_expiry")
        return full if full >= this_year else refuse("card_expired")

    @field_validator("exp_month")
    @classmethod
    def _not_expired(cls, month: int, info: ValidationInfo) -> int:
        today = context_of(info)["today"]
        year = info.data.get("exp_year")  # a faulty year has its own error
        if year is not None and (year, month) < (today.year, today.month):
            refuse("card_expired")
        return month

    @field_validator("cvc")
    @classmethod
    def _fits_the_brand(cls, cvc: str, info: ValidationInfo) -> str:
        """A faulty number has its own error: of its code only the obvious is said."""
        scheme = scheme_of(info.data.get("card_number", ""))
        lengths = (scheme.cvc_digits,) if scheme else _CVC_DIGITS
        is_code = cvc.isascii() and cvc.isdigit() and len(cvc) in lengths
        return cvc if is_code else refuse("invalid_cvc", digits=lengths[0])

    @field_validator("email")
    @classmethod
    def _is_not_the_code(cls, email: str | None, info: ValidationInfo) -> str | None:
        if email and email.partition("@")[0] == info.data.get("cvc"):
            refuse("holds_card_number")
        return email

    @property
    def card(self) -> Card:
        """What is encrypted, and charged."""
        return Card(self.card_number, self.cvc, self.exp_month, self.exp_year, self.name)


class WalletForm(_Form):
    """A token from a wallet's sheet. Its errors never quote it: it holds a card."""

    method: Literal["apple_pay", "google_pay"]
    wallet_token: Annotated[Any, Required]
    email: Annotated[Email | None, BlankIsAbsent] = None
    attempt: Annotated[PageToken | None, BlankIsAbsent] = None

    @field_validator("wallet_token")
    @classmethod
    def _opens(cls, token: object, info: ValidationInfo) -> Card:
        context = context_of(info)
        try:
            card: Card = context["open_wallet_token"](info.data.get("method", ""), token)
        except WalletTokenError as error:
            refuse(error.code)
        today = context["today"]
        is_current = (card.exp_year, card.exp_month) >= (today.year, today.month)
        return card if is_current else refuse("card_expired")

    @property
    def card(self) -> Card:
        """What is encrypted, and charged."""
        card: Card = self.wallet_token
        return card


PaymentForm = CardForm | WalletForm
OpenWalletToken = Callable[[str, object], Card]


def parse_form(
    posted: Mapping[str, Any], open_wallet_token: OpenWalletToken, now_us: int
) -> PaymentForm:
    """Raises InvalidInputError with every error found. Only an acquirer can open a token."""
    is_wallet = posted.get("method") in (APPLE_PAY, GOOGLE_PAY)
    form: type[PaymentForm] = WalletForm if is_wallet else CardForm
    return parse(form, posted, now_us=now_us, open_wallet_token=open_wallet_token)
