"""Keyed hashes under which cards, e-mails and IP addresses are counted, never they themselves.

The key is in KMS and cannot be read. A card's hash is made there, a call for each: whoever had the
hashes and a key in memory could try every card number. E-mails and addresses are hashed here,
under a key that KMS derives once for each process. All differ from merchant to merchant, so that
two of them cannot find out what customers they share.
"""

import hashlib
import hmac
import ipaddress
from functools import cached_property

from payments.adapters.aws import AwsClient
from payments.model.ids import Account
from payments.risk.emails import mailbox_of

_LENGTH = 32  # hexadecimal digits: 128 bits
_IPV6_HOME_PREFIX = 64


class Fingerprints:
    """Raises AwsUnavailableError where KMS does not respond."""

    def __init__(self, kms: AwsClient, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    def of_card(self, account: Account, number: str) -> str:
        """The card's fingerprint. The same for both modes, as a merchant's lists are."""
        return self._mac(f"card {account.merchant_id} {number}").hex()[:_LENGTH]

    def of_email(self, account: Account, email: str) -> str:
        return self._hash(f"email {account.merchant_id} {mailbox_of(email)}")

    def of_ip(self, account: Account, ip: str) -> str:
        """By IPv6 everybody has a whole network, and may use a new address each time."""
        address = ipaddress.ip_address(ip)
        if address.version == 6:
            ip = str(ipaddress.ip_network(f"{ip}/{_IPV6_HOME_PREFIX}", strict=False))
        return self._hash(f"ip {account.merchant_id} {ip}")

    def _hash(self, text: str) -> str:
        return hmac.new(self._derived_key, text.encode(), hashlib.sha256).hexdigest()[:_LENGTH]

    @cached_property
    def _derived_key(self) -> bytes:
        return self._mac("key for e-mails and addresses")

    def _mac(self, message: str) -> bytes:
        response = self._kms.generate_mac(
            KeyId=self._key_id, Message=message.encode(), MacAlgorithm="HMAC_SHA_256"
        )
        mac: bytes = response["Mac"]
        return mac
