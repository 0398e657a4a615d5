"""What was pruned away is not missed: every AWS call we make works from the built layers alone."""

import json
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.benchmarks.built import Layout, python_3_13
from tests.benchmarks.called import called_operations
from tests.support.stack import Stack

PROBE = Path(__file__).parent / "probes/every_call.py"
pytestmark = pytest.mark.timeout(600)  # whoever comes first builds, and others wait


def test_the_layer_keeps_just_the_operations_that_our_code_calls(layout: Layout) -> None:
    data = layout.packages / "botocore/data"
    kept = {
        model.parent.parent.name: set(json.loads(model.read_text("utf-8"))["operations"])
        for model in data.rglob("service-2.json")
    }

    assert kept == called_operations(), "layers/dependencies/prune.py lists what stays"


def test_the_build_edits_no_source_of_other_people(layout: Layout) -> None:
    """What this environment has, from the same lock, is what pip installed into the layer."""
    installed = Path(sysconfig.get_path("purelib"))
    sources = {path.relative_to(layout.packages) for path in layout.packages.rglob("*.py")}
    others = {path for path in sources if path.parts[0] not in ("payments", "s3transfer")}

    assert len(others) > 500
    for source in others:
        assert (layout.packages / source).read_bytes() == (installed / source).read_bytes(), source
    assert {str(path) for path in sources if path.parts[0] == "s3transfer"} == {
        "s3transfer/__init__.py",
        "s3transfer/manager.py",
    }


def test_every_call_works_from_the_built_layers(layout: Layout, stack: Stack) -> None:
    """Calls the built functions against the local stack; they import from the layers alone."""
    ran = subprocess.run(
        [str(python_3_13()), "-S", "-W", "error", str(PROBE), str(layout.root)],
        env={
            "PYTHONPATH": str(layout.packages),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            **_environment(stack),
            "AWS_ENDPOINT_URL": stack.aws_url,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    made = set(re.findall(r"^called (\S+)$", ran.stdout, re.MULTILINE))
    assert made == {
        f"{service}.{operation}"
        for service, operations in called_operations().items()
        for operation in operations
    }


def _environment(stack: Stack) -> dict[str, str]:
    """Every variable that any function has."""
    found: dict[str, str] = {}
    for function in stack.aws("lambda").list_functions()["Functions"]:
        variables = function["Environment"]["Variables"]
        found |= {name: str(value) for name, value in variables.items()}
    return found


def test_every_function_and_layer_file_comes_with_its_bytecode(layout: Layout) -> None:
    """Checked by no date and no hash, for Lambda's archives lose the one and have no need of it."""
    sources = list(layout.root.rglob("*.py"))
    assert len(sources) > 500
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.read_bytes()[4:8] == (1).to_bytes(4, "little"), source
