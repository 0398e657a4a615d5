"""Running stacks and those who use them, and the figures a run leaves.

A stack is started once for each set of parameters.
"""

from collections.abc import Callable, Iterator

import pytest

from local import template
from local.template import Template
from payments.ids import Mode
from tests.permissions import table
from tests.reliability import report
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
def whole_run(request: pytest.FixtureRequest) -> bool:
    """Whether all tests run: nothing was named, and nothing is left out."""
    config = request.config
    options = config.option
    chosen = (options.keyword, options.markexpr, options.deselect, options.lf)
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not any(chosen)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The permissions are judged last, by the calls of all other tests."""
    items.sort(key=lambda item: item.path.parent.name == "permissions")


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of the run: permissions, and what reliability tried and how often."""
    if permissions := table.lines():
        terminalreporter.section("permissions (IAM)")
        for line in permissions:
            terminalreporter.write_line(line)
    rows = report.rows()
    if not rows:
        return
    terminalreporter.section("reliability figures")
    for name in dict.fromkeys(row.name for row in rows):
        figures = [row.figure for row in rows if row.name == name]
        numbers = [figure for figure in figures if isinstance(figure, int)]
        total = sum(numbers) if len(numbers) == len(figures) else ", ".join(map(str, figures))
        terminalreporter.write_line(f"{name:<28} {total:>8}")
    violations = len(terminalreporter.stats.get("failed", []))
    terminalreporter.write_line(f"{'violations':<28} {violations:>8}")
