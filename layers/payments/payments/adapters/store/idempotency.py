"""The idempotency table: who used which Idempotency-Key, for which body, and what it stands for."""

import hashlib
from dataclasses import dataclass

from payments.adapters.aws import AwsClient, ConditionFailedError
from payments.adapters.store.items import from_item, to_item
from payments.inputs.idempotency_key import IdempotencyKey
from payments.model.ids import Account

TTL_SECONDS = 25 * 60 * 60  # 24 hours at least, however times are rounded


@dataclass(frozen=True, slots=True)
class Claim:
    """The resource this key stands for. `is_new` if the key was free.

    `claimed_at` is in seconds since 1970.
    """

    resource_id: str
    body_hash: str
    claimed_at: int
    is_new: bool


class IdempotencyStore:
    """Claims keys. A claim names its resource before that is made: the next try heals a crash.

    A key's scope is account and route; where a route has an id in it, that is part of the route.
    """

    def __init__(self, dynamodb: AwsClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def claim(
        self, account: Account, route: str, key: IdempotencyKey, resource_id: str, now_us: int
    ) -> Claim:
        """One call: takes the key, or says who has it. A key is kept 24 hours at least."""
        now_seconds = now_us // 1_000_000
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        "pk": _scoped(account, route, key),
                        "body_hash": key.body_hash,
                        "resource_id": resource_id,
                        "expires_at": now_seconds + TTL_SECONDS,
                    }
                ),
                ConditionExpression="attribute_not_exists(pk) OR expires_at <= :now",
                ExpressionAttributeValues=to_item({":now": now_seconds}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailedError as error:
            held = from_item(error.item)
            claimed_at = int(held["expires_at"]) - TTL_SECONDS
            return Claim(held["resource_id"], held["body_hash"], claimed_at, is_new=False)
        return Claim(resource_id, key.body_hash, now_seconds, is_new=True)


def _scoped(account: Account, route: str, key: IdempotencyKey) -> str:
    return hashlib.sha256("\n".join((str(account), route, key.key)).encode()).hexdigest()
