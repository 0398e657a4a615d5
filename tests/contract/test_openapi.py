"""openapi.yaml tells the truth: about the routes, and about what really goes in and comes out."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from local.template import Template
from payments.acquirers.simulator.wallet_sheets import apple_token, google_token
from payments.model.declines import DECLINE_CODES, shown_to_shopper
from payments.model.ids import Mode
from payments.model.lifecycle import REFUSAL_REASONS, Status
from payments.risk.rules import RULES
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
    order,
)
from tests.support.stack import PROJECT, Stack
from tests.support.text_keys import conflict_reasons

UNKNOWN_ID = "pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"
UNKNOWN_CHALLENGE = f"ch_test_nobody_{UNKNOWN_ID[4:]}_0123456789abcdef_{'0' * 32}"
Documented = Callable[[requests.Response], list[str]]


class _Request(RequestsOpenAPIRequest):
    """Paths are documented without the trailing slash, and answer the same with it."""

    @property
    def path(self) -> str:
        return super().path.rstrip("/")


def _text(body: bytes, **_parameters: str) -> str:
    return body.decode("utf-8")


@pytest.fixture(scope="session")
def openapi(stack: Stack, document: dict[str, Any]) -> OpenAPI:
    """The document, as if it had been written for the running stack."""
    files = ("text/css", "text/javascript", "image/svg+xml")
    config = Config(extra_media_type_deserializers=dict.fromkeys(files, _text))
    return OpenAPI.from_dict(document | {"servers": [{"url": stack.url}]}, config=config)


@pytest.fixture
def deviations(openapi: OpenAPI) -> Documented:
    """How an answer differs from the document; nothing if it does not."""

    def find(answer: requests.Response) -> list[str]:
        request, response = _Request(answer.request), RequestsOpenAPIResponse(answer)
        found = openapi.iter_apicall_response_errors(request, response)
        return [f"{type(error).__name__}: {error}"[:1000] for error in found]

    return find


@pytest.fixture
def watched(shop: Shop, shopper: Shopper, deviations: Documented) -> Iterator[None]:
    """Checks each later answer of shop and shopper against the document."""

    def check(answer: requests.Response, **_options: Any) -> None:
        request = answer.request
        found = deviations(answer)
        assert not found, (request.method, request.url, answer.status_code, found)

    for session in (shop.session, shopper.session):
        session.hooks["response"].append(check)
    yield
    for session in (shop.session, shopper.session):
        session.hooks["response"].clear()


def _operations(paths: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in paths.items():
        for method, operation in operations.items():
            if method != "parameters":
                yield path, method, operation


# -------------------------------------------------------------------------- the document itself
def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_it_describes_exactly_the_routes_of_the_template(
    document: dict[str, Any], gateway: dict[str, Any]
) -> None:
    described = {(path, method) for path, method, _ in _operations(document["paths"])}
    deployed = {(path, method) for path, method, _ in _operations(gateway["paths"])}

    assert described == deployed


def test_it_asks_for_a_key_exactly_where_the_gateway_asks_the_authorizer(
    document: dict[str, Any], gateway: dict[str, Any]
) -> None:
    (authorizer,) = gateway["components"]["securitySchemes"]
    described = {
        (path, method): {(): False, ("ApiKey",): True}[
            tuple(name for scheme in operation["security"] for name in scheme)
        ]
        for path, method, operation in _operations(document["paths"])
    }
    deployed = {
        (path, method): any(authorizer in needed for needed in operation.get("security", []))
        for path, method, operation in _operations(gateway["paths"])
    }

    assert described == deployed
    assert {path for (path, _), is_keyed in deployed.items() if is_keyed} == {
        "/v1/payments",
        "/v1/payments/internal",
        "/v1/payments/{id}",
    }


def test_every_example_is_what_its_schema_allows(document: dict[str, Any]) -> None:
    shown = list(_examples(document))
    wrong = [
        (value, error.message)
        for schema, value in shown
        for error in OAS31Validator(schema | {"components": document["components"]}).iter_errors(
            value
        )
    ]

    assert len(shown) >= 80
    assert wrong == []


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of the document."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _nodes(child)


def _examples(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every (schema, example) of media types, parameters, headers and schemas."""
    for node in _nodes(document):
        schema = node.get("schema", node)
        if "example" in node:
            yield schema, node["example"]
        yield from ((schema, shown["value"]) for shown in node.get("examples", {}).values())


