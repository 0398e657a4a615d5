"""`make backup`, `make restore`: the tables that keep money's memory, of a deployed stack."""

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.operator.deployed import DeployedStack, add_stack_options, open_stack, unreachable

# Restoring takes minutes for small tables and hours for large ones.
_WAIT = {"Delay": 20, "MaxAttempts": 360}


def main() -> int:
    options = _options()
    try:
        print(options.command(options, open_stack(options.stack, options.aws_port)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except (ClientError, BotoCoreError) as error:
        print(unreachable(options, error), file=sys.stderr)
        return 1
    return 0


def backup(_options: argparse.Namespace, stack: DeployedStack) -> str:
    """A backup that is kept until it is deleted, beside the 35 days of continuous ones."""
    day = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    made = [
        stack.dynamodb.create_backup(TableName=table, BackupName=f"{stack.name}-{name}-{day}")
        for name, table in stack.tables().items()
        if _is_backed_up(stack, table)
    ]
    return "\n".join(answer["BackupDetails"]["BackupArn"] for answer in made)


def restore(options: argparse.Namespace, stack: DeployedStack) -> str:
    """Brings back the rows that are gone, and leaves those that are there as they are.

    Raises ValueError.
    """
    table = stack.tables().get(options.table, "")
    if not table or not _is_backed_up(stack, table):
        raise ValueError(f"{options.table} is not a table of the stack that is backed up.")
    past = f"{table}-restored-{time.time_ns()}"
    if options.backup:
        stack.dynamodb.restore_table_from_backup(TargetTableName=past, BackupArn=options.backup)
    else:
        latest = {"UseLatestRestorableTime": True}
        moment = {"RestoreDateTime": options.at} if options.at else latest
        stack.dynamodb.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=past, **moment
        )
    stack.dynamodb.get_waiter("table_exists").wait(TableName=past, WaiterConfig=_WAIT)
    returned, present = _copy_missing(stack.dynamodb, past, table)
    stack.dynamodb.delete_table(TableName=past)
    return f"Missing rows restored: {returned}. Existing rows left unchanged: {present}."


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


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.operator.backup", description=__doc__)
    add_stack_options(parser)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("backup", help="one backup of each table").set_defaults(command=backup)
    restoring = commands.add_parser("restore", help="the rows that are missing")
    restoring.add_argument("--table", required=True, help="a table's name in template.yaml")
    restoring.add_argument("--at", default="", help="the moment to restore; empty: the latest")
    restoring.add_argument("--backup", default="", help="the ARN of a backup, instead of a moment")
    restoring.set_defaults(command=restore)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
