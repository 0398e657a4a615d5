"""Contract, section 6: the shape of every error, and that none says more than it should."""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import requests

from payments.model.ids import Mode
from payments.web.texts import text
from tests.conftest import StackFor
from tests.support.actors import (
    Checkout,
    Shop,
    Shopper,
    open_shop,
    order,
)
from tests.support.bodies import MALFORMED, nested
from tests.support.documentation import EXAMPLE_ID, NOT_FOUND, envelope, faults
from tests.support.html import Page
from tests.support.records import payment_key
from tests.support.stack import Stack

JSON = {"Content-Type": "application/json"}
TEN_MEGABYTES = 10 * 1024 * 1024
MARKER = "qWx7MarkerZk"
# Words that only our code, its libraries and AWS use: none of them helps a caller.
_INTERNAL = re.compile(
    r"traceback|file \"|line \d+|\.py\b|exception|keyerror|valueerror|typeerror|assertion|"
    r"dynamodb|boto|lambda|arn:|aws|moto|werkzeug|pydantic|validationerror|clienterror|"
    r"resourcenotfound|\w+table|payments-local|payments\.|payload|python|functions/|"
    r"object at 0x|surrogate|unicode|codec|recursion|client_secret|merchant#|#test",
    re.IGNORECASE,
)


def assert_says_nothing_internal(answer: requests.Response) -> None:
    assert _INTERNAL.search(answer.text) is None, answer.text


def post(shop: Shop, body: bytes | str, **headers: str) -> requests.Response:
    raw = body.encode() if isinstance(body, str) else body
    return shop.request("POST", "/v1/payments/", data=raw, headers=JSON | headers)


@pytest.fixture(scope="session")
def broken(stack_for: StackFor) -> Shop:
    """A shop on a stack whose payments are gone. Nobody else may use it."""
    stack = stack_for(LogRetentionDays="3")
    shop = open_shop(stack)
    stack.dynamodb.delete_table(TableName=stack.resources["PaymentsTable"])
    return shop


@pytest.fixture
def quiet_shop(stack_for: StackFor) -> Shop:
    """A shop on a stack whose tables hold little, and are quickly read as a whole."""
    return open_shop(stack_for(stage="prod"))


# ------------------------------------------------------------------------------------- the shapes


def test_a_401_has_the_detail_alone(stack: Stack) -> None:
    answer = Shop(stack, key="nonsense").list()
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Invalid API key format."}


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/payments/{EXAMPLE_ID}",
        "/v1/payments/pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB",
        "/v1/payments/nothing",
        "/v1/payments/%00",
        "/v1/payments/%FF",
        "/v1/payments/%ED%A0%80",
        "/v1/payments/%F0%9F%98%80",
        "/v1/payments/..",
        "/v1/payments/%2e%2e%2fcheckout",
        "/v1/payments/" + "x" * 4000,
        "/v1/payments/' OR 1=1 --",
        "/elsewhere",
    ],
    ids=lambda path: path[:40],
)
def test_a_404_is_the_documented_one(shop: Shop, path: str) -> None:
    answer = shop.request("GET", path)
    assert envelope(answer, 404) == NOT_FOUND


def test_a_400_adds_all_errors_at_once(shop: Shop) -> None:
    found = faults(post(shop, json.dumps({"amount": "x", "items": [], "return_url": "x"})))
    assert set(found) == {"amount", "items", "return_url", "description", "currency"}


def test_a_bad_query_gets_all_its_errors_at_once(shop: Shop) -> None:
    path = "/v1/payments/?limit=0&status=paid&sort=amount&test=maybe"
    assert set(faults(shop.request("GET", path))) == {"limit", "status", "sort", "test"}


def test_a_bad_cursor_is_said_together_with_the_other_bad_parameters(shop: Shop) -> None:
    path = "/v1/payments/?limit=0&cursor=nonsense"
    assert set(faults(shop.request("GET", path))) == {"limit", "cursor"}


