"""Instructions, not seconds: valgrind counts the same however busy the machine is."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from tests.benchmarks.built import python_3_13

PROBES = Path(__file__).parent / "probes"
WARM_CALLS = (10, 40)
_TOTAL = re.compile(r"I\s+refs:\s+([\d,]+)")
_LAMBDA_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
    "KEYS_TABLE": "keys",
    "PAYMENTS_TABLE": "payments",
    "IDEMPOTENCY_TABLE": "idempotency",
    "RATES_TABLE": "rates",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",  # as on Lambda, where nothing can be written there
}


def counters() -> ThreadPoolExecutor:
    """As many counts at a time as there are cores."""
    return ThreadPoolExecutor(os.cpu_count())


def why_not() -> str | None:
    """Why nothing can be counted here; None if it can."""
    if shutil.which("valgrind") is None:
        return "valgrind is not installed"
    if python_3_13() is None:
        return "Python 3.13 is not installed"
    return None


@cache
def _interpreter() -> str:
    found = python_3_13()
    assert found is not None, "whoever measures has asked why_not"
    return found


def run(probe: str, search_path: Iterable[Path], *arguments: str | Path) -> str:
    """The probe's output, from Lambda's Python with nothing but these folders to import from."""
    command = [_interpreter(), "-S", str(PROBES / probe), *map(str, arguments)]
    return _run(command, search_path).stdout


def count(probe: str, search_path: Iterable[Path], *arguments: str | Path) -> int:
    """The instructions the probe takes, from the interpreter's first to its last."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command += [_interpreter(), "-S", str(PROBES / probe), *map(str, arguments)]
    total = _TOTAL.search(_run(command, search_path).stderr)
    assert total is not None
    return int(total[1].replace(",", ""))


def count_per_call(probe: str, search_path: Iterable[Path], *arguments: str | Path) -> float:
    """What one more warm call takes: starting is in both counts and falls out."""
    paths = list(search_path)
    few, many = (count(probe, paths, *arguments, str(calls)) for calls in WARM_CALLS)
    return (many - few) / (WARM_CALLS[1] - WARM_CALLS[0])


def _run(command: list[str], search_path: Iterable[Path]) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        command,
        env=_environment(search_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # for a hang: how long valgrind takes is the machine's affair
    )
    if ran.returncode:
        raise RuntimeError(f"{command} failed:\n{ran.stdout}\n{ran.stderr}")
    return ran


def _environment(search_path: Iterable[Path]) -> Mapping[str, str]:
    folders = os.pathsep.join(map(str, search_path))
    return {"PATH": os.environ["PATH"], "PYTHONPATH": folders, **_LAMBDA_VARIABLES}
