"""Makes moto behave as AWS does where the local stack depends on it."""

import functools
import json
from collections.abc import Mapping
from typing import Any

from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local.emulator.functions import Context, Handler, function_name


def invoke_handlers(handlers: Mapping[str, Handler]) -> None:
    """Lambda's Invoke, as the workflow's tasks call it, runs the real handlers."""

    def invoke(
        _backend: LambdaSimpleBackend,
        called: str,
        _qualifier: str | None,
        body: Any,
        _headers: Any,
        response_headers: dict[str, str],
    ) -> bytes:
        handler = handlers[function_name(called)]
        try:
            return json.dumps(handler(json.loads(body or "{}"), Context())).encode()
        except Exception as error:  # noqa: BLE001 - Lambda reports any error to its caller in this shape
            response_headers["x-amz-function-error"] = "Unhandled"
            fault = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return json.dumps(fault).encode()

    LambdaSimpleBackend.invoke = invoke


def start_executions_by_alias() -> None:
    """AWS starts executions by a state machine's alias; moto knows aliases, but starts none.

    An alias here has one version, and that is the state machine as it is.
    """
    method = StepFunctionsParserBackend.start_execution
    if hasattr(method, "__wrapped__"):
        return

    @functools.wraps(method)
    def start(backend: Any, state_machine_arn: str, *args: Any, **kwargs: Any) -> Any:
        for machine in backend.state_machines:
            if state_machine_arn in {alias.arn for alias in machine.aliases.values()}:
                state_machine_arn = machine.arn
        return method(backend, state_machine_arn, *args, **kwargs)

    StepFunctionsParserBackend.start_execution = start
