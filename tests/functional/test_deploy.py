"""`make deploy`: what it looks at, what it refuses, and what it tells sam."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from samcli.cli.types import CfnParameterOverridesType

from local.template import Template
from tests.support.account import FakeAccount, fake_account
from tests.support.operator import operate
from tests.support.stack import PROJECT

PROD = {"ENV": "prod", "PARAMETERS": "AlarmEmail=me@shop.example"}


@pytest.fixture
def account(tmp_path: Path) -> Iterator[FakeAccount]:
    """An account that has nothing of API Gateway's and no stack."""
    with fake_account(tmp_path) as account:
        yield account


def build_for(folder: Path, machine: str = "x86_64") -> Path:
    """What of a build `make deploy` looks at."""
    library = folder / f"build/DependenciesLayer/python/x.cpython-313-{machine}-linux-gnu.so"
    library.parent.mkdir(parents=True, exist_ok=True)
    library.touch()
    shutil.copy(PROJECT / "template.yaml", folder / "build")
    return folder / "build"


def deploy(account: FakeAccount, **typed: str) -> subprocess.CompletedProcess[str]:
    typed = {"BUILD": str(build_for(account.folder)), **typed}
    return operate(None, "deploy", account.environment(), **typed)


def parameters(call: list[str]) -> dict[str, str]:
    """As sam itself reads them."""
    words = tuple(call[call.index("--parameter-overrides") + 1 :])
    read: dict[str, str] = CfnParameterOverridesType().convert(words, None, None)
    return read


# ------------------------------------------------------------------------------ parameters


@pytest.mark.parametrize("typed", [{"ENV": "dev"}, PROD])
def test_every_parameter_of_the_template_is_named_to_sam_so_that_none_sticks(
    account: FakeAccount, deployed: Template, typed: dict[str, str]
) -> None:
    deploy(account, **typed)
    assert len(account.sam_calls) == 2
    for call in account.sam_calls:
        assert parameters(call).keys() == deployed.parameters.keys()


def test_what_is_typed_wins_over_samconfig_and_samconfig_over_the_defaults(
    account: FakeAccount,
) -> None:
    account.status = "UPDATE_COMPLETE"
    typed = "RollBackOnAlarm=no\nAlarmEmail=\nAlarmTopicArn=arn:aws:sns:x:123456789012:t\n"
    deploy(
        account, ENV="prod", PARAMETERS=f"{typed}LogRetentionDays=400\nRatesUrl=https://a.b/?c=d"
    )
    (call,) = account.sam_calls
    told = parameters(call)
    assert (told["RollBackOnAlarm"], told["AlarmEmail"]) == ("no", "")
    assert (told["LogRetentionDays"], told["RatesUrl"]) == ("400", "https://a.b/?c=d")
    assert told["SnapStart"] == "PublishedVersions"  # samconfig's
    assert told["RatesMaxAgeHours"] == "48"  # the template's


def test_make_hands_over_what_was_typed_and_nothing_of_the_environment() -> None:
    """Shown by a step before the command itself."""
    show = "shown: ; @printf '%s' \"$$PARAMETERS\"; exit 1"
    typed = ["ENV=dev", "RollBackOnAlarm=no", "AlarmEmail=", """RatesUrl=https://a.b/?c="d e"'f'"""]
    before = ["-o", ".venv/dev", "--eval=deploy: shown", f"--eval={show}"]
    ran = subprocess.run(
        ["make", "-s", *before, "deploy", *typed],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "SnapStart": "None", "PARAMETERS": "SnapStart=None"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert sorted(line.strip() for line in ran.stdout.split("\n") if line.strip()) == [
        "AlarmEmail=",
        """RatesUrl=https://a.b/?c="d e"'f'""",
        "RollBackOnAlarm=no",
    ], ran.stderr


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("AlarmMail=a@b.example", "Is it AlarmEmail"),
        ("rollbackonalarm=no", "Is it RollBackOnAlarm?"),
        ("STACK=payments-dev", "There are: AddressLimits, "),
        ("Environment=prod", "type ENV=dev or ENV=prod"),
        ("Architecture=arm64", "type ARCH="),
        ("FirstDeploy=yes", "looks whether the stack is new"),
    ],
)
def test_a_name_that_cannot_be_typed_is_an_error_that_says_what_can(
    account: FakeAccount, typed: str, told: str
) -> None:
    ran = deploy(account, PARAMETERS=typed)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert told in ran.stderr
    assert (account.sam_calls, account.asked) == ([], [])


