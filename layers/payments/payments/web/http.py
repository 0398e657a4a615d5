"""API Gateway's proxy events as requests, and our responses in the shape it expects."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from payments import errors
from payments.model.ids import Account, Mode
from payments.model.merchant import Merchant
from payments.web.texts import negotiate

MAX_BODY_BYTES = 64 * 1024
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Link, X-Request-Id, Idempotent-Replayed, Retry-After",
}
# What API Gateway's test console sends as the caller's address.
_TEST_CONSOLE = "test-invoke-source-ip"
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who the authorizer says is asking."""

    merchant: Merchant
    mode: Mode

    @property
    def account(self) -> Account:
        return Account(self.merchant.id, self.mode)


class Request:
    """One request as API Gateway hands it over. Header names are lower-cased."""

    def __init__(self, event: Event, public_base_url: str = "") -> None:
        self._event = event
        self._context = event["requestContext"]
        self._public_base_url = public_base_url.rstrip("/")
        self.method: str = event["httpMethod"]
        self.resource: str = event["resource"]
        self.path_parameters: Mapping[str, str] = event.get("pathParameters") or {}
        self.query: Mapping[str, str] = event.get("queryStringParameters") or {}
        self.headers: Mapping[str, str] = {
            name.lower(): value for name, value in (event["headers"] or {}).items()
        }
        self.request_id: str = self._context["requestId"]
        self.language = negotiate(self.headers.get("accept-language"))

    @property
    def prefix(self) -> str:
        """What stands before our routes in the browser's address: the stage, or a base path."""
        path = str(self._context["path"]).rstrip("/")
        own_segments = self.resource.strip("/").count("/") + 1
        return "/".join(path.split("/")[:-own_segments])

    @property
    def base_url(self) -> str:
        """Where links that leave the page begin (contract, section 1)."""
        return self._public_base_url or f"https://{self._context['domainName']}{self.prefix}"

    @property
    def source_ip(self) -> str:
        """The gateway's word, never a header's; "" from its test console, which has no address."""
        address: str = self._context["identity"]["sourceIp"]
        return "" if address == _TEST_CONSOLE else address

    @property
    def caller(self) -> Caller:
        """Raises AuthenticationError unless the authorizer names merchant and mode."""
        context = self._context.get("authorizer") or {}
        try:
            return Caller(Merchant(**json.loads(context["merchant"])), Mode(context["mode"]))
        except (KeyError, TypeError, ValueError):
            raise errors.AuthenticationError("missing") from None

    @property
    def body(self) -> bytes:
        """The raw body. Raises BodyTooLargeError above 64 KiB."""
        text_body: str = self._event.get("body") or ""
        try:
            raw = (
                base64.b64decode(text_body, validate=True)
                if self._event.get("isBase64Encoded")
                else text_body.encode("utf-8", "surrogatepass")
            )
        except ValueError:
            raise errors.MalformedBodyError from None
        if len(raw) > MAX_BODY_BYTES:
            raise errors.BodyTooLargeError
        return raw

    @property
    def media_type(self) -> str:
        """Without parameters, lower-cased; "" if the caller does not say."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises UnsupportedMediaTypeError, MalformedBodyError."""
        body = self.body
        if self.media_type not in ("", "application/json"):
            raise errors.UnsupportedMediaTypeError
        try:
            parsed = json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise errors.MalformedBodyError from None
        if not isinstance(parsed, dict):
            raise errors.MalformedBodyError
        return parsed

    def json_or_empty(self) -> dict[str, Any]:
        """The same, where a body is optional: no body at all is an empty object."""
        return self.json() if self.body.strip() else {}

    def form(self) -> dict[str, str]:
        """The body of a form post; of a repeated field the last one counts."""
        if self.media_type != "application/x-www-form-urlencoded":
            raise errors.UnsupportedMediaTypeError
        try:
            pairs = parse_qsl(
                self.body.decode(), keep_blank_values=True, max_num_fields=50, errors="strict"
            )
        except ValueError:
            raise errors.MalformedBodyError from None
        return dict(pairs)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True, slots=True)
class Response:
    """`body` is text. Every response gets an X-Request-Id."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_gateway(self, request_id: str) -> dict[str, Any]:
        return {
            "statusCode": self.status,
            "headers": {**self.headers, "X-Request-Id": request_id},
            "body": self.body,
            "isBase64Encoded": False,
        }


def to_json(value: object) -> str:
    """Decimals are written digit by digit: the standard encoder knows floats only."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:  # a decimal is somewhere in it
        if isinstance(value, Decimal):
            return f"{value:f}"
    if isinstance(value, Mapping):
        members = (f"{json.dumps(name)}: {to_json(member)}" for name, member in value.items())
        return f"{{{', '.join(members)}}}"
    assert isinstance(value, list)
    return f"[{', '.join(map(to_json, value))}]"


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        status,
        to_json(body),
        {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})},
    )
