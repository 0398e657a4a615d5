"""What an operator types is judged before anything is asked, by the name that was typed."""

import re
import socket
from collections.abc import Iterator

import pytest
from botocore import exceptions as aws
from botocore.exceptions import ClientError

from local.emulator import console
from local.operator.__main__ import COMMANDS
from local.operator.aws_problems import explain
from local.operator.command import STACK_VARIABLES, Command, execute
from local.operator.merchants import countries
from payments.errors import AwsUnavailableError

PAID_CARD = "4242424242424242"
FINGERPRINT = "0123456789abcdef" * 2
# Each variable with a value that is right, and values that are wrong.
RIGHT_AND_WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    "MERCHANT": ("acme", ("Acme", "-acme", "a" * 40, "a_b", "é", "a b", "a;b")),
    "NAME": ("Acme", ("n" * 101, "two\nlines", "\x1b[31mred")),
    "EMAIL": ("help@acme.example", ("help", "@acme.example", f"{PAID_CARD}@example.com")),
    "COUNTRY": ("US", ("us", "USA", "XX", "EU", "UK", "ZZ", "XK", "1A", "Brazil")),
    "DESCRIPTOR": ("ACME", ("A" * 23, *(f"A{sign}B" for sign in "<>\\'\"*"), "CAFÉ", "A\tB")),
    "LOCAL_CURRENCY": ("USD", ("usd", "XXX", "US", "dollars")),
    "SETTLEMENT_CURRENCY": ("EUR", ("eur", "ZZZ", "XAU")),
    "FEE": ("2.9% + 0.30 USD", ("free", "2.9%", "2% + 0.001 USD", "2% + 1 XXX", "-1% + 0 USD")),
    "JSON_CARDS": ("yes", ("true", "YES", "1")),
    "FRAUD_RULES_IN_TEST": ("no", ("false", "2")),
    "MODE": ("test", ("TEST", "prod", "testing")),
    "KEY": ("0123456789ab", ("sk_test_", "pk_test_51O62xYzAbcDef123", "0123456789AB", "12")),
    "OVERLAP_HOURS": ("24", ("-1", "soon", "nan", "inf", "1e3", "721", "99999999999", "1,5", "٢")),
    "KIND": ("card", ("CARD", "phone")),
    "VALUE": (FINGERPRINT, ()),  # its shape depends on KIND, see below
    "LIST": ("allow", ("deny", "Block")),
    "TABLE": ("PaymentsTable", ("Payments Table", "payments-table", "../x")),
    "AT": ("2020-01-31T12:00:00Z", ("yesterday", "2020-01-31T12:00:00", "31.01.2020")),
    "BACKUP": ("arn:aws:dynamodb:us-east-1:1:table/t/backup/b", ("arn:aws:s3:::b", "latest")),
    "TIMES": ("2", ("0", "-1", "1001", "often", "1.5")),
    "ENV": ("dev", ("staging", "production")),
    "ARCH": ("arm64", ("arm", "amd64")),
    "BUILD": (".aws-sam/build", ()),
    "CONFIRM": ("no", ("n", "false")),
    "PARAMETERS": ("AlarmEmail=me@shop.example", ("AlarmEmail", "=x", "A=b\nno")),
    "STACK": ("payments-dev", ("payments_dev", "-x", "1x", "a" * 129)),
    "AWS_PORT": ("4566", ("http", "0", "65536", "-1", "80.5")),
}
WRONG = [
    (name, variable.name, value)
    for name, command in COMMANDS.items()
    for variable in (*command.variables, *(STACK_VARIABLES if command.needs_stack else ()))
    for value in RIGHT_AND_WRONG[variable.name][1]
]


VALUES = {
    "card": (FINGERPRINT, (PAID_CARD, FINGERPRINT[1:], "g" * 32)),
    "email": ("@example.com", ("example.com", "a@b", "a b@example.com")),
    "ip": ("203.0.113.0/24", ("192.0.2", "192.0.2.0/33", "localhost")),
    "country": ("US", ("USA", "XX", "EU")),
}


def variables_of(command: Command) -> list[str]:
    used = (*command.variables, *(STACK_VARIABLES if command.needs_stack else ()))
    return [variable.name for variable in used]


