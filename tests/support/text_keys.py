"""Which texts the code and the page templates ask for, read from their syntax trees.

A key may be put together: `text(f"field.{field_error.code}")`. Such a family is written as its
pattern, `field.{field_error.code}`, and FAMILIES says what can stand in the braces, as the code's
own tables and calls have it. A family that is not listed here is an error, and so is a key nobody
asks for.
"""

import ast
import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, nodes

from payments.acquirers.simulator.wallet_sheets import sheet
from payments.errors import KeyReusedError
from payments.inputs import merchant_api as requests
from payments.inputs.checkout_form import CardForm, WalletForm
from payments.model import lifecycle
from payments.model.card import APPLE_PAY, GOOGLE_PAY
from payments.model.declines import DECLINE_CODES, shown_to_shopper
from payments.use_cases.end_hold import AUTHORIZATION_EXPIRED
from payments.web import error_responses
from payments.web.pages import checkout as checkout_pages
from tests.support.stack import PROJECT

_SOURCES = (PROJECT / "layers/payments/payments", PROJECT / "functions")
_TEMPLATES = PROJECT / "layers/payments/payments/web/pages/templates"


def used_keys() -> set[str]:
    """Every key that may be asked for, families spelled out."""
    keys = set()
    for pattern in {*_in_code(), *_in_templates()}:
        head, brace, rest = pattern.partition("{")
        if brace:
            end = rest.partition("}")[2]
            keys |= {f"{head}{value}{end}" for value in FAMILIES[pattern]()}
        else:
            keys.add(pattern)
    return keys


# ------------------------------------------------------------------------------- what can be meant


def _page_table(name: str) -> Iterable[str]:
    """A table of the pages' module: of a mapping what its keys lead to."""
    table = vars(checkout_pages)[name]
    return set(table.values() if isinstance(table, dict) else table)


def _problems() -> set[str]:
    return {*_page_table("_PROBLEMS"), "internal"}


def conflict_reasons() -> set[str]:
    """Every `reason` that a 409 may have."""
    refusals = {*lifecycle.REFUSAL_REASONS.values(), *_arguments("NotPayableError", 0)}
    return refusals | {
        KeyReusedError.reason,
        *_arguments("ConflictError", 0),
        AUTHORIZATION_EXPIRED,
    }


def _error_contents() -> set[str]:
    messages = {"cancel_already_paid", "operation_in_progress"}  # said in place of the reason
    unavailable = {*_error_table("_UNAVAILABLE"), "unavailable"}
    return {*_envelope_keys(), *unavailable, *conflict_reasons(), *messages}


def _error_titles() -> set[str]:
    titled = [title for call in _calls("_envelope") if (title := _keyword(call, "title"))]
    return _envelope_keys().union(*map(_literals, titled))


def _envelope_keys() -> set[str]:
    """What an envelope is asked for under its own title."""
    return {key for _, key in _error_table("_ENVELOPES")} | {"invalid_input", "internal"}


def _error_table(name: str) -> Iterable[Any]:
    """A table of the module that makes errors into responses: what errors lead to."""
    values: Iterable[Any] = vars(error_responses)[name].values()
    return values


def _field_codes() -> set[str]:
    """The code of every fault: pydantic's, renamed, and those that the validators name."""
    own = [_arguments(name, 0) for name in ("refuse", "AmountError", "WalletTokenError")]
    return {*vars(requests)["_CODES"].values(), *_arguments("FieldError", 1)}.union(*own)


def _required_fields() -> set[str]:
    fields = {**CardForm.model_fields, **WalletForm.model_fields}
    return {name for name, field in fields.items() if field.is_required() and name != "method"}


def _wallet_outcomes() -> set[str]:
    return {card.outcome for wallet in (APPLE_PAY, GOOGLE_PAY) for card in sheet(wallet)}


