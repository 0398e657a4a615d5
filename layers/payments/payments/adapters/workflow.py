"""The 3DS/authorization workflow as the shopper's side sees it: start it, end its challenge."""

import json

from payments.adapters.aws import AwsClient
from payments.errors import AwsUnavailableError, UnavailableError

# The task has ended before, or timed out. Its outcome stands.
_TASK_IS_OVER = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


class WorkflowRefusedError(UnavailableError):
    """Step Functions refused to start an execution: throttled, or over its quota."""


class Workflow:
    """Step Functions. Only ids go in: what is put in is kept in its history for 90 days.

    Executions are started by the state machine's alias, which a deploy moves to the new
    definition; those under way end with the one they began with.
    """

    def __init__(self, stepfunctions: AwsClient, alias_arn: str) -> None:
        self._stepfunctions = stepfunctions
        self._alias_arn = alias_arn
        # An execution's ARN names the state machine and not the alias that started it.
        state_machine_arn, _, _alias = alias_arn.rpartition(":")
        self._executions_arn = state_machine_arn.replace(":stateMachine:", ":execution:")

    def start(self, attempt_id: str) -> None:
        """Starts the attempt's execution; a second start changes nothing.

        Raises WorkflowRefusedError if it surely did not start, AwsUnavailableError if nobody can
        tell.
        """
        try:
            self._stepfunctions.start_execution(
                stateMachineArn=self._alias_arn,
                name=attempt_id,
                input=json.dumps({"attempt_id": attempt_id}),
            )
        except AwsUnavailableError as error:
            if error.code == "ExecutionAlreadyExists":
                return
            if error.was_refused:
                raise WorkflowRefusedError from error
            raise

    def is_running(self, attempt_id: str) -> bool:
        """False if its execution ended, however it ended, or never started."""
        try:
            response = self._stepfunctions.describe_execution(
                executionArn=f"{self._executions_arn}:{attempt_id}"
            )
        except AwsUnavailableError as error:
            if error.code == "ExecutionDoesNotExist":
                return False
            raise
        return bool(response["status"] == "RUNNING")

    def complete_challenge(self, task_token: str) -> None:
        """The shopper is back from the challenge. How it went, the acquirer is asked."""
        self._send("send_task_success", taskToken=task_token, output="{}")

    def abandon_challenge(self, task_token: str) -> None:
        """The shopper wants another card instead."""
        self._send("send_task_failure", taskToken=task_token, error="ChallengeAbandoned")

    def _send(self, operation: str, **arguments: str) -> None:
        try:
            getattr(self._stepfunctions, operation)(**arguments)
        except AwsUnavailableError as error:
            if error.code not in _TASK_IS_OVER:
                raise
