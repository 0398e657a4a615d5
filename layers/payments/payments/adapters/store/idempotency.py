"""The idempotency table: who used which Idempotency-Key, for which body, and what it stands for."""

import hashlib
from dataclasses import dataclass

from payments.adapters.aws import AwsClient, ConditionFailedError
from payments.adapters.store.items import Values, from_item, to_item
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
                Item=to_item(_row(account, route, key, resource_id, now_seconds)),
                ConditionExpression="attribute_not_exists(pk) OR expires_at <= :now",
                ExpressionAttributeValues=to_item({":now": now_seconds}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailedError as error:
            return _held(from_item(error.item))
        return Claim(resource_id, key.body_hash, now_seconds, is_new=True)

    def find(self, account: Account, route: str, key: IdempotencyKey, now_us: int) -> Claim | None:
        """Who has the key, strongly consistent; None if it is free."""
        response = self._dynamodb.get_item(
            TableName=self._table,
            Key=to_item({"pk": _scoped(account, route, key)}),
            ConsistentRead=True,
        )
        row = from_item(response.get("Item", {}))
        is_held = row and row["expires_at"] > now_us // 1_000_000
        return _held(row) if is_held else None

    def take_over(
        self,
        account: Account,
        route: str,
        key: IdempotencyKey,
        claim: Claim,
        resource_id: str,
        now_us: int,
    ) -> bool:
        """Claims the key again to finish what its holder began. False if somebody was faster."""
        seen = {":id": claim.resource_id, ":expires_at": claim.claimed_at + TTL_SECONDS}
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(_row(account, route, key, resource_id, now_us // 1_000_000)),
                ConditionExpression="resource_id = :id AND expires_at = :expires_at",
                ExpressionAttributeValues=to_item(seen),
            )
        except ConditionFailedError:
            return False
        return True


def _row(
    account: Account, route: str, key: IdempotencyKey, resource_id: str, now_seconds: int
) -> Values:
    return {
        "pk": _scoped(account, route, key),
        "body_hash": key.body_hash,
        "resource_id": resource_id,
        "expires_at": now_seconds + TTL_SECONDS,
    }


def _held(row: Values) -> Claim:
    claimed_at = int(row["expires_at"]) - TTL_SECONDS
    return Claim(row["resource_id"], row["body_hash"], claimed_at, is_new=False)


def _scoped(account: Account, route: str, key: IdempotencyKey) -> str:
    return hashlib.sha256("\n".join((str(account), route, key.key)).encode()).hexdigest()
