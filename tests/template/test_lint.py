"""What tools say of the templates: nothing may be left to say."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.support import report
from tests.support.stack import PROJECT

TEMPLATES = ("template.yaml", "functions/monitoring.yaml", "functions/edge.yaml")
BIN = Path(sys.executable).parent
CHECKOV = BIN.parent / "checkov/bin/checkov"
CONFIGURATION = PROJECT / ".checkov.yaml"
# A check that is skipped, and the comment right above it.
_SKIP = re.compile(r"((?:^  # .+\n)*)^  - (CKV\w+)$", re.MULTILINE)


def _run(*command: str | Path, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
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


def _checkov(*options: str, folder: Path = PROJECT) -> Any:
    if not CHECKOV.exists():
        pytest.skip("NOT TESTED: checkov is not installed (make check installs it)")
    found = json.loads(_run(CHECKOV, "--output=json", *options, folder=folder).stdout)
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["resource_count"] > 0
    return found


def test_checkov_fails_nothing_and_no_resource_skips_a_check_for_itself() -> None:
    summary = _checkov()["summary"]
    report.record("checkov: passed", summary["passed"])
    report.record("checkov: failed", summary["failed"])
    assert (summary["failed"], summary["skipped"]) == (0, 0)


def test_checkov_skips_only_what_would_fail_and_every_skip_says_why(tmp_path: Path) -> None:
    text = CONFIGURATION.read_text()
    skipped = yaml_parse(text)["skip-check"]
    reasons = {check: why.replace("#", "").split() for why, check in _SKIP.findall(text)}
    files = [f"--file={PROJECT / name}" for name in TEMPLATES]
    # From another folder it does not find its configuration.
    found = _checkov("--skip-download", "--framework=cloudformation", *files, folder=tmp_path)
    would_fail = {row["check_id"] for row in found["results"]["failed_checks"]}
    report.record("checkov: explained", len(skipped))
    assert sorted(skipped) == sorted(would_fail)
    assert sorted(skipped) == sorted(reasons)
    assert min(map(len, reasons.values())) >= 4


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