def test_a_409_adds_its_reason(shop: Shop, shopper: Shopper) -> None:
    shop.create(headers={"Idempotency-Key": "one"})
    reused = shop.create(headers={"Idempotency-Key": "one"}, amount="1.00")
    assert envelope(reused, 409, "reason")["reason"] == "key_reused"
    checkout = shop.checkout()
    shopper.pay(checkout)
    assert envelope(shopper.pay(checkout), 409, "reason")["reason"] == "already_paid"


@pytest.mark.parametrize("size", [64 * 1024 + 1, TEN_MEGABYTES, TEN_MEGABYTES + 1])
def test_a_body_that_is_too_large_is_a_413(shop: Shop, size: int) -> None:
    """Up to 10 MB the handler says so, above that the gateway."""
    answer = post(shop, json.dumps(order()).encode().ljust(size))
    envelope(answer, 413)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert_says_nothing_internal(answer)


def test_a_payment_form_that_is_too_large_is_a_413(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    envelope(shopper.pay(checkout, name="x" * 64 * 1024), 413)
    page = shopper.pay_by_form(checkout, name="x" * 64 * 1024)
    assert page.status_code == 413
    assert Page(page).title


def test_a_url_that_is_too_long_is_refused_like_everything_else(shop: Shop) -> None:
    answer = shop.request("GET", "/v1/payments/?cursor=" + "x" * 8192)
    assert_says_nothing_internal(answer)
    envelope(answer, 414)


@pytest.mark.parametrize("length", [1000, 7000, 8100])
def test_a_long_url_is_read(shop: Shop, length: int) -> None:
    assert list(faults(shop.request("GET", "/v1/payments/?cursor=" + "x" * length))) == ["cursor"]


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_a_create_that_is_not_json_is_a_415(shop: Shop, media_type: str) -> None:
    answer = post(shop, json.dumps(order()), **{"Content-Type": media_type})
    envelope(answer, 415)
    assert shop.list().json() == []


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data; boundary=x"])
def test_a_payment_that_is_neither_json_nor_a_form_is_a_415(
    shop: Shop, shopper: Shopper, media_type: str
) -> None:
    url = f"{shop.stack.url}/checkout/{shop.checkout().id}"
    envelope(shopper.post(url, data=b"{}", headers={"Content-Type": media_type}), 415)


def test_json_is_taken_however_its_type_is_spelled(shop: Shop) -> None:
    headers = {"Content-Type": "APPLICATION/JSON; charset=utf-8"}
    assert post(shop, json.dumps(order()), **headers).status_code == 202


def test_a_503_says_when_to_come_back(stack: Stack) -> None:
    answer = open_shop(stack, Mode.LIVE).create()
    envelope(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert_says_nothing_internal(answer)


# ------------------------------------------------------------------------ bodies that are no JSON
# Which bodies are read is tested in tests/unit/test_request_body.py, which fields and parameters in
# tests/unit/test_payment_request.py, test_card_form.py and test_query.py.

# Those that something on the way to the handler could stumble over.
ON_THE_WAY = {
    name: MALFORMED[name]
    for name in (
        *("nothing", "white space", "cut", "NaN", "a number of 100 kilo-digits", "a raw NUL"),
        *("bytes that are no UTF-8", "UTF-16", "30,000 arrays deep", "arrays without end"),
    )
}


@pytest.mark.parametrize("body", ON_THE_WAY.values(), ids=ON_THE_WAY.keys())
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "one"}], ids=["", "with-a-key"])
def test_a_create_that_cannot_be_read_is_a_400(
    shop: Shop, body: bytes, key: dict[str, str]
) -> None:
    answer = post(shop, body, **key)
    assert faults(answer) == {"body": "malformed"}
    assert_says_nothing_internal(answer)
    assert shop.list().json() == []


@pytest.mark.parametrize("body", ON_THE_WAY.values(), ids=ON_THE_WAY.keys())
def test_a_payment_that_cannot_be_read_is_a_400(shop: Shop, shopper: Shopper, body: bytes) -> None:
    checkout = shop.checkout()
    answer = shopper.post(f"{shop.stack.url}/checkout/{checkout.id}", data=body, headers=JSON)
    assert faults(answer) == {"body": "malformed"}
    assert_says_nothing_internal(answer)
    assert shop.payment(checkout.id)["status"] == "requires_action"


