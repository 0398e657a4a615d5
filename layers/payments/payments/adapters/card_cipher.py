"""Cards under KMS: the only place where a card number is kept, and only until it is used."""

import json
from dataclasses import astuple

from payments.adapters.aws import AwsClient
from payments.model.card import Card


class CardCipher:
    """The payment's id is the encryption context: no other payment can use the card."""

    def __init__(self, kms: AwsClient, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    def encrypt(self, card: Card, payment_id: str) -> bytes:
        """One KMS call. A card is far below the 4 KB that KMS encrypts directly."""
        plaintext = json.dumps(astuple(card)).encode()
        response = self._kms.encrypt(
            KeyId=self._key_id, Plaintext=plaintext, EncryptionContext={"payment_id": payment_id}
        )
        ciphertext: bytes = response["CiphertextBlob"]
        return ciphertext

    def decrypt(self, ciphertext: bytes, payment_id: str) -> Card:
        """One KMS call. Raises AwsUnavailableError if it was encrypted for another payment."""
        response = self._kms.decrypt(
            KeyId=self._key_id,
            CiphertextBlob=ciphertext,
            EncryptionContext={"payment_id": payment_id},
        )
        return Card(*json.loads(response["Plaintext"]))
