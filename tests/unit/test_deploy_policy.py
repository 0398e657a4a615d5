"""What docs/github lets an owner's CI do: all that a deploy needs, and on our stacks alone."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

from local.generate import deploy_policy
from local.template import Template
from tests.support.stack import PROJECT

WORKFLOW = PROJECT / "docs/github/deploy.yaml"
ROLE = yaml_parse(deploy_policy.TARGET.read_text("utf-8"))["Resources"]
POLICIES = {
    name: body["Properties"]["PolicyDocument"]
    for name, body in ROLE.items()
    if body["Type"] == "AWS::IAM::ManagedPolicy"
}
STATEMENTS = [
    statement
    for name, policy in POLICIES.items()
    if name.startswith("DeployPolicy")
    for statement in policy["Statement"]
]
GRANTED = {action for statement in STATEMENTS for action in statement["Action"]}


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    """SAM's translator asks for one."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def _steps() -> list[dict[str, Any]]:
    (job,) = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def granted_for(types: set[str]) -> set[str]:
    found = deploy_policy.statements(types)
    return {action for statement in found for action in statement["Action"]}


def test_the_role_is_what_make_deploy_policy_writes(deployed: Template) -> None:
    text = deploy_policy.TARGET.read_text("utf-8")
    assert deploy_policy.render(text, deployed) == text


def test_what_a_deploy_creates_updates_and_deletes_is_granted() -> None:
    assert {
        "apigateway:POST",
        "cloudwatch:PutMetricAlarm",
        "codedeploy:CreateDeployment",
        "dynamodb:CreateTable",
        "events:PutRule",
        "iam:CreateRole",
        "iam:PassRole",
        "kms:CreateKey",
        "lambda:PublishVersion",
        "lambda:UpdateFunctionCode",
        "logs:PutRetentionPolicy",
        "sns:Subscribe",
        "sqs:CreateQueue",
        "states:UpdateStateMachineAlias",
    } <= GRANTED


def test_a_type_of_resource_that_is_gone_takes_its_permissions_with_it(deployed: Template) -> None:
    types = deploy_policy.resource_types(deployed)
    assert granted_for(types) == GRANTED
    queues = {action for action in GRANTED if action.startswith("sqs:")}
    assert queues
    assert granted_for(types - {"AWS::SQS::Queue"}) == GRANTED - queues


def test_a_resource_of_a_new_service_is_not_forgotten(deployed: Template) -> None:
    types = deploy_policy.resource_types(deployed) | {"AWS::SSM::Parameter"}
    with pytest.raises(LookupError, match="AWS::SSM::Parameter"):
        granted_for(types)


def test_nothing_that_is_stored_can_be_read_or_written() -> None:
    reads_or_writes = r"dynamodb:(\w+Item|Scan|Query)|kms:(\w*crypt|Generate\w+|Create\w*Grant)"
    assert [action for action in GRANTED if re.match(reads_or_writes, action)] == []
    (smoke,) = POLICIES["SmokePolicy"]["Statement"]
    assert smoke["Action"] == ["dynamodb:GetItem", "dynamodb:PutItem"]
    (table,) = smoke["Resource"]
    assert table["Fn::Sub"].endswith(":table/${StackPrefix}-*-KeysTable-*")


def test_no_action_stands_for_others_and_all_resources_only_where_iam_knows_no_less() -> None:
    assert not any("*" in action for action in GRANTED)
    iam = deploy_policy.iam()
    for statement in STATEMENTS:
        if statement["Resource"] == "*":
            for action in statement["Action"]:
                service, name = action.split(":")
                assert not iam[service]["Actions"][name.lower()].get("Resources"), action
        else:
            assert all(resource["Fn::Sub"] != "*" for resource in statement["Resource"])


def test_roles_are_passed_only_to_the_services_that_run_them() -> None:
    (passing,) = [row for row in STATEMENTS if "iam:PassRole" in row["Action"]]
    assert passing["Action"] == ["iam:PassRole"]
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"]


def test_only_one_environment_of_one_repository_gets_the_role() -> None:
    (statement,) = ROLE["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": {
                "Fn::Sub": "repo:${Repository}:environment:${GitHubEnvironment}"
            },
        }
    }


@pytest.mark.parametrize("name", POLICIES)
def test_each_policy_is_within_iams_limit(name: str) -> None:
    compact = json.dumps(POLICIES[name], separators=(",", ":")).replace('{"Fn::Sub":', "")
    assert len(compact) <= deploy_policy.MAX_CHARACTERS


def test_cfn_lint_finds_nothing_in_the_role() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    ran = subprocess.run(
        [linter, deploy_policy.TARGET], capture_output=True, text=True, timeout=100, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.parametrize(
    ("deploys", "smoke", "status", "asked"),
    [
        ("sleep 0.3", "sleep 0.1", 0, ""),
        ("sleep 0.3; exit 3", "sleep 0.1", 3, ""),
        (
            "while [ ! -e told ]; do sleep 0.1; done; exit 1",
            "exit 1",
            1,
            "cloudformation cancel-update-stack --stack-name payments-prod",
        ),
    ],
)
def test_the_workflow_cancels_a_deploy_while_which_a_payment_fails(
    tmp_path: Path, deploys: str, smoke: str, status: int, asked: str
) -> None:
    (script,) = [step["run"] for step in _steps() if "deploy" in step.get("run", "")]
    told = tmp_path / "told"
    for name, body in {
        "make": f'case "$1" in deploy) {deploys};; smoke) {smoke};; esac',
        "aws": 'echo "$@" > told',
    }.items():
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\n{body}\n")
        command.chmod(0o755)
    ran = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],  # as GitHub runs it
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "STACK": "payments-prod"},
        timeout=60,
        check=False,
    )
    assert ran.returncode == status
    assert (told.read_text().strip() if told.exists() else "") == asked


def test_the_workflow_takes_the_role_of_its_environment_and_makes_what_exists() -> None:
    workflow: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    (job,) = workflow["jobs"].values()
    environment = yaml_parse(deploy_policy.TARGET.read_text("utf-8"))["Parameters"]
    assert job["environment"] == environment["GitHubEnvironment"]["Default"]
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    commands = [step["run"] for step in job["steps"] if "run" in step]
    typed = re.findall(r"\bmake ([a-z -]+)", "\n".join(commands))
    made = [target for words in typed for target in words.split()]
    assert made == ["check", "quick", "build", "deploy", "smoke", "smoke"]
    assert set(made) <= targets
