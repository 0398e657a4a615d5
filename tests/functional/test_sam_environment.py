"""What `sam build` and `sam local` need on a person's machine, as far as it takes no Docker.

tests/sam_local runs both.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.template import Template
from tests.support.stack import PROJECT, Stack

_SAM_SECONDS = 100
# They say where a stack is and what code it runs, so SAM's differ.
_ITS_OWN = {"AWS_ENDPOINT_URL", "PUBLIC_BASE_URL", "RELEASE"}


def _overrides() -> dict[str, str]:
    text = (PROJECT / "local/sam_environment.json").read_text("utf-8")
    overrides: dict[str, str] = json.loads(text)["Parameters"]
    return overrides


def _as_sam_resolves(value: Any, template: Template) -> str | None:
    """None for what SAM cannot know."""
    if not isinstance(value, dict):
        return str(value)
    name = value.get("Ref")
    if name in template.parameters:
        return str(template.parameters[name]["Default"])
    return name if name in template.of_type("AWS::DynamoDB::Table") else None


def test_sam_gives_each_function_the_variables_that_the_local_stack_gives_it(
    stack: Stack, deployed: Template
) -> None:
    overrides, lambdas = _overrides(), stack.aws("lambda")
    assert set(overrides) >= _ITS_OWN
    for name, body in deployed.of_type("AWS::Lambda::Function").items():
        known = lambdas.get_function_configuration(FunctionName=stack.resources[name])
        in_sam = {
            variable: overrides.get(variable, _as_sam_resolves(value, deployed))
            for variable, value in body["Properties"]["Environment"]["Variables"].items()
        }
        assert set(in_sam) >= _ITS_OWN, "SAM overrides only what is declared"
        here = {key: str(value) for key, value in known["Environment"]["Variables"].items()}
        assert in_sam | dict.fromkeys(_ITS_OWN) == here | dict.fromkeys(_ITS_OWN), name


def test_sam_build_says_that_it_lacks_python_3_13(tmp_path: Path) -> None:
    for name in ("functions", "layers"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    python = tmp_path / "bin/python3.13"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nexit 127\n")  # as pyenv's does, where it was not chosen
    python.chmod(0o755)

    ran = subprocess.run(
        [Path(sys.executable).with_name("sam"), "build"],
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "SAM_CLI_TELEMETRY": "0",
        },
        capture_output=True,
        text=True,
        timeout=_SAM_SECONDS,
        check=False,
    )

    assert ran.returncode != 0
    assert "Python 3.13, which Lambda runs, is not on PATH as python3.13" in ran.stderr
