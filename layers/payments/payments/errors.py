"""Everything that can be refused or go wrong, as one tree.

    PaymentsError
    ├── RefusedError                  the caller asked for something we do not do
    │   ├── InvalidInputError         a list of FieldError: all of them at once
    │   ├── MalformedBodyError        the body cannot be read at all
    │   ├── BodyTooLargeError
    │   ├── UnsupportedMediaTypeError
    │   ├── AuthenticationError       no key, a malformed key, an unknown key
    │   ├── PaymentNotFoundError      wrong id, wrong secret, somebody else's payment
    │   ├── WalletTokenError          a wallet's token that nobody here can open, or that is none
    │   ├── KeyReusedError            an Idempotency-Key came back with another body
    │   └── NotPayableError           the payment is not in a state to be paid or canceled
    └── UnavailableError              we cannot answer now; asking again later is right
        ├── NoLiveAcquirerError
        ├── RatesUnavailableError     no exchange rate, or none fresh enough, for live money
        ├── RatesFeedError            (in rates_feed.py)
        ├── WorkflowRefusedError      (in workflow.py)
        └── AcquirerUnavailableError  no answer: the outcome is unknown, never "declined"

`http.py` is the one place that turns these into answers.
"""

import dataclasses
from dataclasses import dataclass


class PaymentsError(Exception):
    """The root: catches everything this project raises on purpose."""


class RefusedError(PaymentsError):
    """Asking the same again gives the same refusal."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of one field. `code` is stable and names the message in the catalogue."""

    field: str
    code: str
    details: dict[str, str | int] = dataclasses.field(default_factory=dict)


class InvalidInputError(RefusedError):
    """Carries every fault found. Never carries the input: it may hold a card number."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(", ".join(f"{error.field}: {error.code}" for error in errors))
        self.errors = errors


class MalformedBodyError(InvalidInputError):
    """The body is not JSON, or not an object."""

    def __init__(self) -> None:
        super().__init__(FieldError("body", "malformed"))


class BodyTooLargeError(RefusedError):
    """The body exceeds 64 KiB (contract, section 3)."""


class UnsupportedMediaTypeError(RefusedError):
    """The body's Content-Type is not one the route reads."""


class AuthenticationError(RefusedError):
    """`reason` is one of `missing`, `malformed`, `unknown` (contract, section 2)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PaymentNotFoundError(RefusedError):
    """One error for every way of not finding, so that an answer never tells them apart."""


class WalletTokenError(RefusedError):
    """`code` is `invalid_wallet_token`, or `wallet_not_configured` for one that is real."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class KeyReusedError(RefusedError):
    """Same Idempotency-Key, another body (contract, section 3)."""

    reason = "key_reused"


class NotPayableError(RefusedError):
    """`reason` is one of `already_paid`, `in_progress`, `expired`, `canceled`, `failed`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnavailableError(PaymentsError):
    """A part we need does not answer; nothing was decided."""


class NoLiveAcquirerError(UnavailableError):
    """A live payment was asked of a stack that has no live acquirer (contract, section 9)."""


class RatesUnavailableError(UnavailableError):
    """Live money would have to change currency at a rate that is missing or too old."""


class AcquirerUnavailableError(UnavailableError):
    """The acquirer gave no answer in time: look the reference up before deciding anything."""
