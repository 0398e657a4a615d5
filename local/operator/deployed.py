"""A stack as its owner reaches it: a deployed one under AWS credentials, or the local one.

`make outputs` shows what a newcomer needs to know of it.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local import REGION, STACK_NAME
from payments.adapters.aws import AwsClient
from payments.errors import AwsUnavailableError


@dataclass(frozen=True)
class DeployedStack:
    """Clients of the stack's AWS. Without a name it is the local stack, without credentials."""

    name: str
    cloudformation: Any
    dynamodb: Any

    @property
    def aws_client(self) -> AwsClient:
        """For the product's own stores."""
        return AwsClient(self.dynamodb)

    def outputs(self) -> dict[str, str]:
        (described,) = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return {row["OutputKey"]: row["OutputValue"] for row in described["Outputs"]}

    def tables(self) -> dict[str, str]:
        """Logical id -> name on AWS of every table."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=self.name
        )
        return {
            row["LogicalResourceId"]: row["PhysicalResourceId"]
            for page in pages
            for row in page["StackResourceSummaries"]
            if row["ResourceType"] == "AWS::DynamoDB::Table"
        }


def open_stack(stack: str, aws_port: int) -> DeployedStack:
    """An empty name means the local stack, whose emulated AWS listens on `aws_port`."""
    local: dict[str, Any] = {
        "endpoint_url": f"http://127.0.0.1:{aws_port}",
        "region_name": REGION,
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    session = boto3.session.Session()
    client_options = {} if stack else local
    cloudformation: Any = session.client("cloudformation", **client_options)
    dynamodb: Any = session.client("dynamodb", **client_options)
    return DeployedStack(stack or STACK_NAME, cloudformation, dynamodb)


def add_stack_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", default="", help="a deployed stack; empty: the local one")
    parser.add_argument("--aws-port", type=int, default=4566)


def unreachable(options: argparse.Namespace, error: Exception) -> str:
    where = options.stack or f"the local stack on port {options.aws_port} (make start)"
    return f"Cannot reach {where}: {error}"


def run(options: argparse.Namespace, command: Callable[[], str]) -> int:
    """Prints what the command gives, or what was wrong. The exit status."""
    try:
        print(command())
    except (LookupError, ValueError) as error:
        print(error, file=sys.stderr)
    except (AwsUnavailableError, ClientError, BotoCoreError) as error:
        print(unreachable(options, error), file=sys.stderr)
    else:
        return 0
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.operator.deployed", description=__doc__)
    add_stack_options(parser)
    options = parser.parse_args()
    return run(options, lambda: _show(open_stack(options.stack, options.aws_port).outputs()))


def _show(outputs: Mapping[str, str]) -> str:
    return "\n".join(f"{name:<14} {value}" for name, value in outputs.items())


if __name__ == "__main__":
    sys.exit(main())
