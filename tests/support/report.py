"""The figures of a run, for the table that `make test` prints."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `note` says what was counted."""

    name: str
    figure: int | str
    note: str = ""


_rows: list[Row] = []


def record(name: str, figure: int | str, note: str = "") -> None:
    """Keeps a figure. The same name may come again, from another test."""
    _rows.append(Row(name, figure, note))


def rows() -> tuple[Row, ...]:
    """All figures so far, in the order they came."""
    return tuple(_rows)
