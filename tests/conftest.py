"""Running stacks and those who use them, and the figures a run leaves.

A stack is started once for each set of parameters.
"""

import fcntl
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from local import template
from local.template import Template
from payments.model.ids import Mode
from tests.benchmarks.built import BUILD, build
from tests.permissions import table
from tests.support import calls, report
from tests.support.actors import Shop, Shopper, open_shop
from tests.support.stack import Stack

StackFor = Callable[..., Stack]


@pytest.fixture(scope="session")
def stack_for() -> Iterator[StackFor]:
    """`stack_for(stage="prod", PaymentLifetimeSeconds="2")`: a stack with these parameters."""
    stacks: dict[tuple[tuple[str, str], ...], Stack] = {}

    def start(stage: str = "", **parameters: str) -> Stack:
        wanted = (("stage", stage), *sorted(parameters.items()))
        if wanted not in stacks:
            stacks[wanted] = Stack(parameters, stage)
        return stacks[wanted]

    yield start
    for stack in stacks.values():
        stack.interrupt()
    for stack in stacks.values():
        stack.close()


@pytest.fixture(scope="session")
def deployed() -> Template:
    """The template as CloudFormation gets it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return template.load({})


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """What `make build` makes now. It is made once, however many processes run the tests."""
    mine = tmp_path_factory.getbasetemp()
    of_all = mine if worker_id == "master" else mine.parent
    done = of_all / "built"
    with (of_all / "building").open("w") as building:
        fcntl.flock(building, fcntl.LOCK_EX)
        if not done.exists():
            build()
            done.touch()
    return BUILD


@pytest.fixture(scope="session")
def stack(stack_for: StackFor) -> Stack:
    """The stack as `make start` runs it."""
    return stack_for()


@pytest.fixture
def shop(stack: Stack) -> Iterator[Shop]:
    """A merchant of this test's own, with a test key."""
    shop = open_shop(stack, Mode.TEST)
    yield shop
    shop.close()


@pytest.fixture
def shopper(stack: Stack) -> Iterator[Shopper]:
    shopper = Shopper(stack)
    yield shopper
    shopper.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--calls",
        type=Path,
        metavar="FOLDER",
        help="keep the AWS calls of all tests here: `make test` judges the permissions by them",
    )


def pytest_configure(config: pytest.Config) -> None:
    if folder := config.getoption("calls"):
        calls.keep_in(folder.resolve())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes hands its figures to the one that prints them."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["figures"] = [astuple(row) for row in report.rows()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for row in getattr(node, "workeroutput", {}).get("figures", ()):
        report.record(*row)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of the run: permissions, and what was tried and how often."""
    if permissions := table.lines():
        terminalreporter.section("permissions (IAM)")
        for line in permissions:
            terminalreporter.write_line(line)
    rows = report.rows()
    if not rows:
        return
    terminalreporter.section("figures")
    for name in dict.fromkeys(row.name for row in rows):
        figures = [row.figure for row in rows if row.name == name]
        numbers = [figure for figure in figures if isinstance(figure, int)]
        total = sum(numbers) if len(numbers) == len(figures) else ", ".join(map(str, figures))
        terminalreporter.write_line(f"{name:<28} {total:>8}")
    violations = len(terminalreporter.stats.get("failed", []))
    terminalreporter.write_line(f"{'violations':<28} {violations:>8}")
