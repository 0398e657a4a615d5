"""`make backup`, `make restore`: the tables that keep money's memory, of a deployed stack."""

import time
from datetime import UTC, datetime
from typing import Any

from local.operator.deployed import DeployedStack
from local.variables import Variable, optional, shaped

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
    returned, present = _copy_missing(stack.dynamodb, past, original)
    stack.dynamodb.delete_table(TableName=past)
    minutes = (time.monotonic() - started) / 60
    return (
        f"Missing rows restored: {returned}. Existing rows left unchanged: {present}. "
        f"It took {minutes:.1f} minutes."
    )


def _backed_up(stack: DeployedStack) -> dict[str, str]:
    """Logical id -> name on AWS."""
    return {name: table for name, table in stack.tables().items() if _is_backed_up(stack, table)}


def _is_backed_up(stack: DeployedStack, table: str) -> bool:
    described = stack.dynamodb.describe_continuous_backups(TableName=table)
    backups = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return bool(backups["PointInTimeRecoveryStatus"] == "ENABLED")


def _copy_missing(dynamodb: Any, source: str, target: str) -> tuple[int, int]:
    """How many rows were copied, and how many were there."""
    (key, *_) = dynamodb.describe_table(TableName=target)["Table"]["KeySchema"]
    returned = present = 0
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
            except dynamodb.exceptions.ConditionalCheckFailedException:
                present += 1
    return returned, present
