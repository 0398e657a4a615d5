"""Cards: what a number says about itself, and what may be written down of it."""

import re
import unicodedata
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the numbers of a card scheme look like."""

    brand: str
    starts: re.Pattern[str]
    lengths: tuple[int, ...]
    cvc_digits: int = 3


SCHEMES = (
    Scheme("amex", re.compile(r"3[47]"), (15,), cvc_digits=4),
    Scheme("diners", re.compile(r"3(?:0[0-5]|095|[689])"), (14, 15, 16, 17, 18, 19)),
    Scheme("jcb", re.compile(r"35(?:2[89]|[3-8])"), (16, 17, 18, 19)),
    Scheme("mastercard", re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),
    Scheme("discover", re.compile(r"6011|64[4-9]|65"), (16, 17, 18, 19)),
    Scheme("unionpay", re.compile(r"62|81"), (16, 17, 18, 19)),
    Scheme("visa", re.compile(r"4"), (13, 16, 19)),
)
MIN_DIGITS, MAX_DIGITS = 12, 19
# The values of `method` (contract, section 5).
TYPED_CARD, APPLE_PAY, GOOGLE_PAY = "card", "apple_pay", "google_pay"
# Digits with whatever people, or those who would hide a number, put between them.
_LONG_NUMBER = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9]){11,}")
_SEPARATORS = re.compile(r"[^0-9]")


@dataclass(frozen=True, slots=True)
class Card:
    """A card as the shopper typed it, or as a wallet handed it over. Its repr shows no secret.

    A wallet's card has no security code. It has the cryptogram by which the device says that it has
    authenticated its owner, and the ECI that came with it.
    """

    number: str = field(repr=False)
    cvc: str = field(repr=False)
    exp_month: int
    exp_year: int
    holder: str = field(repr=False, default="")
    cryptogram: str = field(repr=False, default="")
    eci: str = ""

    @property
    def brand(self) -> str:
        return brand_of(self.number)

    @property
    def last4(self) -> str:
        """The only digits that may be stored in clear and shown."""
        return self.number[-4:]


@dataclass(frozen=True, slots=True)
class CardSummary:
    """What of a card may be written down and shown (contract, section 4)."""

    method: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    country: str = ""
    funding: str = ""


def scheme_of(number: str) -> Scheme | None:
    """The scheme by the number's first digits; None for one that is not accepted."""
    return next((scheme for scheme in SCHEMES if scheme.starts.match(number)), None)


def brand_of(number: str) -> str:
    """The scheme's name, `unknown` where none matches."""
    scheme = scheme_of(number)
    return scheme.brand if scheme else "unknown"


def is_luhn_valid(digits: str) -> bool:
    """The check digit every scheme uses; it catches typing errors, not fraud."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    total = sum(map(int, digits[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)
    return total % 10 == 0


def is_card_number(digits: str) -> bool:
    """Whether an accepted scheme could have issued it: first digits, length, check digit."""
    scheme = scheme_of(digits)
    return scheme is not None and len(digits) in scheme.lengths and is_luhn_valid(digits)


def holds_card_number(text: str) -> bool:
    """Whether a card number hides in a text meant for something else, separators or not."""
    for match in _LONG_NUMBER.finditer(unicodedata.normalize("NFKC", text)):
        digits = _SEPARATORS.sub("", match[0])
        for start in range(len(digits) - MIN_DIGITS + 1):
            for length in range(MIN_DIGITS, min(MAX_DIGITS, len(digits) - start) + 1):
                if is_luhn_valid(digits[start : start + length]):
                    return True
    return False


def is_card_number_address(email: str) -> bool:
    """Whether an e-mail address is a card number with a domain after it.

    Only where all the digits before the @ are one: mobile numbers are ordinary addresses, and a
    window of a longer run, or one that goes on behind the @, is a card number by chance.
    """
    local_part = unicodedata.normalize("NFKC", email).partition("@")[0]
    return is_card_number(_SEPARATORS.sub("", local_part))
