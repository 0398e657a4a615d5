"""The docs' first hour: every command in it that needs no AWS account is run as it stands."""

import os
import re
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from local.emulator.calls import Call
from local.emulator.demo import LIVE_KEY, REVOKED_KEY, SECOND_MERCHANT_KEY, TEST_KEY
from tests.reliability.money_scenarios import STAYS_PENDING_CARD
from tests.support.actors import Checkout, Shop, Shopper, open_shop
from tests.support.records import open_attempts, payment_key
from tests.support.stack import PROJECT, Stack, rows_where

PAGE = (PROJECT / "docs/operate.md").read_text("utf-8")
FIRST_HOUR = PAGE.partition("\n## The first hour\n")[2].partition("\n## ")[0]
COSTS = PAGE.partition("\n## What it costs\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```sh\n(.*?)```", FIRST_HOUR, re.DOTALL)
# What follows on an indented line belongs to the command before it.
COMMANDS = [command for block in BLOCKS for command in re.split(r"\n(?! )", block.strip())]
# Only an account can run these; `make build` has tests of its own.
NEED_AN_ACCOUNT = (
    *("make build", "make deploy", "sam delete", "aws dynamodb update-table"),
    *("aws cloudformation update-termination-protection", "aws kms schedule-key-deletion"),
)
# What an earlier command has shown, and the page abbreviates.
SHOWN = {"sk_test_": r"\w+", "pay_": r"\w{26}", "arn:aws:dynamodb:": r"\S+PaymentsTable\S+"}
WRITES = ("PutItem", "UpdateItem", "DeleteItem")


