"""What we ask of an acquirer. Every call carries our reference, so asking twice acts once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from payments.errors import WalletTokenError
from payments.model.authorization import Authorization, CardProfile
from payments.model.card import Card
from payments.model.operation_result import OperationResult
from payments.model.three_d_secure import Authentication


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A charge as the acquirer sees it. `amount_minor` in minor units of `currency`."""

    reference: str
    amount_minor: int
    currency: str
    card: Card


class Acquirer(Protocol):
    """Every method raises AcquirerUnavailableError when there is no response: outcome unknown."""

    def profile(self, charge: ChargeRequest) -> CardProfile:
        """What is known of the card before anything is asked of its issuer. Changes nothing."""

    def authenticate(
        self, charge: ChargeRequest, return_url: str, *, challenge_mandated: bool
    ) -> Authentication:
        """Starts 3DS. The challenge, if there is one, ends at `return_url`.

        `challenge_mandated` asks the issuer to see the shopper (EMV 3DS: challenge mandated).
        """

    def authentication_result(self, reference: str) -> Authentication | None:
        """How 3DS ended, asked server to server: the browser is not trusted.

        None if it was never begun.
        """

    def authorize(self, charge: ChargeRequest, *, capture: bool) -> Authorization:
        """Holds the money, and takes it at once if `capture`.

        The same reference again gives the first response again.
        """

    def look_up(self, reference: str) -> Authorization | None:
        """What became of a charge; None if the acquirer never got it."""

    def reverse(self, reference: str) -> Authorization | None:
        """Timeout reversal: a charge that has not arrived yet is refused when it does.

        Returns the response if the charge had arrived before.
        """

    def capture(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        """Takes held money, all or a part of it; the rest is released.

        `charge` is the reference of the authorization, `reference` that of this capture: the same
        again gives the first response again.
        """

    def void(self, charge: str, reference: str) -> OperationResult:
        """Lets go of all the money that is held. Idempotent as `capture` is."""

    def refund(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        """Sends back captured money, all or a part of it. Idempotent as `capture` is."""

    def look_up_operation(self, charge: str, reference: str) -> OperationResult | None:
        """What became of a capture, void or refund; None if the acquirer never got it."""


@dataclass(frozen=True, slots=True)
class SheetCard:
    """A card that a simulated wallet sheet offers; `token` is what choosing it hands over.

    `outcome` names the text that says what the card does: `pays`, `challenges`, `declines`.
    """

    brand: str
    last4: str
    outcome: str
    token: str


class Wallets(Protocol):
    """The wallets an acquirer takes. Tokens are encrypted to it, so only it can open them."""

    def open_token(self, method: str, token: object) -> Card:
        """The device card in a token (JSON text, or the object itself).

        Raises WalletTokenError for what is no token, and for one that is not for this acquirer.
        """

    def sheets(self) -> Mapping[str, Sequence[SheetCard]]:
        """The simulated sheet of each wallet, by method; empty where wallets show their own."""


class NoWallets:
    """Where no acquirer opens wallets' tokens: none is offered, and each is refused."""

    def open_token(self, _method: str, _token: object) -> Card:
        raise WalletTokenError("wallet_not_configured")

    def sheets(self) -> Mapping[str, Sequence[SheetCard]]:
        return {}