def test_no_depth_is_too_much_for_a_clean_answer(shop: Shop) -> None:
    """Somewhere between these depths every part that reads the body reaches its limit."""
    statuses = set()
    for depth in [*range(1, 900, 50), *range(900, 1050), *range(1050, 20_000, 1500)]:
        answers = [
            post(shop, nested(depth)),
            post(shop, nested(depth), **{"Idempotency-Key": f"{depth}"}),
        ]
        assert answers[0].status_code == answers[1].status_code, depth
        statuses.add(answers[0].status_code)
    assert statuses == {202, 400}


@pytest.mark.parametrize(
    ("field", "value"),
    [("description", "a\ud800b"), ("items", ["\udfff"]), ("metadata", {"\ud800": "value"})],
)
def test_half_a_character_is_refused(shop: Shop, field: str, value: object) -> None:
    """A lone surrogate is valid in JSON's escapes, but no text."""
    answer = post(shop, json.dumps(order(**{field: value})))
    assert [name.partition(".")[0] for name in faults(answer)] == [field]
    assert_says_nothing_internal(answer)


@pytest.mark.parametrize("body", [order(x="\ud800"), {**order(), "\ud800": "x"}], ids=ascii)
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "one"}], ids=["", "with-a-key"])
def test_half_a_character_in_what_is_ignored_is_ignored(
    shop: Shop, body: dict[str, Any], key: dict[str, str]
) -> None:
    assert post(shop, json.dumps(body), **key).status_code == 202


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 4000, "1e999", "-1e999", "1e-999"])
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "one"}], ids=["", "with-a-key"])
def test_huge_numbers_in_what_is_ignored_are_ignored(
    shop: Shop, number: str, key: dict[str, str]
) -> None:
    body = json.dumps(order())[:-1] + f', "x": {number}' + "}"
    assert post(shop, body, **key).status_code == 202


@pytest.mark.parametrize("field", ["amount", "items"])
@pytest.mark.parametrize("number", ["9" * 4000, "1e999", "-0", "1e-999"])
def test_huge_numbers_in_place_of_texts_are_refused(shop: Shop, field: str, number: str) -> None:
    body = json.dumps(order(**{field: "HERE"})).replace('"HERE"', number)
    assert list(faults(post(shop, body))) == [field]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=" + value for value in ("0", "", "9" * 4000, "%D9%A1")),
        *("status=" + value for value in ("paid", "%00", "%ED%A0%80", "%FF")),
        *("test=" + value for value in ("", "%00")),
        *("sort=" + value for value in ("amount", "created_on%00", "+created_on")),
        *("cursor=" + value for value in ("", "%00", "%FF", "%C3%A9", "x" * 5000)),
    ],
    ids=lambda query: query[:30],
)
def test_a_bad_parameter_is_a_400_that_names_it(shop: Shop, query: str) -> None:
    answer = shop.request("GET", f"/v1/payments/?{query}")
    assert list(faults(answer)) == [query.partition("=")[0]]
    assert_says_nothing_internal(answer)


@pytest.mark.parametrize("value", ["", "%FF"])
def test_a_bad_parameter_of_one_payment_is_a_400_too(shop: Shop, value: str) -> None:
    answer = shop.request("GET", f"/v1/payments/{shop.checkout().id}?test={value}")
    assert list(faults(answer)) == ["test"]


@pytest.mark.parametrize(
    "body", [b"", b"&&&", b"=", b"a" * 1000, b"%FF=%FF", b"client_secret=%ED%A0%80", b"a=b&" * 1000]
)
def test_a_form_that_cannot_be_read_is_no_500(shop: Shop, shopper: Shopper, body: bytes) -> None:
    url = f"{shop.stack.url}/checkout/{shop.checkout().id}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = shopper.post(url, data=body, headers=headers)
    assert answer.status_code in (400, 404)
    assert Page(answer).title
    assert_says_nothing_internal(answer)


