"""One try to pay."""

from dataclasses import dataclass, field

from payments.model.authorization import Authorization
from payments.model.ids import Account


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay. `base_url` is where the shopper's browser is.

    The shopper's address is kept here alone, and only as long as the attempt.
    """

    id: str
    account: Account
    payment_id: str
    token: str
    amount_minor: int
    currency: str
    base_url: str
    challenge_id: str = field(repr=False)
    created_at_us: int
    number: int = 1
    shopper_ip: str = field(repr=False, default="")
    shopper_email: str = field(repr=False, default="")
    merchant_country: str = ""
    enforces_fraud_rules: bool = False
    encrypted_card: bytes | None = field(repr=False, default=None)
    task_token: str | None = field(repr=False, default=None)
    challenge_url: str | None = field(repr=False, default=None)
    is_challenge_over: bool = False
    is_reaped: bool = False
    authorization: Authorization | None = None
