"""The operator's commands, run as make runs them: what was typed stands in the environment."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

from tests.support.stack import PROJECT, Stack


def operate(
    stack: Stack | None, command: str, environment: dict[str, str] | None = None, /, **typed: str
) -> subprocess.CompletedProcess[str]:
    """`operate(stack, "key", MERCHANT="acme", MODE="test")`. Without a stack nothing listens."""
    port = str(urlsplit(stack.aws_url).port) if stack else "9"
    return subprocess.run(
        [sys.executable, "-m", "local.operator", command],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "AWS_PORT": port, **(environment or {}), **typed},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def printed(ran: subprocess.CompletedProcess[str]) -> str:
    """What a command printed that must have succeeded."""
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
