"""Between Python values and DynamoDB's typed attributes."""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_SERIALIZER = TypeSerializer()
_DESERIALIZER = TypeDeserializer()

Values = Mapping[str, Any]


def to_item(values: Values) -> dict[str, Any]:
    """Typed attributes; None and empty maps are left out, for absent and null read the same."""
    return {
        # Most attributes are text, before which boto3 tries every other type.
        name: {"S": value} if type(value) is str else _SERIALIZER.serialize(value)
        for name, value in values.items()
        if value is not None and value != {}
    }


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values. Numbers are Decimal, as DynamoDB keeps them."""
    return {
        name: attribute["S"] if "S" in attribute else _DESERIALIZER.deserialize(attribute)
        for name, attribute in item.items()
    }
