"""API keys: read from a header, looked up by hash, issued, rotated, revoked.

A key is 128 bits or more of chance, so a plain SHA-256 is a safe way to store it.
"""

import base64
import hashlib
import hmac
import re
import secrets
import string
from dataclasses import replace

from payments.adapters.store.api_keys import ApiKeyStore, StoredKey
from payments.errors import AuthenticationError
from payments.model.ids import Mode
from payments.model.merchant import Merchant

KEY_PATTERN = r"sk_(?:test|live)_[A-Za-z0-9]{16,128}"
_KEY = re.compile(KEY_PATTERN)
_ALPHABET = string.ascii_letters + string.digits
_NEW_KEY_LENGTH = 32


def read_basic_header(header: str | None) -> str:
    """The key in an `Authorization` header: HTTP Basic, key as user name, empty password.

    Raises AuthenticationError: `missing` without a header, `malformed` for anything else.
    """
    if not header or not header.strip():
        raise AuthenticationError("missing")
    scheme, _, encoded = header.strip().partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("ascii")
    except ValueError:  # not base64, or not ASCII in it or around it
        raise AuthenticationError("malformed") from None
    key, colon, password = decoded.partition(":")
    if scheme.lower() != "basic" or not colon or password or not _KEY.fullmatch(key):
        raise AuthenticationError("malformed")
    return key


def hash_key(key: str) -> str:
    """What is stored instead of the key."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiKeys:
    """The life of keys. Times are seconds since 1970."""

    def __init__(self, store: ApiKeyStore) -> None:
        self._store = store

    def authenticate(self, header: str | None, now_seconds: int) -> StoredKey:
        """The valid key behind a header. Raises AuthenticationError."""
        key = read_basic_header(header)
        digest = hash_key(key)
        stored = self._store.find(digest)
        is_known = stored is not None and hmac.compare_digest(stored.key_hash, digest)
        if stored is None or not is_known or not stored.is_valid_at(now_seconds):
            raise AuthenticationError("unknown")
        return stored

    def of_merchant(self, merchant_id: str) -> list[StoredKey]:
        """All of them, dead ones included."""
        return self._store.of_merchant(merchant_id)

    def renew_copies(self, merchant: Merchant) -> int:
        """Gives the merchant's keys its profile as it is now. How many there are."""
        keys = self._store.of_merchant(merchant.id)
        for key in keys:
            self._store.put(replace(key, merchant=merchant))
        return len(keys)

    def issue(self, merchant: Merchant, mode: Mode, now_seconds: int, key: str = "") -> str:
        """A new key, returned once and never again. `key` is for the local stack's known keys."""
        key = key or f"sk_{mode}_" + "".join(
            secrets.choice(_ALPHABET) for _ in range(_NEW_KEY_LENGTH)
        )
        self._store.put(StoredKey(hash_key(key), merchant, mode, now_seconds))
        return key

    def rotate(self, key_or_id: str, overlap_seconds: int, now_seconds: int) -> str:
        """A new key for the same merchant and mode; the old one dies after the overlap.

        Raises LookupError if there is no such valid key.
        """
        old = self._find(key_or_id, now_seconds)
        new = self.issue(old.merchant, old.mode, now_seconds)
        self._expire(old, now_seconds + overlap_seconds)
        return new

    def revoke(self, key_or_id: str, now_seconds: int) -> None:
        """The key dies now. Raises LookupError if there is no such valid key."""
        self._expire(self._find(key_or_id, now_seconds), now_seconds)

    def _expire(self, key: StoredKey, at: int) -> None:
        self._store.put(replace(key, expires_at=at))

    def _find(self, key_or_id: str, now_seconds: int) -> StoredKey:
        if _KEY.fullmatch(key_or_id):
            hashes = [hash_key(key_or_id)]
        else:
            hashes = [key.key_hash for key in self._store.with_id(key_or_id)]
        found = [stored for digest in hashes if (stored := self._store.find(digest))]
        valid = [key for key in found if key.is_valid_at(now_seconds)]
        if len(valid) != 1:
            raise LookupError("No valid key has this value or id. Nothing was changed.")
        return valid[0]
