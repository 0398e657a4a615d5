"""Before a new version of a function gets traffic, it answers the function's recorded event.

CodeDeploy calls this for each function that a deploy changes, and takes the deploy back if the
answer is an error: code that cannot be imported, or lacks a permission. Whole payments are no test
at this time, because the other functions would still run their old versions.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

EVENTS = Path(__file__).parent / "events"
# It asks an outside feed, which may be down or switched off. That must not stop a deploy.
_NOT_ASKED = "RefreshRatesFunction"
# The reconciler has 300 s. A second call would be a second run.
_PATIENT = Config(read_timeout=310, retries={"total_max_attempts": 1})
_LOG = logging.getLogger(__name__)


def handler(event: Mapping[str, str], _context: object) -> None:
    codedeploy, deployment = boto3.client("codedeploy"), event["DeploymentId"]
    problem = _problem(*_new_version(codedeploy, deployment))
    if problem:
        _LOG.error("%s: %s", deployment, problem)
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=deployment,
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Failed" if problem else "Succeeded",
    )


def _new_version(codedeploy: Any, deployment: str) -> tuple[str, str]:
    """The function's name and the version that is to get traffic."""
    (target,) = codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
    (found,) = codedeploy.batch_get_deployment_targets(deploymentId=deployment, targetIds=[target])[
        "deploymentTargets"
    ]
    function = found["lambdaTarget"]["lambdaFunctionInfo"]
    return function["functionName"], function["targetVersion"]


def _problem(function: str, version: str) -> str:
    """Empty if the version answers. The answer itself is not told: it may hold what was stored."""
    if f"-{_NOT_ASKED}-" in function:
        return ""
    answer = boto3.client("lambda", config=_PATIENT).invoke(
        FunctionName=function, Qualifier=version, Payload=_event(function).read_bytes()
    )
    if "FunctionError" in answer:
        return f"version {version} of {function} fails"
    returned = json.loads(answer["Payload"].read())
    status = returned.get("statusCode", 200) if isinstance(returned, dict) else 200
    return f"version {version} of {function} answers {status}" if status >= 500 else ""


def _event(function: str) -> Path:
    """By the logical id that a function's name on AWS holds: payments-dev-GetPaymentFunction-1A."""
    (found,) = [
        event
        for event in EVENTS.iterdir()
        if f"-{event.stem.title().replace('_', '')}Function-" in function
    ]
    return found
