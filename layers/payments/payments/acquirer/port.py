"""What we ask of an acquirer. Every call carries our reference, so asking twice acts once."""

from dataclasses import dataclass
from typing import Protocol

from payments.cards import Card


@dataclass(frozen=True, slots=True)
class Authentication:
    """A 3DS result. `trans_status` is EMV 3DS's: Y, A, C, N, R, U or I.

    `challenge_url` is where the shopper proves who they are, if the status is C.
    """

    trans_status: str
    eci: str | None = None
    liability_shift: bool = False
    challenge_url: str | None = None

    @property
    def needs_challenge(self) -> bool:
        return self.trans_status == "C"

    @property
    def permits_charge(self) -> bool:
        """Authenticated or attempted; every charge asks for 3DS (contract, section 5)."""
        return self.trans_status in ("Y", "A")


@dataclass(frozen=True, slots=True)
class Authorization:
    """The acquirer's answer to a charge. `decline_code` is stable English, None if approved."""

    approved: bool
    decline_code: str | None = None


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A charge as the acquirer sees it. `amount_minor` in minor units of `currency`."""

    reference: str
    amount_minor: int
    currency: str
    card: Card


class Acquirer(Protocol):
    """Every method raises AcquirerUnavailableError when there is no answer: outcome unknown."""

    def authenticate(self, charge: ChargeRequest, return_url: str) -> Authentication:
        """Starts 3DS. The challenge, if there is one, ends at `return_url`."""

    def authentication_result(self, reference: str) -> Authentication:
        """How the challenge ended, asked server to server: the browser is not believed."""

    def authorize(self, charge: ChargeRequest) -> Authorization:
        """Takes the money. The same reference again gives the first answer again."""

    def look_up(self, reference: str) -> Authorization | None:
        """What became of a charge; None if the acquirer never got it."""

    def void(self, reference: str) -> Authorization | None:
        """Forbids a charge that has not arrived yet. Returns the answer if one was given before."""
