"""The operator's commands against a running stack, as make runs them and by make itself."""

import os
import re
import subprocess
import time
from urllib.parse import urlsplit

import pytest

from local.operator.__main__ import COMMANDS
from tests.support.actors import Shop
from tests.support.operator import operate, printed
from tests.support.stack import PROJECT, Stack

NEW = {"NAME": "Acme Inc", "EMAIL": "help@acme.example", "COUNTRY": "CR"}
ON_AWS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}


def refusal(ran: subprocess.CompletedProcess[str]) -> str:
    """What a command said that did not do what it was asked."""
    assert (ran.returncode, ran.stdout) == (1, ""), ran
    assert "Traceback" not in ran.stderr
    assert "usage:" not in ran.stderr  # as argparse would show an inner module's
    return ran.stderr


def make(*typed: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """make itself, without what a `make test` around us would hand down."""
    ours = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        ["make", "-s", *typed],
        cwd=PROJECT,
        env=ours | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def port_of(stack: Stack) -> str:
    return str(urlsplit(stack.aws_url).port)


@pytest.fixture
def merchant(stack: Stack) -> str:
    """A merchant of this test's own."""
    made = f"acme-{time.time_ns()}"
    printed(operate(stack, "merchant", MERCHANT=made, **NEW))
    return made


# ------------------------------------------------------------------------------ through make


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["key"], ["MERCHANT is missing.", "MODE is missing.", "Usage: make key MERCHANT=acme"]),
        (["key", "MERCHANT=acme", "MODE=prod"], ["MODE must be test or live."]),
        (["keys", "MERCHANT=A B"], ["MERCHANT must be 1 to 39 lower-case letters"]),
        (["merchant", "MERCHANT=acme", """DESCRIPTOR=A"B'C"""], ["DESCRIPTOR must "]),
        (["merchant", "MERCHANT=acme", "FEE=$$(id)"], ["FEE must be like"]),
        (["rotate", "KEY=12", "OVERLAP_HOURS=-1"], ["KEY must be", "OVERLAP_HOURS must be"]),
        (["revoke"], ["KEY is missing."]),
        (["block", "MERCHANT=acme", "LIST=deny"], ["KIND is missing.", "LIST must be block or"]),
        (["unblock"], ["MERCHANT is missing.", "KIND is missing.", "VALUE is missing."]),
        (["restore", "AT=now"], ["TABLE is missing.", "AT must be a time with its zone"]),
        (["outputs", "STACK=a_b"], ["STACK must be a stack's name"]),
        (["backup", "AWS_PORT=http"], ["AWS_PORT must be a port from 1 to 65535."]),
        (["deploy", "ENV=staging"], ["ENV must be dev or prod."]),
        (["start", "PORT=http"], ["PORT must be a port"]),
        (["start", "LIFETIME=soon", "STAGE=a/b"], ["LIFETIME must be", "STAGE must be"]),
        (["start", "LOG=loud"], ["LOG must be debug."]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_make_says_what_is_wrong_with_what_was_typed(typed: list[str], told: list[str]) -> None:
    ran = make(*typed)
    assert ran.returncode != 0
    for words in told:
        assert words in ran.stderr
    assert "argparse" not in ran.stderr
    assert "usage:" not in ran.stderr


def test_make_hands_over_quotes_and_signs_as_they_were_typed(stack: Stack, merchant: str) -> None:
    name = """Joe's "Fish & Chips"; `true` <3"""
    ran = make("merchant", f"MERCHANT={merchant}", f"NAME={name}", AWS_PORT=port_of(stack))
    assert f"NAME: Acme Inc -> {name}" in ran.stdout, ran.stderr
    profile = stack.merchant_store.get(merchant)
    assert profile
    assert profile.merchant.name == name


def test_what_a_shell_happens_to_export_changes_no_merchant(stack: Stack, merchant: str) -> None:
    around = {"NAME": "DESKTOP-1", "EMAIL": "me@home.example", "COUNTRY": "DE", "MODE": "live"}
    ran = make("merchant", f"MERCHANT={merchant}", AWS_PORT=port_of(stack), **around)
    assert ran.stdout.startswith("Nothing to change"), ran
    assert "MODE is missing." in make("key", f"MERCHANT={merchant}", **around).stderr


def test_every_command_stands_in_make_help() -> None:
    told = make("help").stdout
    for command in COMMANDS:
        assert f"make {command} " in told
    assert "LIFETIME=60" in told
    assert "LOG=debug" in told


# ------------------------------------------------------------------------------ merchants and keys


def test_make_merchant_says_what_it_created_and_what_it_changed(stack: Stack) -> None:
    merchant = f"acme-{time.time_ns()}"
    created = printed(operate(stack, "merchant", MERCHANT=merchant, **NEW))
    changed = printed(
        operate(stack, "merchant", MERCHANT=merchant, FRAUD_RULES_IN_TEST="yes", FEE="1% + 0 USD")
    )
    again = printed(operate(stack, "merchant", MERCHANT=merchant, FRAUD_RULES_IN_TEST="yes"))

    assert created.startswith(f"Created merchant {merchant}.")
    assert "LOCAL_CURRENCY: CRC" in created  # its country's
    assert changed.splitlines()[1:3] == [
        "  FRAUD_RULES_IN_TEST: no -> yes",
        "  FEE: standard -> 1% + 0 USD",
    ]
    assert again.startswith("Nothing to change")


def test_a_new_merchant_needs_what_nobody_can_guess(stack: Stack) -> None:
    told = refusal(operate(stack, "merchant", MERCHANT="typo", FEE="1% + 0 USD"))
    assert told == (
        "There is no merchant typo yet. To create it, add NAME and EMAIL and COUNTRY.\n"
    )
    assert stack.merchant_store.get("typo") is None


def test_a_change_reaches_the_keys_that_were_issued_before(stack: Stack, merchant: str) -> None:
    key = printed(operate(stack, "key", MERCHANT=merchant, MODE="test")).split()[0]
    told = printed(operate(stack, "merchant", MERCHANT=merchant, DESCRIPTOR="ACME CR"))
    checkout = Shop(stack, key).checkout()
    assert "Its API keys: 1." in told
    assert checkout.data["statement_descriptor"] == ["ACME CR"]


def test_issuing_rotating_and_revoking_leave_the_profile_as_it_is(
    stack: Stack, merchant: str
) -> None:
    before = stack.merchant_store.get(merchant)
    key = printed(operate(stack, "key", MERCHANT=merchant, MODE="test")).split()[0]
    new = printed(operate(stack, "rotate", KEY=key)).split()[0]
    printed(operate(stack, "revoke", KEY=new))
    assert stack.merchant_store.get(merchant) == before


def test_the_keys_of_a_merchant_are_listed_by_their_ids_and_never_in_clear(
    stack: Stack, merchant: str
) -> None:
    none = printed(operate(stack, "keys", MERCHANT=merchant))
    assert f"make key MERCHANT={merchant} MODE=test" in none
    issued = {
        mode: printed(operate(stack, "key", MERCHANT=merchant, MODE=mode)).split()
        for mode in ("test", "live")
    }
    printed(operate(stack, "revoke", KEY=issued["live"][-1]))
    printed(operate(stack, "rotate", KEY=issued["test"][-1], OVERLAP_HOURS="2.5"))

    told = printed(operate(stack, "keys", MERCHANT=merchant))

    heading, *rows = told.splitlines()
    assert heading.split() == ["ID", "MODE", "CREATED", "STATE"]
    assert len(rows) == 3
    states = {row.split()[0]: row.split(maxsplit=3)[1:] for row in rows}
    assert re.fullmatch(r"ended \S+Z", states[issued["live"][-1]][-1])
    assert re.fullmatch(r"valid until \S+Z", states[issued["test"][-1]][-1])
    assert sorted(state[-1].split()[0] for state in states.values()) == ["ended", "valid", "valid"]
    assert "sk_" not in told


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("key", {"MODE": "test"}),
        ("keys", {}),
        ("block", {"KIND": "ip", "VALUE": "203.0.113.7"}),
        ("unblock", {"KIND": "ip", "VALUE": "203.0.113.7"}),
    ],
)
def test_an_unknown_merchant_is_said_and_how_to_create_it(
    stack: Stack, command: str, typed: dict[str, str]
) -> None:
    told = refusal(operate(stack, command, MERCHANT="nobody-here", **typed))
    assert told.startswith("There is no merchant nobody-here. To create it: make merchant ")