@pytest.fixture
def unasked() -> Iterator[str]:
    """The port of an AWS that nobody may connect to."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        yield str(listening.getsockname()[1])
        with pytest.raises(BlockingIOError):
            listening.accept()


def right(command: Command, port: str) -> dict[str, str]:
    """All that a command takes, so that only what a test changes is wrong with it."""
    typed = {name: RIGHT_AND_WRONG[name][0] for name in variables_of(command)}
    return typed | {"STACK": "", "AWS_PORT": port}


def refusal(
    command: Command, typed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """The lines of a command that finds its input wrong."""
    assert execute(command, typed) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.splitlines()


def test_every_variable_of_every_command_is_tried() -> None:
    assert RIGHT_AND_WRONG.keys() == {
        name for command in COMMANDS.values() for name in variables_of(command)
    }
    assert len(WRONG) > 150


@pytest.mark.parametrize(("name", "variable", "value"), WRONG)
def test_a_wrong_value_is_named_by_its_variable_and_not_repeated(
    name: str, variable: str, value: str, unasked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = COMMANDS[name]
    told = refusal(command, right(command, unasked) | {variable: value}, capsys)
    assert len(told) == 2
    assert told[0].startswith(f"{variable} must ")
    assert told[1] == f"Usage: make {command.usage}"
    assert variable == "KEY" or PAID_CARD not in "".join(told)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        (name, variable.name)
        for name, command in COMMANDS.items()
        for variable in command.variables
        if variable.is_required
    ],
)
@pytest.mark.parametrize("value", ["", "  "])
def test_a_missing_variable_is_named(
    name: str, variable: str, value: str, unasked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = COMMANDS[name]
    told = refusal(command, right(command, unasked) | {variable: value}, capsys)
    assert told == [f"{variable} is missing.", f"Usage: make {command.usage}"]


@pytest.mark.parametrize("name", COMMANDS)
def test_all_that_is_wrong_is_named_at_once(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = COMMANDS[name]
    wrong = {
        variable: RIGHT_AND_WRONG[variable][1][0]
        for variable in variables_of(command)
        if RIGHT_AND_WRONG[variable][1]
    }
    told = refusal(command, wrong, capsys)
    assert {line.split()[0] for line in told} >= wrong.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_usage_names_the_command_and_what_it_needs(name: str) -> None:
    command = COMMANDS[name]
    named = set(re.findall(r"([A-Z_]+)=", command.usage))
    assert command.usage.split()[0] == name
    assert {variable.name for variable in command.variables if variable.is_required} <= named
    assert named <= set(variables_of(command))


@pytest.mark.parametrize("verb", ["block", "unblock"])
@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind in VALUES for value in VALUES[kind][1]]
)
def test_a_value_that_its_kind_does_not_allow_is_named_with_the_kind(
    verb: str, kind: str, value: str, unasked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = COMMANDS[verb]
    (told,) = refusal(command, right(command, unasked) | {"KIND": kind, "VALUE": value}, capsys)
    assert told.startswith(f"With KIND={kind}, VALUE must be ")
    assert value not in told


def test_a_moment_and_a_backup_exclude_each_other(
    unasked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    restore = COMMANDS["restore"]
    (told,) = refusal(restore, right(restore, unasked), capsys)
    assert told.startswith("AT and BACKUP exclude each other")


def test_the_countries_are_those_of_iso_3166() -> None:
    assert len(countries()) == 249
    assert {"US", "CR", "SS", "CW", "GB", "AX"} <= countries()
    assert not {"UK", "EU", "XK", "AN", "SU", "ZZ", "EN"} & countries()


# ------------------------------------------------------------------------------ what AWS says


def answer(code: str, message: str = "the words of AWS") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (aws.NoCredentialsError(), "There are no AWS credentials"),
        (aws.ProfileNotFound(profile="shop"), "The config profile (shop) could not be found"),
        (aws.SSOTokenLoadError(error_msg="expired"), "There are no AWS credentials"),
        (aws.NoRegionError(), "AWS_DEFAULT_REGION must name the AWS region"),
        (aws.InvalidRegionError(region_name="mars 1"), "'mars 1'"),
        (aws.EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached"),
        (answer("ExpiredToken"), "The AWS credentials have expired. Sign in again."),
        (answer("InvalidClientTokenId"), "AWS does not accept these credentials."),
        (answer("AccessDenied"), "Access denied: these AWS credentials may not do this."),
        (answer("AccessDeniedException"), "the words of AWS"),
        (answer("ValidationError", "Stack with id x does not exist"), "There is no stack x"),
        (answer("BackupNotFoundException"), "AWS refused DescribeStacks on stack x"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
@pytest.mark.parametrize("is_wrapped", [False, True])
def test_what_aws_refuses_is_said_in_plain_words(
    error: Exception, told: str, *, is_wrapped: bool
) -> None:
    """The product's stores wrap botocore's errors; the operator still hears what failed."""
    shown = error
    if is_wrapped:
        shown = AwsUnavailableError("Code")
        shown.__cause__ = error
    assert told in explain(shown, "x", 4566)
    assert "local stack" not in explain(shown, "x", 4566)


# ------------------------------------------------------------------------------ make start

STARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "PORT": (("0",), ("", "http", "65536", "-1", "80.5")),
    "AWS_PORT": (("0",), ("", "aws", "100000")),
    "STAGE": (("", "prod"), ("a/b", "a b", "s" * 129)),
    "LIFETIME": (("", "1", "86400"), ("0", "-1", "soon", "1.5", "9" * 10)),
    "LOG": (("", "debug"), ("info", "DEBUG", "1")),
}


def can_start(variable: str, value: str) -> tuple[bool, list[tuple[str, str]]]:
    """Whether it can, and the parameters of the template that it would start with."""
    flag = f"--{variable.lower().replace('_', '-')}={value}"
    options = console.parser("").parse_args(["--port=0", "--aws-port=0", flag])
    return console.can_start(options), options.parameter


@pytest.mark.parametrize(
    ("variable", "value"), [(name, value) for name in STARTS for value in STARTS[name][1]]
)
def test_a_local_stack_does_not_start_on_a_wrong_value_and_names_it(
    variable: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert can_start(variable, value) == (False, [])
    assert capsys.readouterr().err.startswith((f"{variable} must be ", f"{variable} is missing."))


@pytest.mark.parametrize(
    ("variable", "value"), [(name, value) for name in STARTS for value in STARTS[name][0]]
)
def test_a_local_stack_starts_on_a_right_value(variable: str, value: str) -> None:
    is_lifetime = variable == "LIFETIME" and value
    parameters = [("PaymentLifetimeSeconds", value)] if is_lifetime else []
    assert can_start(variable, value) == (True, parameters)
