"""What tools say of the templates: nothing may be left to say."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.support import report
from tests.support.stack import PROJECT

TEMPLATES = ("template.yaml", "functions/monitoring.yaml")
BIN = Path(sys.executable).parent
CHECKOV = BIN.parent / "checkov/bin/checkov"
_SKIP = re.compile(r"^\s*# checkov:skip=(\w+):(.*)$", re.MULTILINE)


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={"PATH": "/usr/bin:/bin", "AWS_DEFAULT_REGION": "us-east-1", "HOME": "/nonexistent"},
    )


def test_cfn_lint_finds_nothing_and_is_told_to_overlook_nothing() -> None:
    ran = _run(BIN / "cfn-lint", "--", *TEMPLATES)
    assert (ran.returncode, ran.stdout) == (0, "")
    assert [name for name in TEMPLATES if "cfn-lint" in (PROJECT / name).read_text()] == []
    assert not (PROJECT / ".cfnlintrc").exists()


def test_sam_validate_finds_nothing() -> None:
    ran = _run(BIN / "sam", "validate", "--lint")
    assert ran.returncode == 0, ran.stderr + ran.stdout


def test_checkov_fails_nothing_and_every_suppression_says_why() -> None:
    if not CHECKOV.exists():
        pytest.skip("NOT TESTED: checkov is not installed (make check installs it)")
    ran = _run(
        *(CHECKOV, "--output=json", "--skip-download", "--framework=cloudformation", "--file"),
        *TEMPLATES,
    )
    found = json.loads(ran.stdout)
    summary = (found[0] if isinstance(found, list) else found)["summary"]
    report.record("checkov: passed", summary["passed"])
    report.record("checkov: failed", summary["failed"])
    report.record("checkov: explained", summary["skipped"])
    assert (summary["failed"], summary["parsing_errors"]) == (0, 0)
    reasons = [
        reason for name in TEMPLATES for _, reason in _SKIP.findall((PROJECT / name).read_text())
    ]
    assert len(reasons) == summary["skipped"]
    assert min(len(reason.split()) for reason in reasons) >= 4


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_and_output_is_described_and_every_value_bounded(name: str) -> None:
    template = yaml_parse((PROJECT / name).read_text())
    rows = template["Parameters"] | template.get("Outputs", {})
    assert [row for row, body in rows.items() if not body.get("Description")] == []
    if name == "template.yaml":
        bounds = {"AllowedValues", "AllowedPattern", "MinValue"}
        unbounded = [
            row for row, body in template["Parameters"].items() if not bounds & body.keys()
        ]
        assert unbounded == []
        assert [row for row, body in template["Parameters"].items() if "Default" not in body] == []
