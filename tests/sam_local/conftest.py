"""`make start-sam` as a test runs it: real containers with what `make build` built.

Without a Docker engine and Lambda's base image these tests are skipped, and say why.
`.ci/containers.py` gives them both on a machine that reaches no image registry.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from local.sam import engine
from tests.benchmarks.built import python_3_13
from tests.support import report
from tests.support.stack import Stack

SECONDS = 600
_COMMAND = re.compile(r"^env .* local invoke .*$", re.MULTILINE)


class SamStack(Stack):
    """SAM's gateway and containers in front of a local stack."""

    module = "local.sam"
    start_seconds = 180
    stop_seconds = 90

    @property
    def invoke_command(self) -> str:
        """What it tells its user to type to run one function once."""
        found = _COMMAND.search(self.log)
        assert found
        return found[0]

    @property
    def figures(self) -> str:
        log = self.log
        containers = log.count("SAM_CONTAINER_ID")
        requests = len(re.findall(r'HTTP/1\.\d\S*" \d{3} ', log))
        runs = log.count("START RequestId")
        return f"{containers} containers, {requests} requests, {runs} function runs"


@pytest.fixture(scope="session")
def containers() -> Iterator[engine.Engine]:
    if python_3_13() is None:
        skip("Python 3.13, which `make build` needs, is not installed.")
    with contextlib.ExitStack() as clean_up:
        try:
            containers = clean_up.enter_context(engine.connected())
        except engine.NoEngineError as reason:
            skip(str(reason))
        yield containers


def skip(reason: str) -> NoReturn:
    """Also leaves a figure, for nobody looks for skipped tests in CI."""
    report.record("sam local", f"SKIPPED: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def stack(containers: engine.Engine, built: Path) -> Iterator[SamStack]:
    """Everybody's fixtures, a shop and a shopper, go through SAM here."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in containers.environment.items():
            patch.setenv(name, value)
        stack = SamStack()
    yield stack
    stack.stop()
    report.record("sam local", stack.figures)
    stack.close()
