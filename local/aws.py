"""AWS in this process: moto holds the stack that CloudFormation would create from the template."""

import copy
import functools
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import boto3
import yaml
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import clean_json
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import DynamoDBBackend
from moto.kms.models import kms_backends
from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from local import REGION, STACK_NAME
from local.functions import Context, Handler, load_handler
from local.template import Template

# What moto can create and something here uses; the gateway reads the API's body itself.
_CREATED = (
    "AWS::ApiGateway::RestApi",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::StepFunctions::StateMachine",
)
_PLACEHOLDER_DEFINITION = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
_dynamodb_lock = threading.RLock()
_Method = TypeVar("_Method", bound=Callable[..., Any])


class LocalAws:
    """The stack on moto. `handlers`: a function's name on AWS -> its real handler."""

    def __init__(self, template: Template, parameters: Mapping[str, str]) -> None:
        self._template = template
        self._mock = mock_aws(
            config={
                "stepfunctions": {"execute_state_machine": True},
                "lambda": {"use_docker": False},
            }
        )
        self._mock.start()
        _make_dynamodb_atomic()
        self._create_stack(parameters)
        self._correct_keys()
        self.environments = self._environments()
        self.handlers = {
            self.resolve({"Ref": name}): load_handler(name, template.paths[name], environment)
            for name, environment in self.environments.items()
        }
        LambdaSimpleBackend.invoke = _invoker(self.handlers)
        self._define_workflows()

    def resolve(self, value: Any) -> Any:
        """A piece of the template with every intrinsic function replaced by its value."""
        return clean_json(copy.deepcopy(value), self._stack.resource_map)

    def serve(self, host: str, port: int) -> BaseWSGIServer:
        """The AWS endpoint, for the AWS CLI, `make key` and containers."""
        server = make_server(
            host,
            port,
            DomainDispatcherApplication(create_backend_app),
            threaded=True,
            request_handler=MotoRequestHandler,
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def stop(self) -> None:
        self._mock.stop()

    @property
    def _stack(self) -> Any:
        return cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION].get_stack(STACK_NAME)

    def _create_stack(self, parameters: Mapping[str, str]) -> None:
        resources = {
            name: _creatable(copy.deepcopy(body))
            for name, body in self._template.resources.items()
            if body["Type"] in _CREATED
        }
        body = {
            "Parameters": self._template.parameters,
            "Conditions": self._template.conditions,
            "Resources": resources,
            "Outputs": self._template.outputs,
        }
        boto3.client("cloudformation").create_stack(
            StackName=STACK_NAME,
            TemplateBody=json.dumps(body),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
        )

    def _correct_keys(self) -> None:
        """Moto takes every key of a stack for a key that encrypts."""
        backend = kms_backends[DEFAULT_ACCOUNT_ID][REGION]
        for name, body in self._template.of_type("AWS::KMS::Key").items():
            key = backend.keys[self.resolve({"Ref": name})]
            key.key_spec = body["Properties"].get("KeySpec", key.key_spec)
            key.key_usage = body["Properties"].get("KeyUsage", key.key_usage)

    def _environments(self) -> dict[str, dict[str, str]]:
        """Each function's variables, by its logical id."""
        return {
            name: {
                key: str(value)
                for key, value in self.resolve(
                    body["Properties"]["Environment"]["Variables"]
                ).items()
            }
            for name, body in self._template.of_type("AWS::Lambda::Function").items()
        }

    def _define_workflows(self) -> None:
        """Creates the workflows where moto executes them, under the names the stack gave them.

        The definition is filled in as CloudFormation does it: in the text, before it is parsed.
        """
        stepfunctions = boto3.client("stepfunctions")
        for name, body in self._template.of_type("AWS::StepFunctions::StateMachine").items():
            text = self._template.paths[name].read_text()
            substitutions = self.resolve(body["Properties"]["DefinitionSubstitutions"])
            for key, value in substitutions.items():
                text = text.replace(f"${{{key}}}", str(value))
            stepfunctions.create_state_machine(
                name=self.resolve({"Ref": name}).rpartition(":")[2],
                definition=json.dumps(yaml.safe_load(text)),
                roleArn=self.resolve(body["Properties"]["RoleArn"]),
            )


def _creatable(resource: dict[str, Any]) -> dict[str, Any]:
    """Without what moto would have to fetch: code, layers, definitions, the API's body."""
    properties = resource["Properties"]
    match resource["Type"]:
        case "AWS::Lambda::Function":
            properties["Code"] = {"ZipFile": "the real handler runs in the local stack"}
            del properties["Layers"]
        case "AWS::StepFunctions::StateMachine":
            del properties["DefinitionS3Location"]
            properties["DefinitionString"] = _PLACEHOLDER_DEFINITION
        case "AWS::ApiGateway::RestApi":
            properties["Name"] = properties.pop("Body")["info"]["title"]
    return resource


def _invoker(handlers: Mapping[str, Handler]) -> Callable[..., bytes]:
    """Lambda's Invoke, as the workflow's tasks call it."""

    def invoke(
        _backend: LambdaSimpleBackend,
        function_name: str,
        _qualifier: str | None,
        body: Any,
        _headers: Any,
        response_headers: dict[str, str],
    ) -> bytes:
        handler = handlers[function_name.rpartition(":")[2]]
        try:
            return json.dumps(handler(json.loads(body or "{}"), Context())).encode()
        except Exception as error:  # noqa: BLE001 - Lambda reports any error to its caller in this shape
            response_headers["x-amz-function-error"] = "Unhandled"
            fault = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return json.dumps(fault).encode()

    return invoke


def _make_dynamodb_atomic() -> None:
    """DynamoDB's writes are atomic; moto's check-then-write is not, under threads."""
    for name in ("put_item", "update_item", "delete_item", "get_item", "query", "scan"):
        method = getattr(DynamoDBBackend, name)
        if not hasattr(method, "__wrapped__"):
            setattr(DynamoDBBackend, name, _locked(method))


def _locked(method: _Method) -> _Method:
    @functools.wraps(method)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with _dynamodb_lock:
            return method(*args, **kwargs)

    return locked  # type: ignore[return-value]
