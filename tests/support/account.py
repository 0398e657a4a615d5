"""What `make deploy` reaches: an AWS account of a test's own, and a sam that notes what it is told.

moto does not know Lambda's account settings, and no emulator creates the whole template.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

_END = "end of a call"
_SAM = """#!/bin/sh
printf '%s\\0' "$@" '{end}' >> '{log}'
exit {status}
"""
_ROLE = "arn:aws:iam::123456789012:role/some-stack-ApiLogRole-1"


@dataclass
class FakeAccount:
    """`status_after`: the stack's status once sam has run. `log_role`: what of it there is."""

    folder: Path
    status: str = ""
    status_after: str = "CREATE_COMPLETE"
    log_role: str = "none"  # or "set and there", or "set but deleted"
    concurrency: int = 1000
    sam_status: int = 0
    protected: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def environment(self) -> dict[str, str]:
        """A command that runs in it reaches nothing but this account and the noting sam."""
        sam = self.folder / "bin/sam"
        sam.parent.mkdir(exist_ok=True)
        sam.write_text(_SAM.format(end=_END, log=self._log, status=self.sam_status))
        sam.chmod(0o755)
        return {
            "PATH": f"{sam.parent}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def _log(self) -> Path:
        return self.folder / "sam-calls"

    @property
    def sam_calls(self) -> list[list[str]]:
        """The words of each call of sam."""
        calls: list[list[str]] = [[]]
        if self._log.exists():
            for word in self._log.read_text("utf-8").split("\0")[:-1]:
                if word == _END:
                    calls.append([])
                else:
                    calls[-1].append(word)
        return calls[:-1]

    def answer(self, path: str, body: str) -> tuple[int, str]:
        form = dict(parse_qsl(body))
        self.asked.append(form.get("Action", path))
        answers: dict[str, Callable[[], tuple[int, str]]] = {
            "/account": self._gateway,
            "/2016-08-19/account-settings": self._lambda,
            "DescribeStacks": self._stack,
            "GetRole": self._role,
            "UpdateTerminationProtection": lambda: self._protect(form),
        }
        return answers[form.get("Action", path.rstrip("/"))]()

    def _gateway(self) -> tuple[int, str]:
        return 200, json.dumps({} if self.log_role == "none" else {"cloudwatchRoleArn": _ROLE})

    def _lambda(self) -> tuple[int, str]:
        return 200, json.dumps({"AccountLimit": {"ConcurrentExecutions": self.concurrency}})

    def _stack(self) -> tuple[int, str]:
        status = self.status_after if self.sam_calls else self.status
        if not status:
            return 400, _error("ValidationError", "Stack with id payments does not exist")
        return 200, _result(
            "DescribeStacks", f"<Stacks><member>{_STACK % status}</member></Stacks>"
        )

    def _role(self) -> tuple[int, str]:
        if self.log_role != "set and there":
            return 404, _error("NoSuchEntity", "The role cannot be found.")
        return 200, _result("GetRole", "<Role><RoleName>some-stack-ApiLogRole-1</RoleName></Role>")

    def _protect(self, form: dict[str, str]) -> tuple[int, str]:
        assert form["EnableTerminationProtection"] == "true"
        self.protected.append(form["StackName"])
        return 200, _result("UpdateTerminationProtection", "<StackId>payments</StackId>")


_STACK = (
    "<StackName>payments</StackName><CreationTime>2026-01-31T12:00:00Z</CreationTime>"
    "<StackStatus>%s</StackStatus>"
)


def _result(action: str, xml: str) -> str:
    return f"<{action}Response><{action}Result>{xml}</{action}Result></{action}Response>"


def _error(code: str, message: str) -> str:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return f"<ErrorResponse>{error}</ErrorResponse>"


@contextmanager
def fake_account(folder: Path) -> Iterator[FakeAccount]:
    account = FakeAccount(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, text = account.answer(self.path, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing of it is worth a line."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        account.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield account
        server.shutdown()
