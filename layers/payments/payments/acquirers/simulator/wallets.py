"""Payment tokens of Apple Pay and Google Pay, as their sheets hand them to a page.

A token is an envelope around a device card. Real envelopes are encrypted to the acquirer, so only
an acquirer that holds the key can open them. The simulated ones of test mode have the same shape
with a readable letter inside, and their version says so: none is ever mistaken for a real one.

Shapes: Apple's PKPaymentToken, Google's PaymentMethodTokenizationData (type PAYMENT_GATEWAY).
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from payments.acquirers.port import SheetCard
from payments.acquirers.simulator.wallet_sheets import SIMULATED_VERSION, sheet
from payments.errors import WalletTokenError
from payments.model.card import APPLE_PAY, GOOGLE_PAY, Card, is_card_number

MAX_TOKEN_CHARACTERS = 10_000
_APPLE_VERSIONS = ("EC_v1", "RSA_v1")
_GOOGLE_VERSIONS = ("ECv1", "ECv2", "ECv2SigningOnly")

Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{12,19}$")]
Cryptogram = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{20,60}={0,2}$")]
Eci = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,2}$")]
Month = Annotated[int, Field(ge=1, le=12)]
Year = Annotated[int, Field(ge=2000, le=2099)]


def _letter(value: object) -> object:
    """What is inside the envelope: JSON in base64."""
    return json.loads(base64.b64decode(value, validate=True)) if isinstance(value, str) else value


def _envelope(value: object) -> object:
    """Google hands its inner message over as JSON in a string."""
    return json.loads(value) if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class _AppleCryptogram(_Part):
    onlinePaymentCryptogram: Cryptogram  # noqa: N815 - Apple's name
    eciIndicator: Eci | None = None  # noqa: N815


class _AppleLetter(_Part):
    applicationPrimaryAccountNumber: Digits  # noqa: N815
    applicationExpirationDate: Annotated[  # noqa: N815 - YYMMDD
        str, StringConstraints(pattern=r"^[0-9]{2}(0[1-9]|1[0-2])[0-9]{2}$")
    ]
    paymentDataType: Literal["3DSecure"]  # noqa: N815
    paymentData: _AppleCryptogram  # noqa: N815

    @property
    def card(self) -> Card:
        expiry = self.applicationExpirationDate
        return Card(
            number=self.applicationPrimaryAccountNumber,
            cvc="",
            exp_month=int(expiry[2:4]),
            exp_year=2000 + int(expiry[:2]),
            cryptogram=self.paymentData.onlinePaymentCryptogram,
            eci=_two_digits(self.paymentData.eciIndicator),
        )


class _AppleData(_Part):
    version: str
    data: Annotated[_AppleLetter, BeforeValidator(_letter)]


class _AppleToken(_Part):
    paymentData: _AppleData  # noqa: N815

    @property
    def card(self) -> Card:
        return self.paymentData.data.card


class _GoogleDetails(_Part):
    pan: Digits
    expirationMonth: Month  # noqa: N815 - Google's name
    expirationYear: Year  # noqa: N815
    authMethod: Literal["CRYPTOGRAM_3DS", "PAN_ONLY"]  # noqa: N815
    cryptogram: Cryptogram | None = None
    eciIndicator: Eci | None = None  # noqa: N815


class _GoogleLetter(_Part):
    paymentMethod: Literal["CARD"]  # noqa: N815
    paymentMethodDetails: _GoogleDetails  # noqa: N815


class _GoogleMessage(_Part):
    encryptedMessage: Annotated[_GoogleLetter, BeforeValidator(_letter)]  # noqa: N815


class _GoogleToken(_Part):
    protocolVersion: str  # noqa: N815
    signedMessage: Annotated[_GoogleMessage, BeforeValidator(_envelope)]  # noqa: N815

    @property
    def card(self) -> Card:
        """Without a cryptogram (PAN_ONLY) it is a card on file, and 3DS is asked for as ever."""
        details = self.signedMessage.encryptedMessage.paymentMethodDetails
        has_cryptogram = details.authMethod == "CRYPTOGRAM_3DS"
        if has_cryptogram and details.cryptogram is None:
            raise WalletTokenError("invalid_wallet_token")
        return Card(
            number=details.pan,
            cvc="",
            exp_month=details.expirationMonth,
            exp_year=details.expirationYear,
            cryptogram=(details.cryptogram or "") if has_cryptogram else "",
            eci=_two_digits(details.eciIndicator) if has_cryptogram else "",
        )


_TOKENS: dict[str, type[_AppleToken | _GoogleToken]] = {
    APPLE_PAY: _AppleToken,
    GOOGLE_PAY: _GoogleToken,
}


class SimulatedWallets:
    """Fits the `Wallets` port with the tokens of test mode."""

    def open_token(self, method: str, token: object) -> Card:
        """Raises WalletTokenError: `wallet_not_configured` for a real token."""
        try:
            if isinstance(token, str):
                token = json.loads(token) if len(token) <= MAX_TOKEN_CHARACTERS else None
            version = _version(method, token)
            if version in _APPLE_VERSIONS + _GOOGLE_VERSIONS:
                raise WalletTokenError("wallet_not_configured")
            if version != SIMULATED_VERSION:
                raise WalletTokenError("invalid_wallet_token")
            card = _TOKENS[method].model_validate(token).card
        except (ValidationError, RecursionError, TypeError, ValueError):
            raise WalletTokenError("invalid_wallet_token") from None
        if not is_card_number(card.number):
            raise WalletTokenError("invalid_wallet_token")
        return card

    def sheets(self) -> Mapping[str, Sequence[SheetCard]]:
        return {method: sheet(method) for method in (APPLE_PAY, GOOGLE_PAY)}


def _version(method: str, token: object) -> object:
    if not isinstance(token, Mapping):
        return None
    if method == GOOGLE_PAY:
        return token.get("protocolVersion")
    data: Any = token.get("paymentData")
    return data.get("version") if isinstance(data, Mapping) else None


def _two_digits(eci: str | None) -> str:
    """Apple writes `7` where the schemes write `07`."""
    return f"{eci:0>2}" if eci else ""
