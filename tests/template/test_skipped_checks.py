"""`.checkov.yaml` skips a check for every resource. Here it still holds where it has to.

Each test names the check it stands in for.
"""

import json
from typing import Any

from local.template import Template

# What is in these must not be kept, or can be had again.
NOT_BACKED_UP = {"AttemptsTable", "SimulatorTable", "RatesTable", "RiskTable"}


def test_every_table_is_backed_up_but_those_that_must_not_be_kept(deployed: Template) -> None:
    """CKV_AWS_28"""
    backups = {
        name: table["Properties"].get("PointInTimeRecoverySpecification")
        for name, table in deployed.of_type("AWS::DynamoDB::Table").items()
    }
    assert {name for name, backup in backups.items() if not backup} == NOT_BACKED_UP
    assert [
        name
        for name, backup in backups.items()
        if backup and backup["PointInTimeRecoveryEnabled"] is not True
    ] == []


def test_every_table_is_encrypted(deployed: Template) -> None:
    """CKV_AWS_119"""
    tables = deployed.of_type("AWS::DynamoDB::Table")
    assert tables
    for name, table in tables.items():
        assert table["Properties"]["SSESpecification"]["SSEEnabled"] is True, name


def test_every_queue_is_encrypted(deployed: Template) -> None:
    """CKV_AWS_27"""
    queues = deployed.of_type("AWS::SQS::Queue")
    assert queues
    for name, queue in queues.items():
        encrypted = queue["Properties"].get("SqsManagedSseEnabled") is True
        assert encrypted or "KmsMasterKeyId" in queue["Properties"], name


def test_every_topic_is_encrypted_but_that_of_the_alarms(deployed: Template) -> None:
    """CKV_AWS_26"""
    topics = deployed.of_type("AWS::SNS::Topic").items()
    plain = [name for name, row in topics if "KmsMasterKeyId" not in row.get("Properties", {})]
    assert plain == ["AlarmTopic"]


def test_every_key_that_encrypts_is_rotated(deployed: Template) -> None:
    """CKV_AWS_7"""
    keys = [key["Properties"] for key in deployed.of_type("AWS::KMS::Key").values()]
    encrypting = [key for key in keys if key.get("KeyUsage") != "GENERATE_VERIFY_MAC"]
    assert encrypting
    assert [key["EnableKeyRotation"] for key in encrypting] == [True] * len(encrypting)


def test_a_function_keeps_its_failed_events_unless_its_caller_waits_for_its_answer(
    source: Any,
) -> None:
    """CKV_AWS_116"""
    called = json.dumps(source["Resources"]["PaymentWorkflow"]["Properties"]) + json.dumps(
        source["Resources"]["Api"]["Properties"]["Auth"]
    )
    for name, row in source["Resources"].items():
        if row["Type"] != "AWS::Serverless::Function" or "DeadLetterQueue" in row["Properties"]:
            continue
        events = row["Properties"].get("Events", {}).values()
        assert {event["Type"] for event in events} <= {"Api"}, name
        assert events or name in called, f"nothing waits for {name}"


def test_no_function_has_a_secret_among_its_variables(source: Any) -> None:
    """CKV_AWS_173"""
    hidden = [name for name, row in source["Parameters"].items() if row.get("NoEcho")]
    functions = [
        row["Properties"]
        for row in source["Resources"].values()
        if row["Type"] == "AWS::Serverless::Function"
    ]
    for row in [source["Globals"]["Function"], *functions]:
        variables = json.dumps(row.get("Environment", {}))
        assert "{{resolve:" not in variables
        assert [name for name in hidden if name in variables] == []
