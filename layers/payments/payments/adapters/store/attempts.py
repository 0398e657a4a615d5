"""The attempts table: one row per attempt under way, holding the encrypted card until it is used.

No backup and no stream: what is erased here is gone. A row is written before its payment turns
`processing` and removed after the outcome, so the table is all that a reconciler has to read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from botocore.exceptions import ClientError

from payments.adapters.store.items import from_item, is_condition_failure, to_item
from payments.model.attempt import Attempt
from payments.model.authorization import Authorization, AvsCvcResults
from payments.model.ids import Account

TTL_SECONDS = 7 * 24 * 60 * 60


class AttemptStore:
    """Keeps attempts under way."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def add(self, attempt: Attempt) -> bool:
        """False if this attempt is already there: the same form was sent twice."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(_to_values(attempt)),
                ConditionExpression="attribute_not_exists(id)",
            )
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def renew(self, attempt_id: str, now_us: int) -> bool:
        """The form of an attempt that never began is sent again: it begins now.

        False if the attempt is over or being ended.
        """
        return self._update(
            attempt_id,
            "SET created_at_us = :now",
            {":now": now_us},
            condition="attribute_not_exists(is_reaped)",
        )

    def reap(self, attempt: Attempt) -> bool:
        """Nobody is to use this attempt's card any more: it is erased, the rest stays.

        False if the attempt is over, or was renewed since it was read.
        """
        return self._update(
            attempt.id,
            "SET is_reaped = :yes REMOVE encrypted_card",
            {":yes": True, ":read": attempt.created_at_us},
            condition="created_at_us = :read",
        )

    def all(self) -> Iterator[Attempt]:
        """Every attempt under way, for the reconciler."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        )
        for page in pages:
            for item in page["Items"]:
                yield _from_values(from_item(item))

    def get(self, attempt_id: str) -> Attempt | None:
        """Strongly consistent; None once the attempt is over."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"id": attempt_id}), ConsistentRead=True
        )
        item = answer.get("Item")
        return _from_values(from_item(item)) if item else None

    def await_challenge(self, attempt_id: str, task_token: str, challenge_url: str) -> None:
        """The shopper is needed: from now on the challenge URL leads back to this task."""
        self._update(
            attempt_id,
            "SET task_token = :task_token, challenge_url = :challenge_url",
            {":task_token": task_token, ":challenge_url": challenge_url},
        )

    def complete_challenge(self, attempt_id: str) -> None:
        """The shopper is back, or gave the challenge up: nobody is sent there again."""
        self._update(attempt_id, "SET is_challenge_over = :over", {":over": True})

    def record_answer(self, attempt_id: str, authorization: Authorization) -> None:
        """The acquirer has answered: keep the answer, erase the card, in one write."""
        self._update(
            attempt_id,
            "SET #answer = :answer REMOVE encrypted_card",
            {":answer": asdict(authorization)},
            names={"#answer": "authorization"},
        )

    def remove(self, attempt_id: str) -> None:
        """The attempt is over."""
        self._dynamodb.delete_item(TableName=self._table, Key=to_item({"id": attempt_id}))

    def _update(
        self,
        attempt_id: str,
        expression: str,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
        condition: str = "attribute_exists(id)",
    ) -> bool:
        """Changes the row if it is there: a late task delivery revives no attempt."""
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=to_item({"id": attempt_id}),
                UpdateExpression=expression,
                ConditionExpression=f"attribute_exists(id) AND {condition}",
                ExpressionAttributeValues=to_item(values),
                **({"ExpressionAttributeNames": names} if names else {}),
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            return False
        return True


def _to_values(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "account": str(attempt.account),
        "payment_id": attempt.payment_id,
        "token": attempt.token,
        "amount_minor": attempt.amount_minor,
        "currency": attempt.currency,
        "base_url": attempt.base_url,
        "challenge_id": attempt.challenge_id,
        "created_at_us": attempt.created_at_us,
        "number": attempt.number,
        "shopper_ip": attempt.shopper_ip or None,
        "shopper_email": attempt.shopper_email or None,
        "merchant_country": attempt.merchant_country or None,
        "enforces_fraud_rules": attempt.enforces_fraud_rules or None,
        "encrypted_card": attempt.encrypted_card,
        "expires_at": attempt.created_at_us // 1_000_000 + TTL_SECONDS,
    }


def _from_values(values: Mapping[str, Any]) -> Attempt:
    fields = dict(values)
    del fields["expires_at"]
    fields["account"] = Account.parse(fields["account"])
    for name in ("amount_minor", "created_at_us", "number"):
        fields[name] = int(fields[name])
    if card := fields.get("encrypted_card"):
        fields["encrypted_card"] = bytes(card)
    if answer := fields.get("authorization"):
        checks = AvsCvcResults(**answer["checks"]) if answer.get("checks") else None
        fields["authorization"] = Authorization(**{**answer, "checks": checks})
    return Attempt(**fields)
