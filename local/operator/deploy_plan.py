"""What `make deploy` asks of sam, decided from what is known: nothing is read or run here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

CONFIGURATIONS = {"dev": "default", "prod": "prod"}
# The authorizer and the three steps of the workflow.
RESERVING_FUNCTIONS = 4
# AWS lets nobody reserve the rest.
UNRESERVED_CONCURRENCY = 100
_QUOTA = "https://console.aws.amazon.com/servicequotas/home/services/lambda/quotas/L-B99A9384"
_CHOSEN = {
    "Environment": "type ENV=dev or ENV=prod",
    "Architecture": "type ARCH=x86_64 or ARCH=arm64",
    "FirstDeploy": "make deploy looks whether the stack is new",
}
# The stack exists, but nothing in it can be updated.
_FAILED = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
# There is no stack, or only a change set that nobody has confirmed.
_NEW = ("", "REVIEW_IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Account:
    """What AWS says before a deploy. `stack_status` is empty if there is no such stack."""

    stack_status: str
    has_log_role: bool
    concurrency: int

    @property
    def stack_is_new(self) -> bool:
        return self.stack_status in _NEW


def every_parameter(
    defaults: Mapping[str, str], configured: Mapping[str, str], typed: Mapping[str, str]
) -> dict[str, str]:
    """The template's defaults, replaced by samconfig's values, replaced by what was typed.

    All are named to sam, because CloudFormation keeps the last value of one that is not named.
    Raises ValueError.
    """
    problems = [
        _unknown(name, where, defaults)
        for where, names in (("samconfig.toml", configured), ("make deploy", typed))
        for name in names
        if name not in defaults
    ]
    problems += [f"{name} is not typed: {_CHOSEN[name]}." for name in typed if name in _CHOSEN]
    if problems:
        raise ValueError("\n".join(problems))
    return {**defaults, **configured, **typed}


def _unknown(name: str, where: str, known: Mapping[str, str]) -> str:
    by_lower_case = {parameter.lower(): parameter for parameter in known}
    near = [by_lower_case[found] for found in get_close_matches(name.lower(), by_lower_case, n=3)]
    hint = f"Is it {' or '.join(near)}?" if near else f"There are: {', '.join(sorted(known))}."
    return f"{where} names {name}, which is no parameter of template.yaml. {hint}"


def parameters_of_each_deploy(
    parameters: Mapping[str, str], account: Account, *, names_log_role: bool
) -> list[dict[str, str]]:
    """A stack that stands is deployed once, a new one twice: `FirstDeploy` says why.

    `names_log_role`: the owner has chosen ApiGatewayLogRole. Raises ValueError.
    """
    if account.stack_status in _FAILED:
        raise ValueError(
            f"The first deploy failed, or deleting did (the stack is in {account.stack_status}). "
            "Delete what is left with sam delete, then deploy again."
        )
    _check_concurrency(parameters, account)
    chosen = dict(parameters)
    if not names_log_role:
        chosen["ApiGatewayLogRole"] = "existing" if account.has_log_role else "create"
    first = [chosen | {"FirstDeploy": "yes"}] if account.stack_is_new else []
    return [*first, chosen | {"FirstDeploy": "no"}]


def _check_concurrency(parameters: Mapping[str, str], account: Account) -> None:
    reserved = RESERVING_FUNCTIONS * int(parameters["ReservedConcurrency"])
    needed = UNRESERVED_CONCURRENCY + reserved
    if parameters["Environment"] == "prod" and account.concurrency < needed:
        raise ValueError(
            f"Production needs {needed} concurrent Lambda executions, and this account has "
            f"{account.concurrency} in this region. Ask AWS for more: {_QUOTA}"
        )


def command_line(
    env: str, config: Path, template: Path, parameters: Mapping[str, str], *, asks: bool
) -> Sequence[str]:
    """`asks`: sam shows what changes and waits for a yes, if samconfig says so."""
    return [
        *("sam", "deploy", "--config-file", str(config), "--config-env", CONFIGURATIONS[env]),
        *("--template-file", str(template)),
        *(() if asks else ("--no-confirm-changeset",)),
        "--parameter-overrides",
        *(_override(name, value) for name, value in parameters.items()),
    ]


def _override(name: str, value: str) -> str:
    """In quotes, without which sam would not read an empty value or one with a space."""
    quoted = value.replace('"', '\\"')
    return f'{name}="{quoted}"'
