"""What `make deploy` tells sam, as a function of what is known."""

import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
from samcli.cli.types import CfnParameterOverridesType

from local.operator.deploy_plan import (
    Account,
    command_line,
    every_parameter,
    parameters_of_each_deploy,
)

DEFAULTS = {"AlarmEmail": "", "RollBackOnAlarm": "yes", "RatesUrl": "https://rates.example"}
KNOWN = {"Environment": "prod", "ApiGatewayLogRole": "create", "ReservedConcurrency": "25"}


def plan(
    status: str = "UPDATE_COMPLETE", *, log_role: bool = True, concurrency: int = 1000
) -> list[dict[str, str]]:
    account = Account(status, log_role, concurrency)
    return parameters_of_each_deploy(KNOWN, account, names_log_role=False)


def line(parameters: Mapping[str, str], *, asks: bool = True) -> list[str]:
    return list(command_line("prod", Path("samconfig.toml"), Path("t.yaml"), parameters, asks=asks))


def test_the_whole_command_line() -> None:
    assert shlex.join(line({"AlarmEmail": "a@b.example", "DomainName": ""})) == shlex.join(
        [
            *("sam", "deploy", "--config-file", "samconfig.toml", "--config-env", "prod"),
            *("--template-file", "t.yaml", "--parameter-overrides"),
            *('AlarmEmail="a@b.example"', 'DomainName=""'),
        ]
    )
    assert set(line({}, asks=False)) - set(line({})) == {"--no-confirm-changeset"}


@pytest.mark.parametrize(
    "value", ["", "no", "a b", 'say "yes"', "it's", "https://a.b/?c=d&e=f", "a=b", "$(id)", ";"]
)
def test_sam_reads_every_value_as_it_was_typed(value: str) -> None:
    """By sam's own reading of its command line, next to another parameter."""
    words = tuple(line({"RatesUrl": value, "AlarmEmail": "a@b.example"}))
    overrides = words[words.index("--parameter-overrides") + 1 :]
    read = CfnParameterOverridesType().convert(overrides, None, None)
    assert read == {"RatesUrl": value, "AlarmEmail": "a@b.example"}


def test_defaults_give_way_to_samconfig_and_samconfig_to_what_was_typed() -> None:
    configured = {"RollBackOnAlarm": "no", "AlarmEmail": "config@b.example"}
    assert every_parameter(DEFAULTS, configured, {"AlarmEmail": "typed@b.example"}) == {
        "AlarmEmail": "typed@b.example",
        "RollBackOnAlarm": "no",
        "RatesUrl": "https://rates.example",
    }
    assert every_parameter(DEFAULTS, configured, {"AlarmEmail": ""})["AlarmEmail"] == ""


def test_all_unknown_names_are_told_at_once_with_where_they_stand() -> None:
    with pytest.raises(ValueError, match=r"samconfig\.toml names AlarmMail.*\n.*names RateUrl"):
        every_parameter(DEFAULTS, {"AlarmMail": "x"}, {"RateUrl": "y"})


@pytest.mark.parametrize("status", ["", "REVIEW_IN_PROGRESS"])
def test_a_new_stack_is_deployed_in_two_steps_that_differ_in_one_parameter(status: str) -> None:
    first, second = plan(status)
    assert first.items() - second.items() == {("FirstDeploy", "yes")}
    assert second.items() - first.items() == {("FirstDeploy", "no")}


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]
)
def test_a_stack_that_stands_is_deployed_once(status: str) -> None:
    (only,) = plan(status)
    assert only["FirstDeploy"] == "no"


@pytest.mark.parametrize(("log_role", "chosen"), [(True, "existing"), (False, "create")])
def test_the_log_role_of_the_account_decides_unless_its_owner_does(
    log_role: bool, chosen: str
) -> None:
    assert [told["ApiGatewayLogRole"] for told in plan(log_role=log_role)] == [chosen]
    account = Account("UPDATE_COMPLETE", log_role, 1000)
    (named,) = parameters_of_each_deploy(KNOWN, account, names_log_role=True)
    assert named["ApiGatewayLogRole"] == KNOWN["ApiGatewayLogRole"]


def test_prod_needs_what_it_reserves_and_the_hundred_that_nobody_may() -> None:
    with pytest.raises(ValueError, match=r"needs 200 .* has 199 .*quotas/L-B99A9384"):
        plan(concurrency=199)
    assert plan(concurrency=200)
