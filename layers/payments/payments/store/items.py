"""Between Python values and DynamoDB's typed attributes.

boto3 could do this, but importing it costs every cold start as much as a tenth of its work.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

Values = Mapping[str, Any]


def to_item(values: Values) -> dict[str, Any]:
    """Typed attributes; None and empty maps are left out, for absent and null read the same."""
    return {
        name: _to_attribute(value)
        for name, value in values.items()
        if value is not None and value != {}
    }


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values. Numbers are Decimal, as DynamoDB keeps them."""
    return {name: _from_attribute(attribute) for name, attribute in item.items()}


def is_condition_failure(error: ClientError) -> bool:
    """Whether a write was refused by its own condition, and not by a fault."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def item_before(error: ClientError) -> dict[str, Any] | None:
    """What stood there when the condition failed, if the write asked for it."""
    response: Mapping[str, Any] = error.response
    item = response.get("Item")
    return from_item(item) if item else None


def _to_attribute(value: object) -> dict[str, Any]:  # noqa: PLR0911 - a table
    match value:
        case str():
            return {"S": str(value)}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case dict():
            return {"M": {name: _to_attribute(inner) for name, inner in value.items()}}
        case list() | tuple():
            return {"L": [_to_attribute(inner) for inner in value]}
        case bytes():
            return {"B": value}
        case None:
            return {"NULL": True}
        case _:
            raise TypeError(f"DynamoDB has no type for {type(value).__name__}")


def _from_attribute(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return Decimal(value)
        case "M":
            return from_item(value)
        case "L":
            return [_from_attribute(inner) for inner in value]
        case "NULL":
            return None
        case "S" | "BOOL" | "B":
            return value
        case _:
            raise TypeError(f"unexpected attribute type {kind}")
