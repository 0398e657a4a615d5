"""The keys table: API keys by their hash.

A key's row carries a copy of its merchant, so that authorizing a request is one read. Two indexes
find the keys of a merchant, and a key by its public id.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from payments.adapters.aws import AwsClient
from payments.adapters.store.items import from_item, to_item
from payments.model.ids import Account, Mode
from payments.model.merchant import Merchant

KEY_ID_LENGTH = 12
MERCHANT_INDEX, KEY_ID_INDEX = "by-merchant", "by-key-id"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """`expires_at` is in seconds since 1970; None: until revoked."""

    key_hash: str
    merchant: Merchant
    mode: Mode
    created_at: int
    expires_at: int | None = None

    @property
    def id(self) -> str:
        """A short public name for the key, by which it can be rotated or revoked."""
        return self.key_hash[:KEY_ID_LENGTH]

    def is_valid_at(self, now_seconds: int) -> bool:
        """A rotated key dies at its time, a revoked one has died already."""
        return self.expires_at is None or now_seconds < self.expires_at

    @property
    def account(self) -> Account:
        return Account(self.merchant.id, self.mode)


class ApiKeyStore:
    """Looks keys up by hash, by id and by merchant. Nothing here scans."""

    def __init__(self, dynamodb: AwsClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def find(self, key_hash: str) -> StoredKey | None:
        """One strongly consistent read: a revoked key is seen at once."""
        response = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"id": f"key#{key_hash}"}), ConsistentRead=True
        )
        item = response.get("Item")
        return _to_key(from_item(item)) if item else None

    def with_id(self, key_id: str) -> list[StoredKey]:
        """Those whose hash begins so: one, but for a coincidence. May lag a second."""
        return self._query(KEY_ID_INDEX, "key_id", key_id)

    def of_merchant(self, merchant_id: str) -> list[StoredKey]:
        """All keys of a merchant, dead ones included. May lag a second."""
        return self._query(MERCHANT_INDEX, "merchant_id", merchant_id)

    def put(self, key: StoredKey) -> None:
        """Writes the key's row, replacing it if it is there (rotated, revoked)."""
        row = asdict(key)
        row |= {"id": f"key#{row.pop('key_hash')}", "key_id": key.id}
        row |= {"merchant_id": key.merchant.id}
        self._dynamodb.put_item(TableName=self._table, Item=to_item(row))

    def _query(self, index: str, attribute: str, value: str) -> list[StoredKey]:
        found: list[StoredKey] = []
        start: dict[str, Any] = {}
        while True:
            page = self._dynamodb.query(
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression=f"{attribute} = :value",
                ExpressionAttributeValues=to_item({":value": value}),
                **start,
            )
            found += [_to_key(from_item(item)) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _to_key(values: Mapping[str, Any]) -> StoredKey:
    expires_at = values.get("expires_at")
    return StoredKey(
        key_hash=values["id"].removeprefix("key#"),
        merchant=Merchant(**values["merchant"]),
        mode=Mode(values["mode"]),
        created_at=int(values["created_at"]),
        expires_at=None if expires_at is None else int(expires_at),
    )
