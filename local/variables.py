"""Variables as they are typed after `make`: all are checked before any of them is used."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Read = Callable[[str], Any]
_DIGITS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Variable:
    """`read` raises ValueError with what the value must be: "must be test or live".

    Without a `default` it has to be given; an empty value is as good as none.
    """

    name: str
    read: Read
    default: Any = None
    is_required: bool = True


def optional(name: str, read: Read, default: Any = None) -> Variable:
    return Variable(name, read, default, is_required=False)


def read_all(
    variables: Iterable[Variable], typed: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """The values by their names in lower case, and a sentence for each that is wrong.

    A sentence never repeats a value: it may be a key or a card number.
    """
    values: dict[str, Any] = {}
    problems = []
    for variable in variables:
        text = typed.get(variable.name, "").strip()
        values[variable.name.lower()] = variable.default
        if text:
            try:
                values[variable.name.lower()] = variable.read(text)
            except ValueError as error:
                problems.append(f"{variable.name} {error}.")
        elif variable.is_required:
            problems.append(f"{variable.name} is missing.")
    return values, problems


def one_of(*choices: str) -> Read:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be {' or '.join(choices)}")
        return choices[choices.index(text)]  # an enum's member, where the choices are one

    return read


def shaped(pattern: str, meaning: str) -> Read:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"must be {meaning}")
        return text

    return read


def whole_number(least: int, most: int, meaning: str) -> Read:
    def read(text: str) -> int:
        if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
            raise ValueError(f"must be {meaning}")
        return int(text)

    return read
