"""Every AWS call that a function made during this test run, in whichever process."""

import atexit
import json
import shutil
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

from local.emulator.calls import Call, CallLog

_kept: list[Path] = []


def keep_in(folder: Path) -> None:
    """Keeps the calls when the run is over, beside those that lie in the folder already."""
    folder.mkdir(parents=True, exist_ok=True)
    _kept[:] = [folder]


def are_kept() -> bool:
    return bool(_kept)


def note_call(call: Call) -> None:
    """Notes a call made in this process."""
    _log()(call)


def call_file() -> Path:
    """A new file for the calls of one process."""
    return Path(tempfile.mkstemp(suffix=".jsonl", dir=_folder())[1])


def recorded_calls() -> Counter[Call]:
    """How often each call was made so far, in any process."""
    calls: Counter[Call] = Counter()
    for path in _folder().iterdir():
        calls += calls_in(path)
    return calls


def calls_in(path: Path) -> Counter[Call]:
    """How often each call was made so far in the process whose file this is."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    # Whoever writes may be at its last line.
    return Counter(Call(**json.loads(line)) for line in lines if line.endswith("\n"))


@cache
def _log() -> CallLog:
    return CallLog(call_file())


@cache
def _folder() -> Path:
    if _kept:
        return _kept[0]
    folder = Path(tempfile.mkdtemp(prefix="payments-calls-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
