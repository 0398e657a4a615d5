"""Contract, section 1: routes, both spellings, CORS, request ids, and links under any prefix."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from local.template import Template, load
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    ONE_TIME_CODE,
    TYPED_CARD,
    Shop,
    Shopper,
    open_shop,
    order,
)
from tests.support.documentation import NOT_FOUND, envelope
from tests.support.events import load_event
from tests.support.html import Page
from tests.support.operator import operate, printed
from tests.support.stack import Stack

ALLOWED_HEADERS = {"Authorization", "Content-Type", "Idempotency-Key", "Accept-Language"}
EXPOSED_HEADERS = {"Link", "X-Request-Id", "Idempotent-Replayed", "Retry-After"}
HTTP_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
STAGES = ("", "prod")


@dataclass(frozen=True)
class Route:
    """One row of the contract's table, with a call that it takes.

    `{id}`, `{secret}`, `{data}` and `{challenge}` stand for those of a new payment.
    """

    method: str
    path: str
    status: int
    query: str = ""
    json: dict[str, Any] | None = None
    form: dict[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


SECRET = {"client_secret": "{secret}"}
MERCHANT_ROUTES = (
    Route("POST", "/v1/payments", 202, json=order()),
    Route("GET", "/v1/payments", 200),
    Route("GET", "/v1/payments/internal", 200),
    Route("GET", "/v1/payments/{id}", 200),
)
SHOPPER_ROUTES = (
    Route("GET", "/checkout", 200, query="?data={data}"),
    Route("POST", "/checkout/{id}", 200, json=SECRET | TYPED_CARD),
    Route("POST", "/checkout/{id}", 303, form=SECRET | TYPED_CARD),
    Route("GET", "/checkout/{id}", 200, query="?client_secret={secret}"),
    Route("POST", "/checkout/{id}/cancel", 303, form=SECRET),
    Route("GET", "/checkout/static/style.css", 200),
    Route("GET", "/checkout/static/checkout.js", 200),
    Route("GET", "/checkout/static/icon.svg", 200),
    Route("GET", "/3ds/{challenge}", 200),
    Route("POST", "/3ds/{challenge}", 303, form={"action": "pass", "code": ONE_TIME_CODE}),
    Route("GET", "/3ds/{challenge}/return", 303),
    Route("POST", "/3ds/{challenge}/return", 303, form={}),
    Route("POST", "/3ds/{challenge}/abandon", 303, form={}),
)
PAGES = tuple(
    route
    for route in SHOPPER_ROUTES
    if (route.method, route.status) == ("GET", 200) and "/static/" not in route.path
)
PREFLIGHTS = (
    Route("OPTIONS", "/v1/payments", 204),
    Route("OPTIONS", "/v1/payments/internal", 204),
    Route("OPTIONS", "/v1/payments/{id}", 204),
)
ALL_ROUTES = (*MERCHANT_ROUTES, *SHOPPER_ROUTES, *PREFLIGHTS)
# What differs between two equal answers: ids, secrets, times, and what is made of them.
_OWN = re.compile(
    r"pay_[0-9A-Z]{26}|c[sh]_test_[\w-]+|data=[\w%]+|\d{4}-\d\d-\d\dT[\d:.]+Z"
    r'|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|value="[a-z]{14}"'
)


@dataclass(frozen=True)
class Answers:
    """What a route answered about a new payment, without and with the trailing slash."""

    plain: requests.Response
    slashed: requests.Response


AnswersOf = Callable[[Stack, Route], Answers]


def _call(stack: Stack, route: Route, slash: str) -> requests.Response:
    """Only the merchant's routes are given a key."""
    shop, shopper = open_shop(stack), Shopper(stack)
    checkout = shop.checkout()
    own = {
        "id": checkout.id,
        "secret": checkout.client_secret,
        "data": checkout.redirect.partition("data=")[2],
    }
    if "{challenge}" in route.path:
        own["challenge"] = shopper.start_challenge(checkout).rpartition("/")[2]
    answer = requests.request(
        route.method,
        stack.url + route.path.format(**own) + slash + route.query.format(**own),
        auth=(shop.key or "", "") if route in MERCHANT_ROUTES else None,
        json=_filled(route.json, own),
        data=_filled(route.form, own),
        headers={} if route.form is None else {"Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
        timeout=30,
    )
    shop.close()
    shopper.close()
    return answer


def _filled(values: dict[str, Any] | None, own: dict[str, str]) -> dict[str, Any] | None:
    return values and {
        name: own["secret"] if value == "{secret}" else value for name, value in values.items()
    }


def _without_own(text: str) -> str:
    return _OWN.sub("…", text)


@pytest.fixture(scope="module")
def template() -> Template:
    """SAM asks for a region, which no part of the result depends on."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return load({})


@pytest.fixture(scope="module")
def paths(template: Template) -> dict[str, dict[str, Any]]:
    """The deployed API's OpenAPI paths."""
    (api,) = template.of_type("AWS::ApiGateway::RestApi").values()
    declared: dict[str, dict[str, Any]] = api["Properties"]["Body"]["paths"]
    return declared


@pytest.fixture(scope="module")
def answers_of() -> AnswersOf:
    """Each route is called once for all that is asked of its answers."""
    known: dict[tuple[str, str], Answers] = {}

    def answers_of(stack: Stack, route: Route) -> Answers:
        wanted = stack.url, f"{route} {route.form}"
        if wanted not in known:
            known[wanted] = Answers(_call(stack, route, ""), _call(stack, route, "/"))
        return known[wanted]

    return answers_of


@pytest.fixture(params=STAGES, ids=["at-the-root", "under-a-stage"])
def staged(request: pytest.FixtureRequest, stack_for: StackFor) -> Stack:
    """The stack at `/`, and the one under a stage prefix."""
    return stack_for(stage=request.param)


@pytest.fixture
def staged_shop(staged: Stack) -> Iterator[Shop]:
    shop = open_shop(staged)
    yield shop
    shop.close()


@pytest.fixture
def staged_shopper(staged: Stack) -> Iterator[Shopper]:
    shopper = Shopper(staged)
    yield shopper
    shopper.close()


def test_one_rest_api_is_all_that_is_deployed_in_front(template: Template) -> None:
    kinds = [body["Type"] for body in template.resources.values()]
    assert kinds.count("AWS::ApiGateway::RestApi") == 1
    assert not [kind for kind in kinds if kind.startswith("AWS::ApiGatewayV2")]
    assert "AWS::Lambda::Url" not in kinds


def test_no_path_is_declared_with_a_trailing_slash(paths: dict[str, Any]) -> None:
    assert paths
    assert not [path for path in paths if path.endswith("/")]


def test_the_deployed_api_has_the_contract_s_routes_and_no_others(paths: dict[str, Any]) -> None:
    declared = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method in operations
        if method in HTTP_METHODS and not path.startswith("/3ds/")
    }
    wanted = {
        (route.method, re.sub(r"/static/.*", "/static/{file}", route.path))
        for route in ALL_ROUTES
        if not route.path.startswith("/3ds/")
    }
    assert declared == wanted
    challenges = {
        method for path in paths if path.startswith("/3ds/") for method in paths[path]
    } & HTTP_METHODS
    assert challenges == {"get", "post"}


