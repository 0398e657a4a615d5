"""The table: what was measured, and how it compares with its goal."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

AT_MOST, AT_LEAST = "≤", "≥"


@dataclass(frozen=True, slots=True)
class Row:
    """`value` is None where it could not be measured here: the text then says why."""

    name: str
    what: str
    value: float | None
    goal: float
    bound: str = AT_MOST

    @property
    def passes(self) -> bool | None:
        if self.value is None:
            return None
        return self.value <= self.goal if self.bound == AT_MOST else self.value >= self.goal


def skipped(name: str, why: str) -> Row:
    return Row(name, f"SKIPPED: {why}", None, 0)


def as_table(rows: Iterable[Row]) -> str:
    """One Markdown table, for the terminal and for the documentation alike."""
    words = {True: "yes", False: "**no**", None: "**not measured**"}
    lines = ["| # | what | value | goal | pass |", "|---|---|---:|---:|---|"]
    lines += [
        f"| {row.name} | {row.what} | {_number(row.value)} | {goal_of(row)} | {words[row.passes]} |"
        for row in rows
    ]
    return "\n".join(lines)


def goal_of(row: Row) -> str:
    """As the table shows it."""
    return f"{row.bound} {_number(row.goal)}"


def write_json(rows: Iterable[Row], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = [asdict(row) | {"passes": row.passes} for row in rows]
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"
