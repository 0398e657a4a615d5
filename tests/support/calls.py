"""Every AWS call that a function made during this test run, in this process or in a stack's."""

import atexit
import json
import shutil
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

from local.calls import Call

_here: Counter[Call] = Counter()


def note_call(call: Call) -> None:
    """Keeps a call made in this process."""
    _here[call] += 1


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="payments-calls-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def call_file() -> Path:
    """A new file for the calls of a stack in a process of its own."""
    return Path(tempfile.mkstemp(suffix=".jsonl", dir=_folder())[1])


def recorded_calls() -> Counter[Call]:
    """How often each call was made so far."""
    calls = Counter(_here)
    for path in _folder().iterdir():
        lines = path.read_text("utf-8").splitlines(keepends=True)
        # A stack may be writing its last line.
        calls.update(Call(**json.loads(line)) for line in lines if line.endswith("\n"))
    return calls
