"""The keys table: API keys by their hash, and merchants by their id.

A key's row carries its merchant, so that authorizing a request is one read.
"""

from dataclasses import asdict, dataclass
from typing import Any

from payments.adapters.store.items import from_item, to_item
from payments.model.ids import Account, Mode
from payments.model.merchant import Merchant


@dataclass(frozen=True, slots=True)
class StoredKey:
    """`expires_at` is in seconds since 1970; None: until revoked."""

    key_hash: str
    merchant: Merchant
    mode: Mode
    created_at: int
    expires_at: int | None = None

    def is_valid_at(self, now_seconds: int) -> bool:
        """A rotated key dies at its time, a revoked one has died already."""
        return self.expires_at is None or now_seconds < self.expires_at

    @property
    def account(self) -> Account:
        return Account(self.merchant.id, self.mode)


class ApiKeyStore:
    """Looks keys up by hash; keeps merchants beside them."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def find(self, key_hash: str) -> StoredKey | None:
        """One strongly consistent read: a revoked key is seen at once."""
        values = self._get(f"key#{key_hash}")
        return _to_key(values) if values else None

    def merchant(self, merchant_id: str) -> Merchant | None:
        """The profile new keys are issued with."""
        values = self._get(f"merchant#{merchant_id}")
        return Merchant(**values["merchant"]) if values else None

    def put_merchant(self, merchant: Merchant) -> None:
        self._put({"id": f"merchant#{merchant.id}", "merchant": asdict(merchant)})

    def put_key(self, key: StoredKey) -> None:
        """Writes the key's row, replacing it if it is there (rotated, revoked)."""
        row = asdict(key)
        self._put({"id": f"key#{row.pop('key_hash')}", **row})

    def all_keys(self) -> list[StoredKey]:
        """Every key of the stack, for the operator's tools: no request path reads this."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="begins_with(id, :prefix)",
            ExpressionAttributeValues=to_item({":prefix": "key#"}),
        )
        return [_to_key(from_item(item)) for page in pages for item in page["Items"]]

    def _get(self, row_id: str) -> dict[str, Any] | None:
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"id": row_id}), ConsistentRead=True
        )
        item = answer.get("Item")
        return from_item(item) if item else None

    def _put(self, values: dict[str, Any]) -> None:
        self._dynamodb.put_item(TableName=self._table, Item=to_item(values))


def _to_key(values: dict[str, Any]) -> StoredKey:
    expires_at = values.get("expires_at")
    return StoredKey(
        key_hash=values["id"].removeprefix("key#"),
        merchant=Merchant(**values["merchant"]),
        mode=Mode(values["mode"]),
        created_at=int(values["created_at"]),
        expires_at=None if expires_at is None else int(expires_at),
    )
