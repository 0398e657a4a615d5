"""The identifiers of this system, and the only code that knows how they are made or read.

    payment    pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB          time-ordered: 48 bits of time, 80 random
    attempt    pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB_<token>  the reference of workflow and acquirer; its
                                                       token is the page's and a suffix of its own
    refund     ref_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB          time-ordered like payments
    capture    cap_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB          so is a void: void_…
    secret     cs_test_4geeks_<128 random bits>          names merchant and mode for the checkout
    challenge  ch_test_4geeks_<payment>_<token>_<128 random bits>

A giant merchant's partition would take a shard digit here and nowhere else.
"""

import re
import secrets
import string
from dataclasses import dataclass
from enum import StrEnum

from ulid import ULID

PAYMENT_PREFIX, REFUND_PREFIX = "pay_", "ref_"
CAPTURE_PREFIX, VOID_PREFIX = "cap_", "void_"
# Names of acquirers. Test mode has only the simulator.
SIMULATOR, NO_ACQUIRER = "simulator", "none"
MERCHANT_PATTERN = r"[a-z0-9][a-z0-9-]{0,38}"
PAGE_PATTERN = r"[A-Za-z0-9-]{8,40}"
ATTEMPT_PATTERN = rf"{PAGE_PATTERN}-[a-z]{{8}}"
_PAGE_TOKEN_LETTERS, _SUFFIX_LETTERS = 14, 8
_ULID = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
_RANDOM = r"[0-9a-f]{32}"
_PAYMENT_ID = re.compile(rf"pay_{_ULID}")
_REFUND_ID = re.compile(rf"ref_{_ULID}")
_CLIENT_SECRET = re.compile(rf"cs_(test|live)_({MERCHANT_PATTERN})_{_RANDOM}")
_CHALLENGE_ID = re.compile(
    rf"ch_(test|live)_({MERCHANT_PATTERN})_({_ULID})_({ATTEMPT_PATTERN})_{_RANDOM}"
)


class Mode(StrEnum):
    """Which money a key moves."""

    TEST = "test"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Account:
    """A merchant in one mode: the owner of payments, keys and idempotency keys."""

    merchant_id: str
    mode: Mode

    def __str__(self) -> str:
        return f"{self.merchant_id}#{self.mode}"

    @classmethod
    def parse(cls, text: str) -> "Account":
        """The inverse of `str`, for stored partition keys."""
        merchant_id, _, mode = text.partition("#")
        return cls(merchant_id, Mode(mode))


def new_payment_id(now_us: int) -> str:
    """A payment id whose first 48 bits are the time, so that ids sort by creation."""
    return PAYMENT_PREFIX + str(ULID.from_timestamp(now_us // 1000))


def new_refund_id(now_us: int) -> str:
    """Time-ordered, as payment ids are; also the refund's reference at the acquirer."""
    return REFUND_PREFIX + str(ULID.from_timestamp(now_us // 1000))


def new_operation_id(prefix: str, now_us: int) -> str:
    """Of a capture or a void; its reference at the acquirer."""
    return prefix + str(ULID.from_timestamp(now_us // 1000))


def lapse_id(payment_id: str) -> str:
    """Of the void of a hold that nobody captured in time: each payment has one at most."""
    return VOID_PREFIX + payment_id.removeprefix(PAYMENT_PREFIX)


def is_refund_id(text: str) -> bool:
    """Whether the text has the shape of a refund id. Anything else is a 404, unasked."""
    return _REFUND_ID.fullmatch(text) is not None


def is_payment_id(text: str) -> bool:
    """Whether the text has the shape of a payment id. Anything else is a 404, unasked."""
    return _PAYMENT_ID.fullmatch(text) is not None


def payment_id_time_ms(payment_id: str) -> int:
    """When the payment was created, in milliseconds: what expiry is computed from."""
    return ULID.from_str(payment_id.removeprefix(PAYMENT_PREFIX)).milliseconds


def first_payment_id_at(time_ms: int) -> str:
    """The smallest id of that millisecond: the border between two ranges of an index."""
    return PAYMENT_PREFIX + str(ULID.from_bytes(time_ms.to_bytes(6, "big") + bytes(10)))


def new_client_secret(account: Account) -> str:
    """A secret that names its account and carries 128 random bits."""
    return f"cs_{account.mode}_{account.merchant_id}_{secrets.token_hex(16)}"


def account_of_client_secret(text: str) -> Account | None:
    """Whose payment the secret claims to open; None if it has not the shape of a secret."""
    match = _CLIENT_SECRET.fullmatch(text)
    return Account(match[2], Mode(match[1])) if match else None


def new_page_token() -> str:
    """What one rendering of the page carries, so that a form sent twice is one attempt.

    Letters only: digits could by chance look like a card number, which tokens are refused for.
    """
    return _letters(_PAGE_TOKEN_LETTERS)


def new_attempt_token(page_token: str) -> str:
    """For one sending of the page's form. At most 49 characters, for a workflow's name takes 80."""
    return f"{page_token}-{_letters(_SUFFIX_LETTERS)}"


def page_token_of(attempt_token: str) -> str:
    """The token of the page whose form began the attempt."""
    return attempt_token.rpartition("-")[0]


def _letters(number: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(number))


def attempt_id(payment_id: str, token: str) -> str:
    """Names the attempt, its workflow execution and its reference at the acquirer."""
    return f"{payment_id}_{token}"


def new_challenge_id(account: Account, payment_id: str, token: str) -> str:
    """A single-use id for challenge URLs; it stands for the attempt without being its key."""
    ulid = payment_id.removeprefix(PAYMENT_PREFIX)
    return f"ch_{account.mode}_{account.merchant_id}_{ulid}_{token}_{secrets.token_hex(16)}"


def challenge_secret(challenge_id: str) -> str:
    """What no part of the payment tells of the id: enough to know it again."""
    return challenge_id.rpartition("_")[2]


@dataclass(frozen=True, slots=True)
class ChallengeReference:
    """What a challenge id claims to stand for. The stored id decides whether it does."""

    account: Account
    payment_id: str
    attempt_id: str


def parse_challenge_id(text: str) -> ChallengeReference | None:
    """None if the text has not the shape of a challenge id."""
    match = _CHALLENGE_ID.fullmatch(text)
    if match is None:
        return None
    mode, merchant_id, ulid, token = match.groups()
    payment_id = PAYMENT_PREFIX + ulid
    return ChallengeReference(
        Account(merchant_id, Mode(mode)), payment_id, attempt_id(payment_id, token)
    )
