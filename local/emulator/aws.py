"""AWS in this process: moto holds the stack that CloudFormation would create from the template."""

import json
import socket
import threading
from collections.abc import Mapping
from typing import Any

import boto3
import yaml
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import clean_json
from moto.core import DEFAULT_ACCOUNT_ID
from moto.kms.models import kms_backends
from moto.moto_server.werkzeug_app import MotoRequestHandler
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import LISTEN_QUEUE, BaseWSGIServer, make_server

from local import REGION, STACK_NAME
from local.emulator import dynamodb, moto_behaviour
from local.emulator.calls import Note, called_by, calling, watch
from local.emulator.functions import Handler, load_handler
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
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
)
# Neither these nor layers are created here. An alias's ARN follows from what it is an alias of.
_ALIASES = {
    "AWS::Lambda::Alias": "${%s.Arn}:%s",
    "AWS::StepFunctions::StateMachineAlias": "${%s}:%s",
}
_PLACEHOLDER_DEFINITION = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})


class LocalAws:
    """The stack on moto. `handlers`: a function's name on AWS -> its real handler.

    `note` is told of every AWS call the functions make.
    """

    def __init__(
        self, template: Template, parameters: Mapping[str, str], note: Note | None = None
    ) -> None:
        self._template = template
        self._mock = mock_aws(
            config={
                "stepfunctions": {"execute_state_machine": True},
                "lambda": {"use_docker": False},
            }
        )
        self._mock.start()
        dynamodb.improve()
        moto_behaviour.start_executions_by_alias()
        self._arns = _unmade_arns(template)
        self._create_stack(parameters)
        self._back_up_tables()
        self._correct_keys()
        self.environments = self._environments()
        if note:
            boto3.setup_default_session()
            watch(boto3.DEFAULT_SESSION, self.logical_ids(), note)
        self.handlers = {
            self.resolve({"Ref": name}): self._load(name, environment)
            for name, environment in self.environments.items()
        }
        moto_behaviour.invoke_handlers(self.handlers)
        self._define_workflows()

    def resolve(self, value: Any) -> Any:
        """A piece of the template with every intrinsic function replaced by its value."""
        return clean_json(_replaced(value, self._arns), self._stack.resource_map)

    def logical_ids(self) -> dict[str, str]:
        """What was created: name on AWS -> logical id in the template."""
        created = {name: self._stack.resource_map[name] for name in self._stack.resource_map}
        return {
            resource.physical_resource_id.rpartition(":")[2]: name
            for name, resource in created.items()
            if resource is not None
        }

    def serve(self, host: str, port: int) -> BaseWSGIServer:
        """The AWS endpoint, for the AWS CLI, `make key` and containers. Raises OSError."""
        # werkzeug would end the process if it could not listen there.
        with socket.create_server((host, port), backlog=LISTEN_QUEUE) as listening:
            server = make_server(
                host,
                port,
                DomainDispatcherApplication(create_backend_app),
                threaded=True,
                request_handler=MotoRequestHandler,
                fd=listening.fileno(),
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
            name: _creatable(name, _replaced(body, self._arns))
            for name, body in self._template.resources.items()
            if body["Type"] in _CREATED
        }
        nested = self._template.of_type("AWS::CloudFormation::Stack")
        body = {
            "Parameters": self._template.parameters,
            "Conditions": self._template.conditions,
            "Resources": resources,
            "Outputs": {
                name: output
                for name, output in self._template.outputs.items()
                if output["Value"].get("Fn::GetAtt", [""])[0] not in nested
            },
        }
        boto3.client("cloudformation").create_stack(
            StackName=STACK_NAME,
            TemplateBody=json.dumps(body),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
        )

    def _back_up_tables(self) -> None:
        """moto overlooks this property when it creates a table."""
        client = boto3.client("dynamodb")
        for name, body in self._template.of_type("AWS::DynamoDB::Table").items():
            if backed_up := body["Properties"].get("PointInTimeRecoverySpecification"):
                client.update_continuous_backups(
                    TableName=self.resolve({"Ref": name}),
                    PointInTimeRecoverySpecification=self.resolve(backed_up),
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

    def _load(self, name: str, environment: Mapping[str, str]) -> Handler:
        """What a function asks while it is built is its own call too."""
        with called_by(name):
            return calling(name, load_handler(name, self._template.paths[name], environment))

    def _define_workflows(self) -> None:
        """Creates the workflows where moto executes them, under the names the stack gave them.

        The definition is filled in as CloudFormation does it: in the text, before it is parsed.
        """
        stepfunctions = boto3.client("stepfunctions")
        aliases = self._template.of_type("AWS::StepFunctions::StateMachineAlias").values()
        names = {_aliased(body, self._template): body["Properties"]["Name"] for body in aliases}
        for name, body in self._template.of_type("AWS::StepFunctions::StateMachine").items():
            text = self._template.paths[name].read_text()
            substitutions = self.resolve(body["Properties"]["DefinitionSubstitutions"])
            for key, value in substitutions.items():
                text = text.replace(f"${{{key}}}", str(value))
            created = stepfunctions.create_state_machine(
                name=self.resolve({"Ref": name}).rpartition(":")[2],
                definition=json.dumps(yaml.safe_load(text)),
                roleArn=self.resolve(body["Properties"]["RoleArn"]),
                publish=True,
            )
            stepfunctions.create_state_machine_alias(
                name=names[name],
                routingConfiguration=[
                    {"stateMachineVersionArn": created["stateMachineVersionArn"], "weight": 100}
                ],
            )


def _unmade_arns(template: Template) -> dict[str, str]:
    """The ARN of each alias and layer, by its logical id, as Fn::Sub takes it."""
    layers = template.of_type("AWS::Lambda::LayerVersion")
    return {name: f"arn:aws:lambda:us-east-1:123456789012:layer:{name}:1" for name in layers} | {
        alias: form % (_aliased(body, template), body["Properties"]["Name"])
        for kind, form in _ALIASES.items()
        for alias, body in template.of_type(kind).items()
    }


def _aliased(alias: Mapping[str, Any], template: Template) -> str:
    """The logical id of the function or state machine behind an alias."""
    properties = alias["Properties"]
    if alias["Type"] == "AWS::Lambda::Alias":
        return str(properties["FunctionName"]["Ref"])
    version = properties["DeploymentPreference"]["StateMachineVersionArn"]["Ref"]
    return str(template.resources[version]["Properties"]["StateMachineArn"]["Ref"])


def _replaced(value: Any, arns: Mapping[str, str]) -> Any:
    """A copy in which references to what is not created have become its ARNs."""
    match value:
        case {"Ref": str(name)} if name in arns:
            return {"Fn::Sub": arns[name]}
        case {"Fn::Sub": str(text)}:
            for name, arn in arns.items():
                text = text.replace(f"${{{name}}}", arn)
            return {"Fn::Sub": text}
        case dict():
            return {key: _replaced(inner, arns) for key, inner in value.items()}
        case list():
            return [_replaced(inner, arns) for inner in value]
    return value


def _creatable(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    """Without what moto would have to fetch: code, layers, definitions, the API's body.

    A table is called by its logical id, for that is what `sam local` takes a reference to it for.
    """
    properties = resource.setdefault("Properties", {})
    match resource["Type"]:
        case "AWS::DynamoDB::Table":
            properties["TableName"] = name
        case "AWS::Lambda::Function":
            properties["Code"] = {"ZipFile": "the real handler runs in the local stack"}
            del properties["Layers"]
        case "AWS::StepFunctions::StateMachine":
            del properties["DefinitionS3Location"]
            properties["DefinitionString"] = _PLACEHOLDER_DEFINITION
        case "AWS::ApiGateway::RestApi":
            properties["Name"] = properties.pop("Body")["info"]["title"]
    return resource
