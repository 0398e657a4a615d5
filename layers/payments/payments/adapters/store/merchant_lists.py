"""Merchants' block and allow lists, beside the profiles in the merchants table: one item for each.

They are somebody's decisions, so unlike the counters they are backed up.
"""

from typing import Any

from payments.adapters.aws import AwsClient
from payments.adapters.store.items import from_item, to_item
from payments.risk.lists import Kind, ListName, MerchantLists


class MerchantListStore:
    """Reads all lists of a merchant at once; changes one entry at a time."""

    def __init__(self, dynamodb: AwsClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def of(self, merchant_id: str) -> MerchantLists:
        """One read. A moment old at most: an entry need not act within the same second."""
        response = self._dynamodb.get_item(TableName=self._table, Key=_key(merchant_id))
        item = from_item(response.get("Item", {}))
        found = {
            name: {
                kind: frozenset(item[attribute])
                for kind in Kind
                if (attribute := _attribute(name, kind)) in item
            }
            for name in ListName
        }
        return MerchantLists(found[ListName.BLOCK], found[ListName.ALLOW])

    def add(self, merchant_id: str, name: ListName, kind: Kind, value: str) -> None:
        self._change("ADD", merchant_id, name, kind, value)

    def remove(self, merchant_id: str, name: ListName, kind: Kind, value: str) -> None:
        self._change("DELETE", merchant_id, name, kind, value)

    def _change(self, verb: str, merchant_id: str, name: ListName, kind: Kind, value: str) -> None:
        self._dynamodb.update_item(
            TableName=self._table,
            Key=_key(merchant_id),
            UpdateExpression=f"{verb} {_attribute(name, kind)} :values",
            ExpressionAttributeValues=to_item({":values": {value}}),
        )


def _key(merchant_id: str) -> dict[str, Any]:
    return to_item({"id": f"lists#{merchant_id}"})


def _attribute(name: ListName, kind: Kind) -> str:
    return f"{name}_{kind}"
