"""The attempts table: one work row per attempt under way, with the encrypted card until it is used.

No backup and no stream: what is erased here is gone. A row is written before its payment turns
`processing` and removed after the outcome, so the table is all that a reconciler has to read.
A work row's `kind` says what was begun; the other kinds are those of `work.py`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from payments.adapters.aws import AwsClient, ConditionFailedError
from payments.adapters.store.items import from_item, to_item
from payments.adapters.store.writes import Update, update
from payments.model.attempt import Attempt
from payments.model.authorization import Authorization, AvsCvcResults
from payments.model.ids import Account
from payments.model.work import WorkKind

TTL_SECONDS = 7 * 24 * 60 * 60


class AttemptStore:
    """Keeps attempts under way."""

    def __init__(self, dynamodb: AwsClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def add(self, attempt: Attempt) -> None:
        """One call. A new attempt's id is nobody else's, so the client may repeat the write."""
        self._dynamodb.put_item(TableName=self._table, Item=to_item(_to_values(attempt)))

    def reap(self, attempt_id: str) -> bool:
        """Nobody is to use this attempt's card any more: it is erased, the rest stays.

        False if the attempt is over.
        """
        return self._update(
            attempt_id, Update(sets={"is_reaped": True}, removes=("encrypted_card",))
        )

    def get(self, attempt_id: str) -> Attempt | None:
        """Strongly consistent; None once the attempt is over."""
        response = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"id": attempt_id}), ConsistentRead=True
        )
        item = response.get("Item")
        return attempt_from_values(from_item(item)) if item else None

    def note_challenge(self, attempt_id: str, challenge_url: str) -> None:
        """The shopper will be needed, once a task waits for them."""
        self._update(attempt_id, Update(sets={"challenge_url": challenge_url}))

    def await_challenge(self, attempt_id: str, task_token: str) -> None:
        """The shopper is needed: from now on the challenge URL leads back to this task."""
        self._update(attempt_id, Update(sets={"task_token": task_token}))

    def complete_challenge(self, attempt_id: str) -> None:
        """The shopper is back, or gave the challenge up: its page is not shown again."""
        self._update(attempt_id, Update(sets={"is_challenge_over": True}))

    def record_authorization(self, attempt_id: str, authorization: Authorization) -> None:
        """The acquirer has responded: keep its response, erase the card, in one write."""
        sets = {"authorization": asdict(authorization)}
        self._update(attempt_id, Update(sets=sets, removes=("encrypted_card",)))

    def remove(self, attempt_id: str) -> bool:
        """The attempt is over. False if it was before."""
        response = self._dynamodb.delete_item(
            TableName=self._table, Key=to_item({"id": attempt_id}), ReturnValues="ALL_OLD"
        )
        return bool(response.get("Attributes"))

    def _update(self, attempt_id: str, change: Update) -> bool:
        """Changes the row if it is there: a late task delivery revives no attempt."""
        there = Update(change.sets, removes=change.removes, condition="attribute_exists(id)")
        try:
            update(self._dynamodb, self._table, {"id": attempt_id}, there)
        except ConditionFailedError:
            return False
        return True


def _to_values(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "kind": WorkKind.ATTEMPT,
        "account": str(attempt.account),
        "payment_id": attempt.payment_id,
        "token": attempt.token,
        "amount_minor": attempt.amount_minor,
        "currency": attempt.currency,
        "base_url": attempt.base_url,
        "challenge_id": attempt.challenge_id,
        "created_at_us": attempt.created_at_us,
        "acquirer": attempt.acquirer,
        "number": attempt.number,
        "shopper_ip": attempt.shopper_ip or None,
        "shopper_email": attempt.shopper_email or None,
        "merchant_country": attempt.merchant_country or None,
        "enforces_fraud_rules": attempt.enforces_fraud_rules or None,
        "captures": None if attempt.captures else False,
        "encrypted_card": attempt.encrypted_card,
        "expires_at": attempt.created_at_us // 1_000_000 + TTL_SECONDS,
    }


def attempt_from_values(values: Mapping[str, Any]) -> Attempt:
    """An attempt as its row has it."""
    fields = {name: value for name, value in values.items() if name not in ("kind", "expires_at")}
    fields["account"] = Account.parse(fields["account"])
    for name in ("amount_minor", "created_at_us", "number"):
        fields[name] = int(fields[name])
    if card := fields.get("encrypted_card"):
        fields["encrypted_card"] = bytes(card)
    if stored := fields.get("authorization"):
        checks = AvsCvcResults(**stored["checks"]) if stored.get("checks") else None
        before_us = stored.get("capture_before_us")
        fields["authorization"] = Authorization(
            **{
                **stored,
                "checks": checks,
                "capture_before_us": None if before_us is None else int(before_us),
            }
        )
    return Attempt(**fields)
