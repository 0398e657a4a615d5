"""Which AWS operations our code calls, read from the code."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

from local import PROJECT

PACKAGE = PROJECT / "layers/payments/payments"


@cache
def called_operations() -> dict[str, set[str]]:
    """Service -> operations. Whatever module holds a service's client names what it calls there."""
    names = _operation_names(set(_clients().values()))
    called: dict[str, set[str]] = {service: set() for service in names}
    for path in PACKAGE.rglob("*.py"):
        words = set(_words(path))
        for attribute, service in _clients().items():
            if words & {attribute, attribute.lstrip("_")}:
                called[service] |= {names[service][word] for word in words & names[service].keys()}
    return called


@cache
def _clients() -> dict[str, str]:
    """What the composition root makes: the attribute, and the service behind it."""
    found = {}
    for node in ast.walk(ast.parse((PACKAGE / "wiring/stores.py").read_text())):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            for service in _services_asked_for(node.value):
                found[node.targets[0].attr] = service
    return found


def _services_asked_for(value: ast.expr) -> Iterator[str]:
    """The client may be made as it is, or inside of a call that wraps it."""
    for node in ast.walk(value):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="client"), args=[ast.Constant(value=str() as service)]
            ):
                yield service


def _operation_names(services: set[str]) -> dict[str, dict[str, str]]:
    session = botocore.session.get_session()
    return {
        service: {
            xform_name(operation): operation
            for operation in session.get_service_model(service).operation_names
        }
        for service in services
    }


def _words(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
