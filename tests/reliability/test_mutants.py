"""Deliberately broken variants: the suite must notice every one of them.

Each breaks one guarantee at a seam (what is asked of AWS, or of the acquirer), plays the same
stories as the simulation, and has to be caught within a bounded number of seeds. What breaks only
in one order of two calls is in `test_orders.py`.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from payments.acquirers.port import ChargeRequest
from payments.errors import AcquirerUnavailableError
from payments.model import ids
from payments.model.authorization import Authorization
from payments.model.operation_result import OperationResult, OperationStatus
from tests.reliability.invariants import check
from tests.reliability.simulation import simulate
from tests.reliability.world import Mutation, Stage
from tests.support import report

MAX_SEEDS = 600
_references = itertools.count()


def unchanged(_name: str, _params: dict[str, Any]) -> None:
    """AWS is asked what we mean to ask."""


@dataclass(frozen=True)
class Mutant:
    """How the variant differs, and what is said of it when it is caught: a pattern.

    `first_seed`, which caught it before, is tried first.
    """

    complaint: str
    mutate: Mutation = unchanged
    wrap_acquirer: Callable[[Any], Any] = lambda acquirer: acquirer
    reconciles: bool = True
    first_seed: int = 0


def is_claim(params: dict[str, Any]) -> bool:
    return "body_hash" in params.get("Item", {})


def change_to(status: str) -> Callable[[dict[str, Any]], bool]:
    def changes(params: dict[str, Any]) -> bool:
        values: dict[str, Any] = params.get("ExpressionAttributeValues", {})
        return bool(values.get(":status", {}).get("S") == status)

    return changes


def without_condition(operation: str, concerns: Callable[[dict[str, Any]], bool]) -> Mutation:
    """Drops the condition of the writes it concerns, with the values only the condition used."""

    def mutate(name: str, params: dict[str, Any]) -> None:
        if name != f"dynamodb.{operation}" or not concerns(params):
            return
        params.pop("ConditionExpression", None)
        params.pop("ReturnValuesOnConditionCheckFailure", None)
        used = params.get("UpdateExpression", "")
        values = params.pop("ExpressionAttributeValues", {})
        if left := {key: value for key, value in values.items() if key in used}:
            params["ExpressionAttributeValues"] = left

    return mutate


def without_condition_in_transactions(name: str, params: dict[str, Any]) -> None:
    """What a payment was when it was read is taken for what it is."""
    if name != "dynamodb.TransactWriteItems":
        return
    update = params["TransactItems"][0]["Update"]
    update.pop("ConditionExpression", None)
    values = update["ExpressionAttributeValues"]
    used = update["UpdateExpression"]
    update["ExpressionAttributeValues"] = {key: values[key] for key in values if key in used}


def _keep_the_card(name: str, params: dict[str, Any]) -> None:
    if name == "dynamodb.UpdateItem" and "#authorization" in params["UpdateExpression"]:
        params["UpdateExpression"] = params["UpdateExpression"].replace(
            " REMOVE encrypted_card", ""
        )


class OneRowForAPage:
    """As long as a page's first card was not used, it is what any other card of the page means."""

    def __init__(self) -> None:
        self._cards: dict[str, Any] = {}

    def __call__(self, name: str, params: dict[str, Any]) -> None:
        if name == "dynamodb.PutItem" and "encrypted_card" in params["Item"]:
            item = params["Item"]
            page = ids.page_token_of(item["id"]["S"])
            item["encrypted_card"] = self._cards.setdefault(page, item["encrypted_card"])
        if name == "dynamodb.DeleteItem":
            self._cards.pop(ids.page_token_of(params["Key"]["id"]["S"]), None)


class _Wrapper:
    """An acquirer that behaves but for what a subclass changes."""

    def __init__(self, acquirer: Any) -> None:
        self._acquirer = acquirer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._acquirer, name)


class _NewReferenceEachTime(_Wrapper):
    def authorize(self, charge: ChargeRequest, *, capture: bool) -> Authorization:
        fresh = replace(charge, reference=f"{charge.reference}-{next(_references)}")
        answer: Authorization = self._acquirer.authorize(fresh, capture=capture)
        return answer


class _SilenceIsADecline(_Wrapper):
    def authorize(self, charge: ChargeRequest, *, capture: bool) -> Authorization:
        try:
            answer: Authorization = self._acquirer.authorize(charge, capture=capture)
        except AcquirerUnavailableError:
            return Authorization(approved=False, decline_code="processing_error")
        return answer


class NothingIsReversed(_Wrapper):
    def reverse(self, _reference: str) -> Authorization | None:
        return None


class _NothingIsLookedUp(_Wrapper):
    def look_up(self, _reference: str) -> Authorization | None:
        return None

    def reverse(self, _reference: str) -> Authorization | None:
        return None


class _SilenceIsARefusal(_Wrapper):
    def refund(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        try:
            result: OperationResult = self._acquirer.refund(charge, reference, amount_minor)
        except AcquirerUnavailableError:
            return OperationResult(OperationStatus.FAILED, "refused_by_acquirer")
        return result


MUTANTS = {
    "a refund's amount is free again without a response": Mutant(
        "reads failed", wrap_acquirer=_SilenceIsARefusal, first_seed=95
    ),
    "money is reserved without a condition": Mutant(
        "refundable of|captured here|at the acquirer",
        without_condition_in_transactions,
        first_seed=533,
    ),
    "the claim of an Idempotency-Key has no condition": Mutant(
        "one key, two payments", without_condition("PutItem", is_claim)
    ),
    "submitting has no condition": Mutant(
        "charged 2 times|has no card",
        without_condition("UpdateItem", change_to("processing")),
    ),
    "the card is kept after the answer": Mutant("a card outlived", _keep_the_card),
    "a page's cards share a row": Mutant("is recorded", OneRowForAPage(), first_seed=155),
    "each charge has a reference of its own": Mutant(
        "charged", wrap_acquirer=_NewReferenceEachTime
    ),
    "no answer is taken for a decline": Mutant(
        "charged", wrap_acquirer=_SilenceIsADecline, first_seed=249
    ),
    "a charge under way is not reversed": Mutant(
        "charged", wrap_acquirer=NothingIsReversed, first_seed=114
    ),
    "the acquirer is not asked what happened": Mutant(
        "charged", wrap_acquirer=_NothingIsLookedUp, first_seed=54
    ),
    "the reconciler does not run": Mutant("is stuck", reconciles=False),
}


def _seeds_until_caught(stage: Stage, mutant: Mutant) -> int | None:
    seeds = itertools.chain([mutant.first_seed], range(MAX_SEEDS))
    for tried, seed in enumerate(seeds, start=1):
        world = simulate(
            stage, seed, mutant.mutate, mutant.wrap_acquirer, reconciles=mutant.reconciles
        )
        try:
            check(world)
        except AssertionError as error:
            if re.search(mutant.complaint, str(error)):
                return tried
        finally:
            world.close()
    return None


@pytest.mark.parametrize("name", MUTANTS)
@pytest.mark.timeout(600)
def test_a_broken_variant_is_caught(simulated: Stage, name: str) -> None:
    seeds = _seeds_until_caught(simulated, MUTANTS[name])
    assert seeds is not None, f"{MAX_SEEDS} seeds did not notice that {name}"
    report.record("mutants caught", 1, f"{name}: {seeds} seed(s)")
