"""Contract, section 6: which bodies are read, as JSON and as a form, and which are refused."""

import base64
import json
from typing import Any

import pytest

from payments import errors
from payments.web.http import MAX_BODY_BYTES, Request
from tests.support.actors import order
from tests.support.bodies import MALFORMED, nested
from tests.support.events import load_event

FORM = "application/x-www-form-urlencoded"


def request(body: bytes, media_type: str | None = "application/json") -> Request:
    """The body as API Gateway hands it over: as text, whatever bytes came."""
    event = load_event("create_payment")
    headers = {} if media_type is None else {"Content-Type": media_type}
    return Request(event | {"headers": headers, "body": body.decode("utf-8", "replace")})


# ------------------------------------------------------------------------------ JSON


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(errors.MalformedBodyError):
        request(body).json()


def test_no_depth_is_too_much_for_a_clean_answer() -> None:
    """The reader gives up at some depth, and then as it does of any malformed body."""
    outcomes = set()
    for depth in range(1, 30_000, 250):
        try:
            request(nested(depth)).json()
            outcomes.add("read")
        except errors.MalformedBodyError:
            outcomes.add("malformed")
    assert outcomes == {"read", "malformed"}


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        *("application/json", "APPLICATION/JSON", "application/json ", "application/json;"),
        *("application/json; charset=utf-8", "application/json;charset=x; boundary="),
    ],
)
def test_json_is_read_however_its_type_is_spelled(media_type: str | None) -> None:
    assert request(json.dumps(order()).encode(), media_type).json() == order()


@pytest.mark.parametrize(
    "media_type",
    [
        *("text/plain", "text/html", "application/xml", FORM, "application/octet-stream"),
        *("multipart/form-data; boundary=x", "application/jsonp", "text/json", "nonsense"),
        *("application/problem+json", "*/*", "json"),
    ],
)
def test_what_is_not_said_to_be_json_is_not_read_as_it(media_type: str) -> None:
    with pytest.raises(errors.UnsupportedMediaTypeError):
        request(json.dumps(order()).encode(), media_type).json()


def test_a_body_of_64_kib_is_read_and_one_byte_more_is_not() -> None:
    body = json.dumps(order()).encode().ljust(MAX_BODY_BYTES)
    assert MAX_BODY_BYTES == 64 * 1024
    assert request(body).json() == order()
    with pytest.raises(errors.BodyTooLargeError):
        request(body + b" ").json()


def test_a_body_is_measured_in_bytes() -> None:
    body = json.dumps({"x": "😀" * (MAX_BODY_BYTES // 4)}, ensure_ascii=False).encode()
    with pytest.raises(errors.BodyTooLargeError):
        request(body).json()


def test_a_body_that_the_gateway_encoded_is_decoded() -> None:
    encoded = base64.b64encode(json.dumps(order()).encode()).decode()
    event = load_event("create_payment") | {"body": encoded, "isBase64Encoded": True}
    assert Request(event).json() == order()


@pytest.mark.parametrize("body", ["%%%", "a", "é"])
def test_a_body_that_is_no_base64_though_the_gateway_says_so_is_malformed(body: str) -> None:
    event = load_event("create_payment") | {"body": body, "isBase64Encoded": True}
    with pytest.raises(errors.MalformedBodyError):
        Request(event).json()


# ------------------------------------------------------------------------------ forms


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", {}),
        (b"&&&", {}),
        (b"=", {"": ""}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a=%E2%82%AC+x", {"a": "€ x"}),
    ],
)
def test_of_a_form_every_field_is_read_and_of_a_repeated_one_the_last(
    body: bytes, fields: dict[str, Any]
) -> None:
    assert request(body, FORM).form() == fields


@pytest.mark.parametrize(
    "body",
    [b"a=%ff", b"%FF=%FF", b"a=%ff%fe", b"client_secret=%ED%A0%80", b"a=b&" * 1000],
    ids=lambda body: repr(body)[:30],
)
def test_a_form_that_is_no_text_or_has_too_many_fields_is_malformed(body: bytes) -> None:
    with pytest.raises(errors.MalformedBodyError):
        request(body, FORM).form()


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "multipart/form-data"])
def test_what_is_not_said_to_be_a_form_is_not_read_as_one(media_type: str) -> None:
    with pytest.raises(errors.UnsupportedMediaTypeError):
        request(b"a=1", media_type).form()
