"""`make start-sam` as a test runs it: real containers with what `make build` built.

Without a container engine these tests are skipped, and say what to install.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.sam import engine
from local.sam.base_image import NoBaseImageError, lambda_python
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
    try:
        lambda_python()  # which `make build` needs
        with engine.running() as containers:
            yield containers
    except (NoBaseImageError, engine.NoEngineError) as reason:
        report.record("sam local", f"SKIPPED: {reason}")
        pytest.skip(str(reason))


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
