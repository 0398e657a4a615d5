"""The merchants table: each merchant's profile, and beside it its lists (`merchant_lists.py`)."""

from dataclasses import asdict

from payments.adapters.aws import AwsClient
from payments.adapters.store.items import from_item, to_item
from payments.model.clock import Clock
from payments.model.merchant import Merchant, Profile

CACHE_SECONDS = 300


class MerchantStore:
    """Reads and writes profiles."""

    def __init__(self, dynamodb: AwsClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def get(self, merchant_id: str) -> Profile | None:
        """One strongly consistent read."""
        response = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"id": _id(merchant_id)}), ConsistentRead=True
        )
        item = response.get("Item")
        if not item:
            return None
        values = from_item(item)
        return Profile(Merchant(**values["merchant"]), values.get("accepts_json_cards", False))

    def put(self, profile: Profile) -> None:
        self._dynamodb.put_item(
            TableName=self._table, Item=to_item({"id": _id(profile.merchant.id), **asdict(profile)})
        )


class CachedProfiles:
    """Profiles as the checkout reads them: at most five minutes old."""

    def __init__(self, store: MerchantStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._read: dict[str, tuple[int, Profile | None]] = {}

    def get(self, merchant_id: str) -> Profile | None:
        now_us = self._clock.now_us()
        read_at_us, profile = self._read.get(merchant_id, (None, None))
        if read_at_us is None or not 0 <= now_us - read_at_us < CACHE_SECONDS * 1_000_000:
            profile = self._store.get(merchant_id)
            self._read[merchant_id] = now_us, profile
        return profile


def _id(merchant_id: str) -> str:
    return f"merchant#{merchant_id}"
