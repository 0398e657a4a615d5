"""`make bench`: measures everything that is ours, prints one table, fails if a goal is missed."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import authorizer, cold, data, page, states, throughput, waiting, warm
from tests.benchmarks.built import build, lay_out
from tests.benchmarks.lives import on_stage
from tests.benchmarks.report import report, step
from tests.benchmarks.rows import Row
from tests.support.stack import Stack


def rows() -> list[Row]:
    step("building")
    build()
    step("throughput")  # first, while nothing else of ours runs
    seconds = throughput.rows()
    with on_stage() as scene:
        step("DynamoDB, calls in sequence, states, the bill")
        item = data.stored_items(scene)[0]
        counted = [*data.rows(scene), *authorizer.rows(scene), *waiting.rows(scene)]
        counted += states.rows(scene)
    stack = Stack()
    try:
        counted += page.rows(stack)
    finally:
        stack.close()
    with TemporaryDirectory() as folder:
        layout = lay_out(Path(folder))
        step("cold starts")
        starts = cold.rows(layout)
        step("warm calls")
        return [*starts, *warm.rows(layout, item), *seconds, *counted]


if __name__ == "__main__":
    sys.exit(report("bench", rows))
