"""API Gateway on this machine: it honours what the translated template says of the REST API.

Routes, authorizer and its cache, authorizer context, gateway responses, mock preflights, limits,
header renaming and the stage prefix; so what passes here is what the deployed gateway lets pass.
"""

import base64
import json
import logging
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from werkzeug.exceptions import NotFound, RequestEntityTooLarge
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from local.emulator.authorizer import Authorizer, RefusedError
from local.emulator.functions import Context, Handler, function_name
from local.emulator.request_line import request_line

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_URL_LENGTH = 8192
_LOG = logging.getLogger("local.emulator.gateway")
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_CONTEXT_VARIABLE = re.compile(r"\$context\.([\w.]+)")
_REMAPPED_HEADERS = frozenset(
    {
        "authorization",
        "connection",
        "content-md5",
        "date",
        "host",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "www-authenticate",
    }
)
_DEFAULT_STATUS = {
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "REQUEST_TOO_LARGE": 413,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "DEFAULT_5XX": 502,
}


@dataclass
class _Exchange:
    """One request on its way through the gateway."""

    request: Request
    path: str
    stage_path: str
    resource: str = ""
    path_parameters: dict[str, str] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    authorizer: Mapping[str, Any] = field(default_factory=dict)


class Gateway:
    """A WSGI application in front of the handlers. `stage_prefix` is "" or like "/prod"."""

    def __init__(
        self,
        definition: Mapping[str, Any],
        functions: Mapping[str, Handler],
        stage: str,
        stage_prefix: str,
    ) -> None:
        self._paths = definition["paths"]
        self._responses = definition["x-amazon-apigateway-gateway-responses"]
        self._functions = functions
        self._stage = stage
        self._stage_prefix = stage_prefix
        self._routes = Map(
            [
                Rule(_PATH_PARAMETER.sub(r"<\1>", path), endpoint=path, strict_slashes=False)
                for path in self._paths
            ],
            merge_slashes=False,
        ).bind("gateway")
        self._authorizers = {
            name: Authorizer(
                scheme["x-amazon-apigateway-authorizer"],
                self._function(scheme["x-amazon-apigateway-authorizer"]["authorizerUri"]),
            )
            for name, scheme in definition["components"]["securitySchemes"].items()
        }

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        started = time.perf_counter()
        request = Request(environ)
        request.max_content_length = MAX_BODY_BYTES
        stage_path = _path(environ)
        path = stage_path.removeprefix(self._stage_prefix)
        exchange = _Exchange(request, path, stage_path)
        response = self._answer(exchange)
        millis = (time.perf_counter() - started) * 1000
        parameters = exchange.path_parameters if exchange.resource else None
        _LOG.info("%s", request_line(request, stage_path, parameters, response, millis))
        return response(environ, start_response)

    def _answer(self, exchange: _Exchange) -> Response:
        request = exchange.request
        if len(request.full_path) > MAX_URL_LENGTH:
            return _too_long(exchange)
        try:
            if not exchange.stage_path.startswith(f"{self._stage_prefix}/"):
                raise RefusedError("MISSING_AUTHENTICATION_TOKEN")
            return self._route(exchange)
        except RefusedError as refused:
            exchange.authorizer = refused.authorizer
            return self._gateway_response(refused.response_type, exchange)
        except RequestEntityTooLarge:
            return self._gateway_response("REQUEST_TOO_LARGE", exchange)

    def _route(self, exchange: _Exchange) -> Response:
        try:
            if exchange.path.startswith("//"):  # werkzeug would take it for a single slash
                raise NotFound
            resource, parameters = self._routes.match(exchange.path, method="GET")
        except NotFound:
            raise RefusedError("MISSING_AUTHENTICATION_TOKEN") from None
        operation = self._paths[resource].get(exchange.request.method.lower())
        if operation is None:
            raise RefusedError("MISSING_AUTHENTICATION_TOKEN")
        exchange.resource, exchange.path_parameters = resource, dict(parameters)
        integration = operation["x-amazon-apigateway-integration"]
        if integration["type"] == "mock":
            return _mock_response(integration, exchange)
        for requirement in operation.get("security", []):
            for name in requirement.keys() & self._authorizers.keys():
                exchange.authorizer = self._authorizers[name].context(
                    self._authorizer_event(exchange), exchange.request.headers
                )
        return self._invoke(self._function(integration["uri"]), exchange)

    def _function(self, uri: str) -> Handler:
        return self._functions[function_name(uri)]

    def _invoke(self, handler: Handler, exchange: _Exchange) -> Response:
        event = self._event(exchange)
        try:
            answer = handler(event, Context())
        except Exception:  # noqa: BLE001 - whatever broke in a handler, the gateway says the same
            _LOG.exception("a handler failed")
            return self._gateway_response("DEFAULT_5XX", exchange)
        body = answer["body"]
        raw = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
        headers = {
            f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED_HEADERS else name: value
            for name, value in answer["headers"].items()
        }
        return Response(raw, answer["statusCode"], headers)

    def _event(self, exchange: _Exchange) -> dict[str, Any]:
        """The proxy event: `path` keeps its trailing slash, `requestContext.path` has the stage."""
        request = exchange.request
        body = request.get_data()
        multi_query = {name: request.args.getlist(name) for name in request.args}
        multi_headers = {name: request.headers.getlist(name) for name, _ in request.headers}
        return {
            "resource": exchange.resource,
            "path": exchange.path,
            "httpMethod": request.method,
            "headers": {name: values[-1] for name, values in multi_headers.items()},
            "multiValueHeaders": multi_headers,
            "queryStringParameters": {name: values[-1] for name, values in multi_query.items()}
            or None,
            "multiValueQueryStringParameters": multi_query or None,
            "pathParameters": exchange.path_parameters or None,
            "stageVariables": None,
            "requestContext": self._request_context(exchange),
            "body": body.decode("utf-8", "replace") if body else None,
            "isBase64Encoded": False,
        }

    def _request_context(self, exchange: _Exchange) -> dict[str, Any]:
        request = exchange.request
        return {
            "requestId": exchange.request_id,
            "apiId": "local",
            "stage": self._stage,
            "resourcePath": exchange.resource,
            "httpMethod": request.method,
            "path": exchange.stage_path,
            "protocol": request.environ.get("SERVER_PROTOCOL"),
            "domainName": request.host,
            "identity": {
                "sourceIp": request.remote_addr,
                "userAgent": request.headers.get("User-Agent"),
            },
            "requestTimeEpoch": time.time_ns() // 1_000_000,
            **({"authorizer": exchange.authorizer} if exchange.authorizer else {}),
        }

    def _authorizer_event(self, exchange: _Exchange) -> dict[str, Any]:
        request = exchange.request
        arn = "arn:aws:execute-api:us-east-1:123456789012:local"
        return {
            "type": "REQUEST",
            "methodArn": f"{arn}/{self._stage}/{request.method}{exchange.path}",
            "resource": exchange.resource,
            "path": exchange.path,
            "httpMethod": request.method,
            "headers": dict(request.headers),
            "queryStringParameters": request.args.to_dict(),
            "pathParameters": exchange.path_parameters,
            "requestContext": self._request_context(exchange),
        }

    def _gateway_response(self, response_type: str, exchange: _Exchange) -> Response:
        default_status = _DEFAULT_STATUS[response_type]
        family = "DEFAULT_4XX" if default_status < 500 else "DEFAULT_5XX"
        definition = self._responses.get(response_type) or self._responses[family]
        variables = {
            "requestId": exchange.request_id,
            **{f"authorizer.{name}": str(value) for name, value in exchange.authorizer.items()},
        }
        body = _CONTEXT_VARIABLE.sub(
            lambda match: variables.get(match[1], ""),
            definition["responseTemplates"]["application/json"],
        )
        headers = {
            name.removeprefix("gatewayresponse.header."): _mapped(value, variables)
            for name, value in definition.get("responseParameters", {}).items()
        }
        status = int(definition.get("statusCode", default_status))
        return Response(body, status, headers, content_type="application/json")


