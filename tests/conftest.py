"""Running stacks and those who use them. A stack is started once for each set of parameters."""

from collections.abc import Callable, Iterator

import pytest

from payments.ids import Mode
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
        stack.close()


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