# -------------------------------------------------------------------------- what generators need
def _answers(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every (response, media type, what is said of it)."""
    for name, response in document["components"]["responses"].items():
        for media_type, content in response.get("content", {}).items():
            yield name, media_type, content


def test_every_operation_has_a_summary_and_answers_that_are_components_if_they_have_a_body(
    document: dict[str, Any],
) -> None:
    for path, method, operation in _operations(document["paths"]):
        assert operation["summary"], (path, method)
        for status, response in operation["responses"].items():
            assert set(response) in ({"$ref"}, {"description"}), (path, method, status)


def test_every_answer_has_a_named_schema_and_an_example(document: dict[str, Any]) -> None:
    answers = list(_answers(document))

    assert len(answers) >= 30
    for name, media_type, content in answers:
        assert set(content["schema"]) == {"$ref"}, (name, media_type)
        assert "example" in content or content["examples"], (name, media_type)


def test_every_parameter_header_and_request_body_has_an_example(document: dict[str, Any]) -> None:
    components = document["components"]
    inline = [
        parameter
        for node in _nodes(document["paths"])
        for parameter in node.get("parameters", [])
        if "$ref" not in parameter
    ]
    bodies = [
        content
        for _, _, operation in _operations(document["paths"])
        for content in operation.get("requestBody", {"content": {}})["content"].values()
    ]
    described = [*components["parameters"].values(), *components["headers"].values(), *inline]

    assert [one for one in described if "example" not in one] == []
    assert [one for one in described if not one["description"]] == []
    assert [one for one in bodies if "example" not in one and not one["examples"]] == []


def test_schemas_are_flat_and_every_enum_and_const_has_a_type(document: dict[str, Any]) -> None:
    """Generators lose what stands beside `allOf` or `$ref`, and guess where there is no type."""
    nodes = list(_nodes(document))

    assert [node for node in nodes if "allOf" in node or "unevaluatedProperties" in node] == []
    assert [node for node in nodes if "$ref" in node and len(node) > 1] == []
    assert [node for node in nodes if "const" in node and "type" not in node] == []
    # A server's variable has an enum and no type: its values are text.
    servers = [one for server in document["servers"] for one in _nodes(server)]
    untyped = [node for node in nodes if "enum" in node and "type" not in node]
    assert [node for node in untyped if node not in servers] == []


def test_every_object_that_is_answered_is_closed(document: dict[str, Any]) -> None:
    """Otherwise the tests below would not see a key that is not documented."""
    schemas = document["components"]["schemas"]
    names = {content["schema"]["$ref"] for _, _, content in _answers(document)}
    seen: set[str] = set()
    while names - seen:
        seen |= names
        reached = (schemas[name.rpartition("/")[2]] for name in seen)
        names |= {node["$ref"] for schema in reached for node in _nodes(schema) if "$ref" in node}
    objects = {
        name: node
        for name in seen
        for node in _nodes(schemas[name.rpartition("/")[2]])
        if node.get("type") == "object"
    }

    assert len(objects) >= 20
    assert [name for name, node in objects.items() if "additionalProperties" not in node] == []


def test_it_names_its_licence_and_the_servers_that_can_be_asked(
    document: dict[str, Any], deployed: Template
) -> None:
    on_aws, local = document["servers"][0], document["servers"][-1]
    stages = on_aws["variables"]["stage"]["enum"]

    assert document["info"]["license"] == {"name": "MIT", "identifier": "MIT"}
    assert on_aws["url"] == "https://{host}/{stage}"
    assert on_aws["variables"]["host"]["default"]
    assert stages == deployed.parameters["Environment"]["AllowedValues"]
    assert local["url"] == "http://127.0.0.1:8000"


# -------------------------------------------------------------------------- what has a fixed set
def _enum(document: dict[str, Any], name: str, *path: str) -> list[str]:
    node = document["components"]["schemas"][name]
    for step in path:
        node = node["properties"][step]
    values: list[str] = node["enum"]
    return values


def _catalogue() -> dict[str, str]:
    """The English texts: the only place that has every code."""
    (path,) = PROJECT.glob("layers/**/locales/en.json")
    texts: dict[str, str] = json.loads(path.read_text("utf-8"))
    return texts


def test_the_document_knows_every_code_of_a_field_error(document: dict[str, Any]) -> None:
    codes = [key.removeprefix("field.") for key in _catalogue() if key.startswith("field.")]

    assert _enum(document, "FieldErrorCode") == codes


def test_the_document_knows_every_reason_of_a_conflict(document: dict[str, Any]) -> None:
    not_payable = _enum(document, "NotPayable", "reason")
    of_the_key = _enum(document, "IdempotencyConflict", "reason")

    assert set(not_payable) == set(REFUSAL_REASONS.values())
    assert {*not_payable, *of_the_key} == conflict_reasons()


def test_the_document_knows_every_decline_code_and_those_that_a_shopper_may_see(
    document: dict[str, Any],
) -> None:
    shown = dict.fromkeys(map(shown_to_shopper, DECLINE_CODES))

    assert tuple(_enum(document, "DeclineCode")) == DECLINE_CODES
    assert _enum(document, "ShopperDeclineCode") == list(shown)


def test_the_document_knows_every_fraud_rule(document: dict[str, Any]) -> None:
    assert _enum(document, "RiskReason") == [rule.name for rule in RULES]


def test_the_document_knows_every_status_and_where_it_is_spelled_otherwise(
    document: dict[str, Any],
) -> None:
    every = {*Status}

    assert set(_enum(document, "Status")) == every
    assert set(_enum(document, "StatusFilter")) == every | {"completed"}
    assert set(_enum(document, "Payment", "status")) == every - {"succeeded"} | {"completed"}
    assert set(_enum(document, "CheckoutStatus", "status")) == (
        every - {"blocked"} | {"requires_challenge"}
    )


def test_the_errors_shown_are_worded_as_the_api_words_them(
    document: dict[str, Any], gateway: dict[str, Any]
) -> None:
    errors = [
        value
        for _, value in _examples(document)
        if isinstance(value, dict) and value.get("type") == "danger"
    ]
    said = [error[key] for error in errors for key in ("title", "content")]
    said += [fault["message"] for error in errors for fault in error.get("errors", [])]
    gateways = [
        json.loads(answer["responseTemplates"]["application/json"])
        for answer in gateway["x-amazon-apigateway-gateway-responses"].values()
    ]
    worded = {*_catalogue().values(), *(str(text) for one in gateways for text in one.values())}

    assert len(errors) >= 15
    assert [text for text in said if text not in worded] == []


# -------------------------------------------------------------------------- what comes out
@pytest.mark.usefixtures("watched")
def test_merchants_are_answered_as_documented(shop: Shop) -> None:
    keyed = {"Idempotency-Key": "order-1"}
    created = shop.create(keyed)
    replayed = shop.create(keyed)
    reused = shop.create(keyed, amount="1.00")
    statuses = [answer.status_code for answer in (created, replayed, reused)]
    second = Checkout.of(shop.create())

    one = shop.get(second.id)
    page = shop.list(limit=1)
    internal = shop.request("GET", "/v1/payments/internal")

    assert statuses == [202, 202, 409]
    assert replayed.headers["Idempotent-Replayed"] == "true"
    assert [one.status_code, page.status_code, internal.status_code] == [200, 200, 200]
    assert "Link" in page.headers
    assert len(internal.json()) == 2


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/v1/payments/", {"json": {}}, 400),
        ("POST", "/v1/payments/", {"data": "{"}, 400),
        ("GET", "/v1/payments/?limit=0", {}, 400),
        ("GET", "/v1/payments/internal?cursor=x", {}, 400),
        ("GET", f"/v1/payments/{UNKNOWN_ID}?test=maybe", {}, 400),
        ("GET", f"/v1/payments/{UNKNOWN_ID}", {}, 404),
        ("GET", "/v1/payments/1", {}, 404),
        ("POST", "/v1/payments/", {"json": order(description="x" * 65_536)}, 413),
        ("POST", "/v1/payments/", {"data": {"amount": "500.00"}}, 415),
    ],
)
def test_a_refused_merchant_is_answered_as_documented(
    shop: Shop, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    assert shop.request(method, path, **options).status_code == status


@pytest.mark.usefixtures("watched")
def test_the_three_ways_to_have_no_valid_key_read_as_documented(
    shop: Shop, document: dict[str, Any]
) -> None:
    keys = [None, ("sk_wrong", ""), ("sk_test_41N51wXyZabCde000", "")]
    answers = [shop.request("GET", "/v1/payments/", auth=key) for key in keys]

    unauthorized = document["components"]["responses"]["Unauthorized"]
    examples = unauthorized["content"]["application/json"]["examples"]
    assert {answer.status_code for answer in answers} == {401}
    assert [answer.json() for answer in answers] == [shown["value"] for shown in examples.values()]


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    "path", ["/v1/payments/", "/v1/payments/internal", f"/v1/payments/{UNKNOWN_ID}"]
)
def test_a_preflight_is_answered_as_documented(shop: Shop, path: str) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}

    assert shop.request("OPTIONS", path, auth=None, headers=asked).status_code == 204


def test_a_live_payment_without_an_acquirer_is_answered_as_documented(
    stack: Stack, deviations: Documented
) -> None:
    live = open_shop(stack, Mode.LIVE)
    answer = live.create()
    live.close()

    assert answer.status_code == 503
    assert deviations(answer) == []


@pytest.mark.usefixtures("watched")
def test_a_shopper_who_pays_by_script_is_answered_as_documented(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    faulty = shopper.pay(checkout, "4242424242424241", cvc=None)
    declined = shopper.pay(checkout, DECLINED_CARD)
    assert shop.payment(checkout.id)["decline_code"] == "generic_decline"
    challenged = shopper.pay(checkout, CHALLENGE_CARD)
    busy = shopper.pay(checkout)
    under_way = shopper.status(checkout)
    shopper.answer_challenge(challenged.json()["redirect"])
    again = shopper.pay(checkout)
    paid = shopper.pay(shop.checkout())
    wrong = Checkout(checkout.id, checkout.client_secret[:-1] + "x", "", {})
    strangers = [shopper.pay(wrong), shopper.status(wrong)]
    seen_by_the_merchant = [shop.get(checkout.id), shop.list(status="completed")]

    assert [answer.status_code for answer in seen_by_the_merchant] == [200, 200]
    assert len(seen_by_the_merchant[1].json()) == 2
    assert [faulty.status_code, declined.status_code, paid.status_code] == [400, 402, 200]
    assert [challenged.status_code, under_way.status_code] == [202, 200]
    assert [answer.status_code for answer in (busy, again, *strangers)] == [409, 409, 404, 404]
    assert [busy.json()["reason"], again.json()["reason"]] == ["in_progress", "already_paid"]


@pytest.mark.usefixtures("watched")
def test_a_shopper_who_cancels_or_posts_too_much_is_answered_as_documented(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    address = f"{shop.stack.url}/checkout/{checkout.id}"
    secret = {"client_secret": checkout.client_secret}
    answers = [
        shopper.post(address, json=secret | {"name": "x" * 65_536}),
        shopper.post(address, data="card", headers={"Content-Type": "text/plain"}),
        shopper.post(f"{address}/cancel", json={"client_secret": "cs_test_wrong"}),
        shopper.post(f"{address}/cancel", json=secret),
        shopper.pay(checkout),
    ]

    assert [answer.status_code for answer in answers] == [413, 415, 404, 200, 409]
    assert answers[-1].json()["reason"] == "canceled"


@pytest.mark.usefixtures("watched")
def test_a_browser_is_shown_pages_and_redirects_as_documented(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    page = shopper.open(checkout.redirect)
    faulty = shopper.pay_by_form(checkout, "1")
    challenged = shopper.pay_by_form(checkout, CHALLENGE_CARD)
    challenge = shopper.way_out(challenged)
    pages = [page, shopper.status(checkout, as_json=False), shopper.open(challenge)]
    wrong_code = shopper.post(challenge, data={"code": "000000", "action": "pass"})
    abandoned = shopper.post(f"{challenge}/abandon")
    paid = shopper.pay_by_form(checkout)
    came_back = [
        shopper.open(challenge),
        shopper.open(f"{challenge}/return"),
        shopper.post(f"{challenge}/return", data={"cres": "x"}),
        shopper.cancel(checkout),
    ]

    assert [answer.status_code for answer in pages] == [200, 200, 200]
    assert [faulty.status_code, wrong_code.status_code] == [400, 400]
    moved = [challenged, abandoned, paid, *came_back]
    assert [answer.status_code for answer in moved] == [303] * len(moved)
    back = f"https://example.com/payment-result?id_payment={checkout.id}"
    assert shopper.way_out(paid) == back


def _secret(checkout: Checkout) -> dict[str, str]:
    return {"client_secret": checkout.client_secret}


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/checkout/static/style.css", 200),
        ("/checkout/static/checkout.js", 200),
        ("/checkout/static/icon.svg", 200),
        ("/checkout/static/app.py", 404),
        ("/checkout/?data=e30=", 404),
        (f"/checkout/{UNKNOWN_ID}?client_secret=cs_test_x", 404),
        (f"/3ds/{UNKNOWN_CHALLENGE}", 404),
        (f"/3ds/{UNKNOWN_CHALLENGE}/return", 404),
    ],
)
def test_a_browser_that_asks_for_a_file_or_a_stranger_is_answered_as_documented(
    shopper: Shopper, path: str, status: int
) -> None:
    answer = shopper.open(shopper.stack.url + path)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"body": {"code": 203}}, "InvalidData"),
        ({"body": {"extra": 1}}, "InvalidData"),
        ({"body": {"data": {"id_payment": UNKNOWN_ID}}}, "InvalidData"),
        ({"body": {"data": {"id_payment": "pay_1", "redirect": ""}}}, "InvalidData"),
        ({"without": "X-Request-Id"}, "MissingRequiredHeader"),
        ({"without": "Access-Control-Allow-Origin"}, "MissingRequiredHeader"),
        ({"headers": {"Content-Type": "text/html"}}, "DataValidationError"),
        ({"status": 201}, "ResponseNotFound"),
    ],
)
def test_an_answer_that_is_not_as_documented_is_noticed(
    shop: Shop, deviations: Documented, change: dict[str, Any], found: str
) -> None:
    answer = copy.copy(shop.create())
    assert deviations(answer) == []

    answer._content = json.dumps(answer.json() | change.get("body", {})).encode()
    answer.headers.pop(change.get("without", ""), None)
    answer.headers.update(change.get("headers", {}))
    answer.status_code = change.get("status", answer.status_code)

    assert [deviation.partition(":")[0] for deviation in deviations(answer)] == [found]


# -------------------------------------------------------------------------- what goes in
ACCEPTED_ORDERS: list[dict[str, Any]] = [
    {},
    {"unknown": 1},
    *({"amount": amount} for amount in ("0.01", "007.5", "9" * 12 + ".99")),
    *({"currency": currency} for currency in ("usd", "Eur")),
    *({"description": text} for text in ("x", "x" * 500)),
    *({"items": items} for items in (["x"] * 100, ["x" * 250])),
    {"return_url": "HTTPS://example.com"},
    {"return_url": "http://localhost:8000/a@b?c#d"},
    {"customer_email": "sean.o'brien+tea@bücher.example"},
    {"return_url": "https://example.com/" + "x" * 2028},
    {"customer_email": "a@b.co"},
    {"metadata": {"k" * 40: "v" * 250, **{str(number): "" for number in range(19)}}},
]
REFUSED_ORDERS: list[dict[str, Any]] = [
    *({field: None} for field in ("amount", "currency", "description", "items", "return_url")),
    *({"amount": amount} for amount in ("0", "0.00", "-1", "1e3", "5.", ".5", "1,00", " 1", "")),
    *({"amount": amount} for amount in ("1" * 13, "\uff11", 5, 5.0, True)),
    *({"currency": currency} for currency in ("US", "USDT", "", 840)),
    *({"description": text} for text in ("", "x" * 501, ["x"])),
    *({"items": items} for items in ([], ["x"] * 101, ["x" * 251], [""], [1], "x")),
    *({"return_url": url} for url in ("/result", "ftp://example.com", "https://", "", 1)),
    *({"return_url": f"https://{url}"} for url in ("a:b@example.com", "a.com/\t", "a.com\\")),
    {"return_url": "https://example.com/" + "x" * 2029},
    *(
        {"customer_email": email}
        for email in ("", "a", "a@b", "a..b@c.de", "a@1.2.3.4", f"{'a' * 65}@b.co", 1)
    ),
    *({"metadata": pairs} for pairs in ({"k" * 41: ""}, {"": ""}, {"k": "v" * 251}, {"k": 1})),
    {"metadata": []},
    {"metadata": {str(number): "" for number in range(21)}},
]


@pytest.mark.parametrize(("orders", "status"), [(ACCEPTED_ORDERS, 202), (REFUSED_ORDERS, 400)])
def test_the_document_allows_exactly_the_orders_that_are_accepted(
    shop: Shop, openapi: OpenAPI, orders: list[dict[str, Any]], status: int
) -> None:
    answers = {json.dumps(changes): shop.create(**changes) for changes in orders}

    assert _surprises(openapi, answers, status) == {}


@pytest.mark.parametrize(
    ("keys", "status"), [(["k", "k" * 255, "~!"], 202), (["k" * 256, "two words"], 400)]
)
def test_the_document_allows_exactly_the_idempotency_keys_that_are_accepted(
    shop: Shop, openapi: OpenAPI, keys: list[str], status: int
) -> None:
    answers = {key: shop.create({"Idempotency-Key": key}) for key in keys}

    assert _surprises(openapi, answers, status) == {}


ACCEPTED_FILTERS = [
    "limit=1&test=true&sort=created_on&status=succeeded",
    "limit=100&test=false&sort=-created_on&status=completed",
    *(f"status={status}" for status in ("requires_action", "processing", "failed")),
    *(f"status={status}" for status in ("canceled", "expired", "blocked", "refunded")),
]
REFUSED_FILTERS = [
    *(f"limit={limit}" for limit in ("0", "101", "-1", "x", "1.5")),
    *("test=maybe", "sort=amount", "status=paid"),
]


@pytest.mark.parametrize("path", ["/v1/payments/", "/v1/payments/internal"])
@pytest.mark.parametrize(("queries", "status"), [(ACCEPTED_FILTERS, 200), (REFUSED_FILTERS, 400)])
def test_the_document_allows_exactly_the_filters_that_are_accepted(
    shop: Shop, openapi: OpenAPI, path: str, queries: list[str], status: int
) -> None:
    answers = {query: shop.request("GET", f"{path}?{query}") for query in queries}

    assert _surprises(openapi, answers, status) == {}


ACCEPTED_CARDS: list[dict[str, Any]] = [
    {"card_number": "4242-4242 4242-4242", "exp_month": 1, "exp_year": 34, "method": None},
    {"exp_month": "01", "exp_year": "34", "name": "x" * 45, "email": "a@b.co"},
    {"name": " Bo ", "email": "", "attempt": "0123456789abcdef"},
]
REFUSED_CARDS: list[dict[str, Any]] = [
    *({field: None} for field in ("card_number", "exp_month", "exp_year", "cvc", "name")),
    *({"card_number": number} for number in ("1" * 11, "1" * 20, "\uff14" * 16)),
    *({"exp_month": month} for month in ("0", "13", 0, 13, "x")),
    *({"exp_year": year} for year in ("x", "02034")),
    *({"cvc": code} for code in ("12", "12345", "abc")),
    *({"name": name} for name in ("x" * 46, "x", " x ", "", 1)),
    *({"email": email} for email in ("a", f"a@{'b' * 250}.co")),
    *({"method": method} for method in ("cash", "apple_pay", "google_pay")),
]


@pytest.mark.parametrize(("cards", "status"), [(ACCEPTED_CARDS, 200), (REFUSED_CARDS, 400)])
def test_the_document_allows_exactly_the_card_forms_that_are_accepted(
    shop: Shop, shopper: Shopper, openapi: OpenAPI, cards: list[dict[str, Any]], status: int
) -> None:
    answers = {}
    for changes in cards:
        numbered = {"card_number": PAID_CARD} | changes
        number = numbered.pop("card_number")
        answers[json.dumps(changes)] = shopper.pay(shop.checkout(), number, **numbered)

    assert _surprises(openapi, answers, status) == {}


ACCEPTED_TOKENS: list[tuple[str, Any]] = [
    ("apple_pay", apple_token(PAID_CARD)),
    ("apple_pay", json.dumps(apple_token(PAID_CARD))),
    ("google_pay", google_token(PAID_CARD, has_cryptogram=True)),
    ("google_pay", json.dumps(google_token(PAID_CARD, has_cryptogram=True))),
]
REFUSED_TOKENS: list[tuple[str, Any]] = [
    ("apple_pay", None),
    ("apple_pay", ""),
    ("apple_pay", 1),
    ("apple_pay", []),
    ("apple_pay", json.dumps(apple_token(PAID_CARD)) + " " * 10_000),
    ("cash", apple_token(PAID_CARD)),
]


@pytest.mark.parametrize(("tokens", "status"), [(ACCEPTED_TOKENS, 200), (REFUSED_TOKENS, 400)])
def test_the_document_allows_exactly_the_kinds_of_wallet_forms_that_are_accepted(
    shop: Shop,
    shopper: Shopper,
    openapi: OpenAPI,
    tokens: list[tuple[str, Any]],
    status: int,
) -> None:
    """What is inside a token is not for this document, but for the wallet's."""
    answers = {
        f"{method}: {token}": shopper.pay_by_wallet(shop.checkout(), method, token)
        for method, token in tokens
    }

    assert _surprises(openapi, answers, status) == {}


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    ("number", "answer", "status"),
    [
        ("4100000000000019", 402, "blocked"),
        ("4000000000009235", 202, "processing"),
        ("4000000000001034", 402, "requires_action"),
        ("4000000000009987", 402, "requires_action"),
        ("4000000000000044", 200, "completed"),
    ],
)
def test_what_becomes_of_unusual_cards_is_answered_as_documented(
    number: str, answer: int, status: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()

    assert shopper.pay(checkout, number).status_code == answer
    assert shopper.status(checkout).status_code == 200
    assert shop.payment(checkout.id)["status"] == status


def _surprises(
    openapi: OpenAPI, answers: dict[str, requests.Response], status: int
) -> dict[str, str]:
    """Where the API does not answer with the status, or the document thinks otherwise."""
    surprises = {}
    for name, answer in answers.items():
        faults = list(openapi.iter_apicall_request_errors(_Request(answer.request)))
        if answer.status_code != status or bool(faults) != (status >= 400):
            surprises[name[:80]] = f"{answer.status_code} {answer.text[:200]}, documented: {faults}"
    return surprises
