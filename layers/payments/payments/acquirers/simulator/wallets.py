"""Payment tokens of Apple Pay and Google Pay, as their sheets hand them to a page.

A token wraps a device card. Real tokens are encrypted to the acquirer, so only an acquirer that
holds the key can open them. The simulated ones of test mode have the same shape with a readable
payload inside, and their version says so: none is ever mistaken for a real one.

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
from pydantic.alias_generators import to_camel

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


def _payload(value: object) -> object:
    """JSON in base64; in a real token it is encrypted."""
    return json.loads(base64.b64decode(value, validate=True)) if isinstance(value, str) else value


def _message(value: object) -> object:
    """Google hands its inner message over as JSON in a string."""
    return json.loads(value) if isinstance(value, str) else value


class _Part(BaseModel):
    """Field names are Apple's and Google's, spelled as Python spells names."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, alias_generator=to_camel)


class _AppleCryptogram(_Part):
    online_payment_cryptogram: Cryptogram
    eci_indicator: Eci | None = None


class _ApplePayload(_Part):
    application_primary_account_number: Digits
    application_expiration_date: Annotated[  # YYMMDD
        str, StringConstraints(pattern=r"^[0-9]{2}(0[1-9]|1[0-2])[0-9]{2}$")
    ]
    payment_data_type: Literal["3DSecure"]
    payment_data: _AppleCryptogram

    @property
    def card(self) -> Card:
        expiry = self.application_expiration_date
        return Card(
            number=self.application_primary_account_number,
            cvc="",
            exp_month=int(expiry[2:4]),
            exp_year=2000 + int(expiry[:2]),
            cryptogram=self.payment_data.online_payment_cryptogram,
            eci=_two_digits(self.payment_data.eci_indicator),
        )


class _AppleData(_Part):
    version: str
    data: Annotated[_ApplePayload, BeforeValidator(_payload)]


class _AppleToken(_Part):
    payment_data: _AppleData

    @property
    def card(self) -> Card:
        return self.payment_data.data.card


class _GoogleDetails(_Part):
    pan: Digits
    expiration_month: Month
    expiration_year: Year
    auth_method: Literal["CRYPTOGRAM_3DS", "PAN_ONLY"]
    cryptogram: Cryptogram | None = None
    eci_indicator: Eci | None = None


class _GooglePayload(_Part):
    payment_method: Literal["CARD"]
    payment_method_details: _GoogleDetails


class _GoogleMessage(_Part):
    encrypted_message: Annotated[_GooglePayload, BeforeValidator(_payload)]


class _GoogleToken(_Part):
    protocol_version: str
    signed_message: Annotated[_GoogleMessage, BeforeValidator(_message)]

    @property
    def card(self) -> Card:
        """Without a cryptogram (PAN_ONLY) it is a card on file, and 3DS is asked for as ever."""
        details = self.signed_message.encrypted_message.payment_method_details
        has_cryptogram = details.auth_method == "CRYPTOGRAM_3DS"
        if has_cryptogram and details.cryptogram is None:
            raise WalletTokenError("invalid_wallet_token")
        return Card(
            number=details.pan,
            cvc="",
            exp_month=details.expiration_month,
            exp_year=details.expiration_year,
            cryptogram=(details.cryptogram or "") if has_cryptogram else "",
            eci=_two_digits(details.eci_indicator) if has_cryptogram else "",
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
