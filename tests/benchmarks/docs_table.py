"""The table's place in the docs: `make bench` writes it there when every goal is met."""

import re
import time
from collections.abc import Sequence

from local import PROJECT
from tests.benchmarks.rows import Row, as_table

PAGE = PROJECT / "docs/benchmarks.md"
_PLACE = re.compile(r"(<!-- make bench -->\n).*?(<!-- /make bench -->)", re.DOTALL)


def write_table(rows: Sequence[Row]) -> None:
    text = PAGE.read_text("utf-8")
    measured = f"Measured on {time.strftime('%Y-%m-%d')}.\n\n{as_table(rows)}\n"
    PAGE.write_text(_PLACE.sub(lambda found: found[1] + measured + found[2], text), "utf-8")


def table() -> str:
    """What stands there now, its date included."""
    found = _PLACE.search(PAGE.read_text("utf-8"))
    assert found is not None
    return found[0]
