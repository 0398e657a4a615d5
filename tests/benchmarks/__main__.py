"""`make bench`: measures everything, prints one table, and fails if a goal is missed."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from local import PROJECT
from tests.benchmarks import authorizer, cold, data, page, states, throughput, warm
from tests.benchmarks.built import build, lay_out, python_3_13
from tests.benchmarks.docs_table import write_table
from tests.benchmarks.lives import on_stage
from tests.benchmarks.rows import Row, as_table, write_json
from tests.support.stack import Stack

RESULTS = PROJECT / ".local/benchmarks.json"


def main() -> int:
    if python_3_13() is None:
        print("Python 3.13, which Lambda runs, is needed: on PATH or in pyenv.", file=sys.stderr)
        return 1
    started = time.monotonic()
    rows = _measure()
    print(as_table(rows))
    write_json(rows, RESULTS)
    missed = [row for row in rows if row.passes is False]
    unmeasured = [row for row in rows if row.passes is None]
    print(f"\n{len(rows)} rows in {time.monotonic() - started:.0f} s, {len(missed)} missed")
    for row in unmeasured:
        print(f"{row.name} {row.what}", file=sys.stderr)
    if not missed and not unmeasured:
        write_table(rows)
    return 1 if missed else 0


def _measure() -> list[Row]:
    _step("building")
    build()
    _step("throughput")  # first, while nothing else of ours runs
    seconds = throughput.rows()
    with on_stage() as scene:
        _step("DynamoDB, states, the bill")
        item = data.stored_items(scene)[0]
        counted = [*data.rows(scene), *authorizer.rows(scene), *states.rows(scene)]
    stack = Stack()
    try:
        counted += page.rows(stack)
    finally:
        stack.close()
    with TemporaryDirectory() as folder:
        layout = lay_out(Path(folder))
        _step("cold starts")
        starts = cold.rows(layout)
        _step("warm calls")
        return [*starts, *warm.rows(layout, item), *seconds, *counted]


def _step(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
