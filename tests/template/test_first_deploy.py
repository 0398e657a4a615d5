"""What has to hold in an account where nothing stands yet, and when a stack goes again."""

import re
import tomllib
from typing import Any

import pytest

from local.operator.deploy_plan import RESERVING_FUNCTIONS, UNRESERVED_CONCURRENCY
from local.template import Template
from tests.support.intrinsics import is_true, refusals
from tests.support.stack import PROJECT

# These wait for a metric that must come, so its absence alone makes them ring.
RING_WITHOUT_DATA = {"ReconcilerBacklogAlarm", "StaleRatesAlarm"}
CONFIGURATIONS = tomllib.loads((PROJECT / "samconfig.toml").read_text())


def _alarms(monitoring: Any) -> dict[str, Any]:
    return {
        name: row["Properties"]
        for name, row in monitoring["Resources"].items()
        if row["Type"] == "AWS::CloudWatch::Alarm"
    }


# ------------------------------------------------------------------------------ API Gateway's role


def test_the_account_s_log_role_is_set_only_once_api_gateway_has_something_else(
    deployed: Template,
) -> None:
    """In an account that never used API Gateway its settings cannot be changed."""
    account = deployed.resources["ApiAccount"]
    key = deployed.resources[account["DependsOn"]]
    assert (key["Type"], key["Properties"]) == ("AWS::ApiGateway::ApiKey", {"Enabled": False})
    assert {key["Condition"], account["Condition"]} == {"CreatesLogRole"}
    assert "ApiAccount" in deployed.resources["Api"]["DependsOn"]


@pytest.mark.parametrize("name", ["ApiLogRole", "ApiAccount"])
def test_deleting_one_stack_does_not_silence_the_others_of_its_account(
    deployed: Template, name: str
) -> None:
    resource = deployed.resources[name]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


# ------------------------------------------------------------------------------ what is protected


def test_a_failed_first_deploy_can_be_rolled_back_and_prod_is_protected_after_it(
    deployed: Template,
) -> None:
    """CloudFormation cannot delete a table that is protected already."""

    def protects(**parameters: str) -> bool:
        return is_true(deployed.conditions["ProtectsTables"], parameters, deployed.conditions)

    assert not protects(Environment="prod", FirstDeploy="yes")
    assert protects(Environment="prod", FirstDeploy="no")
    assert not protects(Environment="dev", FirstDeploy="no")
    # Whoever does not deploy by make has the safe one.
    assert deployed.parameters["FirstDeploy"]["Default"] == "no"


def test_every_key_outlives_its_stack_but_not_a_failed_first_deploy(deployed: Template) -> None:
    keys = deployed.of_type("AWS::KMS::Key")
    assert keys.keys() == {"CardKey", "FingerprintKey"}
    for key in keys.values():
        assert key["DeletionPolicy"] == "RetainExceptOnCreate"
        assert key["UpdateReplacePolicy"] == "Retain"


# ------------------------------------------------------------------------------ alarms


def test_in_prod_somebody_has_to_hear_of_alarms(source: Any) -> None:
    rule = "AlarmsReachSomebodyInProduction"
    topic = "arn:aws:sns:us-east-1:123456789012:ops"
    assert refusals(source, {"Environment": "prod"}) == [rule]
    assert refusals(source, {"Environment": "prod", "AlarmEmail": "me@shop.example"}) == []
    assert refusals(source, {"Environment": "prod", "AlarmTopicArn": topic}) == []
    assert refusals(source, {"Environment": "dev"}) == []


def test_no_alarm_calls_anybody_before_what_it_watches_has_run(monitoring: Any) -> None:
    alarms = _alarms(monitoring)
    ringing = {n for n, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"}
    assert ringing == RING_WITHOUT_DATA
    for name, alarm in alarms.items():
        acts = {"Fn::If": ["HasRun", True, False]} if name in ringing else None
        assert alarm.get("ActionsEnabled") == acts, name
    assert is_true(monitoring["Conditions"]["HasRun"], {"FirstDeploy": "no"}, {})
    assert not is_true(monitoring["Conditions"]["HasRun"], {"FirstDeploy": "yes"}, {})


def test_the_first_deploy_is_told_to_the_alarms(source: Any) -> None:
    given = source["Resources"]["Monitoring"]["Properties"]["Parameters"]
    assert given["FirstDeploy"] == {"Ref": "FirstDeploy"}


def test_a_metric_without_data_takes_no_other_metric_s_data_out_of_an_alarm(
    monitoring: Any,
) -> None:
    """The sum of two metrics is missing where one is. Only what is divided by may be missing."""
    sums = 0
    for name, alarm in _alarms(monitoring).items():
        for row in alarm.get("Metrics", ()):
            if "Expression" not in row:
                continue
            sums += 1
            bare = re.sub(r"FILL\(\w+, 0\)", "0", row["Expression"])
            divisors = re.findall(r"/ (\w+)$", bare)
            metrics = {metric["Id"] for metric in alarm["Metrics"] if "MetricStat" in metric}
            assert metrics & set(re.findall(r"[a-z_]+", bare)) == set(divisors), name
    assert sums == 3


# ------------------------------------------------------------------------------ room to run


def test_the_authorizer_and_the_workflow_s_steps_have_room_in_prod_alone(
    deployed: Template,
) -> None:
    prod_only = {
        "Fn::If": ["IsProduction", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]
    }
    reserving = {
        name: function["Properties"]["ReservedConcurrentExecutions"]
        for name, function in deployed.of_type("AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in function["Properties"]
    }
    steps = {"AuthenticateFunction", "AuthorizeFunction", "ResolveFunction"}
    assert reserving.keys() == {"AuthorizerFunction"} | steps
    assert list(reserving.values()) == [prod_only] * RESERVING_FUNCTIONS
    # `make deploy` refuses prod where there is no room for that, below 200 unless more is asked.
    default = deployed.parameters["ReservedConcurrency"]["Default"]
    assert UNRESERVED_CONCURRENCY + RESERVING_FUNCTIONS * default == 200


# ------------------------------------------------------------------------------ several stacks


def test_stacks_of_two_regions_have_each_its_dashboard(source: Any, monitoring: Any) -> None:
    """An account has one list of dashboards for all regions."""
    named = monitoring["Resources"]["Dashboard"]["Properties"]["DashboardName"]
    assert named == {"Fn::Sub": "${Name}-${AWS::Region}"}
    shown = source["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"]
    assert shown.endswith("#dashboards/dashboard/${AWS::StackName}-${AWS::Region}")


@pytest.mark.parametrize("environment", ["default", "prod"])
def test_nested_stacks_may_be_created(environment: str) -> None:
    capabilities = CONFIGURATIONS[environment]["deploy"]["parameters"]["capabilities"]
    assert {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"} == set(capabilities.split())
