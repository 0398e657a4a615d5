"""The check of new versions before they get traffic: CodeDeploy asks it, it asks the version.

The functions are those of a running stack; CodeDeploy is a double that speaks its protocol.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.events import EVENTS, function_id
from tests.support.stack import PROJECT, Stack

FUNCTIONS = sorted(function_id(event.stem) for event in EVENTS.iterdir())
# A deployment here has the id of its function.
_HOOK = """
import app, json, sys
for name in sys.argv[1:]:
    app.handler({"DeploymentId": name, "LifecycleEventHookExecutionId": f"hook-{name}"}, None)
"""


@dataclass
class CodeDeploy:
    """`reported`: deployment -> what the hook said of it."""

    names: dict[str, str]
    reported: dict[str, str] = field(default_factory=dict)

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        deployment = asked["deploymentId"]
        if operation == "ListDeploymentTargets":
            return {"targetIds": [f"target-{deployment}"]}
        if operation == "BatchGetDeploymentTargets":
            assert asked["targetIds"] == [f"target-{deployment}"]
            function = {
                "functionName": self.names[deployment],
                "functionAlias": "live",
                "currentVersion": "1",
                "targetVersion": "2",
            }
            target = {"lambdaTarget": {"lambdaFunctionInfo": function}}
            return {"deploymentTargets": [{"deploymentTargetType": "LambdaTarget", **target}]}
        assert operation == "PutLifecycleEventHookExecutionStatus"
        assert asked["lifecycleEventHookExecutionId"] == f"hook-{deployment}"
        self.reported[deployment] = asked["status"]
        return {"lifecycleEventHookExecutionId": asked["lifecycleEventHookExecutionId"]}


@pytest.fixture
def broken() -> Iterator[Stack]:
    """A stack of this test's own, which it may break."""
    stack = Stack()
    yield stack
    stack.close()


def reports(stack: Stack, functions: list[str]) -> dict[str, str]:
    """What the hook says to CodeDeploy of new versions of these functions."""
    codedeploy = CodeDeploy(stack.resources)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(codedeploy.answer(operation, asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ran = subprocess.run(
            [sys.executable, "-c", _HOOK, *functions],
            cwd=PROJECT / "functions/pre_traffic",
            env={
                "PATH": os.environ["PATH"],
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ENDPOINT_URL_LAMBDA": stack.aws_url,
                "AWS_ENDPOINT_URL_CODEDEPLOY": f"http://127.0.0.1:{server.server_port}",
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        server.shutdown()
    assert ran.returncode == 0, ran.stderr
    return codedeploy.reported


def test_every_function_that_works_gets_its_traffic(stack: Stack) -> None:
    """Also the one that fetches rates, although it has no feed here."""
    assert reports(stack, FUNCTIONS) == dict.fromkeys(FUNCTIONS, "Succeeded")


def test_a_version_that_raises_or_answers_with_a_5xx_gets_none(broken: Stack) -> None:
    for table in ("KeysTable", "PaymentsTable"):
        broken.dynamodb.delete_table(TableName=broken.resources[table])

    assert reports(
        broken, ["AuthorizerFunction", "GetPaymentFunction", "RefreshRatesFunction"]
    ) == {
        "AuthorizerFunction": "Failed",
        "GetPaymentFunction": "Failed",
        "RefreshRatesFunction": "Succeeded",
    }
