"""Cards under KMS: the only place where a card number is kept, and only until it is used."""

import json
from dataclasses import astuple
from typing import Any

from payments.model.card import Card


class CardCipher:
    """Seals and opens cards. The payment's id is the encryption context: none opens elsewhere."""

    def __init__(self, kms: Any, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    def seal(self, card: Card, payment_id: str) -> bytes:
        """One KMS call. A card is far below the 4 KB that KMS encrypts directly."""
        plaintext = json.dumps(astuple(card)).encode()
        answer = self._kms.encrypt(
            KeyId=self._key_id, Plaintext=plaintext, EncryptionContext={"payment_id": payment_id}
        )
        sealed: bytes = answer["CiphertextBlob"]
        return sealed

    def open(self, sealed: bytes, payment_id: str) -> Card:
        """One KMS call. Raises ClientError if the card was sealed for another payment."""
        answer = self._kms.decrypt(
            KeyId=self._key_id,
            CiphertextBlob=sealed,
            EncryptionContext={"payment_id": payment_id},
        )
        return Card(*json.loads(answer["Plaintext"]))
