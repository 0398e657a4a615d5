"""The payments table: pk `merchant#mode`, sk the time-ordered id; one index by status."""

from dataclasses import asdict, dataclass
from typing import Any

from payments.adapters.aws import AwsClient, ConditionFailedError
from payments.adapters.store.items import Values, from_item, to_item
from payments.adapters.store.payment_rows import earlier_values, from_values, to_values
from payments.adapters.store.transitions import change_payment, transition
from payments.adapters.store.writes import Update
from payments.model import ids, lifecycle
from payments.model.card import CardSummary
from payments.model.ids import Account
from payments.model.lifecycle import Event, Status
from payments.model.payment import EarlierAttempt, Payment

STATUS_INDEX = "by-status"
_LOWEST_ID, _HIGHEST_ID = ids.PAYMENT_PREFIX, ids.PAYMENT_PREFIX + "~"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which rows: `after` is the last id of the page before, `border` splits off expired ones."""

    account: Account
    status: Status | None
    limit: int
    newest_first: bool
    after: str | None
    expired_before_ms: int


@dataclass(frozen=True, slots=True)
class Page:
    """`next_after` is None on the last page."""

    payments: tuple[Payment, ...]
    next_after: str | None


class PaymentStore:
    """Adds, reads, lists and changes payments. Knows no rule but the lifecycle's."""

    def __init__(self, dynamodb: AwsClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def add(self, payment: Payment) -> bool:
        """Stores a new payment: one call, two write units. False if the id is taken."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(to_values(payment)),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ConditionFailedError:
            return False
        return True

    def get(self, account: Account, payment_id: str) -> Payment | None:
        """Strongly consistent: what was written before is seen."""
        response = self._dynamodb.get_item(
            TableName=self._table,
            Key=to_item({"pk": str(account), "id": payment_id}),
            ConsistentRead=True,
        )
        item = response.get("Item")
        return from_values(from_item(item)) if item else None

    def page(self, request: PageRequest) -> Page:
        """One Query whatever the table holds; strongly consistent unless it goes by status."""
        lowest, highest = _id_range(request)
        if lowest > highest:
            return Page((), None)
        response = self._dynamodb.query(
            **self._partition(request),
            TableName=self._table,
            ScanIndexForward=not request.newest_first,
            Limit=request.limit + 1,
            ExpressionAttributeValues=to_item(
                {":pk": _partition_key(request), ":lowest": lowest, ":highest": highest}
            ),
        )
        rows = tuple(from_values(from_item(item)) for item in response["Items"])
        shown = rows[: request.limit]
        has_more = len(rows) > request.limit or "LastEvaluatedKey" in response
        return Page(shown, shown[-1].id if has_more and shown else None)

    @staticmethod
    def _partition(request: PageRequest) -> dict[str, Any]:
        if request.status is None:
            condition = "pk = :pk AND id BETWEEN :lowest AND :highest"
            return {"KeyConditionExpression": condition, "ConsistentRead": True}
        condition = "status_pk = :pk AND id BETWEEN :lowest AND :highest"
        return {"KeyConditionExpression": condition, "IndexName": STATUS_INDEX}

    def submit(
        self, payment: Payment, token: str, card: CardSummary, email: str | None, now_us: int
    ) -> Payment:
        """An attempt begins. Raises TransitionRefusedError if anybody was faster.

        What the payment recorded of the attempt before is kept, so that its form is known again.
        """
        earlier = {}
        if payment.attempt_tokens and payment.card:
            ended = EarlierAttempt(payment.card, payment.decline_code)
            earlier = {"earlier_attempts": [earlier_values(ended)]}
        return self._transition(
            payment,
            Event.SUBMIT,
            now_us,
            {"card": asdict(card), "shopper_email": email},
            appends={"attempt_tokens": [token], **earlier},
            # Not even an attempt that has come and gone since the payment was read.
            condition="#updated_at_us = :read_us",
            values={":read_us": payment.updated_at_us},
        )

    def conclude(
        self,
        payment: Payment,
        event: Event,
        now_us: int,
        changes: Values,
        challenge_secret: str | None = None,
    ) -> Payment:
        """The attempt under way, the payment's last one, ends in the event.

        Its challenge's id, if it had one, is kept for those who come back late.
        Raises TransitionRefusedError if the attempt ended meanwhile.
        """
        return self._transition(
            payment,
            event,
            now_us,
            changes,
            appends={"challenge_secrets": [challenge_secret]} if challenge_secret else {},
            **_while_last_attempt_runs(payment),
        )

    def take_over(self, payment: Payment, now_us: int) -> Payment:
        """Somebody else than who submitted the attempt runs it: it can no longer be released.

        Raises TransitionRefusedError if it has ended.
        """
        running = _while_last_attempt_runs(payment)
        sets = {
            "status": lifecycle.source(Event.RELEASE),
            "updated_at_us": max(now_us, payment.updated_at_us + 1),
        }
        condition = f"#status = :status AND {running['condition']}"
        return self._change(payment, Update(sets, condition=condition, values=running["values"]))

    def release(self, submitted: Payment, now_us: int) -> Payment:
        """The attempt never began: it does not count, and what it recorded is taken back.

        Raises TransitionRefusedError if it was taken over.
        """
        removes = [f"attempt_tokens[{len(submitted.attempt_tokens) - 1}]"]
        card = None
        if submitted.earlier_attempts:
            removes.append(f"earlier_attempts[{len(submitted.earlier_attempts) - 1}]")
            card = asdict(submitted.earlier_attempts[-1].card)
        running = _while_last_attempt_runs(submitted)
        return self._transition(
            submitted,
            Event.RELEASE,
            now_us,
            {"card": card, "shopper_email": None},
            removes=removes,
            condition=f"{running['condition']} AND #updated_at_us = :submitted_at_us",
            values={**running["values"], ":submitted_at_us": submitted.updated_at_us},
        )

    def cancel(self, payment: Payment, reason: str | None, now_us: int) -> Payment:
        """Nobody will pay any more. Raises TransitionRefusedError if that is too late."""
        return self._transition(payment, Event.CANCEL, now_us, {"cancellation_reason": reason})

    def _transition(
        self,
        payment: Payment,
        event: Event,
        now_us: int,
        changes: Values,
        **more: Any,
    ) -> Payment:
        """The payment as it then stands. Raises TransitionRefusedError."""
        return self._change(payment, transition(payment, event, now_us, changes, **more))

    def _change(self, payment: Payment, change: Update) -> Payment:
        return change_payment(self._dynamodb, self._table, payment, change)


def _while_last_attempt_runs(payment: Payment) -> dict[str, Any]:
    """The condition that the attempt we know of is still the last one."""
    position = len(payment.attempt_tokens) - 1
    return {
        "condition": f"attempt_tokens[{position}] = :token",
        "values": {":token": payment.attempt_tokens[position]},
    }


def _partition_key(request: PageRequest) -> str:
    if request.status is None:
        return str(request.account)
    stored = request.status
    if stored is Status.EXPIRED:
        stored = lifecycle.source(Event.EXPIRE)
    return f"{request.account}#{stored}"


def _id_range(request: PageRequest) -> tuple[str, str]:
    """Inclusive bounds: what the status allows, less what earlier pages have shown."""
    lowest, highest = _LOWEST_ID, _HIGHEST_ID
    border = ids.first_payment_id_at(request.expired_before_ms)
    if request.status is Status.EXPIRED:
        highest = _just_below(border)
    elif request.status is lifecycle.source(Event.EXPIRE):
        lowest = border
    if request.after and request.newest_first:
        highest = min(highest, _just_below(request.after))
    elif request.after:
        lowest = max(lowest, request.after + "0")
    return lowest, highest


def _just_below(payment_id: str) -> str:
    """Sorts before the id and after every smaller one, for ids have one length."""
    return payment_id[:-1] + chr(ord(payment_id[-1]) - 1) + "~"
