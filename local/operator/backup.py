"""`make backup`, `make restore`: the tables that keep money's memory, of a deployed stack."""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from local.operator.deployed import DeployedStack
from local.variables import Variable, optional, shaped
from payments.adapters.aws import ConditionFailedError
from payments.adapters.store.items import Values, from_item
from payments.adapters.store.work import WorkStore
from payments.model import ids
from payments.model.ids import Account
from payments.model.operation_result import OperationStatus
from payments.model.work import MoneyWork, WorkKind

# Restoring takes minutes for small tables and hours for large ones.
_WAIT = {"Delay": 20, "MaxAttempts": 360}


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("must be a time with its zone, like 2030-01-31T12:00:00Z")
    return moment


TABLE = Variable("TABLE", shaped(r"[A-Za-z0-9]+", "a table's name, like PaymentsTable"))
AT = optional("AT", _moment)
BACKUP = optional(
    "BACKUP",
    shaped(r"arn:aws[a-z-]*:dynamodb:\S+:table/\S+/backup/\S+", "an ARN that make backup printed"),
)


def backup(stack: DeployedStack) -> str:
    """A backup that is kept until it is deleted, beside the 35 days of continuous ones."""
    day = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    made = [
        stack.dynamodb.create_backup(TableName=table, BackupName=f"{stack.name}-{name}-{day}")
        for name, table in _backed_up(stack).items()
    ]
    return "\n".join(answer["BackupDetails"]["BackupArn"] for answer in made)


def restore(stack: DeployedStack, table: str, at: datetime | None, backup: str | None) -> str:
    """Brings back the rows that are gone, and leaves those that are there as they are.

    Raises ValueError.
    """
    if at and backup:
        raise ValueError("AT and BACKUP exclude each other: a backup has a time of its own.")
    backed_up = _backed_up(stack)
    if table not in backed_up:
        raise ValueError(
            f"TABLE={table} is not a table of the stack that is backed up. "
            f"These are: {', '.join(backed_up)}."
        )
    original, started = backed_up[table], time.monotonic()
    past = f"{original}-restored-{time.time_ns()}"
    if backup:
        stack.dynamodb.restore_table_from_backup(TargetTableName=past, BackupArn=backup)
    else:
        latest = {"UseLatestRestorableTime": True}
        moment = {"RestoreDateTime": at} if at else latest
        stack.dynamodb.restore_table_to_point_in_time(
            SourceTableName=original, TargetTableName=past, **moment
        )
    stack.dynamodb.get_waiter("table_exists").wait(TableName=past, WaiterConfig=_WAIT)
    returned, present, works = _copy_missing(stack.dynamodb, past, original)
    _remember(stack, works)
    stack.dynamodb.delete_table(TableName=past)
    minutes = (time.monotonic() - started) / 60
    open_work = f" Refunds, captures and voids without outcome: {len(works)}." if works else ""
    return (
        f"Missing rows restored: {returned}. Existing rows left unchanged: {present}."
        f"{open_work} It took {minutes:.1f} minutes."
    )


def _backed_up(stack: DeployedStack) -> dict[str, str]:
    """Logical id -> name on AWS."""
    return {name: table for name, table in stack.tables().items() if _is_backed_up(stack, table)}


def _is_backed_up(stack: DeployedStack, table: str) -> bool:
    described = stack.dynamodb.describe_continuous_backups(TableName=table)
    backups = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return bool(backups["PointInTimeRecoveryStatus"] == "ENABLED")


def _copy_missing(dynamodb: Any, source: str, target: str) -> tuple[int, int, list[MoneyWork]]:
    """How many rows were copied, how many were there, and what the copied ones wait for."""
    (key, *_) = dynamodb.describe_table(TableName=target)["Table"]["KeySchema"]
    returned = present = 0
    works: list[MoneyWork] = []
    for page in dynamodb.get_paginator("scan").paginate(TableName=source, ConsistentRead=True):
        for item in page["Items"]:
            try:
                dynamodb.put_item(
                    TableName=target,
                    Item=item,
                    ConditionExpression="attribute_not_exists(#key)",
                    ExpressionAttributeNames={"#key": key["AttributeName"]},
                )
                returned += 1
                works += _work_of(from_item(item))
            except dynamodb.exceptions.ConditionalCheckFailedException:
                present += 1
    return returned, present, works


def _remember(stack: DeployedStack, works: Iterable[MoneyWork]) -> None:
    """Tells the reconciler: the table of what is under way is in no backup."""
    store = WorkStore(stack.aws_client, stack.tables()["AttemptsTable"])
    for work in works:
        with suppress(ConditionFailedError):  # it knows
            stack.aws_client.put_item(**store.adding(work)["Put"])


def _work_of(row: Values) -> Iterator[MoneyWork]:
    is_refund = str(row.get("id", "")).startswith(ids.REFUND_PREFIX)
    if is_refund and row["status"] == OperationStatus.PENDING:
        begun = WorkKind.REFUND, row["id"], row["payment_id"], row["created_at_us"]
    elif operation := row.get("operation"):
        begun = WorkKind.OPERATION, operation["id"], row["id"], operation["created_at_us"]
    else:
        return
    kind, work_id, payment_id, created_at_us = begun
    account = Account.parse(row["pk"])
    yield MoneyWork(work_id, kind, account, payment_id, int(created_at_us))
