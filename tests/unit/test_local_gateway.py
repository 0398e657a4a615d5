"""The local gateway answers what breaks behind it by the gateway response that AWS takes for it."""

from collections.abc import Mapping
from typing import Any

from werkzeug.test import Client, TestResponse

from local.emulator.functions import Context
from local.emulator.gateway import Gateway
from local.template import Template

FUNCTION = "arn:aws:apigateway:us-east-1:lambda:path/functions/arn:aws:lambda:us-east-1:1:function:"
ALLOWED = {
    "principalId": "4geeks",
    "context": {},
    "policyDocument": {"Statement": [{"Effect": "Allow", "Resource": ["*"]}]},
}


def _breaks(_event: Mapping[str, Any], _context: Context) -> Any:
    raise RuntimeError("the secret reason")


def _answers(answer: Any) -> Any:
    return lambda _event, _context: answer


def _ask(deployed: Template, authorizer: Any, handler: Any) -> TestResponse:
    """One route behind an authorizer, with the gateway responses of the template."""
    (api,) = deployed.of_type("AWS::ApiGateway::RestApi").values()
    responses = "x-amazon-apigateway-gateway-responses"
    integration = {"type": "aws_proxy", "uri": f"{FUNCTION}handler:live/invocations"}
    route = {"security": [{"Key": []}], "x-amazon-apigateway-integration": integration}
    scheme = {
        "authorizerUri": f"{FUNCTION}authorizer:live/invocations",
        "authorizerResultTtlInSeconds": 0,
        "identitySource": "method.request.header.Authorization",
    }
    definition = {
        "paths": {"/x": {"get": route}},
        "components": {"securitySchemes": {"Key": {"x-amazon-apigateway-authorizer": scheme}}},
        responses: api["Properties"]["Body"][responses],
    }
    gateway = Gateway(definition, {"authorizer": authorizer, "handler": handler}, "dev", "")
    return Client(gateway).get("/x", headers={"Authorization": "Basic eDo="})


def test_an_authorizer_that_raises_is_a_503_that_says_when_to_come_back(
    deployed: Template,
) -> None:
    answer = _ask(deployed, _breaks, _answers(None))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json is not None
    assert answer.json["title"] == "Service unavailable"
    assert "secret" not in answer.text


def test_a_handler_that_raises_is_a_500_that_tells_nothing(deployed: Template) -> None:
    answer = _ask(deployed, _answers(ALLOWED), _breaks)
    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["title"] == "Internal error"
    assert "secret" not in answer.text