@pytest.mark.parametrize(("arch", "machine"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_what_was_built_for_another_architecture_is_refused(
    account: FakeAccount, arch: str, machine: str
) -> None:
    build = str(build_for(account.folder, machine))
    other = {"arm64": "x86_64", "x86_64": "arm64"}[arch]
    environment = account.environment()
    refused = operate(None, "deploy", environment, BUILD=build, ARCH=other)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"make build ARCH={other}" in refused.stderr
    assert account.sam_calls == []
    for asked_for in ("", arch):
        ran = operate(None, "deploy", environment, BUILD=build, ARCH=asked_for)
        assert ran.returncode == 0, ran.stderr
    assert {parameters(call)["Architecture"] for call in account.sam_calls} == {arch}


# ------------------------------------------------------------------------------ the first deploy


def test_a_new_stack_is_deployed_twice_and_protected_only_once_it_stands(
    account: FakeAccount,
) -> None:
    ran = deploy(account, **PROD)
    assert ran.returncode == 0, ran.stderr
    first, second = account.sam_calls
    assert parameters(first) == parameters(second) | {"FirstDeploy": "yes"}
    assert parameters(second)["FirstDeploy"] == "no"
    assert "--no-confirm-changeset" not in first
    assert "--no-confirm-changeset" in second  # the owner has said yes to all of it
    for call in (first, second):
        assert call[call.index("--config-env") + 1] == "prod"
        assert parameters(call)["Environment"] == "prod"
    assert account.protected == ["payments-prod"]
    assert "make outputs STACK=payments-prod" in ran.stdout


def test_a_stack_that_stands_is_deployed_once(account: FakeAccount) -> None:
    account.status = account.status_after = "UPDATE_ROLLBACK_COMPLETE"
    assert deploy(account, **PROD).returncode == 0
    (call,) = account.sam_calls
    assert parameters(call)["FirstDeploy"] == "no"
    assert account.protected == ["payments-prod"]


def test_a_dev_stack_can_be_deleted(account: FakeAccount) -> None:
    assert deploy(account).returncode == 0
    assert account.protected == []


@pytest.mark.parametrize("status", ["", "REVIEW_IN_PROGRESS"])
def test_changes_that_are_not_confirmed_end_it(account: FakeAccount, status: str) -> None:
    account.status = account.status_after = status
    ran = deploy(account, **PROD)
    assert (ran.returncode, ran.stderr) == (1, "Nothing was deployed.\n")
    assert len(account.sam_calls) == 1
    assert account.protected == []


def test_where_nobody_can_answer_sam_asks_nothing(account: FakeAccount) -> None:
    assert deploy(account, CONFIRM="no").returncode == 0
    assert ["--no-confirm-changeset" in call for call in account.sam_calls] == [True, True]


def test_if_sam_fails_so_does_make_deploy(account: FakeAccount) -> None:
    account.sam_status = 3
    assert deploy(account, **PROD).returncode == 3
    assert len(account.sam_calls) == 1
    assert account.protected == []


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"])
def test_what_a_failed_first_deploy_left_has_to_be_deleted_first(
    account: FakeAccount, status: str
) -> None:
    account.status = status
    ran = deploy(account)
    assert (ran.returncode, account.sam_calls) == (1, [])
    assert "sam delete" in ran.stderr


# ------------------------------------------------------------------------------ the account


@pytest.mark.parametrize(
    ("log_role", "chosen"),
    [("none", "create"), ("set and there", "existing"), ("set but deleted", "create")],
)
def test_the_role_that_api_gateway_logs_by_is_created_only_where_there_is_none(
    account: FakeAccount, log_role: str, chosen: str
) -> None:
    account.log_role = log_role
    deploy(account)
    assert {parameters(call)["ApiGatewayLogRole"] for call in account.sam_calls} == {chosen}


def test_who_names_the_log_role_s_parameter_has_it_so(account: FakeAccount) -> None:
    account.log_role = "set and there"
    deploy(account, PARAMETERS="ApiGatewayLogRole=create")
    assert {parameters(call)["ApiGatewayLogRole"] for call in account.sam_calls} == {"create"}


def test_prod_is_refused_where_lambda_has_no_room_for_it(account: FakeAccount) -> None:
    account.concurrency = 199
    ran = deploy(account, **PROD)
    assert (ran.returncode, account.sam_calls) == (1, [])
    assert "needs 200 concurrent Lambda executions" in ran.stderr
    assert "servicequotas/home/services/lambda/quotas/L-B99A9384" in ran.stderr


def test_the_room_that_prod_needs_follows_what_it_reserves(account: FakeAccount) -> None:
    account.concurrency = 200
    more = PROD["PARAMETERS"] + "\nReservedConcurrency=26"
    assert "needs 204" in deploy(account, ENV="prod", PARAMETERS=more).stderr
    assert deploy(account, **PROD).returncode == 0


def test_dev_is_deployed_in_a_new_account(account: FakeAccount) -> None:
    account.concurrency = 10
    assert deploy(account).returncode == 0


def test_what_aws_refuses_is_said_in_words(account: FakeAccount) -> None:
    nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    no_metadata = {"AWS_EC2_METADATA_DISABLED": "true"}
    build = str(build_for(account.folder))
    environment = account.environment() | nobody | no_metadata
    ran = operate(None, "deploy", environment, BUILD=build)
    assert (ran.returncode, account.sam_calls) == (1, [])
    assert ran.stderr.startswith("There are no AWS credentials to reach stack payments-dev")
