"""`make deploy-policy`: writes what the role of an owner's CI may do, from what a deploy creates.

CloudFormation works with the permissions of whoever deploys. For each type of resource it publishes
which ones it needs; cfn-lint ships those lists. They are granted on this project's stacks alone,
less those that read or write what is stored and those of services that no resource here uses.
"""

import functools
import json
import os
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cfnlint
from samtranslator.yaml_helper import yaml_parse

from local import PROJECT, REGION, template
from local.template import Template

TARGET = PROJECT / "docs/github/deploy-role.yaml"
START, END = "  # Written by `make deploy-policy`:\n", "  # (the end of what it writes)\n"
MAX_CHARACTERS = 6_144  # of a managed policy, as IAM counts them: without white space
_DATA = Path(cfnlint.__file__).parent / "data"
# Updating reads too; nothing lists what other stacks have.
_HANDLERS = ("create", "read", "update", "delete")
# They reach payments and cards, or move them elsewhere. No deploy of these templates does.
_LEFT_OUT = re.compile(
    r"dynamodb:(Scan|Query|BatchWriteItem|\w+Item|ImportTable|DescribeImport|\w+Replica"
    r"|\w*KinesisStreamingDestination)"
    r"|kms:(Encrypt|Decrypt|GenerateDataKey|CreateGrant|RevokeGrant)"
    r"|iam:CreateServiceLinkedRole"
)
# What `sam deploy`, `make deploy` and the workflow ask beside the resources.
_TOOLS = {
    "cloudformation:CancelUpdateStack",
    *("cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet"),
    *("cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet"),
    *("cloudformation:DescribeStackEvents", "cloudformation:GetTemplateSummary"),
    *("cloudformation:ListStackResources", "lambda:GetAccountSettings"),
    *("s3:GetBucketLocation", "s3:ListBucket", "s3:PutObject"),
}
# Service -> where this project's resources are. Their names begin with the stack's.
_RESOURCES = {
    "apigateway": (
        "apigateway:*::/account",
        "apigateway:*::/apikeys*",
        "apigateway:*::/domainnames*",
        "apigateway:*::/restapis*",
        "apigateway:*::/tags/*",
    ),
    "cloudformation": (
        "cloudformation:*:@:stack/${StackPrefix}-*",
        "cloudformation:*:@:stack/aws-sam-cli-managed-default/*",
        "cloudformation:*:aws:transform/Serverless-2016-10-31",
    ),
    "cloudwatch": (
        "cloudwatch:*:@:alarm:${StackPrefix}-*",
        "cloudwatch::@:dashboard/${StackPrefix}-*",
    ),
    "codedeploy": (
        "codedeploy:*:@:application:${StackPrefix}-*",
        "codedeploy:*:@:deploymentgroup:${StackPrefix}-*",
        "codedeploy:*:@:deploymentconfig:*",
    ),
    "dynamodb": ("dynamodb:*:@:table/${StackPrefix}-*",),
    "events": ("events:*:@:rule/${StackPrefix}-*",),
    "iam": ("iam::@:role/${StackPrefix}-*",),
    # A key has no name. Nobody gets to encrypt or decrypt with one here.
    "kms": ("kms:*:@:alias/${StackPrefix}-*", "kms:*:@:key/*"),
    "lambda": (
        "lambda:*:@:function:${StackPrefix}-*",
        "lambda:*:@:function:CodeDeployHook_${StackPrefix}-*",
        "lambda:*:@:layer:DependenciesLayer*",
        "lambda:*:@:layer:PaymentsLayer*",
    ),
    "logs": (
        "logs:*:@:log-group:${StackPrefix}-*",
        "logs:*:@:log-group:/aws/vendedlogs/states/${StackPrefix}-*",
    ),
    "route53": ("route53:::change/*", "route53:::hostedzone/*"),
    "s3": ("s3:::aws-sam-cli-managed-default-*",),
    "sns": ("sns:*:@:${StackPrefix}-*",),
    "sqs": ("sqs:*:@:${StackPrefix}-*",),
    "states": ("states:*:@:stateMachine:${StackPrefix}-*",),
    # A web ACL is put before a stage.
    "wafv2": ("apigateway:*::/restapis/*/stages/*", "wafv2:*:@:regional/*"),
}
# A type's service, where IAM calls it differently.
_SERVICES = {"stepfunctions": "states"}
_PASSED_TO = ("apigateway", "codedeploy", "events", "lambda", "states")
_COLUMNS = 100
Statement = dict[str, Any]


def resource_types(deployed: Template) -> set[str]:
    """What a deploy may create, nested stacks included."""
    resources = list(deployed.resources.values())
    for body in deployed.resources.values():
        if body["Type"] == "AWS::CloudFormation::Stack":
            text = (PROJECT / body["Properties"]["TemplateURL"]).read_text("utf-8")
            resources += template.translate(yaml_parse(text), {}).resources.values()
    return {body["Type"] for body in resources}


def statements(types: Iterable[str]) -> list[Statement]:
    """Raises LookupError for a type whose service _RESOURCES does not name."""
    actions: dict[str, set[str]] = defaultdict(set)
    for action in _TOOLS.union(*map(_needed, types)):
        service, _, name = action.partition(":")
        if service in _RESOURCES and _known(service, name) and not _LEFT_OUT.fullmatch(action):
            actions[service].add(name)
    return [
        statement for service in sorted(actions) for statement in _of(service, actions[service])
    ]