def test_only_the_merchant_s_routes_are_deployed_behind_the_authorizer(
    paths: dict[str, Any],
) -> None:
    guarded = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in HTTP_METHODS
        and any("ApiKey" in need for need in operation.get("security", []))
    }
    assert guarded == {(route.method, route.path) for route in MERCHANT_ROUTES}


@pytest.mark.parametrize("route", ALL_ROUTES, ids=str)
def test_every_route_answers_alike_with_and_without_the_trailing_slash(
    staged: Stack, answers_of: AnswersOf, route: Route
) -> None:
    answers = answers_of(staged, route)
    plain, slashed = answers.plain, answers.slashed

    assert plain.status_code == route.status, plain.text
    assert slashed.status_code == route.status, slashed.text
    assert _without_own(slashed.text) == _without_own(plain.text)
    # Whether a connection is kept depends on how many there are.
    assert set(slashed.headers) ^ set(plain.headers) <= {"Connection"}
    for header in ("Content-Type", "Location"):
        there, here = slashed.headers.get(header, ""), plain.headers.get(header, "")
        assert _without_own(there) == _without_own(here)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("route", MERCHANT_ROUTES, ids=str)
def test_a_merchant_s_route_asks_for_a_key(staged: Stack, route: Route, slash: str) -> None:
    path = route.path.format(id="pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB") + slash
    answer = Shop(staged, key=None).request(route.method, path, json=route.json)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize(
    "query", ["", "?limit=2", "?status=requires_action", "?test=true", "?sort=created_on&limit=1"]
)
def test_the_internal_list_is_the_same_list(shop: Shop, query: str) -> None:
    for _ in range(3):
        shop.create()
    plain = shop.request("GET", f"/v1/payments/{query}")
    internal = shop.request("GET", f"/v1/payments/internal{query}")

    assert plain.status_code == internal.status_code == 200
    assert internal.json() == plain.json() != []
    next_page = plain.headers.get("Link", "").replace("/v1/payments/?", "/v1/payments/internal/?")
    assert internal.headers.get("Link", "") == next_page


