"""Prints a table, fails if a goal is missed, and keeps the table in the documentation."""

import re
import sys
import time
from collections.abc import Callable, Sequence

from local import PROJECT
from tests.benchmarks.built import python_3_13
from tests.benchmarks.rows import Row, as_table, write_json

DOCUMENT = PROJECT / "docs/benchmarks.md"


def report(target: str, measure: Callable[[], list[Row]]) -> int:
    """`target` is the make target whose table it is. Returns the exit code."""
    if python_3_13() is None:
        print("Python 3.13, which Lambda runs, is needed: on PATH or in pyenv.", file=sys.stderr)
        return 1
    started = time.monotonic()
    rows = measure()
    print(as_table(rows))
    write_json(rows, PROJECT / f".local/{target}.json")
    missed = [row for row in rows if row.passes is False]
    unmeasured = [row for row in rows if row.passes is None]
    print(f"\n{len(rows)} rows in {time.monotonic() - started:.0f} s, {len(missed)} missed")
    for row in unmeasured:
        print(f"{row.name} {row.what}", file=sys.stderr)
    if not missed and not unmeasured:
        _write_table(target, rows)
    return 1 if missed else 0


def step(text: str) -> None:
    """Says what is being measured now."""
    print(f"· {text}", file=sys.stderr, flush=True)


def published(target: str) -> str:
    """The target's table in the documentation, its date included."""
    found = _place(target).search(DOCUMENT.read_text("utf-8"))
    assert found is not None, f"{DOCUMENT} has no place for the table of make {target}"
    return found[2]


def _write_table(target: str, rows: Sequence[Row]) -> None:
    published(target)  # whose place must be there
    measured = f"Measured on {time.strftime('%Y-%m-%d')}.\n\n{as_table(rows)}\n"
    text = _place(target).sub(
        lambda found: found[1] + measured + found[3], DOCUMENT.read_text("utf-8")
    )
    DOCUMENT.write_text(text, "utf-8")


def _place(target: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- make {target} -->\n)(.*?)(<!-- /make {target} -->)", re.DOTALL)