def _needed(kind: str) -> set[str]:
    """By CloudFormation's own list. Raises LookupError."""
    (service, *_) = kind.removeprefix("AWS::").lower().split("::")
    if _SERVICES.get(service, service) not in _RESOURCES:
        raise LookupError(f"{kind}: say in _RESOURCES where resources of {service} are.")
    folder = _DATA / "schemas"
    named = json.loads((folder / "providers/us-east-1.json").read_text("utf-8"))[kind]
    schema = json.loads((folder / f"resources/{named}.json").read_text("utf-8"))
    handlers = [schema["handlers"].get(handler, {}) for handler in _HANDLERS]
    return {action for handler in handlers for action in handler.get("permissions", ())}


def _known(service: str, action: str) -> bool:
    """Some of the lists name what IAM has no word for."""
    return action.lower() in iam()[service]["Actions"]


def _of(service: str, actions: set[str]) -> list[Statement]:
    """What can be granted on single resources is granted on ours."""
    known = iam()[service]["Actions"]
    passing = actions & {"PassRole"}
    scoped = {name for name in actions if known[name.lower()].get("Resources")} - passing
    found = [
        _statement(service, scoped, _RESOURCES[service]),
        _statement(service, actions - scoped - passing, ("*",)),
    ]
    if passing:
        to = [f"{name}.amazonaws.com" for name in _PASSED_TO]
        condition = {"StringEquals": {"iam:PassedToService": to}}
        found.append(_statement(service, passing, _RESOURCES[service]) | {"Condition": condition})
    return [statement for statement in found if statement["Action"]]


def _statement(service: str, actions: Iterable[str], resources: Iterable[str]) -> Statement:
    return {
        "Effect": "Allow",
        "Action": [f"{service}:{name}" for name in sorted(actions)],
        "Resource": [_arn(resource) for resource in resources],
    }


def _arn(resource: str) -> str:
    if resource == "*":
        return resource
    service, _, rest = resource.partition(":")
    return f"arn:${{AWS::Partition}}:{service}:{rest.replace('@', '${AWS::AccountId}', 1)}"


@functools.cache
def iam() -> Any:
    """Service -> its actions, each with the kinds of resources that it can be granted on."""
    return json.loads((_DATA / "AdditionalSpecs/Policies.json").read_text("utf-8"))


def policies(found: Iterable[Statement]) -> list[list[Statement]]:
    """As few as IAM's limit allows."""
    packed: list[list[Statement]] = [[]]
    for statement in found:
        if _characters([*packed[-1], statement]) > MAX_CHARACTERS:
            packed.append([])
        packed[-1].append(statement)
    return packed


def _characters(found: list[Statement]) -> int:
    """At most: an account's id and a partition are shorter than what stands for them."""
    document = {"Version": "2012-10-17", "Statement": found}
    return len(json.dumps(document, separators=(",", ":")))


def render(text: str, deployed: Template) -> str:
    """The text with its policies renewed. Raises ValueError if a marker is missing."""
    start, end = text.index(START) + len(START), text.index(END)
    packed = policies(statements(resource_types(deployed)))
    written = [_policy(number, found) for number, found in enumerate(packed, start=1)]
    return text[:start] + "\n".join(written) + text[end:]


def _policy(number: int, found: list[Statement]) -> str:
    lines = [
        f"  DeployPolicy{number}:",
        "    Type: AWS::IAM::ManagedPolicy",
        "    Properties:",
        "      Roles: [!Ref DeployRole]",
        "      PolicyDocument:",
        '        Version: "2012-10-17"',
        "        Statement:",
    ]
    for statement in found:
        lines += ["          - Effect: Allow", _wrapped("Action", statement["Action"])]
        if statement["Resource"] == ["*"]:
            lines.append('            Resource: "*"')
        else:
            lines.append("            Resource:")
            lines += map(_sub, statement["Resource"])
        if condition := statement.get("Condition"):
            (test,) = condition
            (key,) = condition[test]
            lines += [f"            Condition:\n              {test}:"]
            lines.append(_wrapped(f"    {key}", condition[test][key]))
    return "\n".join(lines) + "\n"


def _sub(arn: str) -> str:
    line = f'              - !Sub "{arn}"'
    head, account, tail = line.partition("${AWS::AccountId}:")
    return line if len(line) <= _COLUMNS else f"{head}{account}\\\n                  {tail}"


def _wrapped(key: str, values: list[str]) -> str:
    return textwrap.fill(
        f"{key}: [{', '.join(values)}]",
        width=_COLUMNS,
        initial_indent=" " * 12,
        subsequent_indent=" " * 18,
        break_long_words=False,
        break_on_hyphens=False,
    )


if __name__ == "__main__":
    os.environ["AWS_DEFAULT_REGION"] = REGION  # SAM's translator asks for one
    TARGET.write_text(render(TARGET.read_text("utf-8"), template.load({})), "utf-8")
    sys.stdout.write(f"wrote {TARGET.name}\n")