@pytest.mark.parametrize("query", ["?limit=0", "?status=paid", "?test=maybe", "?sort=amount"])
def test_the_internal_list_refuses_the_same_parameters(shop: Shop, query: str) -> None:
    plain = shop.request("GET", f"/v1/payments/{query}")
    internal = shop.request("GET", f"/v1/payments/internal{query}")
    assert plain.status_code == internal.status_code == 400
    assert internal.json() == plain.json()


def test_the_status_route_tells_of_an_attempt_under_way(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    assert shopper.status(checkout).json()["status"] == "requires_action"
    challenge = shopper.start_challenge(checkout)
    assert shopper.status(checkout).json() == {
        "status": "requires_challenge",
        "redirect": challenge,
    }


@pytest.mark.parametrize("file", ["..%2fapp.py", "app.py", "nothing.js", "%2e%2e"])
def test_the_page_s_files_are_all_that_is_served_as_static(stack: Stack, file: str) -> None:
    answer = requests.get(f"{stack.url}/checkout/static/{file}", timeout=30)
    assert answer.status_code == 404
    assert "import" not in answer.text


# ------------------------------------------------------------------------------------------ CORS


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["/v1/payments", "/v1/payments/internal", "/v1/payments/pay_x"])
def test_a_preflight_needs_no_key_and_allows_what_the_examples_send(
    staged: Stack, path: str, slash: str
) -> None:
    answer = requests.options(
        staged.url + path + slash,
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
        timeout=30,
    )
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert _listed(answer, "Access-Control-Allow-Headers") == ALLOWED_HEADERS
    assert _listed(answer, "Access-Control-Allow-Methods") >= {"GET", "POST"}
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("route", MERCHANT_ROUTES, ids=str)
def test_the_merchant_s_answers_can_be_read_from_any_origin(
    stack: Stack, answers_of: AnswersOf, route: Route
) -> None:
    _assert_readable_from_any_origin(answers_of(stack, route).plain)


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/v1/payments", {"auth": None}, 401),
        ("/v1/payments", {"auth": ("sk_test_0000000000000000", "")}, 401),
        ("/v1/payments", {"auth": ("nonsense", "")}, 401),
        ("/v1/payments/pay_x", {}, 404),
        ("/v1/elsewhere", {}, 404),
        ("/v1/payments?limit=0", {}, 400),
    ],
)
def test_errors_of_the_handlers_and_of_the_gateway_can_be_read_from_any_origin(
    shop: Shop, path: str, options: dict[str, Any], status: int
) -> None:
    answer = shop.request("GET", path, **options)
    assert answer.status_code == status
    _assert_readable_from_any_origin(answer)


@pytest.mark.parametrize("route", SHOPPER_ROUTES, ids=str)
def test_the_shopper_s_answers_cannot_be_read_from_other_origins(
    stack: Stack, answers_of: AnswersOf, route: Route
) -> None:
    assert "Access-Control-Allow-Origin" not in answers_of(stack, route).plain.headers


@pytest.mark.parametrize("route", ALL_ROUTES, ids=str)
def test_no_answer_sets_a_cookie(stack: Stack, answers_of: AnswersOf, route: Route) -> None:
    assert "Set-Cookie" not in answers_of(stack, route).plain.headers


def _listed(answer: requests.Response, header: str) -> set[str]:
    return {value.strip() for value in answer.headers[header].split(",")}


def _assert_readable_from_any_origin(answer: requests.Response) -> None:
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert _listed(answer, "Access-Control-Expose-Headers") == EXPOSED_HEADERS
    assert "Access-Control-Allow-Credentials" not in answer.headers


# ----------------------------------------------------------------------------------- X-Request-Id


@pytest.mark.parametrize("route", ALL_ROUTES, ids=str)
def test_every_answer_carries_a_request_id_of_its_own(
    stack: Stack, answers_of: AnswersOf, route: Route
) -> None:
    first = answers_of(stack, route).plain.headers["X-Request-Id"]
    second = answers_of(stack, route).slashed.headers["X-Request-Id"]
    assert first
    assert second
    assert first != second