# ------------------------------------------------------------------------------- nothing internal


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": MARKER},
        {"currency": MARKER},
        {"description": MARKER * 100},
        {"items": [MARKER * 100]},
        {"return_url": MARKER},
        {"customer_email": MARKER},
        {"metadata": {MARKER: 5}},
        {"metadata": {MARKER * 10: MARKER}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_refusal_does_not_echo_what_was_sent(shop: Shop, changes: dict[str, Any]) -> None:
    answer = shop.create(**changes)
    assert faults(answer)
    assert MARKER not in answer.text
    assert_says_nothing_internal(answer)


@pytest.mark.parametrize(
    "act",
    [
        lambda shop: shop.create(),
        lambda shop: shop.create(headers={"Idempotency-Key": "one"}),
        lambda shop: shop.get("pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"),
        lambda shop: shop.list(),
        lambda shop: shop.list(status="succeeded"),
        lambda shop: _ask_checkout(shop, "GET"),
        lambda shop: _ask_checkout(shop, "POST"),
    ],
    ids=["create", "keyed-create", "get", "list", "list-by-status", "status", "pay"],
)
def test_when_the_store_does_not_answer_the_answer_is_a_503(
    broken: Shop, act: Callable[[Shop], requests.Response]
) -> None:
    answer = act(broken)
    envelope(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["X-Request-Id"]
    assert_says_nothing_internal(answer)


def test_when_the_store_does_not_answer_the_answer_is_in_the_callers_language(
    broken: Shop,
) -> None:
    body = envelope(broken.create(headers={"Accept-Language": "it"}), 503)
    assert body["title"] == text("error.unavailable.title", "it")
    assert body["content"] == text("error.unavailable.content", "it")


def _ask_checkout(shop: Shop, method: str, accept: str = "application/json") -> requests.Response:
    secret = {"client_secret": "cs_test_shop_" + "0" * 32}
    return requests.request(
        method,
        f"{shop.stack.url}/checkout/pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB",
        params=secret,
        json=secret if method == "POST" else None,
        headers={"Accept": accept},
        timeout=30,
    )


def test_when_the_store_does_not_answer_a_shopper_gets_a_page(broken: Shop) -> None:
    answer = _ask_checkout(broken, "GET", accept="text/html")
    assert answer.status_code == 503
    assert Page(answer).title
    assert_says_nothing_internal(answer)


def _damaged(shop: Shop) -> Checkout:
    """A payment as our code cannot have written it."""
    checkout = shop.checkout()
    shop.stack.dynamodb.update_item(
        TableName=shop.stack.resources["PaymentsTable"],
        Key=payment_key(checkout),
        UpdateExpression="REMOVE amount_minor",
    )
    return checkout


@pytest.mark.parametrize("listed", [False, True], ids=["get", "list"])
def test_an_unforeseen_error_is_a_500_that_tells_nothing(quiet_shop: Shop, listed: bool) -> None:
    damaged = _damaged(quiet_shop)
    answer = quiet_shop.list() if listed else quiet_shop.get(damaged.id)
    envelope(answer, 500)
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert_says_nothing_internal(answer)


def test_an_unforeseen_error_is_logged_with_the_request_id_it_was_answered_with(
    quiet_shop: Shop,
) -> None:
    answer = quiet_shop.get(_damaged(quiet_shop).id)
    request_id = answer.headers["X-Request-Id"]
    logged = [line for line in quiet_shop.stack.log.splitlines() if request_id in line]
    assert any("unforeseen error" in line for line in logged)


def test_an_unforeseen_error_is_counted_for_its_release_and_for_its_version(
    quiet_shop: Shop,
) -> None:
    def counted() -> Counter[str]:
        lines = [line for line in quiet_shop.stack.log.splitlines() if "UnforeseenErrors" in line]
        metrics = [json.loads(line) for line in lines]
        return Counter(
            name
            for metric in metrics
            for name in ("release", "version")
            if metric.get(name) and metric["UnforeseenErrors"] == [1.0]
        )

    damaged, before = _damaged(quiet_shop), counted()
    assert quiet_shop.get(damaged.id).status_code == 500
    assert counted() - before == {"release": 1, "version": 1}


def test_an_unforeseen_error_shows_a_shopper_a_page(quiet_shop: Shop, shopper: Shopper) -> None:
    answer = shopper.open(_damaged(quiet_shop).redirect)
    assert answer.status_code == 500
    assert Page(answer).title
    assert_says_nothing_internal(answer)
