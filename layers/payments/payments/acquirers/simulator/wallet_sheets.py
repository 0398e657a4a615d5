"""The simulated wallets of test mode: the tokens a sheet hands over, one for each test card."""

import base64
import json
from typing import Any

from payments.acquirers.port import SheetCard
from payments.model.card import APPLE_PAY, brand_of

SIMULATED_VERSION = "SIMv1"
_CRYPTOGRAM = base64.b64encode(b"simulated cryptogram").decode()
_EXPIRY_YEAR, _EXPIRY_MONTH = 2049, 12


def sheet(method: str) -> list[SheetCard]:
    """The cards the simulated wallet holds."""
    if method == APPLE_PAY:
        return [
            _apple_card("4242424242424242", "pays"),
            _apple_card("5555555555554444", "pays"),
            _apple_card("4000000000000002", "declines"),
        ]
    return [
        _google_card("4242424242424242", "pays", has_cryptogram=True),
        _google_card("4000002760003184", "challenges", has_cryptogram=False),
        _google_card("4000000000009995", "declines", has_cryptogram=True),
    ]


def apple_token(number: str, version: str = SIMULATED_VERSION) -> dict[str, Any]:
    """Apple's PKPaymentToken around a device card."""
    payload = {
        "applicationPrimaryAccountNumber": number,
        "applicationExpirationDate": f"{_EXPIRY_YEAR % 100}{_EXPIRY_MONTH:02}31",
        "paymentDataType": "3DSecure",
        "paymentData": {
            "onlinePaymentCryptogram": _CRYPTOGRAM,
            "eciIndicator": _eci(number).lstrip("0"),
        },
    }
    return {
        "paymentData": {
            "version": version,
            "data": _encoded(payload),
            "signature": "",
            "header": {},
        },
        "paymentMethod": {
            "displayName": f"{brand_of(number).title()} {number[-4:]}",
            "network": brand_of(number).title(),
            "type": "credit",
        },
        "transactionIdentifier": "simulated",
    }


def google_token(
    number: str, *, has_cryptogram: bool, version: str = SIMULATED_VERSION
) -> dict[str, Any]:
    """Google's payment token around a device card, or around a card on file (PAN_ONLY)."""
    details: dict[str, Any] = {
        "pan": number,
        "expirationMonth": _EXPIRY_MONTH,
        "expirationYear": _EXPIRY_YEAR,
        "authMethod": "CRYPTOGRAM_3DS" if has_cryptogram else "PAN_ONLY",
    }
    if has_cryptogram:
        details |= {"cryptogram": _CRYPTOGRAM, "eciIndicator": _eci(number)}
    payload = {"paymentMethod": "CARD", "paymentMethodDetails": details}
    message = {"encryptedMessage": _encoded(payload), "ephemeralPublicKey": "", "tag": ""}
    return {"protocolVersion": version, "signature": "", "signedMessage": json.dumps(message)}


def _apple_card(number: str, outcome: str) -> SheetCard:
    return SheetCard(brand_of(number), number[-4:], outcome, json.dumps(apple_token(number)))


def _google_card(number: str, outcome: str, *, has_cryptogram: bool) -> SheetCard:
    token = google_token(number, has_cryptogram=has_cryptogram)
    return SheetCard(brand_of(number), number[-4:], outcome, json.dumps(token))


def _eci(number: str) -> str:
    return "02" if brand_of(number) == "mastercard" else "05"


def _encoded(payload: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()
