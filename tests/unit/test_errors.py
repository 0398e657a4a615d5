"""Every error stands in the one tree that `errors.py` draws."""

import ast
import importlib
import inspect
import re

from payments import errors
from payments.errors import PaymentsError
from tests.unit.test_structure import PACKAGE

_IN_THE_TREE = re.compile(r"(?m)^[ │]*(?:[├└]── )?(\w+Error)\b")


def _defined() -> dict[str, type[BaseException]]:
    """Every exception of the package, by its name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        names = [
            node.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ClassDef)
        ]
        module = "payments." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for name in names:
            kind = getattr(importlib.import_module(module), name, None)
            if inspect.isclass(kind) and issubclass(kind, BaseException):
                found[name] = kind
    return found


def test_every_error_stands_in_the_tree_and_the_tree_has_no_other() -> None:
    assert sorted(_IN_THE_TREE.findall(errors.__doc__ or "")) == sorted(_defined())


def test_every_error_descends_from_the_root() -> None:
    assert {
        name for name, kind in _defined().items() if not issubclass(kind, PaymentsError)
    } == set()


def test_the_tree_draws_each_error_below_its_parent() -> None:
    parents: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := _IN_THE_TREE.match(line):
            depth, name = found.start(1), found[1]
            parents = [(level, parent) for level, parent in parents if level < depth]
            if parents:
                assert parents[-1][1] in {base.__name__ for base in _defined()[name].__bases__}
            parents.append((depth, name))


def test_only_the_adapters_know_the_errors_of_botocore() -> None:
    importing = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "botocore.exceptions" in path.read_text()
    }
    assert importing == {"adapters/aws.py"}
