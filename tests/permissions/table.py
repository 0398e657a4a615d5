"""The permissions' table for the end of a run."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from local.emulator.calls import Call
from tests.permissions.policies import Permission, Verdict

_lines: list[str] = []


def fill(
    roles: Mapping[str, str],
    calls: Counter[Call],
    permitted: Collection[Permission],
    verdict: Verdict,
    whole_run: bool,
) -> None:
    """One row per function and workflow. Unused is known only after a whole run."""
    _lines[:] = [_line("function", "calls made", "permissions", "unused", "missing")]
    for who in sorted(roles):
        made = sum(count for call, count in calls.items() if call.function == who)
        # A workflow calls what its definition names; AWS makes the calls.
        shown = made if who.endswith("Function") else "definition"
        unused = _count(verdict.unused, who) if whole_run else "-"
        _lines.append(
            _line(who, shown, _count(permitted, who), unused, _count(verdict.missing, who))
        )
    unused = len(verdict.unused) if whole_run else "-"
    _lines.append(_line("all", calls.total(), len(permitted), unused, len(verdict.missing)))
    _lines.extend(f"  missing: {permission}" for permission in verdict.missing)
    if whole_run:
        _lines.extend(f"  unused: {permission}" for permission in verdict.unused)
    else:
        _lines.append("  Unused is not judged here: `make test` does it, after all other tests.")


def lines() -> tuple[str, ...]:
    return tuple(_lines)


def _count(permissions: Iterable[Permission], who: str) -> int:
    return sum(permission.who == who for permission in permissions)


def _line(who: str, made: object, permitted: object, unused: object, missing: object) -> str:
    return f"{who:<24} {made:>12} {permitted:>12} {unused:>8} {missing:>8}"
