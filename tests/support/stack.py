"""A local stack in a process of its own, started as `make start` starts it.

It ends with the process that started it, however that one ends: it reads from its pipe.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from local.emulator.calls import Call
from payments.adapters.aws import AwsClient
from payments.adapters.store.api_keys import ApiKeyStore
from payments.adapters.store.items import from_item
from payments.adapters.store.merchants import MerchantStore
from tests.support.calls import call_file, calls_in

PROJECT = Path(__file__).parent.parent.parent
START_SECONDS = 60
STOP_SECONDS = 20
_READY = re.compile(r"Ready in .*?: (\S+)  \(emulated AWS: (\S+);")


class Stack:
    """`url` is where the API is, `aws_url` where the emulated AWS is, `log` all it has printed.

    It prints all there is to print, unless it is told otherwise: nothing secret may be in it.
    """

    def __init__(
        self,
        parameters: dict[str, str] | None = None,
        stage: str = "",
        *,
        notes_calls: bool = True,
        log: str = "debug",
        aws_port: int = 0,
    ) -> None:
        options = [f"--log={log}"]
        options += [f"--parameter={name}={value}" for name, value in (parameters or {}).items()]
        self._calls = call_file() if notes_calls else None
        if self._calls:
            options.append(f"--calls={self._calls}")
        if stage:
            options.append(f"--stage={stage}")
        self._log = Path(tempfile.mkstemp(prefix="payments-", suffix=".log")[1])
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "local.emulator", "--port=0"),
                    *(f"--aws-port={aws_port}", "--until-stdin-ends", *options),
                ],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self.url, self.aws_url = self._wait_until_ready()

    def _wait_until_ready(self) -> tuple[str, str]:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if ready := _READY.search(self.log):
                return ready[1], ready[2]
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the stack did not start:\n{self.log}")

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    @property
    def calls(self) -> Counter[Call]:
        """How often its functions made each AWS call so far."""
        assert self._calls is not None, "a stack that notes no calls"
        return calls_in(self._calls)

    def interrupt(self) -> None:
        """What Ctrl-C sends."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def stop(self) -> int:
        """Ends it as Ctrl-C does; the exit status is the process's own."""
        self.interrupt()
        status = self._process.wait(timeout=STOP_SECONDS)
        assert self._process.stdin is not None
        self._process.stdin.close()
        return status

    def close(self) -> None:
        self.stop()
        self._log.unlink(missing_ok=True)

    def aws(self, service: str) -> Any:
        """A client of the emulated AWS, over HTTP."""
        session: Any = boto3.session.Session()
        return session.client(
            service,
            endpoint_url=self.aws_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    @cached_property
    def dynamodb(self) -> Any:
        return self.aws("dynamodb")

    @cached_property
    def resources(self) -> dict[str, str]:
        """Logical id -> physical name of everything in the stack."""
        answer = self.aws("cloudformation").describe_stack_resources(StackName="payments-local")
        return {
            row["LogicalResourceId"]: row["PhysicalResourceId"] for row in answer["StackResources"]
        }

    @property
    def key_store(self) -> ApiKeyStore:
        return ApiKeyStore(AwsClient(self.dynamodb), self.resources["KeysTable"])

    @property
    def merchant_store(self) -> MerchantStore:
        return MerchantStore(AwsClient(self.dynamodb), self.resources["MerchantsTable"])

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, by its logical id, as DynamoDB keeps them (typed attributes)."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.resources[table])
        return [item for page in pages for item in page["Items"]]

    def row_counts(self) -> dict[str, int]:
        """How many items each table that a request could write to holds."""
        tables = ("PaymentsTable", "IdempotencyTable", "AttemptsTable", "SimulatorTable")
        return {table: len(self.rows(table)) for table in tables}


def rows_where(stack: Stack, table: str, key: str, beginning: str) -> list[dict[str, Any]]:
    """The rows of a table, by its logical id, whose key begins so, as plain values."""
    pages = stack.dynamodb.get_paginator("scan").paginate(
        TableName=stack.resources[table],
        FilterExpression="begins_with(#key, :beginning)",
        ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues={":beginning": {"S": beginning}},
    )
    return [from_item(item) for page in pages for item in page["Items"]]
