"""SAM's containers as a person starts them: the README's commands beside `make start`.

Without a Docker engine these tests are skipped, and say so. `.ci/containers.py` gives them one, and
Lambda's base image, on a machine that reaches no image registry.
"""

import contextlib
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.benchmarks.built import python_3_13
from tests.sam_local import engine
from tests.support import report
from tests.support.stack import PROJECT, Stack

SECONDS = 600
_START_SECONDS = 180
_STOP_SECONDS = 90
_HOST, _PORT = "127.0.0.1", 3000
_AWS_PORT = 4566  # of `make start`
# One line for a shell: a README that no longer shows it fails every test here.
_START_API = re.compile(r"^(sam build) && (sam local start-api)(?: +#.*)?$", re.MULTILINE)
ENVIRONMENT_FILE = PROJECT / "local/sam_environment.json"


def environment() -> dict[str, str]:
    """A terminal in which `sam` and `python3.13` are found.

    It has credentials, which SAM must not take to AWS; on a machine that reaches no AWS it would
    try for seconds. SAM is not to look for a newer base image either.
    """
    python = python_3_13()
    assert python
    folders = (str(Path(sys.executable).parent), str(Path(python).parent), os.environ["PATH"])
    return os.environ | {
        "PATH": os.pathsep.join(folders),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_SKIP_PULL_IMAGE": "1",
    }


class SamStack(Stack):
    """`url` is SAM's gateway; its functions work on the data of `make start`."""

    def __init__(self, client: Any) -> None:
        (commands,) = _START_API.findall((PROJECT / "README.md").read_text("utf-8"))
        build, start = map(shlex.split, commands)
        run(build, environment())
        super().__init__(aws_port=_AWS_PORT)
        self.url = f"http://{_HOST}:{_PORT}"
        self._client = client
        self._sam_log = Path(tempfile.mkstemp(prefix="payments-sam-", suffix=".log")[1])
        with self._sam_log.open("wb") as output:
            self._sam = subprocess.Popen(
                start, cwd=PROJECT, env=environment(), stdout=output, stderr=subprocess.STDOUT
            )
        self._wait_until_sam_listens()

    def _wait_until_sam_listens(self) -> None:
        """SAM listens once all its containers stand."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._sam.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((_HOST, _PORT)) == 0:
                    return
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"sam local start-api did not start:\n{self.sam_log}")

    @property
    def sam_log(self) -> str:
        return self._sam_log.read_text("utf-8", "replace")

    @property
    def figures(self) -> str:
        log = self.sam_log
        containers = log.count("SAM_CONTAINER_ID")
        requests = len(re.findall(r'HTTP/1\.\d\S*" \d{3} ', log))
        runs = log.count("START RequestId")
        return f"{containers} containers, {requests} requests, {runs} function runs"

    def stop(self) -> int:
        self._sam.terminate()
        try:
            self._sam.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._sam.kill()
            self._sam.wait()
        given = json.loads(ENVIRONMENT_FILE.read_text("utf-8"))["Parameters"]
        engine.remove_containers(self._client, "AWS_ENDPOINT_URL", given["AWS_ENDPOINT_URL"])
        return super().stop()

    def close(self) -> None:
        super().close()
        self._sam_log.unlink(missing_ok=True)


def run(command: Sequence[str], environment: Mapping[str, str], read: str = "") -> str:
    """What it prints. `read` is what it reads from standard input."""
    ran = subprocess.run(
        command,
        cwd=PROJECT,
        env=environment,
        input=read,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{shlex.join(command)}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """Of the Docker engine that SAM uses."""
    if python_3_13() is None:
        skip("Python 3.13, which `sam build` needs, is not installed.")
    client = engine.connect_as_sam_does()
    if client is None:
        skip("No Docker engine answers here.")
    with contextlib.closing(client):
        yield client


def skip(reason: str) -> NoReturn:
    """Also leaves a figure, for nobody looks for skipped tests in CI."""
    report.record("sam local", f"SKIPPED: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def stack(client: Any) -> Iterator[SamStack]:
    """Everybody's fixtures, a shop and a shopper, go through SAM here."""
    stack = SamStack(client)
    yield stack
    stack.stop()
    report.record("sam local", stack.figures)
    stack.close()
