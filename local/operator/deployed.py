"""A stack as its owner reaches it: a deployed one under AWS credentials, or the local one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from local import REGION, STACK_NAME
from payments.adapters.aws import AwsClient

_ON_AWS: dict[str, Any] = {"config": Config(connect_timeout=5)}


@dataclass(frozen=True)
class DeployedStack:
    """Without a name it is the local stack, whose emulated AWS listens on `aws_port`.

    AWS, and whoever gives out its credentials, is asked when a client is first used.
    """

    deployed_name: str
    aws_port: int

    @property
    def name(self) -> str:
        return self.deployed_name or STACK_NAME

    @property
    def local_aws_url(self) -> str:
        return f"http://127.0.0.1:{self.aws_port}"

    @cached_property
    def cloudformation(self) -> Any:
        return self.client("cloudformation")

    @cached_property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    def client(self, service: str) -> Any:
        local: dict[str, Any] = {
            "endpoint_url": self.local_aws_url,
            "region_name": REGION,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
            "config": Config(retries={"total_max_attempts": 1}),  # it runs, or it does not
        }
        session: Any = boto3.session.Session()
        return session.client(service, **(_ON_AWS if self.deployed_name else local))

    @property
    def aws_client(self) -> AwsClient:
        """For the product's own stores."""
        return AwsClient(self.dynamodb)

    def outputs(self) -> Mapping[str, str]:
        (described,) = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"]
        return {row["OutputKey"]: row["OutputValue"] for row in described.get("Outputs", ())}

    def output(self, name: str) -> str:
        """Raises LookupError for a stack of something else, or one that is half deployed."""
        outputs = self.outputs()
        if name not in outputs:
            raise LookupError(
                f"Stack {self.name} has no output {name}: it is not a stack of this project, "
                "or its first deploy has not finished."
            )
        return outputs[name]

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


def outputs(stack: DeployedStack) -> str:
    """The local stack has an AWS of its own, and no dashboard."""
    shown = dict(stack.outputs())
    if not stack.deployed_name:
        shown.pop("DashboardUrl", None)
        shown["AwsUrl"] = stack.local_aws_url
    return "\n".join(f"{name:<14} {value}" for name, value in shown.items())
