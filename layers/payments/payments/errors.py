"""Everything that can be refused or go wrong, as one tree. A name in brackets says where it stands.

    PaymentsError
    ├── RefusedError                     asking the same again gives the same refusal
    │   ├── InvalidInputError            a list of FieldError: all of them at once
    │   │   └── MalformedBodyError       the body cannot be read at all
    │   ├── BodyTooLargeError
    │   ├── UnsupportedMediaTypeError
    │   ├── AuthenticationError          no key, a malformed key, an unknown key
    │   ├── PaymentNotFoundError         wrong id, wrong secret, somebody else's payment
    │   ├── KeyReusedError               an Idempotency-Key came back with another body
    │   ├── NotPayableError              the payment is not in a state to be paid or canceled
    │   ├── ConflictError                it cannot be captured, canceled or refunded as it stands
    │   ├── OperationRefusedError        the acquirer refused a capture, void or refund
    │   ├── WalletTokenError             a token that cannot be opened here, or is not a token
    │   └── AmountError                  an amount that its currency does not allow
    ├── UnavailableError                 we cannot respond now; asking again later is right
    │   ├── ForeseenError                all is well, yet this cannot be done as things are
    │   │   ├── NoLiveAcquirerError      this stack takes no live money
    │   │   └── RatesUnavailableError    no exchange rate, or none fresh enough, for live money
    │   ├── UnknownAcquirerError         a recorded acquirer that this stack no longer has
    │   ├── AcquirerUnavailableError     no response: the outcome is unknown, never "declined"
    │   ├── RatesFeedError               (adapters/rates_feed.py)
    │   ├── AwsUnavailableError          an AWS service did not respond, or refused
    │   ├── WorkflowRefusedError         (adapters/workflow.py)
    │   ├── RefundNotSettledError        (use_cases/settle_refund.py) the reconciler tries again
    │   └── CountersIncompleteError      (adapters/store/risk_counters.py)
    ├── ConditionFailedError             (adapters/aws.py) a write's condition does not hold
    ├── TransactionCanceledError         (adapters/aws.py)
    ├── TransitionRefusedError           (adapters/store/transitions.py) a status has moved on
    ├── OutcomeLostError                 (use_cases/settle_attempt.py) a human must look
    └── TaskFailedError                  (entry.py) what Step Functions sees of anything else

`web/error_responses.py` is the one place that turns these into responses.
"""

import dataclasses
from dataclasses import dataclass


class PaymentsError(Exception):
    """Everything this project raises on purpose."""


class RefusedError(PaymentsError):
    """Asking the same again gives the same refusal."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field. `code` is stable and names the message in the catalogue."""

    field: str
    code: str
    details: dict[str, str | int] = dataclasses.field(default_factory=dict)


class InvalidInputError(RefusedError):
    """Carries everything that is wrong. Never carries the input: it may hold a card number."""

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
    """One error for every way of not finding, so that responses do not tell them apart."""


class WalletTokenError(RefusedError):
    """`code` is `invalid_wallet_token`, or `wallet_not_configured` for one that is real."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AmountError(RefusedError, ValueError):
    """`code` names what is wrong; the message catalogue has a text for each."""

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


class ConflictError(RefusedError):
    """What a merchant asks cannot be done to the payment as it stands.

    `reason` is stable, `message` names the text in the catalogue where another says it better, and
    `details` join the reason in the response.
    """

    def __init__(self, reason: str, message: str = "", **details: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message or reason
        self.details = details

    @classmethod
    def operation_in_progress(cls) -> "ConflictError":
        """A capture, void or refund is under way: it will be over, and asking again is right."""
        return cls("in_progress", "operation_in_progress")


class OperationRefusedError(RefusedError):
    """The acquirer refused a capture, void or refund. `code` is stable English."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UnavailableError(PaymentsError):
    """A service we need does not respond; nothing was decided."""


class ForeseenError(UnavailableError):
    """Nothing has failed, so it is neither logged as an error nor part of the alarm on errors."""


class NoLiveAcquirerError(ForeseenError):
    """A live payment was asked of a stack that has no live acquirer (contract, section 9)."""


class RatesUnavailableError(ForeseenError):
    """Live money would have to change currency at a rate that is missing or too old."""


class AcquirerUnavailableError(UnavailableError):
    """The acquirer did not respond in time: look the reference up before deciding anything."""


class UnknownAcquirerError(UnavailableError):
    """An attempt or payment names an acquirer that this stack does not have (any more).

    Its outcome stays open: looking it up at another acquirer would find that nothing was charged.
    """


class AwsUnavailableError(UnavailableError):
    """An AWS service did not respond, or refused; botocore's retries included.

    `was_refused`: it responded, so what was asked surely did not happen. Its name is what the
    workflow's retries know.
    """

    def __init__(self, code: str, *, was_refused: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.was_refused = was_refused
