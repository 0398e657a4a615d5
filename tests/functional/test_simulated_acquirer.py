"""Section 5 of the contract, the other side of a charge: the simulated acquirer.

It stands for an outside party, so it keeps what it was asked in a ledger of its own, which every
process of ours sees. The processes of these tests are real ones.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from payments.adapters.store.items import from_item
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
    PAID_CARD,
    Shop,
    Shopper,
)
from tests.support.records import ledger
from tests.support.stack import PROJECT, Stack

CHECKS = {"address_line1": "not_provided", "postal_code": "not_provided", "cvc": "pass"}
APPROVED = {
    "approved": True,
    "decline_code": None,
    "checks": CHECKS,
    "is_blocked": False,
    "capture_before_us": None,
}
DECLINED = APPROVED | {"approved": False, "decline_code": "generic_decline"}
# Reads one question a line, answers one line each.
PROCESS = """
import json, os, sys, time
from dataclasses import asdict
import boto3
from payments.adapters.aws import AwsClient
from payments.acquirers.port import ChargeRequest
from payments.acquirers.simulator.acquirer import SimulatedAcquirer
from payments.model.card import Card

endpoint, table = sys.argv[1:]
dynamodb = AwsClient(boto3.client(
    "dynamodb", endpoint_url=endpoint, region_name="us-east-1",
    aws_access_key_id="test", aws_secret_access_key="test",
))
acquirer = SimulatedAcquirer(dynamodb, table, lambda: time.time_ns() // 1000)
print(os.getpid(), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    if "number" in question:
        card = Card(question["number"], "314", 12, 2034)
        charge = ChargeRequest(question["reference"], 1250, "USD", card)
        if question["do"] == "authenticate":
            url = "https://example.com/3ds/x/return"
            answer = acquirer.authenticate(charge, url, challenge_mandated=False)
        else:
            answer = getattr(acquirer, question["do"])(charge, capture=True)
    else:
        answer = getattr(acquirer, question["do"])(question["reference"], *question["more"])
    print(json.dumps(answer and asdict(answer)), flush=True)
"""


class Process:
    """Another process of ours that talks to the acquirer."""

    def __init__(self, stack: Stack) -> None:
        table = stack.resources["SimulatorTable"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, stack.aws_url, table],
            cwd=PROJECT / "layers/payments",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.id = int(self._answer())

    def ask(self, do: str, reference: str, *more: str, number: str = "") -> Any:
        """What the acquirer answers, as plain values."""
        question: dict[str, Any] = {"do": do, "reference": reference, "more": more}
        if number:
            question["number"] = number
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process has ended"
        return line

    def close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.wait(timeout=10)


@pytest.fixture(scope="module")
def processes(stack: Stack) -> Iterator[tuple[Process, Process]]:
    """Two processes that share nothing but the ledger."""
    both = Process(stack), Process(stack)
    yield both
    for process in both:
        process.close()


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> str:
    """A reference no other test uses."""
    return f"reference-of-{request.node.name}"


def entry(stack: Stack, reference: str) -> dict[str, Any]:
    """What the ledger says under a reference."""
    answer = stack.dynamodb.get_item(
        TableName=stack.resources["SimulatorTable"], Key={"reference": {"S": reference}}
    )
    return from_item(answer["Item"])


def test_the_processes_of_these_tests_are_two(processes: tuple[Process, Process]) -> None:
    assert processes[0].id != processes[1].id


def test_the_ledger_is_a_table_of_its_own_keyed_by_our_reference(stack: Stack) -> None:
    table = stack.dynamodb.describe_table(TableName=stack.resources["SimulatorTable"])["Table"]
    others = {stack.resources[name] for name in ("PaymentsTable", "AttemptsTable", "KeysTable")}
    assert table["TableName"] not in others
    assert table["KeySchema"] == [{"AttributeName": "reference", "KeyType": "HASH"}]


@pytest.mark.parametrize("number", [PAID_CARD, DECLINED_CARD, CHALLENGE_CARD])
def test_the_ledger_knows_a_payment_by_our_reference_and_not_by_its_card(
    number: str, shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout(amount="12.50")
    shopper.pay(checkout, number, attempt="the-first-try")

    (found,) = ledger(stack, checkout)
    assert found["reference"].startswith(f"{checkout.id}_the-first-try-")

    assert number not in str(found)
    assert number[-4:] not in str(found["authentication"])
    if number != CHALLENGE_CARD:
        assert (found["charge"]["amount_minor"], found["charge"]["currency"]) == (1250, "USD")


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        (PAID_CARD, APPROVED),
        (DECLINED_CARD, DECLINED),
        (INSUFFICIENT_FUNDS_CARD, DECLINED | {"decline_code": "insufficient_funds"}),
    ],
)
def test_a_charge_submitted_in_one_process_can_be_looked_up_in_another(
    number: str, answer: dict[str, Any], processes: tuple[Process, Process], reference: str
) -> None:
    here, there = processes
    assert there.ask("look_up", reference) is None

    assert here.ask("authorize", reference, number=number) == answer

    assert there.ask("look_up", reference) == answer


def test_a_charge_that_never_arrived_is_looked_up_in_vain(
    processes: tuple[Process, Process], reference: str
) -> None:
    assert processes[0].ask("authenticate", reference, number=PAID_CARD)["trans_status"] == "Y"
    assert processes[1].ask("look_up", reference) is None


def test_the_same_reference_twice_charges_once(
    processes: tuple[Process, Process], reference: str, stack: Stack
) -> None:
    answers = [process.ask("authorize", reference, number=PAID_CARD) for process in processes]

    assert answers == [APPROVED, APPROVED]
    charged = [asked for asked, _ in entry(stack, reference)["asked"] if asked == "authorize"]
    assert len(charged) == 1


def test_the_first_answer_stands_whatever_card_comes_the_second_time(
    processes: tuple[Process, Process], reference: str
) -> None:
    first = processes[0].ask("authorize", reference, number=DECLINED_CARD)
    second = processes[1].ask("authorize", reference, number=PAID_CARD)

    assert first == second == DECLINED


def test_two_processes_that_charge_at_once_charge_once(
    processes: tuple[Process, Process], reference: str, stack: Stack
) -> None:
    """One card pays and one does not: both must hear the same."""
    cards = (PAID_CARD, DECLINED_CARD)
    for attempt in range(10):
        name = f"{reference}-{attempt}"
        with ThreadPoolExecutor(2) as pool:
            asked = [
                pool.submit(process.ask, "authorize", name, number=number)
                for process, number in zip(processes, cards, strict=True)
            ]
            first, second = (future.result() for future in asked)

        assert first == second == processes[0].ask("look_up", name)
        assert len(entry(stack, name)["asked"]) == 1


def test_a_charge_that_arrives_after_its_reversal_is_refused(
    processes: tuple[Process, Process], reference: str, stack: Stack
) -> None:
    here, there = processes
    assert here.ask("reverse", reference) is None

    late = there.ask("authorize", reference, number=PAID_CARD)

    assert late["approved"] is False
    assert here.ask("look_up", reference)["approved"] is False
    assert [asked for asked, _ in entry(stack, reference)["asked"]] == ["reverse"]


def test_a_reversal_that_comes_too_late_says_what_was_charged(
    processes: tuple[Process, Process], reference: str
) -> None:
    here, there = processes
    here.ask("authorize", reference, number=PAID_CARD)

    assert there.ask("reverse", reference) == APPROVED
    assert here.ask("look_up", reference) == APPROVED


def test_a_reversal_twice_is_a_reversal_once(
    processes: tuple[Process, Process], reference: str
) -> None:
    assert [process.ask("reverse", reference) for process in processes] == [None, None]


def test_a_challenge_passed_in_one_process_is_passed_in_the_other(
    processes: tuple[Process, Process], reference: str
) -> None:
    here, there = processes
    started = here.ask("authenticate", reference, number=CHALLENGE_CARD)
    assert started["trans_status"] == "C"
    assert there.ask("authentication_result", reference)["trans_status"] == "C"

    assert there.ask("pass_challenge", reference, "123456")["trans_status"] == "Y"

    assert here.ask("authentication_result", reference)["trans_status"] == "Y"


def test_a_challenge_ends_once(processes: tuple[Process, Process], reference: str) -> None:
    here, there = processes
    here.ask("authenticate", reference, number=CHALLENGE_CARD)

    assert here.ask("fail_challenge", reference)["trans_status"] == "N"
    assert there.ask("pass_challenge", reference, "123456")["trans_status"] == "N"