def _path(environ: Mapping[str, Any]) -> str:
    """The path as it was sent, decoded, in which an encoded slash still separates nothing."""
    sent = environ["REQUEST_URI"].partition("?")[0].partition("#")[0]
    if not sent.startswith("/"):  # a whole address, as it is sent to a proxy
        sent = urlsplit(sent).path
    return "/".join(unquote(part).replace("/", "%2F") for part in sent.split("/"))


def _too_long(exchange: _Exchange) -> Response:
    """AWS answers this at its edge, in words of its own; here it is at least our shape."""
    body = {
        "code": 414,
        "title": "Address too long",
        "content": f"An address may have at most {MAX_URL_LENGTH} characters.",
        "type": "danger",
    }
    headers = {"X-Request-Id": exchange.request_id}
    return Response(json.dumps(body), 414, headers, content_type="application/json")


def _mock_response(integration: Mapping[str, Any], exchange: _Exchange) -> Response:
    """A mock integration's default response: preflights."""
    status = json.loads(integration["requestTemplates"]["application/json"])["statusCode"]
    mapped = integration["responses"]["default"]["responseParameters"]
    headers = {
        name.removeprefix("method.response.header."): _mapped(
            value, {"requestId": exchange.request_id}
        )
        for name, value in mapped.items()
    }
    return Response("", status, headers)


def _mapped(value: str, variables: Mapping[str, str]) -> str:
    """A parameter mapping: a 'literal' in quotes, or context.variable."""
    if value.startswith("'"):
        return value.strip("'")
    return variables[value.removeprefix("context.")]
