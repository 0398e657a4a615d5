"""What is on record about a payment, for tests that judge more than the answers.

`stored` is the payment as its table keeps it, `open_attempts` what is under way, `ledger` and what
follows from it the acquirer's own account, `history` the changes of status. Values are plain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from payments.adapters.store.items import from_item, to_item
from tests.support.actors import Checkout
from tests.support.stack import Stack, rows_where

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a payment's history."""

    status: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What the acquirer was asked to charge under one reference, and did unless it declined."""

    reference: str
    amount_minor: int
    currency: str
    decline_code: str | None

    @property
    def took_money(self) -> bool:
        return self.decline_code is None


# ------------------------------------------------------------------------------ what is stored


def payment_key(checkout: Checkout) -> dict[str, Any]:
    """The key of a payment's row; the client secret names the account."""
    _, mode, merchant_id, _ = checkout.client_secret.split("_")
    return to_item({"pk": f"{merchant_id}#{mode}", "id": checkout.id})


def stored(stack: Stack, checkout: Checkout) -> dict[str, Any]:
    """A payment as the table keeps it."""
    answer = stack.dynamodb.get_item(
        TableName=stack.resources["PaymentsTable"],
        Key=payment_key(checkout),
        ConsistentRead=True,
    )
    return from_item(answer["Item"])


def open_attempts(stack: Stack, checkout: Checkout) -> list[dict[str, Any]]:
    """The attempts to pay that are under way: a row is gone as soon as its attempt is over."""
    return rows_where(stack, "AttemptsTable", "payment_id", checkout.id)


def attempts_made(stack: Stack, checkout: Checkout) -> int:
    """How many attempts a payment has used, whether they are over or not."""
    return len(stored(stack, checkout)["attempt_tokens"])


# ------------------------------------------------------------------------------ what was charged


def ledger(stack: Stack, checkout: Checkout) -> list[dict[str, Any]]:
    """What the acquirer wrote down about a payment, the reference asked about first in front."""
    entries = rows_where(stack, "SimulatorTable", "reference", checkout.id)
    return sorted(entries, key=lambda entry: int(entry["asked"][0][1]))


def questions(stack: Stack, checkout: Checkout) -> list[list[str]]:
    """What the acquirer was asked, one list for each attempt that reached it."""
    return [[question for question, _ in entry["asked"]] for entry in ledger(stack, checkout)]


def charges(stack: Stack, checkout: Checkout) -> list[Charge]:
    """What the acquirer was asked to charge. References that were reversed are no charges."""
    return [
        charge for entry in ledger(stack, checkout) if (charge := _charge_in(entry)) is not None
    ]


def charges_by_payment(stack: Stack, payment_ids: Sequence[str]) -> dict[str, list[Charge]]:
    """`charges` of many payments, by their ids: the ledger is read once."""
    found: dict[str, list[Charge]] = {payment_id: [] for payment_id in payment_ids}
    for item in stack.rows("SimulatorTable"):
        charge = _charge_in(from_item(item))
        if charge is None:
            continue
        payment_id = "_".join(charge.reference.split("_", 2)[:2])
        if payment_id in found:
            found[payment_id].append(charge)
    return found


def _charge_in(entry: Row) -> Charge | None:
    """The charge under a reference of the ledger, if there is one that was not reversed."""
    charge = entry.get("charge", {"reversed": True})
    if "reversed" in charge:
        return None
    return Charge(
        entry["reference"],
        int(charge["amount_minor"]),
        charge["currency"],
        charge["decline_code"],
    )


def times_paid(stack: Stack, checkout: Checkout) -> int:
    """How often money was taken for a payment."""
    return sum(charge.took_money for charge in charges(stack, checkout))


# ------------------------------------------------------------------------------ what happened


def history(row: Row) -> list[Change]:
    """What the history in a payment's row says, from its creation on."""
    return [Change(status, int(at_us)) for status, at_us, *_ in row["history"]]


def statuses(row: Row) -> list[str]:
    """The statuses a payment went through, by its history."""
    return [change.status for change in history(row)]
