"""One try to pay."""

from dataclasses import dataclass, field

from payments.model.authorization import Authorization
from payments.model.ids import SIMULATOR, Account


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay. `base_url` is where the shopper's browser is.

    `acquirer` names who is asked for the money, from the first call to the last, whatever the
    configuration says meanwhile. The shopper's IP address is stored only here, and only as long as
    the attempt.
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
    acquirer: str = SIMULATOR
    number: int = 1
    shopper_ip: str = field(repr=False, default="")
    shopper_email: str = field(repr=False, default="")
    merchant_country: str = ""
    enforces_fraud_rules: bool = False
    captures: bool = True
    encrypted_card: bytes | None = field(repr=False, default=None)
    task_token: str | None = field(repr=False, default=None)
    challenge_url: str | None = field(repr=False, default=None)
    is_challenge_over: bool = False
    is_reaped: bool = False
    authorization: Authorization | None = None

    @property
    def awaits_challenge(self) -> bool:
        """Whether the shopper is needed, and a task of the workflow waits for their return."""
        return bool(self.task_token and self.challenge_url and not self.is_challenge_over)
