"""The simulated acquirer and issuer of test mode.

It behaves like an outside party that several Lambda environments share: what it was asked and what
it responded stands in a ledger of its own, keyed by our reference, and never by card number.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from payments.acquirers.port import ChargeRequest
from payments.acquirers.simulator.books import SimulatedBooks
from payments.acquirers.simulator.cards import behaviour_of
from payments.adapters.aws import AwsClient, ConditionFailedError
from payments.adapters.store.items import from_item, to_item
from payments.model.authorization import Authorization, AvsCvcResults, CardProfile
from payments.model.operation_result import OperationResult
from payments.model.three_d_secure import Authentication, eci_of, shifts_liability

ONE_TIME_CODE = "123456"
MAX_CODE_TRIES = 3
HOLD_SECONDS = 7 * 24 * 60 * 60
TTL_SECONDS = 400 * 24 * 60 * 60  # longer than a payment can be refunded


class SimulatedAcquirer:
    """Fits the `Acquirer` port; `pass_challenge` and `fail_challenge` are its issuer's page."""

    def __init__(
        self,
        dynamodb: AwsClient,
        table: str,
        now_us: Callable[[], int],
        hold_seconds: int = HOLD_SECONDS,
    ) -> None:
        """`hold_seconds`: how long money is held that is not captured."""
        self._dynamodb = dynamodb
        self._table = table
        self._now_us = now_us
        self._hold_seconds = hold_seconds
        self._books = SimulatedBooks(dynamodb, table, now_us)

    def profile(self, charge: ChargeRequest) -> CardProfile:
        """As the test card says."""
        return behaviour_of(charge.card.number).profile

    def authenticate(
        self, charge: ChargeRequest, return_url: str, *, challenge_mandated: bool
    ) -> Authentication:
        """As the test card says. The built-in challenge page stands right before the return."""
        status = behaviour_of(charge.card.number).trans_status
        if challenge_mandated and status == "Y":
            status = "C"
        flow = "challenge" if status == "C" else "frictionless"
        entry = self._enter(
            charge.reference,
            "authenticate",
            "authentication",
            {"trans_status": status, "brand": charge.card.brand, "flow": flow},
        )
        challenge_url = return_url.removesuffix("/return") if status == "C" else None
        return _authentication(entry["authentication"], challenge_url)

    def authentication_result(self, reference: str) -> Authentication | None:
        """C means the shopper has neither passed nor failed yet."""
        part = self._read(reference).get("authentication")
        return _authentication(part) if part else None

    def authorize(self, charge: ChargeRequest, *, capture: bool) -> Authorization:
        """At most once per reference, whatever the card says the second time."""
        behaviour = behaviour_of(charge.card.number)
        is_approved = behaviour.decline_code is None
        captures = capture and is_approved
        is_held = is_approved and not capture
        before_us = self._now_us() + self._hold_seconds * 1_000_000
        held = {"capture_before_us": before_us} if is_held else {}
        entry = self._enter(
            charge.reference,
            "authorize",
            "charge",
            {
                "decline_code": behaviour.decline_code,
                "checks": asdict(behaviour.checks(has_cvc=bool(charge.card.cvc))),
                "amount_minor": charge.amount_minor,
                "currency": charge.currency,
                "captured_minor": charge.amount_minor if captures else 0,
                "refundable_minor": charge.amount_minor if captures else 0,
                "refunds": behaviour.refunds,
                "voided": False,
                **held,
                "brand": charge.card.brand,
                "last4": charge.card.last4,
            },
        )
        return _authorization(entry["charge"])

    def look_up(self, reference: str) -> Authorization | None:
        """None if no charge with this reference ever arrived."""
        entry = self._read(reference)
        return _authorization(entry["charge"]) if "charge" in entry else None

    def reverse(self, reference: str) -> Authorization | None:
        """Takes the charge's place in the ledger, so that one that arrives late finds it taken."""
        reversed_ = {"decline_code": "processing_error", "reversed": True}
        charge = self._enter(reference, "reverse", "charge", reversed_)["charge"]
        return None if "reversed" in charge else _authorization(charge)

    def capture(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        """As the port says."""
        return self._books.capture(charge, reference, amount_minor)

    def void(self, charge: str, reference: str) -> OperationResult:
        """As the port says."""
        return self._books.void(charge, reference)

    def refund(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        """As the test card says."""
        return self._books.refund(charge, reference, amount_minor)

    def look_up_operation(self, charge: str, reference: str) -> OperationResult | None:
        """As the port says."""
        return self._books.look_up(charge, reference)

    def pass_challenge(self, reference: str, code: str) -> Authentication:
        """The shopper typed a one-time code. After three wrong ones the issuer gives up."""
        if code == ONE_TIME_CODE:
            return self._complete_challenge(reference, "Y")
        response = self._dynamodb.update_item(
            TableName=self._table,
            Key=to_item({"reference": reference}),
            UpdateExpression="ADD wrong_codes :one",
            ExpressionAttributeValues=to_item({":one": 1}),
            ReturnValues="ALL_NEW",
        )
        entry = from_item(response["Attributes"])
        if entry["wrong_codes"] >= MAX_CODE_TRIES:
            return self._complete_challenge(reference, "N")
        return _authentication(entry["authentication"])

    def fail_challenge(self, reference: str) -> Authentication:
        """The shopper pressed the fail button."""
        return self._complete_challenge(reference, "N")

    def _complete_challenge(self, reference: str, trans_status: str) -> Authentication:
        with suppress(ConditionFailedError):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=to_item({"reference": reference}),
                UpdateExpression="SET authentication.trans_status = :status",
                ConditionExpression="authentication.trans_status = :open",
                ExpressionAttributeValues=to_item({":status": trans_status, ":open": "C"}),
            )
        return _authentication(self._read(reference)["authentication"])

    def _enter(self, reference: str, asked: str, part: str, value: Mapping[str, Any]) -> Any:
        """Writes one part of the entry unless it is there, notes the question, gives the entry."""
        now_us = self._now_us()
        values = {
            ":value": dict(value),
            ":asked": [[asked, now_us]],
            ":none": [],
            ":expires_at": now_us // 1_000_000 + TTL_SECONDS,
        }
        try:
            response = self._dynamodb.update_item(
                TableName=self._table,
                Key=to_item({"reference": reference}),
                UpdateExpression=(
                    "SET #part = :value, expires_at = :expires_at,"
                    " asked = list_append(if_not_exists(asked, :none), :asked)"
                ),
                ConditionExpression="attribute_not_exists(#part)",
                ExpressionAttributeNames={"#part": part},
                ExpressionAttributeValues=to_item(values),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailedError as error:
            return from_item(error.item)
        return from_item(response["Attributes"])

    def _read(self, reference: str) -> dict[str, Any]:
        response = self._dynamodb.get_item(
            TableName=self._table, Key=to_item({"reference": reference}), ConsistentRead=True
        )
        return from_item(response.get("Item", {}))


def _authentication(part: Mapping[str, Any], challenge_url: str | None = None) -> Authentication:
    eci = eci_of(part["trans_status"], part["brand"])
    return Authentication(
        trans_status=part["trans_status"],
        eci=eci,
        liability_shift=shifts_liability(eci),
        challenge_url=challenge_url,
        flow=part["flow"],
    )


def _authorization(part: Mapping[str, Any]) -> Authorization:
    code = part["decline_code"]
    checks = AvsCvcResults(**part["checks"]) if "checks" in part else None
    before_us = part.get("capture_before_us")
    return Authorization(
        approved=code is None,
        decline_code=code,
        checks=checks,
        capture_before_us=None if before_us is None else int(before_us),
    )