REFUSALS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "bad-field": ("POST", "/v1/payments", {"json": {}}, 400),
    "not-json": ("POST", "/v1/payments", {"data": "{"}, 400),
    "bad-parameter": ("GET", "/v1/payments?limit=0", {}, 400),
    "no-key": ("GET", "/v1/payments", {"auth": None}, 401),
    "malformed-key": ("GET", "/v1/payments", {"auth": ("nonsense", "")}, 401),
    "unknown-key": ("GET", "/v1/payments", {"auth": ("sk_test_0000000000000000", "")}, 401),
    "unknown-payment": ("GET", "/v1/payments/pay_x", {}, 404),
    "unknown-path": ("GET", "/elsewhere", {}, 404),
    "unknown-method": ("DELETE", "/v1/payments/pay_x", {}, 404),
    "head": ("HEAD", "/v1/payments", {}, 404),
    "unknown-checkout": ("GET", "/checkout/pay_x", {}, 404),
    "unknown-checkout-as-json": ("POST", "/checkout/pay_x", {"json": {}}, 404),
    "unknown-challenge": ("GET", "/3ds/ch_x", {}, 404),
    "body-over-64-KiB": ("POST", "/v1/payments", {"data": b" " * 65_537}, 413),
    "url-over-8192": ("GET", "/v1/payments?status=" + "x" * 8192, {}, 414),
    "media-type": (
        "POST",
        "/v1/payments",
        {"data": "{}", "headers": {"Content-Type": "text/plain"}},
        415,
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_every_error_carries_a_request_id_too(
    shop: Shop, refusal: tuple[str, str, dict[str, Any], int]
) -> None:
    method, path, options, status = refusal
    answer = shop.request(method, path, **options)
    assert answer.status_code == status
    assert answer.headers["X-Request-Id"]


def test_a_decline_carries_a_request_id_too(shop: Shop, shopper: Shopper) -> None:
    declined = shopper.pay(shop.checkout(), DECLINED_CARD)
    assert declined.status_code == 402
    assert declined.headers["X-Request-Id"]


# ------------------------------------------------------------------------------- links and stages


def test_every_function_gets_the_public_base_that_the_parameters_say(template: Template) -> None:
    assert template.parameters["PublicBaseUrl"]["Default"] == ""
    assert template.parameters["DomainName"]["Default"] == ""
    base = ["HasDomain", {"Fn::Sub": "https://${DomainName}"}, {"Ref": "PublicBaseUrl"}]
    functions = template.of_type("AWS::Lambda::Function").values()
    assert functions
    for function in functions:
        variables = function["Properties"]["Environment"]["Variables"]
        assert variables["PUBLIC_BASE_URL"] == {"Fn::If": base}


def test_with_a_domain_links_begin_with_it_whatever_the_request_says(stack_for: StackFor) -> None:
    """So they outlive an API that is made anew, whose own address is another one."""
    stack = stack_for(DomainName="pay.example.com")
    links = _links_in_answers(open_shop(stack), Shopper(stack), host="elsewhere.example")
    assert {link[:24] for link in links.values()} == {"https://pay.example.com/"}
    outputs = printed(operate(stack, "outputs")).split()
    assert outputs[outputs.index("ApiUrl") + 1] == "https://pay.example.com/v1/payments/"


def test_an_event_that_came_by_a_domain_has_no_stage_in_its_path_nor_have_its_links(
    stack_for: StackFor,
) -> None:
    stack = stack_for(PublicBaseUrl="")
    event = load_event("create_payment")
    event["requestContext"] |= {"path": event["path"], "domainName": "pay.example.com"}
    assert event["requestContext"]["stage"] == "dev"
    answer = stack.aws("lambda").invoke(
        FunctionName=stack.resources["CreatePaymentFunction"], Payload=json.dumps(event)
    )
    created = json.loads(json.loads(answer["Payload"].read())["body"])["data"]
    assert created["redirect"].startswith("https://pay.example.com/checkout/?data=")


def test_links_begin_with_the_public_base_url_whatever_the_request_says(
    staged: Stack, staged_shop: Shop
) -> None:
    """The stack is started with its own address as PublicBaseUrl."""
    links = _links_in_answers(staged_shop, Shopper(staged), host="elsewhere.example")
    assert {link[: len(staged.url) + 1] for link in links.values()} == {f"{staged.url}/"}


@pytest.mark.parametrize(("stage", "prefix"), [("", ""), ("prod", "/prod")])
def test_without_a_public_base_url_links_begin_with_what_the_request_says(
    stack_for: StackFor, stage: str, prefix: str
) -> None:
    stack = stack_for(stage=stage, PublicBaseUrl="")
    links = _links_in_answers(open_shop(stack), Shopper(stack), host="pay.example.com")
    expected = {
        "create": f"https://pay.example.com{prefix}/checkout/?data=",
        "create/": f"https://pay.example.com{prefix}/checkout/?data=",
        "one": f"https://pay.example.com{prefix}/checkout/?data=",
        "list": f"https://pay.example.com{prefix}/v1/payments/?",
        "paying": f"https://pay.example.com{prefix}/checkout/pay_",
    }
    assert {name: links[name][: len(start)] for name, start in expected.items()} == expected


def _links_in_answers(shop: Shop, shopper: Shopper, host: str) -> dict[str, str]:
    """Links of the merchant's answers and of a redirect, asked for under another host's name."""
    headers = {"Host": host}
    checkout = shop.checkout()
    shop.checkout()
    created = shop.request("POST", "/v1/payments", json=order(), headers=headers)
    slashed = shop.request("POST", "/v1/payments/", json=order(), headers=headers)
    one = shop.request("GET", f"/v1/payments/{checkout.id}", headers=headers)
    listed = shop.request("GET", "/v1/payments/", params={"limit": "1"}, headers=headers)
    challenged = shopper.post(
        f"{shop.stack.url}/checkout/{checkout.id}",
        data=shopper.card_form(checkout, CHALLENGE_CARD),
        headers=headers,
    )
    return {
        "create": created.json()["data"]["redirect"],
        "create/": slashed.json()["data"]["redirect"],
        "one": one.json()["redirect"],
        "list": listed.headers["Link"].removeprefix("<"),
        "paying": challenged.headers["Location"],
    }


@pytest.mark.parametrize("route", PAGES, ids=str)
def test_links_inside_pages_are_relative(
    staged: Stack, answers_of: AnswersOf, route: Route
) -> None:
    """They name no host, so a page works under any name and prefix it is served by."""
    prefix = urlsplit(staged.url).path
    for page in (answers_of(staged, route).plain, answers_of(staged, route).slashed):
        links = _links(page)
        assert len(links) >= 3
        for link in links:
            assert link.startswith(f"{prefix}/")
            assert not link.startswith("//")
            if "/static/" in link:
                assert requests.get(urljoin(page.url, link), timeout=30).status_code == 200


def test_links_inside_the_page_of_an_open_challenge_are_relative(
    staged: Stack, staged_shop: Shop, staged_shopper: Shopper
) -> None:
    checkout = staged_shop.checkout()
    staged_shopper.start_challenge(checkout)
    links = _links(staged_shopper.status(checkout, as_json=False))
    assert [link for link in links if "/3ds/" in link]
    assert [link for link in links if not link.startswith(f"{urlsplit(staged.url).path}/")] == []


def test_a_shopper_gets_to_the_shop_by_following_what_the_pages_say(
    staged: Stack, staged_shop: Shop, staged_shopper: Shopper
) -> None:
    checkout = staged_shop.checkout()
    assert checkout.redirect.startswith(f"{staged.url}/checkout/?data=")

    session = staged_shopper.session
    page = Page(staged_shopper.open(checkout.redirect))
    card = {**TYPED_CARD, "card_number": CHALLENGE_CARD}
    challenged = page.form("card_number").send(session, **card)
    challenge = staged_shopper.way_out(challenged)
    assert challenge.startswith(f"{staged.url}/3ds/")
    bank = Page(staged_shopper.open(challenge))
    answered = bank.form("code").send(session, code=ONE_TIME_CODE)
    assert answered.headers["Location"].startswith(f"{staged.url}/3ds/")

    shop_url = f"https://example.com/payment-result?id_payment={checkout.id}"
    assert staged_shopper.way_out(answered) == shop_url
    assert staged_shop.payment(checkout.id)["status"] == "completed"


def test_a_shopper_gives_up_by_the_page_s_own_form(
    staged_shop: Shop, staged_shopper: Shopper
) -> None:
    checkout = staged_shop.checkout()
    page = Page(staged_shopper.open(checkout.redirect))
    canceled = page.form("cancel").send(staged_shopper.session)
    shop_url = f"https://example.com/payment-result?id_payment={checkout.id}"
    assert staged_shopper.way_out(canceled) == shop_url
    assert staged_shop.payment(checkout.id)["status"] == "canceled"


def test_the_list_s_next_link_can_be_followed(staged: Stack, staged_shop: Shop) -> None:
    made = [staged_shop.checkout().id for _ in range(3)]
    first = staged_shop.request("GET", "/v1/payments/?limit=2")
    link = re.fullmatch(r'<(.+)>; rel="next"', first.headers["Link"])
    assert link
    assert link[1].startswith(f"{staged.url}/v1/payments/?")
    second = staged_shop.request("GET", link[1].removeprefix(staged.url))
    assert [row["id"] for row in (*first.json(), *second.json())] == made[::-1]


def _links(page: requests.Response) -> list[str]:
    kinds = ("href", "src", "action")
    elements = Page(page).all()
    return [item.attributes[kind] for item in elements for kind in kinds if kind in item.attributes]


# --------------------------------------------------------------------------- what is not a route


@pytest.mark.parametrize("with_key", [False, True], ids=["without-key", "with-key"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v1/payment",
        "/v1/payments/a/b",
        "/v1/payments/internal/a",
        "/v1/payments//",
        "/v1//payments",
        "//v1/payments/",
        "/v1%2Fpayments/",
        "/%2Fv1/payments",
        "/checkout%2fstatic%2Fstyle.css",
        "/V1/PAYMENTS",
        "/v2/payments",
        "/checkout/a/b",
        "/checkout/static/a/b",
        "/3ds",
        "/3ds/a/b",
        "/favicon.ico",
        "/.env",
    ],
)
def test_an_unknown_path_is_a_404(staged: Stack, path: str, with_key: bool) -> None:
    shop = open_shop(staged) if with_key else Shop(staged, key=None)
    answer = shop.request("GET", path)
    assert envelope(answer, 404) == NOT_FOUND


def test_an_encoded_slash_in_a_path_separates_nothing(staged_shop: Shop) -> None:
    """It belongs to the id, which then is nobody's; the file beside it is there."""
    assert staged_shop.request("GET", "/checkout/static/style.css").status_code == 200
    assert staged_shop.request("GET", "/checkout/static%2Fstyle.css").status_code == 404
    payment_id = staged_shop.checkout().id
    assert staged_shop.get(f"{payment_id}%2F").status_code == 404
    assert staged_shop.get(f"{payment_id}/").status_code == 200


@pytest.mark.parametrize("path", ["/v1/payments", "/prod", "/production/v1/payments", "/prod2/v1"])
def test_under_a_stage_nothing_else_is_served(stack_for: StackFor, path: str) -> None:
    origin = stack_for(stage="prod").url.removesuffix("/prod")
    answer = requests.get(origin + path, timeout=30)
    assert envelope(answer, 404) == NOT_FOUND


@pytest.mark.parametrize("with_key", [False, True], ids=["without-key", "with-key"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/payments"),
        ("DELETE", "/v1/payments/"),
        ("POST", "/v1/payments/internal"),
        ("POST", "/v1/payments/{id}"),
        ("PATCH", "/v1/payments/{id}"),
        ("DELETE", "/v1/payments/{id}"),
        ("TRACE", "/v1/payments"),
        ("PROPFIND", "/v1/payments"),
        ("POST", "/checkout"),
        ("OPTIONS", "/checkout"),
        ("DELETE", "/checkout/{id}"),
        ("GET", "/checkout/{id}/cancel"),
        ("POST", "/checkout/static/style.css"),
        ("PUT", "/3ds/ch_x"),
        ("GET", "/3ds/ch_x/abandon"),
    ],
)
def test_an_unknown_method_is_a_404(shop: Shop, method: str, path: str, with_key: bool) -> None:
    checkout = shop.checkout()
    options = {} if with_key else {"auth": None}
    answer = shop.request(method, path.format(id=checkout.id), json=order(), **options)
    assert envelope(answer, 404) == NOT_FOUND
    assert shop.payment(checkout.id)["status"] == "requires_action"
    assert len(shop.list().json()) == 1


@pytest.mark.parametrize("route", [row for row in ALL_ROUTES if row.method == "GET"], ids=str)
def test_head_is_an_unknown_method(stack: Stack, route: Route) -> None:
    shop = open_shop(stack)
    answer = shop.request("HEAD", route.path.format(id="pay_x", challenge="ch_x"))
    assert answer.status_code == 404
    assert answer.text == ""
    assert answer.headers["Content-Type"] == "application/json"
