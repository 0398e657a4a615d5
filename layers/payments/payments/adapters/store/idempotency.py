"""The idempotency table: who used which Idempotency-Key, for which body, for which payment."""

import hashlib
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from payments.adapters.store.items import is_condition_failure, item_before, to_item
from payments.model.ids import Account

TTL_SECONDS = 25 * 60 * 60  # 24 hours at least, however times are rounded


@dataclass(frozen=True, slots=True)
class Claim:
    """The payment this key stands for. `is_new` if nobody held the key before."""

    payment_id: str
    body_hash: str
    is_new: bool


class IdempotencyStore:
    """Claims keys. A claim names the payment before it is put, so a crash heals on the next try."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def claim(
        self, account: Account, route: str, key: str, body_hash: str, payment_id: str, now_us: int
    ) -> Claim:
        """One call: takes the key, or says who has it. A key is kept 24 hours at least."""
        now_seconds = now_us // 1_000_000
        digest = hashlib.sha256("\n".join((str(account), route, key)).encode()).hexdigest()
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(
                    {
                        "pk": digest,
                        "body_hash": body_hash,
                        "payment_id": payment_id,
                        "expires_at": now_seconds + TTL_SECONDS,
                    }
                ),
                ConditionExpression="attribute_not_exists(pk) OR expires_at <= :now",
                ExpressionAttributeValues=to_item({":now": now_seconds}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            held = item_before(error) if is_condition_failure(error) else None
            if held is None:
                raise
            return Claim(held["payment_id"], held["body_hash"], is_new=False)
        return Claim(payment_id, body_hash, is_new=True)
