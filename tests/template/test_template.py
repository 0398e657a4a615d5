"""What the translated template promises an owner: logs, alarms, versions, deletion."""

import json
import re
import time
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local import template
from local.template import Template
from payments.model.payment import MAX_ATTEMPTS
from tests.support.actors import BLOCKED_CARD, DECLINED_CARD, Shop, Shopper
from tests.support.stack import PROJECT, Stack

# What of a request may be in the access log: nothing that tells who asked, or for which payment.
IMPERSONAL = {
    "requestId",
    "requestTimeEpoch",
    "httpMethod",
    "resourcePath",
    "status",
    "responseLatency",
    "error.responseType",
    "authorizer.status",
    "integration.status",
}


def _functions(source: Any) -> dict[str, Any]:
    kind = "AWS::Serverless::Function"
    return {
        name: row["Properties"] for name, row in source["Resources"].items() if row["Type"] == kind
    }


def _api_functions(source: Any) -> set[str]:
    """Those that the gateway calls: its routes' and its authorizer."""
    routed = {
        name
        for name, row in _functions(source).items()
        if any(event["Type"] == "Api" for event in row.get("Events", {}).values())
    }
    return routed | {"AuthorizerFunction"}


def _referred(value: Any) -> Iterator[str]:
    """Every name that a piece of the template refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)", text)
        case {"Fn::Sub": [str(text), values]}:
            yield from re.findall(r"\$\{(\w+)", text)
            yield from _referred(values)
        case dict():
            for inner in value.values():
                yield from _referred(inner)
        case list():
            for inner in value:
                yield from _referred(inner)


def _outputs(value: Any) -> set[str]:
    """Every output of the nested stack that a piece of the template refers to."""
    return set(re.findall(r"\bOutputs\.(\w+)", json.dumps(value)))


# ------------------------------------------------------------------------------------------- logs


def test_the_access_log_holds_nothing_personal(deployed: Template) -> None:
    (stage,) = deployed.of_type("AWS::ApiGateway::Stage").values()
    logged = re.findall(r"\$context\.([\w.]+)", stage["Properties"]["AccessLogSetting"]["Format"])
    assert set(logged) <= IMPERSONAL
    assert "requestId" in logged


def test_the_gateway_keeps_no_address_and_no_header_of_a_request(deployed: Template) -> None:
    """An address holds a client secret or a challenge, a header a key.

    A trace of the gateway's has the whole address, and an execution log may quote a header.
    """
    (stage,) = deployed.of_type("AWS::ApiGateway::Stage").values()
    assert stage["Properties"]["TracingEnabled"] is False
    for settings in stage["Properties"]["MethodSettings"]:
        assert settings["DataTraceEnabled"] is False
        assert settings["LoggingLevel"] == "OFF"


def test_every_route_has_a_ceiling_for_everybody_together(deployed: Template) -> None:
    (stage,) = deployed.of_type("AWS::ApiGateway::Stage").values()
    (settings,) = stage["Properties"]["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}


def test_every_function_logs_to_a_group_that_forgets(deployed: Template) -> None:
    for function in deployed.of_type("AWS::Lambda::Function").values():
        group = deployed.resources[function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_function_and_workflow_is_traced(deployed: Template) -> None:
    for function in deployed.of_type("AWS::Lambda::Function").values():
        assert function["Properties"]["TracingConfig"] == {"Mode": "Active"}
    for workflow in deployed.of_type("AWS::StepFunctions::StateMachine").values():
        assert workflow["Properties"]["TracingConfiguration"] == {"Enabled": True}


# ----------------------------------------------------------------------------------------- alarms


def test_every_alarm_tells_the_topic_when_it_starts_and_when_it_ends(monitoring: Any) -> None:
    alarms = [
        row["Properties"]
        for row in monitoring["Resources"].values()
        if row["Type"] == "AWS::CloudWatch::Alarm"
    ]
    assert alarms
    for alarm in alarms:
        assert alarm["AlarmDescription"]
        assert alarm["TreatMissingData"] in ("breaching", "notBreaching")
        for actions in (alarm["AlarmActions"], alarm["OKActions"]):
            assert "AlarmTopicArn" in set(_referred(actions))


# A hold lapses after days, and a refund fails later than this test can wait.
COME_LATE = {"AuthorizationLapsed", "RefundFailed"}


def test_the_metrics_watched_are_the_metrics_emitted(
    monitoring: Any, shop: Shop, shopper: Shopper
) -> None:
    """By namespace, name and dimensions, or the alarm would never hear of them."""
    assert shopper.pay(shop.checkout()).status_code == 200
    shopper.pay(shop.checkout(), BLOCKED_CARD)
    declined = shop.checkout()
    for _ in range(MAX_ATTEMPTS):
        shopper.pay(declined, DECLINED_CARD)
    for verb, captures in (("refunds", True), ("capture", False), ("cancel", False)):
        checkout = shop.checkout(capture=captures)
        assert shopper.pay(checkout).status_code == 200
        assert shop.request("POST", f"/v1/payments/{checkout.id}/{verb}").status_code < 300
    widgets = json.loads(
        monitoring["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    )
    assert len(widgets["widgets"]) == 8
    payments, after = (widgets["widgets"][n]["properties"]["metrics"] for n in (0, 6))
    # The rows that follow say "." for what they have in common with the first.
    namespace, by_mode = payments[0][0], frozenset(payments[0][2::2])
    assert (after[0][0], frozenset(after[0][2::2])) == (namespace, by_mode)
    names = {name for _, name, *_ in [*payments, *after]} - COME_LATE
    wanted = {(namespace, name, by_mode) for name in names}
    # An outcome may be answered before its task has counted it.
    deadline = time.monotonic() + 30
    while not wanted <= _emitted(shop.stack) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert wanted - _emitted(shop.stack) == set()
    assert {"PaymentBlocked", "PaymentVoided"} <= names
    assert {row["service"] for row in _metric_rows(shop.stack)} == {"payments-local"}


def _metric_rows(stack: Stack) -> list[dict[str, Any]]:
    """Every metric in the log. Two threads may print on one line."""
    log, decoder = stack.log, json.JSONDecoder()
    return [decoder.raw_decode(log, found.start())[0] for found in re.finditer(r'\{"_aws"', log)]


def _emitted(stack: Stack) -> set[tuple[str, str, frozenset[str]]]:
    return {
        (described["Namespace"], metric["Name"], frozenset(dimensions))
        for row in _metric_rows(stack)
        for described in row["_aws"]["CloudWatchMetrics"]
        for metric in described["Metrics"]
        for dimensions in described["Dimensions"]
    }


def test_alarms_that_name_the_api_and_the_workflow_know_their_names(
    source: Any, monitoring: Any
) -> None:
    """They cannot refer to them, so they would not watch a renamed one."""
    resources, alarms = source["Resources"], monitoring["Resources"]
    given = resources["Monitoring"]["Properties"]["Parameters"]
    of_metric = {
        row["MetricStat"]["Metric"]["MetricName"]: row["MetricStat"]["Metric"]["Dimensions"]
        for row in alarms["ApiErrorsAlarm"]["Properties"]["Metrics"]
        if "MetricStat" in row
    }
    (api_name, stage) = of_metric["5XXError"]
    assert of_metric["Count"] == of_metric["5XXError"]
    api = resources["Api"]["Properties"]
    assert given[api_name["Value"]["Ref"]] == api["DefinitionBody"]["info"]["title"]
    assert given[stage["Value"]["Ref"]] == api["StageName"]
    watched = [
        row["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"]
        for row in alarms["FailedWorkflowsAlarm"]["Properties"]["Metrics"]
        if "MetricStat" in row
    ]
    name = resources["PaymentWorkflow"]["Properties"]["Name"]["Fn::Sub"]
    assert len(watched) == 3
    assert {given[arn]["Fn::Sub"].partition(":stateMachine:")[2] for arn in watched} == {name}


def test_a_releases_errors_are_counted_under_the_name_that_its_alarm_watches(
    source: Any, monitoring: Any
) -> None:
    variables = source["Globals"]["Function"]["Environment"]["Variables"]
    given = source["Resources"]["Monitoring"]["Properties"]["Parameters"]
    assert given["Release"] == variables["RELEASE"] == {"Ref": "PaymentsLayer"}
    metrics = {
        row["Id"]: row.get("MetricStat", {}).get("Metric")
        for row in monitoring["Resources"]["ReleaseErrorsAlarm"]["Properties"]["Metrics"]
    }
    assert metrics["errors"]["Dimensions"] == [
        {"Name": "service", "Value": {"Ref": "Name"}},
        {"Name": "release", "Value": {"Ref": "Release"}},
    ]


def test_codedeploy_may_call_what_checks_new_versions(monitoring: Any) -> None:
    """Its role, which SAM makes, allows functions with this beginning alone."""
    checker = monitoring["Resources"]["PreTrafficFunction"]["Properties"]
    assert checker["FunctionName"] == {"Fn::Sub": "CodeDeployHook_${Name}"}
    assert monitoring["Outputs"]["PreTrafficFunction"]["Value"] == {"Ref": "PreTrafficFunction"}


def test_the_alarms_that_roll_back_are_alarms(source: Any, monitoring: Any) -> None:
    """The main stack knows them as outputs of the nested one."""
    named = _outputs(source["Globals"]["Function"]["DeploymentPreference"]["Alarms"])
    assert named
    for name in named:
        assert monitoring["Outputs"][name]["Value"] == {"Ref": name}
        assert monitoring["Resources"][name]["Type"] == "AWS::CloudWatch::Alarm"


# ------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize("environment", ["default", "prod"])
def test_what_samconfig_sets_is_a_parameter_and_a_value_it_allows(
    source: Any, environment: str
) -> None:
    config = tomllib.loads((PROJECT / "samconfig.toml").read_text())
    overrides = config[environment]["deploy"]["parameters"]["parameter_overrides"]
    for name, _, value in (override.partition("=") for override in overrides):
        allowed = source["Parameters"][name].get("AllowedValues", [value])
        assert value in map(str, allowed), name


# --------------------------------------------------------------------------------------- versions


def test_everything_is_called_by_an_alias_that_alarms_can_roll_back(deployed: Template) -> None:
    aliases = deployed.of_type("AWS::Lambda::Alias")
    behind = {alias["Properties"]["FunctionName"]["Ref"] for alias in aliases.values()}
    assert behind == deployed.of_type("AWS::Lambda::Function").keys()
    for alias in aliases.values():
        update = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        hook = ["Monitoring", "Outputs.PreTrafficFunction"]
        assert update["BeforeAllowTrafficHook"] == {"Fn::GetAtt": hook}
    alarms = {"ApiErrorsAlarm", "ReleaseErrorsAlarm", "FailedWorkflowsAlarm"}
    for group in deployed.of_type("AWS::CodeDeploy::DeploymentGroup").values():
        condition, watched, _ = group["Properties"]["AlarmConfiguration"]["Fn::If"]
        assert (condition, _outputs(watched), watched["Enabled"]) == ("RollsBack", alarms, True)
    (workflow,) = deployed.of_type("AWS::StepFunctions::StateMachineAlias").values()
    assert alarms == _outputs(workflow["Properties"]["DeploymentPreference"]["Alarms"])
    for permission in deployed.of_type("AWS::Lambda::Permission").values():
        called = str(permission["Properties"]["FunctionName"])
        assert "live" in called, "somebody calls a function and not its alias"


def test_a_version_is_published_for_every_parameter_that_a_function_reads(source: Any) -> None:
    """SAM does not see a parameter's value change; CloudFormation sees it in the description."""
    everywhere = source["Globals"]["Function"]["Environment"]
    for name, row in _functions(source).items():
        read = [everywhere, row.get("Environment"), row.get("SnapStart"), row.get("Timeout")]
        used = set(_referred(read)) & source["Parameters"].keys()
        assert used <= set(_referred(row["VersionDescription"])), name