FAMILIES: dict[str, Callable[[], Iterable[str]]] = {
    "{key}": tuple,  # the templates' `t`, which hands on what they ask for
    "auth.{error.reason}": lambda: _arguments("AuthenticationError", 0),
    "error.{title or key}.title": _error_titles,
    "error.{key}.content": _error_contents,
    "field.{field_error.code}": _field_codes,
    "decline.{code}": lambda: DECLINE_CODES,
    "decline.{shown}": lambda: map(shown_to_shopper, DECLINE_CODES),
    "page.declined.{shown_to_shopper(payment.decline_code)}": lambda: map(
        shown_to_shopper, DECLINE_CODES
    ),
    "page.{state}": lambda: _page_table("_ENDED"),
    "page.{state}_title": lambda: _page_table("_ENDED"),
    "page.{problem}": _problems,
    "page.{problem}_title": _problems,
    "page.{method}": lambda: (APPLE_PAY, GOOGLE_PAY),
    "page.wallet_{card.outcome}": _wallet_outcomes,
    "page.required.{field_error.field}": _required_fields,
    "page.{field_error.field}": lambda: _page_table("_NAMED_FIELDS"),
}

# --------------------------------------------------------------------------------------- reading


def _trees() -> Iterator[ast.Module]:
    for path in itertools.chain.from_iterable(source.rglob("*.py") for source in _SOURCES):
        yield ast.parse(path.read_text("utf-8"))


def _calls(name: str) -> Iterator[ast.Call]:
    """Every call of a function by this name, however it is reached."""
    for node in itertools.chain.from_iterable(map(ast.walk, _trees())):
        if isinstance(node, ast.Call):
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
            if called == name:
                yield node


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg == name), None)


def _literals(node: ast.expr) -> set[str]:
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def _arguments(function: str, position: int) -> set[str]:
    """What is passed there as a literal, anywhere; a variable got it from somewhere else."""
    return {
        value
        for call in _calls(function)
        for argument in call.args[position : position + 1]
        for value in _literals(argument)
    }


def _returned(function: str) -> set[str]:
    """The literals that functions of this name return."""
    return {
        value
        for node in itertools.chain.from_iterable(map(ast.walk, _trees()))
        if isinstance(node, ast.FunctionDef) and node.name == function
        for part in ast.walk(node)
        if isinstance(part, ast.Return) and part.value
        for value in _literals(part.value)
    }


def _in_code() -> Iterator[str]:
    for call in _calls("text"):
        yield from _code_patterns(call.args[0])


def _code_patterns(node: ast.expr) -> set[str]:
    match node:
        case ast.Constant(value=str(value)):
            return {value}
        case ast.IfExp():
            return _code_patterns(node.body) | _code_patterns(node.orelse)
        case ast.JoinedStr():
            return {"".join(part for value in node.values for part in _code_patterns(value))}
        case ast.FormattedValue():
            return {f"{{{ast.unparse(node.value)}}}"}
        case _:
            return {f"{{{ast.unparse(node)}}}"}


def _in_templates() -> Iterator[str]:
    for path in _TEMPLATES.glob("*.html"):
        tree = Environment(autoescape=True).parse(path.read_text("utf-8"))
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t":
                yield from _template_patterns(call.args[0], path)


def _template_patterns(node: nodes.Node, path: Path) -> set[str]:
    match node:
        case nodes.Const():
            return {str(node.value)}
        case nodes.CondExpr(expr1=one, expr2=other) if other is not None:
            return _template_patterns(one, path) | _template_patterns(other, path)
        case nodes.Concat():
            parts = (_template_patterns(part, path) for part in node.nodes)
            return {"".join(combined) for combined in itertools.product(*parts)}
        case nodes.Name():
            return {f"{{{node.name}}}"}
        case nodes.Getattr(node=nodes.Name(name=owner)):
            return {f"{{{owner}.{node.attr}}}"}
        case _:
            raise AssertionError(f"{path.name} asks for a text in a new way: {node}")
