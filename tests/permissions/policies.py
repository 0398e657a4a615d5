"""What the translated template permits, and how that compares with the calls that were made."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import yaml

from local.emulator.calls import Call
from local.template import Template

_SERVICE_PREFIXES = {"stepfunctions": "states"}
_TASK_ANSWERS = ("states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat")
_SUBSTITUTED = re.compile(r"\$\{(\w+)(?:\.\w+)?\}")


@dataclass(frozen=True, order=True)
class Permission:
    """`who` is a function or state machine, `resource` has logical ids for what the stack has."""

    who: str
    action: str
    resource: str

    def covers(self, needed: "Permission") -> bool:
        return (self.who, self.action) == (needed.who, needed.action) and fnmatchcase(
            needed.resource, self.resource
        )


@dataclass(frozen=True)
class Verdict:
    """`missing`: needed and not permitted. `unused`: permitted and never needed."""

    missing: list[Permission]
    unused: list[Permission]


def judge(permitted: Iterable[Permission], needed: Iterable[Permission]) -> Verdict:
    granted, asked = set(permitted), set(needed)
    return Verdict(
        missing=sorted(need for need in asked if not any(has.covers(need) for has in granted)),
        unused=sorted(has for has in granted if not any(has.covers(need) for need in asked)),
    )


# ------------------------------------------------------------------------------ what is permitted


def permissions(template: Template) -> Iterator[Permission]:
    """What the roles' own policies and the keys' policies allow the functions and workflows."""
    for who, role in roles(template).items():
        for policy in template.resources[role]["Properties"].get("Policies", ()):
            for statement in _listed(policy["PolicyDocument"]["Statement"]):
                assert statement["Effect"] == "Allow", "nothing here reads a denial"
                yield from _expanded(who, statement)
    yield from _key_permissions(template)


def managed_policies(template: Template) -> dict[str, set[str]]:
    """The policies of AWS's own making, each with the roles that have it."""
    found: dict[str, set[str]] = {}
    for role, body in template.of_type("AWS::IAM::Role").items():
        for policy in body["Properties"].get("ManagedPolicyArns", ()):
            found.setdefault(resource_text(policy).rpartition("/")[2], set()).add(role)
    return found


def roles(template: Template) -> dict[str, str]:
    """Each function and state machine, and the role it acts under."""
    properties = {"AWS::Lambda::Function": "Role", "AWS::StepFunctions::StateMachine": "RoleArn"}
    return {
        name: resource_text(body["Properties"][key])
        for kind, key in properties.items()
        for name, body in template.of_type(kind).items()
    }


def _key_permissions(template: Template) -> Iterator[Permission]:
    """Keys are granted in their own policies alone, to roles by name."""
    holders = {role: who for who, role in roles(template).items()}
    for key, body in template.of_type("AWS::KMS::Key").items():
        for statement in body["Properties"]["KeyPolicy"]["Statement"]:
            for principal in _listed(statement["Principal"]["AWS"]):
                role = resource_text(principal)
                if role in holders:
                    yield from _expanded(holders[role], {**statement, "Resource": key})
                else:
                    assert role.endswith(":root"), f"a key is granted to {role}"


def _expanded(who: str, statement: Mapping[str, Any]) -> Iterator[Permission]:
    for action in _listed(statement["Action"]):
        for resource in _listed(statement["Resource"]):
            yield Permission(who, action, resource_text(resource))


def resource_text(value: Any) -> str:
    """A piece of the template with logical ids where CloudFormation puts names and ARNs."""
    match value:
        case {"Ref": name} | {"Fn::GetAtt": [name, _]}:
            return str(name)
        case {"Fn::Sub": str(text)}:
            return _SUBSTITUTED.sub(r"\1", text.replace("AWS::", ""))
        case str():
            return value
    raise AssertionError(f"a resource this test cannot read: {value}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# --------------------------------------------------------------------------------- what is needed


def needs(template: Template, calls: Counter[Call]) -> Iterator[Permission]:
    """What the functions asked for, and what AWS does in the name of their roles."""
    for call in calls:
        yield _need(template, call)
    for name, body in template.of_type("AWS::Lambda::Function").items():
        # Lambda itself puts failed events aside, under the function's role.
        if letters := body["Properties"].get("DeadLetterConfig"):
            yield Permission(name, "sqs:SendMessage", resource_text(letters["TargetArn"]))
    for name, body in template.of_type("AWS::StepFunctions::StateMachine").items():
        for target in _invoked(template, name):
            yield Permission(name, "lambda:InvokeFunction", target)
        if body["Properties"]["LoggingConfiguration"]["Level"] != "OFF":
            yield from (Permission(name, f"logs:{action}", "*") for action in _LOG_DELIVERY)


# What Step Functions documents for delivering an execution's log.
_LOG_DELIVERY = (
    "CreateLogDelivery",
    "GetLogDelivery",
    "UpdateLogDelivery",
    "DeleteLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "DescribeResourcePolicies",
    "DescribeLogGroups",
)


def _need(template: Template, call: Call) -> Permission:
    service, _, operation = call.operation.partition(".")
    action = f"{_SERVICE_PREFIXES.get(service, service)}:{operation}"
    resource = call.resource
    if action in _TASK_ANSWERS:
        # A task token names no state machine; the stack has one that gives out tokens.
        (resource,) = template.of_type("AWS::StepFunctions::StateMachine")
    elif alias := template.resources.get(resource, {}).get("Properties", {}).get("TargetKeyId"):
        resource = resource_text(alias)
    elif ":stateMachine:" in resource:
        # AWS holds a start against the state machine, whichever alias it goes by.
        resource = resource.partition(":stateMachine:")[2].partition(":")[0]
    elif ":execution:" in resource:
        executions = resource.partition(":execution:")[2]
        resource = "arn:Partition:states:Region:AccountId:execution:" + executions
    return Permission(call.function, action, resource)


def _invoked(template: Template, state_machine: str) -> set[str]:
    """The functions that the workflow's definition calls, as its substitutions name them."""
    properties = template.resources[state_machine]["Properties"]
    names = properties["DefinitionSubstitutions"]
    text = template.paths[state_machine].read_text("utf-8")
    states = yaml.safe_load(text)["States"].values()
    called = [state["Resource"] for state in states if state["Type"] == "Task"]
    called += [
        state["Parameters"]["FunctionName"]
        for state in states
        if "FunctionName" in state.get("Parameters", {})
    ]
    found = [_SUBSTITUTED.fullmatch(reference) for reference in called]
    return {resource_text(names[match[1]]) for match in found if match}