@pytest.mark.parametrize("layer", ["layers/payments", "layers/dependencies"])
def test_a_version_is_published_for_every_change_of_a_layer(
    monkeypatch: pytest.MonkeyPatch, deployed: Template, layer: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    before = deployed.of_type("AWS::Lambda::Version")
    text = (PROJECT / "template.yaml").read_text()
    moved = text.replace(f"ContentUri: {layer}", f"ContentUri: ./{layer}")
    after = template.translate(yaml_parse(moved), {}).of_type("AWS::Lambda::Version")
    assert len(before) == len(after)
    assert before.keys() & after.keys() == set()


def test_no_version_is_left_behind_with_a_snapshot_to_pay_for(deployed: Template) -> None:
    versions = deployed.of_type("AWS::Lambda::Version").values()
    assert {version["DeletionPolicy"] for version in versions} == {"Delete"}


def test_the_functions_behind_the_api_may_start_from_a_snapshot_and_do_in_prod(source: Any) -> None:
    snapshots = {name for name, row in _functions(source).items() if "SnapStart" in row}
    assert snapshots == _api_functions(source)
    assert source["Parameters"]["SnapStart"]["Default"] == "None"
    config = tomllib.loads((PROJECT / "samconfig.toml").read_text())
    assert (
        "SnapStart=PublishedVersions"
        in config["prod"]["deploy"]["parameters"]["parameter_overrides"]
    )


# ---------------------------------------------------------------------------- creation, deletion


def test_no_resource_waits_for_itself(deployed: Template) -> None:
    """Keys name roles, alarms watch what waits for them: a circle is refused at deploy time."""
    graph: dict[str, set[str]] = {}
    for name, body in deployed.resources.items():
        named = body.get("DependsOn", [])
        listed = {named} if isinstance(named, str) else set(named)
        graph[name] = (listed | set(_referred(body))) & deployed.resources.keys()
    order = list(TopologicalSorter(graph).static_order())
    # Seen to work by two that must come one after the other.
    assert order.index("AuthorizerFunctionAliaslive") < order.index("Api")
    assert order.index("PaymentWorkflowAliaslive") < order.index("CheckoutFunction")


def test_a_dev_stack_is_deleted_whole_and_prod_keeps_its_data(deployed: Template) -> None:
    for name, table in deployed.of_type("AWS::DynamoDB::Table").items():
        assert table["DeletionPolicy"] == "Delete", name
        protected = table["Properties"].get("DeletionProtectionEnabled", False)
        if table["UpdateReplacePolicy"] == "Retain":
            assert protected == {"Fn::If": ["ProtectsTables", True, False]}, name
            backup = table["Properties"]["PointInTimeRecoverySpecification"]
            assert backup == {"PointInTimeRecoveryEnabled": True}, name
        else:
            assert protected is False, name
