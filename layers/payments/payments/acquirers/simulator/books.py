"""The simulated acquirer's books of what happens to a charge after it was authorized.

They are kept beside the charge in the simulator's ledger, one attribute for each operation, and
they refuse by themselves what an acquirer refuses: so a fault of ours is seen.
"""

from collections.abc import Callable, Mapping
from typing import Any

from payments.acquirers.simulator.cards import FAIL_LATER, STAY_PENDING
from payments.adapters.aws import AwsClient, ConditionFailedError
from payments.adapters.store.items import from_item, to_item
from payments.model.operation_result import OperationResult, OperationStatus

# When a refund that fails later fails, and when one that stays pending succeeds.
REFUND_SECONDS = 30
_SUCCEEDED = OperationResult(OperationStatus.SUCCEEDED)
_PENDING = OperationResult(OperationStatus.PENDING)


class SimulatedBooks:
    """Captures, voids and refunds of charges in the ledger. Each is done once per reference."""

    def __init__(self, dynamodb: AwsClient, table: str, now_us: Callable[[], int]) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._now_us = now_us

    def capture(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        """Refused beyond the authorized amount, twice, after a void, and after its time."""
        values = {":zero": 0, ":amount": amount_minor, ":now": self._now_us(), ":void": True}
        return self._do(
            charge,
            reference,
            {"kind": "capture", "amount_minor": amount_minor},
            "SET charge.captured_minor = :amount, charge.refundable_minor = :amount",
            "charge.captured_minor = :zero AND charge.amount_minor >= :amount"
            " AND charge.capture_before_us > :now AND NOT charge.voided = :void",
            values,
        )

    def void(self, charge: str, reference: str) -> OperationResult:
        """Refused only if the money was captured."""
        return self._do(
            charge,
            reference,
            {"kind": "void"},
            "SET charge.voided = :void",
            "charge.captured_minor = :zero",
            {":void": True, ":zero": 0},
        )

    def refund(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        """Refused beyond what is left of the captured amount."""
        return self._do(
            charge,
            reference,
            {"kind": "refund", "amount_minor": amount_minor},
            "SET charge.refundable_minor = charge.refundable_minor - :amount",
            "charge.refundable_minor >= :amount",
            {":amount": amount_minor},
        )

    def look_up(self, charge: str, reference: str) -> OperationResult | None:
        """As time has it: a refund may fail, or succeed, after it was asked for."""
        response = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"reference": charge}), ConsistentRead=True
        )
        entry = from_item(response.get("Item", {}))
        return self._result(charge, entry, reference) if reference in entry else None

    def _do(
        self,
        charge: str,
        reference: str,
        operation: Mapping[str, Any],
        action: str,
        condition: str,
        values: Mapping[str, Any],
    ) -> OperationResult:
        noted = {**operation, "at_us": self._now_us()}
        names = {"#operation": reference}
        try:
            response = self._update(
                charge,
                f"{action}, #operation = :operation",
                f"attribute_not_exists(#operation) AND {condition}",
                names,
                {**values, ":operation": noted},
            )
        except ConditionFailedError as error:
            entry = from_item(error.item)
            if reference not in entry:
                entry = self._refuse(charge, reference, noted)
        else:
            entry = from_item(response["Attributes"])
        return self._result(charge, entry, reference)

    def _refuse(self, charge: str, reference: str, noted: Mapping[str, Any]) -> dict[str, Any]:
        """A refusal stays one, however often it is asked again."""
        try:
            response = self._update(
                charge,
                "SET #operation = :operation",
                "attribute_not_exists(#operation)",
                {"#operation": reference},
                {":operation": {**noted, "refused": True}},
            )
        except ConditionFailedError as error:
            return from_item(error.item)
        return from_item(response["Attributes"])

    def _update(
        self,
        charge: str,
        expression: str,
        condition: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
    ) -> Any:
        return self._dynamodb.update_item(
            TableName=self._table,
            Key=to_item({"reference": charge}),
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeNames=dict(names),
            ExpressionAttributeValues=to_item(values),
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def _result(self, charge: str, entry: Mapping[str, Any], reference: str) -> OperationResult:
        noted = entry[reference]
        if noted.get("refused"):
            return OperationResult(OperationStatus.FAILED, "refused_by_acquirer")
        behaviour = entry["charge"].get("refunds", "")
        if noted["kind"] != "refund" or not behaviour:
            return _SUCCEEDED
        is_time = self._now_us() - int(noted["at_us"]) >= REFUND_SECONDS * 1_000_000
        if behaviour == STAY_PENDING:
            return _SUCCEEDED if is_time else _PENDING
        assert behaviour == FAIL_LATER
        if not is_time:
            return OperationResult(OperationStatus.SUCCEEDED, may_still_fail=True)
        self._take_back(charge, reference, int(noted["amount_minor"]))
        return OperationResult(OperationStatus.FAILED, "expired_or_canceled_card")

    def _take_back(self, charge: str, reference: str, amount_minor: int) -> None:
        """The money of a refund that failed later is the merchant's again; noted once."""
        try:
            self._update(
                charge,
                "SET charge.refundable_minor = charge.refundable_minor + :amount,"
                " #operation.taken_back = :yes",
                "attribute_not_exists(#operation.taken_back)",
                {"#operation": reference},
                {":amount": amount_minor, ":yes": True},
            )
        except ConditionFailedError:
            return
