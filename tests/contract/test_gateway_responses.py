"""What the gateway answers by itself, as the translated template tells it to."""

import json
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from payments.web.texts import LANGUAGES, text
from tests.support.documentation import NOT_FOUND

GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
EXPOSED_HEADERS = {"Link", "X-Request-Id", "Idempotent-Replayed", "Retry-After"}
ALLOWED_HEADERS = {"Authorization", "Content-Type", "Idempotency-Key", "Accept-Language"}
SCHEMA_OF_STATUS = {
    "400": "InvalidRequest",
    "401": "Unauthorized",
    "404": "NotFound",
    "413": "TooLarge",
    "429": "TooManyRequests",
    "500": "InternalError",
    "503": "Unavailable",
    "504": "GatewayTimeout",
}


@pytest.fixture(scope="session")
def responses(gateway: dict[str, Any]) -> dict[str, Any]:
    """Gateway responses by their type."""
    found: dict[str, Any] = gateway[GATEWAY_RESPONSES]
    return found


def test_what_the_gateway_refuses_has_the_status_the_contract_gives_it(
    responses: dict[str, Any],
) -> None:
    statuses = {kind: answer["statusCode"] for kind, answer in responses.items()}

    assert (
        statuses
        | {
            "UNAUTHORIZED": "401",
            "ACCESS_DENIED": "401",
            "AUTHORIZER_FAILURE": "503",
            # What AWS says of an authorizer that raises or is throttled.
            "AUTHORIZER_CONFIGURATION_ERROR": "503",
            # What AWS says of a throttled function.
            "INTEGRATION_FAILURE": "503",
            "INTEGRATION_TIMEOUT": "504",
            "WAF_FILTERED": "429",
            "MISSING_AUTHENTICATION_TOKEN": "404",
            "INVALID_SIGNATURE": "404",
            "RESOURCE_NOT_FOUND": "404",
            "REQUEST_TOO_LARGE": "413",
            "THROTTLED": "429",
            "DEFAULT_4XX": "400",
            "DEFAULT_5XX": "500",
        }
        == statuses
    )


def test_every_gateway_response_has_the_documented_body_of_its_own_status(
    document: dict[str, Any], responses: dict[str, Any]
) -> None:
    faults = {}
    for kind, answer in responses.items():
        (media_type, template), *_ = answer["responseTemplates"].items()
        name = SCHEMA_OF_STATUS[answer["statusCode"]]
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        found = [
            error.message for error in OAS31Validator(schema).iter_errors(json.loads(template))
        ]
        if media_type != "application/json" or found:
            faults[kind] = found

    assert faults == {}


def test_every_gateway_response_names_the_request_and_may_be_read_from_any_origin(
    responses: dict[str, Any],
) -> None:
    for kind, answer in responses.items():
        headers = {
            name.removeprefix("gatewayresponse.header."): value
            for name, value in answer["responseParameters"].items()
        }
        exposed = headers["Access-Control-Expose-Headers"].strip("'")

        assert headers["X-Request-Id"] == "context.requestId", kind
        assert headers["Access-Control-Allow-Origin"] == "'*'", kind
        assert set(exposed.split(", ")) == EXPOSED_HEADERS, kind
        assert headers.get("WWW-Authenticate") == (
            "'Basic'" if answer["statusCode"] == "401" else None
        ), kind


def test_who_may_try_again_is_told_when(responses: dict[str, Any]) -> None:
    told = {
        kind: answer["responseParameters"].get("gatewayresponse.header.Retry-After")
        for kind, answer in responses.items()
        if answer["statusCode"] in ("429", "503", "504")
    }

    assert told.pop("WAF_FILTERED") == "'60'"  # it measures over a minute
    assert len(told) == 5
    assert set(told.values()) == {"'2'"}


def test_a_denied_key_gets_the_authorizers_words_in_every_language_as_valid_json(
    responses: dict[str, Any],
) -> None:
    template = responses["ACCESS_DENIED"]["responseTemplates"]["application/json"]
    for language in LANGUAGES:
        for reason in ("missing", "malformed", "unknown"):
            detail = text(f"auth.{reason}", language)
            filled_in = template.replace("$context.authorizer.detail", detail)

            assert json.loads(filled_in) == {"detail": detail}


def test_preflights_are_answered_by_the_gateway_for_the_merchants_paths_alone_without_a_key(
    gateway: dict[str, Any],
) -> None:
    paths = gateway["paths"]
    mocked = {
        (path, method)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if operation["x-amazon-apigateway-integration"]["type"] == "mock"
    }

    assert mocked == {(path, "options") for path in paths if path.startswith("/v1/")}
    assert [path for path, _ in mocked if "security" in paths[path]["options"]] == []
    assert "security" not in gateway


def test_a_preflight_allows_what_the_merchants_routes_take(gateway: dict[str, Any]) -> None:
    for path, operations in gateway["paths"].items():
        if "options" not in operations:
            continue
        answers = operations["options"]["x-amazon-apigateway-integration"]["responses"]
        headers = {
            name.removeprefix("method.response.header."): value.strip("'")
            for name, value in answers["default"]["responseParameters"].items()
        }
        routed = {method.upper() for method in operations}

        assert headers["Access-Control-Allow-Origin"] == "*", path
        assert set(headers["Access-Control-Allow-Headers"].split(",")) == ALLOWED_HEADERS, path
        assert set(headers["Access-Control-Allow-Methods"].split(",")) >= routed, path
        assert headers["X-Request-Id"] == "context.requestId", path
        assert "Access-Control-Allow-Credentials" not in headers, path


def test_the_documents_404_is_the_one_that_every_unknown_path_and_method_gets(
    document: dict[str, Any],
) -> None:
    """That they get it is tested in tests/functional/test_routes.py."""
    example = document["components"]["responses"]["NotFound"]["content"]["application/json"]

    assert example["example"] == NOT_FOUND
