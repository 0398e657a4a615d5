"""What CloudFormation would make of a condition or a rule under some parameters."""

from collections.abc import Mapping
from typing import Any


def is_true(expression: Any, parameters: Mapping[str, str], conditions: Mapping[str, Any]) -> bool:
    def truth(inner: Any) -> bool:
        return is_true(inner, parameters, conditions)

    match expression:
        case {"Condition": str(name)}:
            return truth(conditions[name])
        case {"Fn::Equals": [left, right]}:
            return _value(left, parameters) == _value(right, parameters)
        case {"Fn::Not": [inner]}:
            return not truth(inner)
        case {"Fn::And": list(inners)}:
            return all(map(truth, inners))
        case {"Fn::Or": list(inners)}:
            return any(map(truth, inners))
    raise AssertionError(f"a condition this test cannot read: {expression}")


def refusals(template: Mapping[str, Any], typed: dict[str, str]) -> list[str]:
    """The rules of a template that these parameters break, with the defaults of the others."""
    defaults = {name: str(body["Default"]) for name, body in template["Parameters"].items()}
    parameters = defaults | typed
    return [
        name
        for name, rule in template["Rules"].items()
        if is_true(rule["RuleCondition"], parameters, {})
        and not all(is_true(row["Assert"], parameters, {}) for row in rule["Assertions"])
    ]


def _value(value: Any, parameters: Mapping[str, str]) -> str:
    match value:
        case {"Ref": str(name)}:
            return parameters[name]
        case str():
            return value
    raise AssertionError(f"a value this test cannot read: {value}")
