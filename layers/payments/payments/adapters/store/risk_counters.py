"""The risk counters table: one item for each subject and day, gone by TTL two days later.

A subject is a card, an e-mail, an IP address (under their fingerprints) or a merchant. An item of
a day never grows beyond that day's half hours, stays below one write unit and needs no cleaning;
the times are in the names, so an item that TTL has not removed yet counts for nothing.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from payments.adapters.aws import AwsClient, ConditionFailedError
from payments.adapters.store.items import from_item, to_item
from payments.errors import UnavailableError
from payments.risk.history import BUCKET_SECONDS, DAY_SECONDS, Amounts, History

TTL_SECONDS = 3 * DAY_SECONDS
_BUCKETS_PER_DAY = DAY_SECONDS // BUCKET_SECONDS
_ATTEMPTS, _FAILURES, _UNDER_WAY = "a", "f", "u"
_SHORT_LETTERS = 8
_AMOUNTS, _TOTAL = "n_", "s_"


class CountersIncompleteError(UnavailableError):
    """DynamoDB has read only some of the items: it is throttled."""


class RiskCounters:
    """Counts attempts, failures and what is under way. Times are seconds since 1970."""

    def __init__(self, dynamodb: AwsClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def count(
        self,
        subject: str,
        attempt_id: str,
        now_seconds: int,
        amount: tuple[str, int] | None = None,
        *,
        is_under_way: bool = False,
    ) -> History:
        """One attempt more, and one call: gives what was counted today, this attempt included.

        With `is_under_way` it counts as that too, until it is ended. A task that is delivered again
        counts its attempt again only if others came in between.
        """
        added = {_name(_ATTEMPTS, now_seconds): 1}
        if is_under_way:
            added[_name(_UNDER_WAY, now_seconds)] = 1
        if amount:
            currency, minor = amount
            added |= {_AMOUNTS + currency: 1, _TOTAL + currency: minor}
        try:
            response = self._add(
                subject,
                now_seconds,
                added,
                ("last_attempt", _short(attempt_id)),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailedError as error:
            return _to_history(from_item(error.item), now_seconds)
        return _to_history(from_item(response["Attributes"]), now_seconds)

    def uncount(self, subject: str, now_seconds: int) -> None:
        """Takes back an attempt that counts as under way: its task will count it again."""
        taken = dict.fromkeys((_name(_ATTEMPTS, now_seconds), _name(_UNDER_WAY, now_seconds)), -1)
        self._add(subject, now_seconds, taken, ("last_attempt", ""))

    def change(
        self,
        subject: str,
        attempt_id: str,
        counted_at_seconds: int,
        *,
        failures: int,
        under_way: int = 0,
    ) -> None:
        """Adds for an attempt; negative numbers take back what was added for it.

        Where the client repeats the call, it is added once.
        """
        numbers = {_FAILURES: failures, _UNDER_WAY: under_way}
        added = {_name(kind, counted_at_seconds): number for kind, number in numbers.items()}
        added = {name: number for name, number in added.items() if number}
        change = f"{_short(attempt_id)}{failures:+}"
        with suppress(ConditionFailedError):
            self._add(subject, counted_at_seconds, added, ("last_change", change))

    def of_yesterday(self, subjects: Sequence[str], now_seconds: int) -> Mapping[str, History]:
        """What windows reach back to: one call for all. Raises CountersIncompleteError."""
        before = now_seconds - DAY_SECONDS
        subject_of = {_key(subject, before): subject for subject in subjects}
        response = self._dynamodb.batch_get_item(
            RequestItems={self._table: {"Keys": [to_item({"pk": key}) for key in subject_of]}}
        )
        if response.get("UnprocessedKeys"):
            raise CountersIncompleteError
        items = [from_item(item) for item in response["Responses"][self._table]]
        return {subject_of[item["pk"]]: _to_history(item, before) for item in items}

    def _add(
        self,
        subject: str,
        now_seconds: int,
        added: Mapping[str, int],
        last: tuple[str, str],
        **options: str,
    ) -> Any:
        """Adds, and remembers under which name it did so. Raises ConditionFailedError if it had."""
        name, value = last
        expires_at = now_seconds // DAY_SECONDS * DAY_SECONDS + TTL_SECONDS
        return self._dynamodb.update_item(
            TableName=self._table,
            Key=to_item({"pk": _key(subject, now_seconds)}),
            UpdateExpression=f"SET {name} = :last, expires_at = :expires_at"
            f" ADD {', '.join(f'{counter} :{counter}' for counter in added)}",
            ConditionExpression=f"NOT {name} = :last",
            ExpressionAttributeValues=to_item(
                {":expires_at": expires_at, ":last": value}
                | {f":{counter}": number for counter, number in added.items()}
            ),
            **options,
        )


def _short(attempt_id: str) -> str:
    """Enough to tell one attempt from the one before: the end of an id is random."""
    return attempt_id[-_SHORT_LETTERS:]


def _key(subject: str, seconds: int) -> str:
    return f"{subject}#{seconds // DAY_SECONDS}"


def _name(kind: str, seconds: int) -> str:
    return f"{kind}{seconds % DAY_SECONDS // BUCKET_SECONDS}"


def _to_history(item: Mapping[str, Any], seconds: int) -> History:
    first = seconds // DAY_SECONDS * _BUCKETS_PER_DAY

    def buckets(kind: str) -> dict[int, int]:
        return {
            first + number: int(item[name])
            for number in range(_BUCKETS_PER_DAY)
            if (name := f"{kind}{number}") in item
        }

    amounts = {
        name.removeprefix(_AMOUNTS): Amounts(int(count), int(item[_TOTAL + name[len(_AMOUNTS) :]]))
        for name, count in item.items()
        if name.startswith(_AMOUNTS)
    }
    return History(buckets(_ATTEMPTS), buckets(_FAILURES), amounts, buckets(_UNDER_WAY))
