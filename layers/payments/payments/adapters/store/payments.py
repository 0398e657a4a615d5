"""The payments table: pk `merchant#mode`, sk the time-ordered id; one index by status."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError

from payments.adapters.store.items import (
    Values,
    from_item,
    is_condition_failure,
    item_before,
    to_item,
)
from payments.model import ids, lifecycle
from payments.model.card import CardSummary
from payments.model.ids import Account
from payments.model.lifecycle import Event, Status
from payments.model.payment import Payment, StatusChange
from payments.money.exchange_rates import Quote

STATUS_INDEX = "by-status"
_LOWEST_ID, _HIGHEST_ID = ids.PAYMENT_PREFIX, ids.PAYMENT_PREFIX + "~"


class TransitionRefusedError(Exception):
    """The payment was not where the change needed it. Carries it as it stands, None if gone."""

    def __init__(self, current: Payment | None) -> None:
        super().__init__(current.status if current else "no such payment")
        self.current = current


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

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def add(self, payment: Payment) -> bool:
        """Stores a new payment: one call, two write units. False if the id is taken."""
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(_to_values(payment)),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def get(self, account: Account, payment_id: str) -> Payment | None:
        """Strongly consistent: what was written before is seen."""
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key=to_item({"pk": str(account), "id": payment_id}),
            ConsistentRead=True,
        )
        item = answer.get("Item")
        return _from_values(from_item(item)) if item else None

    def page(self, request: PageRequest) -> Page:
        """One Query whatever the table holds; strongly consistent unless it goes by status."""
        lowest, highest = _id_range(request)
        if lowest > highest:
            return Page((), None)
        answer = self._dynamodb.query(
            **self._partition(request),
            TableName=self._table,
            ScanIndexForward=not request.newest_first,
            Limit=request.limit + 1,
            ExpressionAttributeValues=to_item(
                {":pk": _partition_key(request), ":lowest": lowest, ":highest": highest}
            ),
        )
        rows = tuple(_from_values(from_item(item)) for item in answer["Items"])
        shown = rows[: request.limit]
        has_more = len(rows) > request.limit or "LastEvaluatedKey" in answer
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
        """An attempt begins. Raises TransitionRefusedError if anybody was faster."""
        return self._transition(
            payment.account,
            payment.id,
            Event.SUBMIT,
            now_us,
            {"card": asdict(card), **({"customer_email": email} if email else {})},
            append={"attempt_tokens": [token]},
            condition="size(attempt_tokens) = :count",
            values={":count": len(payment.attempt_tokens)},
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
            payment.account,
            payment.id,
            event,
            now_us,
            changes,
            append={"challenge_secrets": [challenge_secret]} if challenge_secret else {},
            **_while_last_attempt_runs(payment),
        )

    def release(self, payment: Payment, now_us: int) -> Payment:
        """The attempt never began: it does not count. Raises TransitionRefusedError."""
        return self._transition(
            payment.account,
            payment.id,
            Event.RELEASE,
            now_us,
            {"card": None},
            remove=[f"attempt_tokens[{len(payment.attempt_tokens) - 1}]"],
            **_while_last_attempt_runs(payment),
        )

    def cancel(self, payment: Payment, now_us: int) -> Payment:
        """The shopper gave up. Raises TransitionRefusedError if it is no longer theirs to end."""
        return self._transition(payment.account, payment.id, Event.CANCEL, now_us, {})

    def _transition(
        self,
        account: Account,
        payment_id: str,
        event: Event,
        now_us: int,
        changes: Values,
        append: Values | None = None,
        remove: Sequence[str] = (),
        condition: str | None = None,
        values: Values | None = None,
    ) -> Payment:
        """The one way a status changes: a conditional write that also appends to the history.

        A change to None removes the attribute.
        """
        before = lifecycle.source(event)
        after = lifecycle.TRANSITIONS[before, event]
        sets = {
            "status": after,
            "status_pk": f"{account}#{after}",
            "updated_at_us": now_us,
            **{name: value for name, value in changes.items() if value is not None},
        }
        appends = {"history": [[after, now_us]], **(append or {})}
        removes = [*remove, *(name for name, value in changes.items() if value is None)]
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=to_item({"pk": str(account), "id": payment_id}),
                UpdateExpression=_update_expression(sets, appends, removes),
                ConditionExpression="#status = :before"
                + (f" AND {condition}" if condition else ""),
                ExpressionAttributeNames={f"#{name}": name for name in sets},
                ExpressionAttributeValues=to_item(
                    {f":{name}": value for name, value in (sets | appends).items()}
                    | {":before": before, **(values or {})}
                ),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise
            current = item_before(error)
            raise TransitionRefusedError(_from_values(current) if current else None) from error
        return _from_values(from_item(answer["Attributes"]))


def _while_last_attempt_runs(payment: Payment) -> dict[str, Any]:
    """The condition that the attempt we know of is still the last one."""
    position = len(payment.attempt_tokens) - 1
    return {
        "condition": f"attempt_tokens[{position}] = :token",
        "values": {":token": payment.attempt_tokens[position]},
    }


def _update_expression(sets: Values, appends: Values, removes: Sequence[str]) -> str:
    assignments = [f"#{name} = :{name}" for name in sets]
    assignments += [f"{name} = list_append({name}, :{name})" for name in appends]
    removal = f" REMOVE {', '.join(removes)}" if removes else ""
    return f"SET {', '.join(assignments)}{removal}"


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


def _to_values(payment: Payment) -> dict[str, Any]:
    return {
        "pk": str(payment.account),
        "id": payment.id,
        "status_pk": f"{payment.account}#{payment.status}",
        "status": payment.status,
        "client_secret": payment.client_secret,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "description": payment.description,
        "items": list(payment.items),
        "return_url": payment.return_url,
        "company_name": payment.company_name,
        "company_email": payment.company_email,
        "statement_descriptor": payment.statement_descriptor,
        "local_currency": payment.local_currency,
        "fee_minor": payment.fee_minor,
        "net_minor": payment.net_minor,
        "net_currency": payment.net_currency,
        "quote": _without_none(asdict(payment.quote)) if payment.quote else None,
        "created_at_us": payment.created_at_us,
        "updated_at_us": payment.updated_at_us,
        "history": [[change.status, change.at_us] for change in payment.history],
        "attempt_tokens": list(payment.attempt_tokens),
        "customer_email": payment.customer_email,
        "metadata": payment.metadata,
        "card": asdict(payment.card) if payment.card else None,
        "decline_code": payment.decline_code,
        "three_d_secure": payment.three_d_secure,
        "risk": payment.risk,
        "merchant_country": payment.merchant_country,
        "enforces_fraud_rules": payment.enforces_fraud_rules or None,
        "challenge_secrets": list(payment.challenge_secrets),
    }


def _without_none(values: Values) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _from_values(values: Mapping[str, Any]) -> Payment:
    fields = dict(values)
    account = Account.parse(fields.pop("pk"))
    del fields["status_pk"]
    for name in ("amount_minor", "fee_minor", "net_minor", "created_at_us", "updated_at_us"):
        fields[name] = int(fields[name])
    fields["status"] = Status(fields["status"])
    fields["items"] = tuple(fields["items"])
    for name in ("attempt_tokens", "challenge_secrets"):
        fields[name] = tuple(fields[name])
    fields["history"] = tuple(
        StatusChange(Status(status), int(at_us)) for status, at_us in fields["history"]
    )
    if (risk := fields.get("risk")) and "score" in risk:
        fields["risk"] = {**risk, "score": int(risk["score"])}
    if quote := fields.get("quote"):
        fields["quote"] = _to_quote(quote)
    if card := fields.get("card"):
        years = {name: int(card[name]) for name in ("exp_month", "exp_year")}
        fields["card"] = CardSummary(**(card | years))
    return Payment(account=account, **fields)


def _to_quote(values: Values) -> Quote:
    at = values.get("at")
    rates = {name: values.get(name) for name in ("charge", "local", "net", "fee", "source")}
    return Quote(**rates, at=None if at is None else int(at))
