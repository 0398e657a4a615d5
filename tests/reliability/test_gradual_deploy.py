"""A gradual deploy of broken code is rolled back while it has a tenth of the traffic.

Pure simulation: minutes of a shop's traffic are generated, each call goes to the new code or to the
old one as CodeDeploy's canary has it, and the alarm that rolls back is evaluated as the template
states it. The traffic that the docs call enough must be enough, and not by far.
"""

import random
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.support import report
from tests.support.stack import PROJECT

DEPLOYS = 1000
CAUGHT = 0.99
# A metric's minute can be read when the next one is over.
DELAY_MINUTES = 1
CHALLENGED = 0.1
# What a payment asks the API for, and the tasks that its workflow runs: function -> calls.
PAYMENT = {
    "create_payment": 1,
    "checkout": 5,
    "get_payment": 1,
    "authenticate": 1,
    "authorize": 1,
}
TASKS = {"authenticate", "authorize"}
# A challenge adds these; the issuer's own page is not ours.
CHALLENGE = {"three_d_secure_return": 1, "checkout": 1}
DOCS = (PROJECT / "docs/operate.md").read_text("utf-8")
ALARM = yaml_parse((PROJECT / "functions/monitoring.yaml").read_text("utf-8"))["Resources"][
    "ReleaseErrorsAlarm"
]["Properties"]
BROKEN = {
    **{name: {name} for name in PAYMENT},
    "everything": {*PAYMENT, *CHALLENGE},
    "only challenges": {"three_d_secure_return"},
}


@dataclass(frozen=True)
class Canary:
    """How long new code has how much of the traffic, before it has all."""

    share: float
    minutes: int

    @classmethod
    def named(cls, name: str) -> "Canary":
        found = re.fullmatch(r"Canary(\d+)Percent(\d+)Minutes", name)
        assert found, name
        return cls(int(found[1]) / 100, int(found[2]))


def chosen_for_prod() -> str:
    config = tomllib.loads((PROJECT / "samconfig.toml").read_text("utf-8"))
    pairs: list[str] = config["prod"]["deploy"]["parameters"]["parameter_overrides"]
    return dict(pair.split("=", 1) for pair in pairs)["DeploymentType"]


def drawn(chance: random.Random, tries: int, likely: float) -> int:
    """How often something happens that is so likely."""
    return sum(chance.random() < likely for _ in range(tries))


def minute(chance: random.Random, payments: int, spoiled: Mapping[str, float]) -> tuple[int, int]:
    """Requests to the API, and unforeseen errors of the new code.

    `spoiled`: function -> how likely a call of it fails.
    """
    challenged = drawn(chance, payments, CHALLENGED)
    calls = {name: times * payments for name, times in PAYMENT.items()}
    for name, times in CHALLENGE.items():
        calls[name] = calls.get(name, 0) + times * challenged
    requests = sum(times for name, times in calls.items() if name not in TASKS)
    return requests, sum(drawn(chance, calls[name], likely) for name, likely in spoiled.items())


def rings(minutes: list[tuple[int, int]]) -> bool:
    """The alarm, on all minutes that can be read by now."""
    threshold, wanted = ALARM["Threshold"], ALARM["DatapointsToAlarm"]
    shares = [errors / requests for requests, errors in minutes if requests]
    recent = shares[-ALARM["EvaluationPeriods"] :]
    return bool(sum(share >= threshold for share in recent) >= wanted)


def is_rolled_back(
    chance: random.Random, canary: Canary, payments: int, spoiled: Mapping[str, float]
) -> bool:
    """Whether the alarm rings in time: at the end of a minute, before all the traffic moves."""
    seen: list[tuple[int, int]] = []
    for now in range(1, canary.minutes):
        seen.append(minute(chance, payments, spoiled))
        if rings(seen[: now - DELAY_MINUTES]):
            return True
    return False


def rolled_back(canary: Canary, payments: int, functions: set[str], failing: float = 1) -> float:
    """The share of many deploys of code in which these functions are broken."""
    chance = random.Random(f"{canary} {payments} {sorted(functions)} {failing}")
    spoiled = dict.fromkeys(functions, canary.share * failing)
    deploys = range(DEPLOYS)
    return sum(is_rolled_back(chance, canary, payments, spoiled) for _ in deploys) / DEPLOYS


def stated(canary: str) -> dict[str, int]:
    """What breaks -> the payments a minute that the docs call enough."""
    section = DOCS.partition("\n### What a gradual deploy catches\n")[2].partition("\n### ")[0]
    columns, _, *rows = re.findall(r"^\|(.+)\|$", section, re.MULTILINE)
    place = [cell.strip(" `") for cell in columns.split("|")].index(canary)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return {row[0]: int(row[place]) for row in cells}


def enough_for(what: str, canary: str) -> int:
    rows = stated(canary)
    return rows[what] if what in rows else rows["one function"]


@pytest.mark.parametrize("name", ["Canary10Percent5Minutes", "Canary10Percent10Minutes"])
@pytest.mark.parametrize("what", BROKEN)
def test_each_breakage_is_caught_at_the_stated_traffic(what: str, name: str) -> None:
    payments = enough_for(what, name)
    caught = rolled_back(Canary.named(name), payments, BROKEN[what])
    report.record("gradual deploys: simulated", DEPLOYS)
    assert caught >= CAUGHT, f"{what}: {caught:.1%} at {payments} payments a minute"


@pytest.mark.parametrize("name", ["Canary10Percent5Minutes", "Canary10Percent10Minutes"])
@pytest.mark.parametrize("what", ["get_payment", "everything", "only challenges"])
def test_the_stated_traffic_is_not_far_more_than_needed(what: str, name: str) -> None:
    payments = enough_for(what, name)
    assert rolled_back(Canary.named(name), payments // 3, BROKEN[what]) < CAUGHT


def test_prod_deploys_as_the_docs_say() -> None:
    assert stated(chosen_for_prod())


@pytest.mark.parametrize("payments", [1, 30, 300])
def test_code_that_works_is_not_rolled_back(payments: int) -> None:
    """One call in a million breaks by itself."""
    canary = Canary.named(chosen_for_prod())
    assert rolled_back(canary, payments, BROKEN["everything"], 1e-6) <= 1 - CAUGHT


def test_the_simulated_alarm_is_the_one_that_is_deployed() -> None:
    share, errors, requests = ALARM["Metrics"]
    assert share["Expression"] == "FILL(errors, 0) / requests"
    assert (errors["Id"], requests["Id"]) == ("errors", "requests")
    for metric in (errors, requests):
        stat: dict[str, Any] = metric["MetricStat"]
        assert (stat["Stat"], stat["Period"]) == ("Sum", 60)
    assert ALARM["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert ALARM["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("runs", [50])
def test_smoke_runs_find_what_no_shopper_calls(runs: int) -> None:
    """Each run calls every function of the API at least once, and fails at the first error."""
    canary = Canary.named(chosen_for_prod())
    assert 1 - (1 - canary.share) ** runs >= CAUGHT
    assert f"{runs} runs" in DOCS
