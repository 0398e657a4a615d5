"""Every permission is needed and nothing more is: held against the calls of the whole test run.

`make test` runs this folder last, with the calls that all other tests have made (`--calls`).
"""

import copy
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import yaml

from local.emulator.calls import Call
from local.template import Template
from tests.permissions import table
from tests.permissions.policies import (
    Permission,
    judge,
    managed_policies,
    needs,
    permissions,
    roles,
)
from tests.support.actors import Shop, Shopper
from tests.support.calls import are_kept, recorded_calls
from tests.support.stack import PROJECT, Stack

PAYING = {
    Call("AuthorizerFunction", "dynamodb.GetItem", "KeysTable"),
    Call("CreatePaymentFunction", "dynamodb.PutItem", "PaymentsTable"),
    Call("CheckoutFunction", "kms.Encrypt", "CardKeyAlias"),
    Call("AuthenticateFunction", "kms.Decrypt", "CardKeyAlias"),
    Call("AuthorizeFunction", "dynamodb.UpdateItem", "PaymentsTable"),
}


@pytest.fixture(scope="module")
def unnamed() -> Any:
    return yaml.safe_load((PROJECT / "tests/permissions/unnamed_resources.yaml").read_text())


def _without(deployed: Template, role: str) -> Template:
    """The template without that role's own policies."""
    resources = copy.deepcopy(deployed.resources)
    resources[role]["Properties"]["Policies"] = []
    return replace(deployed, resources=resources)


def test_a_payment_s_calls_are_seen_with_their_function_and_resource(
    stack: Stack, shop: Shop, shopper: Shopper
) -> None:
    before = stack.calls
    assert shopper.pay(shop.checkout()).status_code == 200
    made = stack.calls - before
    assert made.keys() >= PAYING


def test_every_call_has_its_permission_and_every_permission_its_call(
    deployed: Template,
) -> None:
    calls, whole_run = recorded_calls(), are_kept()
    permitted, needed = list(permissions(deployed)), list(needs(deployed, calls))
    verdict = judge(permitted, needed)
    table.fill(roles(deployed), calls, permitted, verdict, whole_run)
    assert verdict.missing == []
    if whole_run:
        assert verdict.unused == []


@pytest.mark.parametrize("role", ["CreatePaymentFunctionRole", "PaymentWorkflowRole"])
def test_a_call_without_permission_is_found(deployed: Template, role: str) -> None:
    needed = list(needs(deployed, Counter(PAYING)))
    missing = judge(permissions(_without(deployed, role)), needed).missing
    assert {permission.who for permission in missing} == {role.removesuffix("Role")}
    assert judge(permissions(deployed), needed).missing == []


@pytest.mark.parametrize(
    "call",
    [
        Call("CreatePaymentFunction", "dynamodb.PutItem", "KeysTable"),
        Call("GetPaymentFunction", "dynamodb.Query", "PaymentsTable"),
        Call("ListPaymentsFunction", "dynamodb.Query", "PaymentsTable/index/another"),
        Call("ResolveFunction", "kms.Decrypt", "CardKeyAlias"),
        Call("CheckoutFunction", "kms.Decrypt", "CardKeyAlias"),
    ],
)
def test_the_wrong_table_index_action_or_key_is_found(deployed: Template, call: Call) -> None:
    verdict = judge(permissions(deployed), needs(deployed, Counter([call])))
    assert [permission.who for permission in verdict.missing] == [call.function]


def test_a_permission_nothing_needs_is_found(deployed: Template) -> None:
    permitted = list(permissions(deployed))
    idle = Permission("GetPaymentFunction", "dynamodb:DeleteItem", "PaymentsTable")
    assert judge([*permitted, idle], permitted).unused == [idle]


def test_everyone_has_a_role_of_their_own(deployed: Template) -> None:
    held = list(roles(deployed).values())
    assert len(held) == len(set(held))


def test_no_action_is_a_wildcard(deployed: Template) -> None:
    assert [p for p in permissions(deployed) if "*" in p.action] == []


def test_the_account_administers_keys_but_cannot_use_them(deployed: Template) -> None:
    uses = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt", "kms:Generate", "kms:*")
    for key in deployed.of_type("AWS::KMS::Key").values():
        for statement in key["Properties"]["KeyPolicy"]["Statement"]:
            if ":root" in str(statement["Principal"]):
                assert [a for a in statement["Action"] if a.startswith(uses)] == []


def test_what_names_no_resource_is_listed_with_its_reason(deployed: Template, unnamed: Any) -> None:
    listed = {(row["action"], who) for row in unnamed["statements"] for who in row["who"]}
    assert listed == {(p.action, p.who) for p in permissions(deployed) if p.resource == "*"}
    assert all(row["why"] for kind in unnamed.values() for row in kind)


def test_managed_policies_are_listed_with_their_reason(deployed: Template, unnamed: Any) -> None:
    functions = {f"{name}Role" for name in deployed.of_type("AWS::Lambda::Function")}
    everyone = set(roles(deployed).values())
    groups = {"every function": functions, "every function and workflow": everyone}
    listed = {
        row["policy"]: groups.get(row["who"], {row["who"]}) for row in unnamed["managed_policies"]
    }
    assert managed_policies(deployed) == listed
