"""What we ask of an acquirer. Every call carries our reference, so asking twice acts once."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Protocol

from payments.cards import Card
from payments.payment import NOT_PROVIDED
from payments.three_d_secure import UNDECIDED, VOUCHED


class Screening(StrEnum):
    """What the acquirer's own fraud screening says of a card."""

    NORMAL = "normal"
    ELEVATED = "elevated"
    HIGHEST = "highest"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class CardProfile:
    """What the acquirer knows of a card: `funding` is credit or debit, `country` the issuer's."""

    funding: str = ""
    country: str = ""
    screening: Screening = Screening.NORMAL


@dataclass(frozen=True, slots=True)
class Authentication:
    """A 3DS result. `trans_status` is EMV 3DS's: Y, A, C, N, R, U or I.

    `challenge_url` is where the shopper proves who they are, if the status is C. `flow` is
    `frictionless`, `challenge`, or `wallet` where the device has authenticated its owner.
    """

    trans_status: str
    eci: str | None = None
    liability_shift: bool = False
    challenge_url: str | None = None
    flow: str = "frictionless"

    @property
    def needs_challenge(self) -> bool:
        return self.trans_status == "C"

    @property
    def is_undecided(self) -> bool:
        """Nobody vouches for the shopper and nobody refuses: a policy decides."""
        return self.trans_status in UNDECIDED

    @property
    def vouches(self) -> bool:
        """Authenticated or attempted; every charge asks for 3DS (contract, section 5)."""
        return self.trans_status in VOUCHED


@dataclass(frozen=True, slots=True)
class CardChecks:
    """How what was typed compares with what the issuer knows.

    Each is `pass`, `fail`, `unavailable` or `not_provided`.
    """

    address_line1: str = NOT_PROVIDED
    postal_code: str = NOT_PROVIDED
    cvc: str = NOT_PROVIDED

    @property
    def facts(self) -> dict[str, str]:
        """What is worth storing: what was not provided need not be said."""
        return {name: value for name, value in asdict(self).items() if value != NOT_PROVIDED}


@dataclass(frozen=True, slots=True)
class Authorization:
    """The acquirer's answer to a charge. `decline_code` is stable English, None if approved.

    `is_blocked` if our own rules refused the card, so that the acquirer was never asked.
    """

    approved: bool
    decline_code: str | None = None
    checks: CardChecks | None = None
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A charge as the acquirer sees it. `amount_minor` in minor units of `currency`."""

    reference: str
    amount_minor: int
    currency: str
    card: Card


class Acquirer(Protocol):
    """Every method raises AcquirerUnavailableError when there is no answer: outcome unknown."""

    def profile(self, charge: ChargeRequest) -> CardProfile:
        """What is known of the card before anything is asked of its issuer. Changes nothing."""

    def authenticate(
        self, charge: ChargeRequest, return_url: str, *, demands_challenge: bool
    ) -> Authentication:
        """Starts 3DS. The challenge, if there is one, ends at `return_url`.

        `demands_challenge` asks the issuer to see the shopper (EMV 3DS: challenge mandated).
        """

    def authentication_result(self, reference: str) -> Authentication | None:
        """How 3DS ended, asked server to server: the browser is not believed.

        None if it was never begun.
        """

    def authorize(self, charge: ChargeRequest) -> Authorization:
        """Takes the money. The same reference again gives the first answer again."""

    def look_up(self, reference: str) -> Authorization | None:
        """What became of a charge; None if the acquirer never got it."""

    def void(self, reference: str) -> Authorization | None:
        """Forbids a charge that has not arrived yet. Returns the answer if one was given before."""
