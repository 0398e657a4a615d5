"""`make deploy`: hands what `make build` left to `sam deploy`, and looks at the account before.

Compiled packages of another architecture than the functions' would deploy without complaint and
then not start.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from local import PROJECT
from local.operator import account, deploy_plan
from local.operator.aws_problems import explain
from local.operator.deployed import DeployedStack
from local.variables import one_of, optional

CONFIG = PROJECT / "samconfig.toml"
_COMPILED_FOR = re.compile(r"\.cpython-\d+-(\w+)-linux-gnu\.so$")
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}


def _pairs(text: str) -> dict[str, str]:
    """Make hands over what was typed: a line for each Name=value."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not all(re.match(r"\w+=", line) for line in lines):
        raise ValueError("must be lines of Name=value")
    return dict(line.split("=", 1) for line in lines)


VARIABLES = (
    optional("ENV", one_of(*deploy_plan.CONFIGURATIONS), "dev"),
    optional("ARCH", one_of(*_ARCHITECTURES.values()), ""),
    optional("BUILD", Path, PROJECT / ".aws-sam/build"),
    optional("CONFIRM", one_of("yes", "no"), "yes"),
    optional("PARAMETERS", _pairs, {}),
)


def deploy(env: str, arch: str, build: Path, confirm: str, parameters: dict[str, str]) -> str:
    """Raises ValueError. If sam fails, this process ends with sam's exit status."""
    config = tomllib.loads(CONFIG.read_text("utf-8"))[deploy_plan.CONFIGURATIONS[env]]
    overrides = config["deploy"]["parameters"]["parameter_overrides"]
    configured = dict(pair.split("=", 1) for pair in overrides)
    built = _built_architecture(build, arch or configured.get("Architecture", ""))
    template = build / "template.yaml"
    chosen = deploy_plan.every_parameter(_defaults(template), configured, parameters)
    chosen |= {"Environment": env, "Architecture": built}
    stack = DeployedStack(config["global"]["parameters"]["stack_name"], 0)
    try:
        deploys = deploy_plan.parameters_of_each_deploy(
            chosen,
            account.look(stack),
            names_log_role="ApiGatewayLogRole" in configured | parameters,
        )
        for number, chosen_now in enumerate(deploys):
            if number:
                if not account.stack_status(stack).endswith("_COMPLETE"):
                    raise ValueError("Nothing was deployed.")  # its changes were not confirmed
                print("The stack stands. Now it is protected, and its alarms act.", flush=True)
            asks = confirm == "yes" and number == 0
            _run(deploy_plan.command_line(env, CONFIG, template, chosen_now, asks=asks))
        if env == "prod":
            account.protect_from_deletion(stack)
    except (ClientError, BotoCoreError) as error:
        raise ValueError(explain(error, stack.name, 0)) from error
    return f"Deployed. Its addresses: make outputs STACK={stack.name}"


def _run(command: Sequence[str]) -> None:
    status = subprocess.run(command, check=False).returncode  # noqa: S603 - our own command line
    if status:
        sys.exit(status)


def _built_architecture(build: Path, wanted: str) -> str:
    """What the compiled packages of the built layer run on. Raises ValueError."""
    machines = {
        match[1]
        for library in (build / "DependenciesLayer").rglob("*.so")
        if (match := _COMPILED_FOR.search(library.name))
    }
    if not machines:
        raise ValueError("Nothing is built yet: run make build first.")
    (machine,) = machines
    built = _ARCHITECTURES[machine]
    if wanted not in ("", built):
        raise ValueError(
            f"Built for {built}, to be deployed for {wanted}: run make build ARCH={wanted}."
        )
    return built


def _defaults(template: Path) -> dict[str, str]:
    """Every parameter of the built template and its default, as text: `yes` stays a word."""
    text = template.read_text("utf-8")
    read: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes only texts
    return {name: body["Default"] for name, body in read["Parameters"].items()}