def test_a_key_that_nobody_has_is_said_and_nothing_is_changed(stack: Stack) -> None:
    for command in ("rotate", "revoke"):
        for key in ("sk_test_" + "0" * 24, "0" * 12):
            told = refusal(operate(stack, command, KEY=key))
            assert told == "No valid key has this value or id. Nothing was changed.\n"


# ------------------------------------------------------------------------------ stacks


@pytest.mark.parametrize("command", ["outputs", "backup"])
def test_without_a_local_stack_it_says_how_to_start_one(command: str) -> None:
    told = refusal(operate(None, command))
    assert told.startswith("No local stack runs with AWS_PORT=9. Start one with make start")


def test_a_stack_that_does_not_exist_is_said(stack: Stack) -> None:
    """The emulated AWS stands for a real account, which has no such stack."""
    account = ON_AWS | {"AWS_ENDPOINT_URL": stack.aws_url}
    told = refusal(operate(stack, "key", account, STACK="shop", MERCHANT="acme", MODE="test"))
    assert told == "There is no stack shop in this AWS account and region.\n"


def test_missing_credentials_are_said() -> None:
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "us-east-1"}
    told = refusal(operate(None, "outputs", nobody, STACK="shop"))
    assert told.startswith("There are no AWS credentials to reach stack shop with")


def test_a_missing_region_is_said() -> None:
    told = refusal(operate(None, "outputs", STACK="shop"))
    assert told.startswith("AWS_DEFAULT_REGION must name the AWS region of stack shop")


def test_a_stack_of_something_else_is_said(stack: Stack) -> None:
    name = f"other-{time.time_ns()}"
    topic = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    stack.aws("cloudformation").create_stack(StackName=name, TemplateBody=topic)
    account = ON_AWS | {"AWS_ENDPOINT_URL": stack.aws_url}
    told = refusal(operate(stack, "keys", account, STACK=name, MERCHANT="acme"))
    assert told.startswith(f"Stack {name} has no output MerchantsTable: it is not a stack of this")
