"""How rows are written: updates, transactions, and the lines of a payment's history."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from moto import mock_aws

from payments.adapters.aws import AwsClient, ConditionFailedError, TransactionCanceledError
from payments.adapters.store.items import from_item, to_item
from payments.adapters.store.payment_rows import _to_change, history_line
from payments.adapters.store.writes import MAX_TRANSACTION_TRIES, Update, transact, update
from payments.errors import AwsUnavailableError
from payments.model import lifecycle
from payments.model.lifecycle import Event, Status
from payments.model.payment import StatusChange

TABLE = "rows"


@pytest.fixture
def dynamodb() -> Iterator[AwsClient]:
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield AwsClient(client)


def row(dynamodb: AwsClient, row_id: str) -> dict[str, Any]:
    return from_item(
        dynamodb.get_item(TableName=TABLE, Key=to_item({"id": row_id})).get("Item", {})
    )


def test_an_update_sets_appends_and_removes_in_one_call(dynamodb: AwsClient) -> None:
    dynamodb.put_item(TableName=TABLE, Item=to_item({"id": "a", "lines": ["one"], "spare": "x"}))
    change = Update(
        sets={"status": "open"}, appends={"lines": ["two"], "new": ["first"]}, removes=("spare",)
    )
    update(dynamodb, TABLE, {"id": "a"}, change)
    assert row(dynamodb, "a") == {
        "id": "a",
        "status": "open",
        "lines": ["one", "two"],
        "new": ["first"],
    }


def test_an_update_whose_condition_fails_changes_nothing_and_says_what_stands_there(
    dynamodb: AwsClient,
) -> None:
    dynamodb.put_item(TableName=TABLE, Item=to_item({"id": "a", "status": "closed"}))
    change = Update(
        sets={"status": "open"}, condition="#status = :before", values={":before": "new"}
    )
    with pytest.raises(ConditionFailedError) as refused:
        update(dynamodb, TABLE, {"id": "a"}, change, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert from_item(refused.value.item) == {"id": "a", "status": "closed"}
    assert row(dynamodb, "a") == {"id": "a", "status": "closed"}


def test_whatever_else_goes_wrong_at_aws_is_unavailable(dynamodb: AwsClient) -> None:
    with pytest.raises(AwsUnavailableError) as missing:
        dynamodb.get_item(TableName="nowhere", Key=to_item({"id": "a"}))
    assert (missing.value.code, missing.value.was_refused) == ("ResourceNotFoundException", True)


def _put(row_id: str, condition: str = "attribute_not_exists(id)") -> dict[str, Any]:
    item = to_item({"id": row_id})
    return {"Put": {"TableName": TABLE, "Item": item, "ConditionExpression": condition}}


def _must_not_wait(_seconds: float) -> None:
    raise AssertionError("nothing was in the way")


def test_a_transaction_writes_all_rows_or_none(dynamodb: AwsClient) -> None:
    transact(dynamodb, [_put("a"), _put("b")], _must_not_wait)
    with pytest.raises(TransactionCanceledError) as canceled:
        transact(dynamodb, [_put("c"), _put("a")], _must_not_wait)
    codes = [reason.get("Code") for reason in canceled.value.reasons]
    assert codes == ["None", "ConditionalCheckFailed"]
    assert [bool(row(dynamodb, name)) for name in "abc"] == [True, True, False]


class _Conflicting:
    """DynamoDB while other transactions are in the way, so many times."""

    def __init__(self, conflicts: int) -> None:
        self.left = conflicts
        self.calls = 0

    def transact_write_items(self, **_: Any) -> None:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise TransactionCanceledError(({"Code": "TransactionConflict"}, {"Code": "None"}))


@pytest.mark.parametrize("conflicts", range(MAX_TRANSACTION_TRIES))
def test_a_transaction_that_meets_another_one_is_tried_again_after_a_pause(conflicts: int) -> None:
    pauses: list[float] = []
    busy: Any = _Conflicting(conflicts)
    transact(busy, [_put("a")], pauses.append)
    assert busy.calls == conflicts + 1
    assert pauses == sorted(pauses)
    assert len(pauses) == conflicts


def test_a_transaction_is_given_up_after_a_few_conflicts() -> None:
    busy: Any = _Conflicting(MAX_TRANSACTION_TRIES)
    with pytest.raises(TransactionCanceledError):
        transact(busy, [_put("a")], lambda _: None)
    assert busy.calls == MAX_TRANSACTION_TRIES


@pytest.mark.parametrize(("before", "event"), list(lifecycle.TRANSITIONS))
def test_every_history_line_tells_its_event_when_it_is_read_back(
    before: Status, event: Event
) -> None:
    change = StatusChange(lifecycle.TRANSITIONS[before, event], 1_795_000_000_000_000, event)
    line = history_line(change)
    assert _to_change(line[0], Decimal(line[1]), *line[2:]) == change


def test_a_line_names_its_event_only_where_its_status_does_not() -> None:
    decline = StatusChange(Status.REQUIRES_ACTION, 1, Event.DECLINE)
    release = StatusChange(Status.REQUIRES_ACTION, 1, Event.RELEASE)
    assert history_line(decline) != history_line(release)
    assert history_line(StatusChange(Status.SUCCEEDED, 1, Event.APPROVE)) == ["succeeded", 1]


def test_the_first_line_and_lines_of_before_have_no_event_but_what_the_status_tells() -> None:
    assert _to_change("requires_action", Decimal(1)).event is None
    assert _to_change("processing", Decimal(1)).event is Event.SUBMIT
