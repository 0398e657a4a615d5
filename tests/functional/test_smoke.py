"""`make smoke`, which an owner runs after a deploy: a stack takes payments, or this step fails."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.conftest import StackFor
from tests.support.operator import operate, printed
from tests.support.stack import Stack

STEPS = ["create", "page", "pay", "challenge", "refund", "list", "wrong key"]
_PASSED = re.compile(r"^ok  (.+?) +(?:GET|POST) /", re.MULTILINE)


@pytest.fixture
def broken() -> Iterator[Stack]:
    """A stack of this test's own, which it may break."""
    stack = Stack()
    yield stack
    stack.close()


@pytest.mark.parametrize("stage", ["", "prod"])
def test_a_stack_that_takes_payments_passes_every_step(stack_for: StackFor, stage: str) -> None:
    stack = stack_for(stage)

    told = printed(operate(stack, "smoke"))

    assert _PASSED.findall(told) == STEPS
    lines = dict(zip(STEPS, told.splitlines(), strict=False))
    prefix = f"/{stage}" if stage else ""
    assert f"POST {prefix}/v1/payments/ -> 202 pay_" in lines["create"]
    assert lines["pay"].endswith("completed")
    assert lines["challenge"].endswith("completed")
    assert re.search(r"refunds -> 201 ref_\w{26} succeeded$", lines["refund"])
    assert lines["wrong key"].endswith(f"GET {prefix}/v1/payments/ -> 401")
    assert told.splitlines()[-1] == "Stack payments-local takes payments."


def test_it_runs_as_often_as_is_asked_and_its_key_is_gone_afterwards(stack: Stack) -> None:
    told = printed(operate(stack, "smoke", TIMES="2"))

    assert _PASSED.findall(told) == STEPS * 2
    keys = stack.key_store.of_merchant("smoke-test")
    assert keys
    assert not any(key.is_valid_at(int(time.time())) for key in keys)
    assert not re.search(r"sk_test_|cs_test_|\d{13}", told), "no secret is printed"


def test_the_step_that_fails_is_named_with_what_was_answered(broken: Stack) -> None:
    broken.dynamodb.delete_table(TableName=broken.resources["AttemptsTable"])

    ran = operate(broken, "smoke")

    assert ran.returncode == 1
    assert _PASSED.findall(ran.stdout) == ["create", "page"]
    told = r"FAILED  pay: POST /checkout/pay_\w{26} -> 50\d, expected 200 or 202: \{.*\}\n"
    assert re.fullmatch(told, ran.stderr), ran.stderr
    keys = broken.key_store.of_merchant("smoke-test")
    assert [key.is_valid_at(int(time.time())) for key in keys] == [False]
