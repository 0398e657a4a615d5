"""Step Functions in simulated time: it runs the project's own definition, state by state."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from local import PROJECT
from tests.reliability.scheduler import Actor, Crash, Scheduler

DEFINITION = PROJECT / "functions/payment_flow/workflow.asl.yaml"
LAMBDA_TIMEOUT_SECONDS = 29
Invoke = Callable[[str, Mapping[str, Any]], Any]


class TaskError(Exception):
    """An error as Step Functions names it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass
class Execution:
    """One run of the workflow. `tokens`: task token -> the shopper's answer, once there is one.

    `entered`: each state it went into, which is what AWS charges for.
    """

    name: str
    data: dict[str, Any]
    status: str = "RUNNING"
    tokens: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    actor: Actor | None = None
    entered: list[str] = field(default_factory=list)


class SimulatedStepFunctions:
    """`invoke(function, event)` calls a handler; a Crash in it ends that Lambda environment."""

    def __init__(self, scheduler: Scheduler, invoke: Invoke, values: Mapping[str, str]) -> None:
        self._scheduler = scheduler
        self._invoke = invoke
        definition = _definition(tuple(values.items()))
        self._states: dict[str, dict[str, Any]] = definition["States"]
        self._start_at: str = definition["StartAt"]
        self.executions: dict[str, Execution] = {}
        self.seen: list[Any] = []  # every input and output: what the history would keep

    # ------------------------------------------------------------ the API
    def call(self, operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """One API call: status and body, errors included."""
        match operation:
            case "StartExecution":
                return self._start(request["name"], json.loads(request["input"]))
            case "SendTaskSuccess":
                return self._answer(request["taskToken"], {})
            case "SendTaskFailure":
                return self._answer(request["taskToken"], {"Error": request["error"]})
            case "DescribeExecution":
                name = request["executionArn"].rpartition(":")[2]
                if name not in self.executions:
                    return _error("ExecutionDoesNotExist")
                return 200, {"status": self.executions[name].status, "name": name}
            case _:
                raise NotImplementedError(operation)

    def _start(self, name: str, data: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if name in self.executions:
            same = self.executions[name].status == "RUNNING"
            return (200, {}) if same else _error("ExecutionAlreadyExists")
        execution = self.executions[name] = Execution(name, data)
        execution.actor = self._scheduler.spawn(f"workflow {name}", lambda: self._run(execution))
        return 200, {}

    def _answer(self, token: str, answer: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        for execution in self.executions.values():
            if token in execution.tokens:
                if execution.status != "RUNNING" or execution.tokens[token] is not None:
                    return _error("TaskTimedOut")
                execution.tokens[token] = answer
                return 200, {}
        return _error("InvalidToken")

    def abort(self, execution: Execution) -> None:
        """StopExecution: whatever it was doing, no further state is entered."""
        execution.status = "ABORTED"
        if execution.actor:
            self._scheduler.kill(execution.actor)

    # ------------------------------------------------------------ the states
    def _run(self, execution: Execution) -> None:
        name: str | None = self._start_at
        try:
            while name is not None:
                execution.entered.append(name)
                name = self._enter(execution, self._states[name])
        except TaskError:
            execution.status = "FAILED"
        except Crash:
            execution.status = "ABORTED"
        else:
            execution.status = "SUCCEEDED"

    def _enter(self, execution: Execution, state: Mapping[str, Any]) -> str | None:
        if state["Type"] == "Choice":
            for choice in state["Choices"]:
                if _at(execution.data, choice["Variable"]) is choice["BooleanEquals"]:
                    return str(choice["Next"])
            return str(state["Default"])
        try:
            self._put(execution, state, self._try(execution, state))
        except TaskError as error:
            for catcher in state.get("Catch", ()):
                if _matches(catcher["ErrorEquals"], error.name):
                    self._put(execution, catcher, {"Error": error.name, "Cause": ""})
                    return str(catcher["Next"])
            raise
        return None if state.get("End") else str(state["Next"])

    @staticmethod
    def _put(execution: Execution, where: Mapping[str, Any], value: Any) -> None:
        if "ResultPath" in where:
            execution.data = execution.data | {where["ResultPath"].removeprefix("$."): value}
        else:
            execution.data = value

    def _try(self, execution: Execution, state: Mapping[str, Any]) -> Any:
        tried: dict[int, int] = {}
        while True:
            try:
                if "waitForTaskToken" in state["Resource"]:
                    return self._wait_for_token(execution, state)
                return self._task(state["Resource"], execution.data, state["TimeoutSeconds"])
            except TaskError as error:
                retriers = state.get("Retry", ())
                which = next(
                    (n for n, r in enumerate(retriers) if _matches(r["ErrorEquals"], error.name)),
                    None,
                )
                if which is None or tried.get(which, 0) >= retriers[which]["MaxAttempts"]:
                    raise
                wait = retriers[which]["IntervalSeconds"] * 2 ** tried.get(which, 0)
                tried[which] = tried.get(which, 0) + 1
                self._scheduler.wait(self._scheduler.random.uniform(0, wait))

    def _wait_for_token(self, execution: Execution, state: Mapping[str, Any]) -> Any:
        token = uuid.UUID(int=self._scheduler.random.getrandbits(128)).hex
        execution.tokens[token] = None
        payload = {
            name.removesuffix(".$"): token if path == "$$.Task.Token" else _at(execution.data, path)
            for name, path in state["Parameters"]["Payload"].items()
        }
        self._task(state["Parameters"]["FunctionName"], payload, LAMBDA_TIMEOUT_SECONDS)
        self._scheduler.wait(
            state["TimeoutSeconds"], until=lambda: execution.tokens[token] is not None
        )
        answer = execution.tokens[token]
        if answer is None:
            execution.tokens[token] = {}
            raise TaskError("States.Timeout")
        if "Error" in answer:
            raise TaskError(answer["Error"])
        return {}

    def _task(self, function: str, event: Mapping[str, Any], timeout_seconds: int) -> Any:
        """The function runs beside us; a timeout ends our waiting and then the function."""
        data = json.loads(json.dumps(event))
        self.seen.append(data)
        actor = self._scheduler.spawn(f"{function} task", lambda: self._invoke(function, data))
        limit = min(timeout_seconds, LAMBDA_TIMEOUT_SECONDS)
        self._scheduler.wait(limit, until=lambda: actor.is_done)
        if not actor.is_done:
            self._scheduler.kill(actor)
            raise TaskError("States.Timeout")
        if isinstance(actor.error, Crash):
            raise TaskError("Runtime.ExitError")
        if actor.error is not None:
            raise TaskError(type(actor.error).__name__)
        self.seen.append(actor.result)
        return json.loads(json.dumps(actor.result))


@cache
def _definition(values: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The workflow, filled in as CloudFormation does it; a task is named by its function."""
    text = DEFINITION.read_text()
    for name, value in values:
        text = text.replace(f"${{{name}}}", value)
    definition: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+)Arn\}", r"\1", text))
    return definition


def _matches(names: list[str], error: str) -> bool:
    return error in names or "States.ALL" in names


def _at(data: Any, path: str) -> Any:
    for part in path.removeprefix("$.").split("."):
        data = data[part]
    return data


def _error(name: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": name, "message": name}