@dataclass
class Owner:
    """Somebody at a shell, whose stack is the local one. `printed`: all that was printed so far."""

    stack: Stack
    environment: dict[str, str]
    printed: list[str] = field(default_factory=list)

    def types(self, command: str) -> str:
        """Runs it as it stands; an ellipsis is what was printed before."""
        ran = subprocess.run(
            ["sh", "-c", self._filled_in(command)],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, (command, ran.stdout, ran.stderr)
        self.printed.append(ran.stdout)
        return ran.stdout

    def exports(self, command: str) -> None:
        name, _, value = command.removeprefix("export ").partition("=")
        # The API's address and the stack's name are those of the local stack.
        ours = {"STACK": "", "API": f"{self.stack.url}/v1/payments/"}
        self.environment[name] = ours[name] if name in ours else self._filled_in(value)

    def _filled_in(self, command: str) -> str:
        for beginning, rest in SHOWN.items():
            seen = re.findall(re.escape(beginning) + rest, "".join(self.printed))
            command = command.replace(f"{beginning}…", seen[0] if seen else f"{beginning}…")
        assert "…" not in command, command
        return command


@pytest.fixture
def owner(stack: Stack) -> Owner:
    handed_down = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PORT", "STAGE", "KEY")
    environment = {name: value for name, value in os.environ.items() if name not in handed_down}
    return Owner(stack, environment | {"AWS_PORT": str(urlsplit(stack.aws_url).port)})


def test_the_first_hour_goes_as_the_docs_say(owner: Owner, shopper: Shopper) -> None:
    answers: dict[str, str] = {}
    for command in COMMANDS:
        if command.startswith(NEED_AN_ACCOUNT):
            continue
        if command.startswith("export "):
            owner.exports(command)
            continue
        if command.startswith("curl -X POST"):
            answers[command] = owner.types(command)
            _pay(owner, shopper)
            continue
        answers[command] = owner.types(command)

    told = {command.partition(" KEY")[0]: answer for command, answer in answers.items()}
    shown = dict(line.split() for line in told["make outputs"].splitlines())
    assert shown["ApiUrl"] == f"{owner.stack.url}/v1/payments/"
    assert shown["AwsUrl"] == owner.stack.aws_url
    assert '"status": "completed"' in told['curl "${API}pay_…" -u "$KEY:"']
    assert "The old key stops working in 24 hours" in told["make rotate"]
    assert "Revoked" in told["make revoke"]
    assert told["make backup"].count("arn:aws:dynamodb") >= 3


def _pay(owner: Owner, shopper: Shopper) -> None:
    """The shopper opens the redirect that the terminal shows, and pays."""
    (redirect,) = re.findall(r'"redirect": "([^"]+)"', owner.printed[-1])
    assert shopper.open(redirect).status_code == 200
    (payment_id,) = re.findall(r"pay_\w{26}", shopper.open(redirect).text)[:1]
    secret = re.findall(r'name="client_secret" value="([^"]+)"', shopper.open(redirect).text)[0]
    checkout = Checkout(payment_id, secret, redirect, {})
    owner.printed.append(payment_id)
    assert shopper.pay(checkout).status_code == 200


def test_the_fraud_pages_commands_change_a_merchants_lists(owner: Owner) -> None:
    page = (PROJECT / "docs/fraud.md").read_text("utf-8")
    (block,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    owner.types("make merchant MERCHANT=acme NAME=Acme EMAIL=help@acme.example COUNTRY=US")
    *added, removed = [owner.types(command) for command in block.strip().splitlines()]
    assert [told.partition(": ")[0] for told in added] == [
        "acme, block list, ip",
        "acme, block list, card",
        "acme, allow list, email",
    ]
    assert "203.0.113.0/24" in added[0]
    assert "203.0.113.0/24" not in removed


def test_the_keys_that_the_docs_name_are_those_of_the_local_stack(owner: Owner) -> None:
    named = set(re.findall(r"`(sk_(?:test|live)_\w+)`", PAGE))
    assert named == {TEST_KEY, LIVE_KEY, SECOND_MERCHANT_KEY, REVOKED_KEY}


def test_the_keys_and_merchants_section_goes_as_the_docs_say(owner: Owner) -> None:
    section = PAGE.partition("\n## Keys and merchants\n")[2]
    (block,) = re.findall(r"```sh\n(.*?)```", section.partition("\n### ")[0], re.DOTALL)
    new, agreed, key, keys, *rest = block.strip().splitlines()
    owner.types(new)
    assert "FEE: standard -> 2.5% + 0.20 USD" in owner.types(agreed)
    issued = owner.types(key)
    assert issued.startswith("sk_test_")
    assert issued.split()[-1] in owner.types(keys)
    assert [command.split(" KEY=")[0] for command in rest] == ["make rotate", "make revoke"]


def test_only_what_needs_an_account_is_left_out() -> None:
    left_out = [command for command in COMMANDS if command.startswith(NEED_AN_ACCOUNT)]
    assert len(left_out) == len(NEED_AN_ACCOUNT)
    assert len(COMMANDS) > 2 * len(left_out)


def test_restoring_brings_back_what_is_gone_and_leaves_what_is_there(
    owner: Owner, shop: Shop, shopper: Shopper
) -> None:
    gone, paid_since = shop.checkout(), shop.checkout()
    before = shop.payment(gone.id)
    copies = owner.types("make backup")
    table = owner.stack.resources["PaymentsTable"]
    owner.stack.dynamodb.delete_item(TableName=table, Key=payment_key(gone))
    assert shop.get(gone.id).status_code == 404
    assert shopper.pay(paid_since).status_code == 200

    (copy,) = [arn for arn in copies.split() if "PaymentsTable" in arn]
    told = owner.types(f"make restore TABLE=PaymentsTable BACKUP={copy}")

    assert told.startswith("Missing rows restored: 1.")
    assert shop.payment(gone.id) == before
    assert shop.payment(paid_since.id)["status"] == "completed"
    assert not any("restored" in name for name in owner.stack.dynamodb.list_tables()["TableNames"])


def test_what_a_restored_refund_waits_for_is_known_again(
    owner: Owner, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    assert shopper.pay(checkout, STAYS_PENDING_CARD).status_code == 200
    pending = shop.request("POST", f"/v1/payments/{checkout.id}/refunds", json={"amount": "1.00"})
    assert pending.status_code == 202
    refund_id = pending.json()["id"]
    work = {"id": {"S": refund_id}}
    dynamodb, resources = owner.stack.dynamodb, owner.stack.resources
    (row,) = rows_where(owner.stack, "AttemptsTable", "id", refund_id)
    copies = owner.types("make backup")
    key = payment_key(checkout)
    dynamodb.delete_item(TableName=resources["PaymentsTable"], Key=key)
    dynamodb.delete_item(TableName=resources["PaymentsTable"], Key=key | work)
    dynamodb.delete_item(TableName=resources["AttemptsTable"], Key=work)

    (copy,) = [arn for arn in copies.split() if "PaymentsTable" in arn]
    told = owner.types(f"make restore TABLE=PaymentsTable BACKUP={copy}")

    assert told.startswith("Missing rows restored: 2.")
    assert "without outcome: 1." in told
    assert rows_where(owner.stack, "AttemptsTable", "id", refund_id) == [row]


def test_the_restore_drill_goes_as_the_docs_say_and_changes_nothing(
    owner: Owner, shop: Shop
) -> None:
    checkout = shop.checkout()
    before = shop.payment(checkout.id)
    drill = PAGE.partition("\n### Restore drill\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```sh\n(.*?)```", drill, re.DOTALL)
    backup, *restores = block.strip().splitlines()
    owner.types(backup)
    assert len(restores) == 3
    for restore in restores:
        told = owner.types(restore)
        assert re.match(r"Missing rows restored: 0\. Existing rows left unchanged: [1-9]", told)
    assert shop.payment(checkout.id) == before


@pytest.mark.parametrize("table", ["AttemptsTable", "NoTable"])
def test_what_is_not_backed_up_cannot_be_restored(owner: Owner, table: str) -> None:
    with pytest.raises(AssertionError, match=f"{table} is not a table"):
        owner.types(f"make restore TABLE={table}")


# ------------------------------------------------------------------------------------------- costs


def _stated(row: str) -> int:
    """How many of it a payment needs, by the table in the docs."""
    found = re.search(rf"^\| {row}[^|]*\| (\d+) \|", COSTS, re.MULTILINE)
    assert found, row
    return int(found[1])


def _pay_to_the_end(stack: Stack, shopper: Shopper, checkout: Checkout) -> None:
    """Until nothing of it goes on any more."""
    assert shopper.pay_by_form(checkout).status_code == 303
    workflow = stack.aws("stepfunctions")
    while open_attempts(stack, checkout) or any(
        checkout.id in execution["name"]
        for execution in workflow.list_executions(
            stateMachineArn=stack.resources["PaymentWorkflow"], statusFilter="RUNNING"
        )["executions"]
    ):
        time.sleep(0.05)


def test_a_payment_costs_the_calls_that_the_docs_state(stack: Stack, shopper: Shopper) -> None:
    shop = open_shop(stack)
    # What gateway and functions remember, they know from now on.
    _pay_to_the_end(stack, shopper, shop.checkout())
    before = stack.calls
    created = shop.create(headers={"Idempotency-Key": f"costs-{shop.key}"})
    checkout = Checkout.of(created)
    shopper.open(checkout.redirect)
    _pay_to_the_end(stack, shopper, checkout)
    shop.get(checkout.id)
    made = stack.calls - before

    # The simulated acquirer's table is test mode's alone.
    live = [call for call in made.elements() if call.resource != "SimulatorTable"]
    assert _writes(live) == _stated("writes to DynamoDB")
    assert sum(call.operation.startswith("kms.") for call in live) == _stated("calls of KMS")
    starts = [call for call in live if call.operation == "stepfunctions.StartExecution"]
    assert len(starts) == 1
    assert _stated("states entered by the workflow") == 3  # as tests/workflow sees


def _writes(calls: Iterable[Call]) -> int:
    return sum(call.operation.endswith(WRITES) for call in calls)


def test_the_costs_add_up() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", COSTS, re.MULTILINE):
        amounts: dict[str, float] = {}
        for line in table.splitlines()[2:]:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            amounts[cells[0]] = float(cells[-1].strip("*"))
        rows = list(amounts.items())
        (total_at,) = [number for number, (name, _) in enumerate(rows) if name == "**all**"]
        assert sum(amount for _, amount in rows[:total_at]) == pytest.approx(rows[total_at][1])
