"""Contract, section 2: API keys, their modes, their end, and what is said to those without one."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
import requests

from local.emulator.demo import FIRST, REVOKED_KEY
from local.template import load
from payments.model.ids import Mode
from payments.use_cases.api_keys import ApiKeys
from tests.conftest import StackFor
from tests.support.actors import Shop, Shopper, open_shop, order
from tests.support.documentation import EXAMPLE_ID, NOT_FOUND, envelope
from tests.support.operator import operate, printed
from tests.support.stack import Stack

NO_CREDENTIALS = {"detail": "Authentication credentials were not provided."}
INVALID_FORMAT = {"detail": "Invalid API key format."}
INVALID_KEY = {"detail": "Invalid API key."}
WELL_FORMED = "sk_test_51O62xYzAbcDef999"
CACHE_SECONDS = 1
KEY_ROUTES = (
    ("POST", "/v1/payments/"),
    ("GET", "/v1/payments/"),
    ("GET", "/v1/payments/internal"),
    ("GET", f"/v1/payments/{EXAMPLE_ID}"),
)


def basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def ask(
    stack: Stack, authorization: str | None, method: str = "GET", path: str = "/v1/payments/"
) -> requests.Response:
    """A request with this very header, or with none."""
    return requests.request(
        method,
        stack.url + path,
        headers={} if authorization is None else {"Authorization": authorization},
        json=order() if method == "POST" else None,
        timeout=30,
    )


@pytest.fixture(scope="module")
def both_modes(stack_for: StackFor) -> Stack:
    """A stack that takes live payments and forgets keys after a second."""
    return stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds=str(CACHE_SECONDS))


@pytest.fixture(scope="session")
def keyless(stack_for: StackFor) -> Stack:
    """A stack whose key store is gone. Nobody else may use it: the parameter says so."""
    stack = stack_for(AuthorizerCacheSeconds="0", LogRetentionDays="1")
    open_shop(stack).checkout()
    stack.dynamodb.delete_table(TableName=stack.resources["KeysTable"])
    return stack


# ------------------------------------------------------------------------------ HTTP Basic, modes


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_key_is_the_user_name_and_the_password_is_empty(shop: Shop, scheme: str) -> None:
    header = basic(f"{shop.key}:").replace("Basic", scheme)
    assert ask(shop.stack, header).status_code == 200


@pytest.mark.parametrize("mode", list(Mode))
def test_the_mode_is_the_key_s(both_modes: Stack, mode: Mode) -> None:
    shop = open_shop(both_modes, mode)
    checkout = shop.checkout()

    assert (shop.key or "").startswith(f"sk_{mode}_")
    assert checkout.data["test"] is (mode is Mode.TEST)
    assert shop.payment(checkout.id)["test"] is (mode is Mode.TEST)
    assert [row["test"] for row in shop.list().json()] == [mode is Mode.TEST]


def test_a_body_cannot_change_the_mode(both_modes: Stack) -> None:
    shop = open_shop(both_modes, Mode.TEST)
    checkout = shop.checkout(test=False, mode="live")
    assert shop.payment(checkout.id)["test"] is True


# ------------------------------------------------------------------------------ stored as a hash


def test_a_key_is_shown_once_and_stored_only_as_a_hash(both_modes: Stack) -> None:
    made = {"NAME": "Hashed", "EMAIL": "hashed@example.com", "COUNTRY": "CR"}
    printed(operate(both_modes, "merchant", MERCHANT="hashed", **made))
    shown = printed(operate(both_modes, "key", MERCHANT="hashed", MODE="test"))
    (key,) = re.findall(r"sk_test_\w+", shown)
    shop = Shop(both_modes, key)
    shop.checkout()
    rows = {table: json.dumps(both_modes.rows(table), default=str) for table in _tables(both_modes)}

    assert hashlib.sha256(key.encode()).hexdigest() in rows["KeysTable"]
    assert "PaymentsTable" in rows
    for table, content in rows.items():
        assert key not in content, table
        assert key.removeprefix("sk_test_") not in content, table
    assert key not in both_modes.log


def test_a_key_is_looked_up_by_its_hash(both_modes: Stack) -> None:
    shop = open_shop(both_modes)
    key_id = {"id": {"S": "key#" + hashlib.sha256((shop.key or "").encode()).hexdigest()}}
    table = both_modes.resources["KeysTable"]
    row = both_modes.dynamodb.get_item(TableName=table, Key=key_id)["Item"]

    both_modes.dynamodb.delete_item(TableName=table, Key=key_id)
    gone = shop.list()
    both_modes.dynamodb.put_item(TableName=table, Item=row)
    time.sleep(CACHE_SECONDS)

    assert (gone.status_code, shop.list().status_code) == (401, 200)


def _tables(stack: Stack) -> list[str]:
    return [name for name in stack.resources if name.endswith("Table")]


# ---------------------------------------------------------------------------- rotation and the end


@pytest.mark.parametrize(
    ("overlap_seconds", "passed_seconds", "status"),
    [(3600, 0, 200), (3600, 3590, 200), (3600, 3600, 401), (3600, 86_400, 401), (0, 0, 401)],
)
def test_a_rotated_key_lives_for_the_chosen_overlap_and_then_dies(
    both_modes: Stack, overlap_seconds: int, passed_seconds: int, status: int
) -> None:
    shop = open_shop(both_modes)
    rotated_at = int(time.time()) - passed_seconds
    new = ApiKeys(both_modes.key_store).rotate(shop.key or "", overlap_seconds, rotated_at)

    old_answer = shop.list()
    assert old_answer.status_code == status
    if status == 401:
        assert old_answer.json() == INVALID_KEY
    assert Shop(both_modes, new).list().status_code == 200


def test_a_rotated_key_dies_while_it_is_in_use(both_modes: Stack) -> None:
    shop = open_shop(both_modes)
    ApiKeys(both_modes.key_store).rotate(shop.key or "", 1, int(time.time()))
    assert _seconds_until_refused(shop) < 1 + CACHE_SECONDS + 1


def test_the_new_key_sees_what_the_old_one_made(both_modes: Stack) -> None:
    shop = open_shop(both_modes, Mode.LIVE)
    checkout = shop.checkout()
    new = ApiKeys(both_modes.key_store).rotate(shop.key or "", 60, int(time.time()))
    assert new.startswith("sk_live_")
    assert new != shop.key
    assert Shop(both_modes, new).payment(checkout.id) == shop.payment(checkout.id)


def test_the_operator_s_commands_rotate_and_revoke(both_modes: Stack) -> None:
    shop = open_shop(both_modes)
    shown = printed(operate(both_modes, "rotate", KEY=shop.key or "", OVERLAP_HOURS="1"))
    (new,) = re.findall(r"sk_test_\w+", shown)
    assert (shop.list().status_code, Shop(both_modes, new).list().status_code) == (200, 200)

    printed(operate(both_modes, "revoke", KEY=new))
    time.sleep(CACHE_SECONDS)
    assert (shop.list().status_code, Shop(both_modes, new).list().status_code) == (200, 401)


def test_a_revoked_key_dies_within_the_parametrised_time(both_modes: Stack) -> None:
    shop = open_shop(both_modes)
    assert shop.list().status_code == 200
    ApiKeys(both_modes.key_store).revoke(shop.key or "", int(time.time()))
    assert _seconds_until_refused(shop) < CACHE_SECONDS + 1


def test_until_then_the_gateway_remembers_the_key(shop: Shop) -> None:
    """On the stack with the default of 60 seconds."""
    checkout = shop.checkout()
    ApiKeys(shop.stack.key_store).revoke(shop.key or "", int(time.time()))
    assert shop.payment(checkout.id)["id"] == checkout.id


def _seconds_until_refused(shop: Shop) -> float:
    started = time.monotonic()
    while (answer := shop.list()).status_code == 200:
        assert time.monotonic() - started < 10, "the key never dies"
        time.sleep(0.05)
    assert (answer.status_code, answer.json()) == (401, INVALID_KEY)
    return time.monotonic() - started


@pytest.mark.parametrize(
    ("parameters", "seconds"),
    [({}, 60), ({"AuthorizerCacheSeconds": "0"}, 0), ({"AuthorizerCacheSeconds": "300"}, 300)],
)
def test_the_deployed_gateway_remembers_keys_for_60_seconds_or_as_the_parameter_says(
    monkeypatch: pytest.MonkeyPatch, parameters: dict[str, str], seconds: int
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    (api,) = load(parameters).of_type("AWS::ApiGateway::RestApi").values()
    schemes = api["Properties"]["Body"]["components"]["securitySchemes"]
    (authorizer,) = [scheme["x-amazon-apigateway-authorizer"] for scheme in schemes.values()]

    assert int(authorizer["authorizerResultTtlInSeconds"]) == seconds
    assert authorizer["identitySource"] == "method.request.header.Authorization"


@pytest.mark.parametrize("second", KEY_ROUTES, ids=str)
@pytest.mark.parametrize("first", KEY_ROUTES, ids=str)
def test_an_answer_remembered_on_one_route_serves_all_routes(
    stack: Stack, first: tuple[str, str], second: tuple[str, str]
) -> None:
    known, unknown = open_shop(stack), Shop(stack, f"sk_test_unknown{time.time_ns()}")
    for method, path in (first, second):
        allowed = known.request(method, path, json=order())
        denied = unknown.request(method, path, json=order())
        assert allowed.status_code in (200, 202, 404)
        assert (denied.status_code, denied.json()) == (401, INVALID_KEY)


# ------------------------------------------------------------------------------- handlers' callers


def _event(resource: str, authorizer: dict[str, str] | None) -> dict[str, Any]:
    """A proxy event as API Gateway would send it, were it set up without our authorizer."""
    method = "POST" if resource == "/v1/payments#create" else "GET"
    resource = resource.partition("#")[0]
    context = {
        "requestId": "r-1",
        "path": resource,
        "domainName": "pay.example.com",
        "identity": {"sourceIp": "192.0.2.1"},
        **({} if authorizer is None else {"authorizer": authorizer}),
    }
    return {
        "resource": resource,
        "path": resource,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json", "Authorization": basic("sk_test_x:")},
        "queryStringParameters": None,
        "pathParameters": {"id": EXAMPLE_ID},
        "requestContext": context,
        "body": json.dumps(order()),
        "isBase64Encoded": False,
    }


HANDLERS = (
    ("CreatePaymentFunction", "/v1/payments#create", 202),
    ("GetPaymentFunction", "/v1/payments/{id}", 404),
    ("ListPaymentsFunction", "/v1/payments", 200),
)
MERCHANT = json.dumps(asdict(FIRST))


Invoke = Callable[[str, str, dict[str, str] | None], dict[str, Any]]


@pytest.fixture(scope="module")
def invoke(both_modes: Stack) -> Invoke:
    """Calls a function past the gateway, with whatever the authorizer is said to have found."""
    client = both_modes.aws("lambda")

    def invoke(function: str, resource: str, authorizer: dict[str, str] | None) -> dict[str, Any]:
        called = client.invoke(
            FunctionName=both_modes.resources[function],
            Payload=json.dumps(_event(resource, authorizer)),
        )
        answer: dict[str, Any] = json.loads(called["Payload"].read())
        return answer

    return invoke


NO_CALLERS: dict[str, dict[str, str] | None] = {
    "no authorizer": None,
    "nothing": {},
    "a principal alone": {"principalId": "4geeks"},
    "no mode": {"merchant": MERCHANT},
    "no merchant": {"mode": "test"},
    "an empty mode": {"merchant": MERCHANT, "mode": ""},
    "an unknown mode": {"merchant": MERCHANT, "mode": "admin"},
    "a merchant's id": {"merchant": "4geeks", "mode": "test"},
    "an empty merchant": {"merchant": "{}", "mode": "test"},
    "a null merchant": {"merchant": "null", "mode": "test"},
}


@pytest.mark.parametrize("authorizer", NO_CALLERS.values(), ids=NO_CALLERS.keys())
@pytest.mark.parametrize(("function", "resource", "status"), HANDLERS)
def test_a_handler_refuses_to_run_without_the_authorizer_s_merchant_and_mode(
    invoke: Invoke, function: str, resource: str, status: int, authorizer: dict[str, str] | None
) -> None:
    answer = invoke(function, resource, authorizer)
    assert answer["statusCode"] == 401
    assert json.loads(answer["body"]) == NO_CREDENTIALS


def test_a_handler_that_refuses_to_run_stores_nothing(both_modes: Stack, invoke: Invoke) -> None:
    before = both_modes.row_counts()
    function, resource, _ = HANDLERS[0]
    for authorizer in NO_CALLERS.values():
        invoke(function, resource, authorizer)
    assert both_modes.row_counts() == before


@pytest.mark.parametrize(("function", "resource", "status"), HANDLERS)
def test_a_handler_takes_merchant_and_mode_from_the_authorizer_alone(
    invoke: Invoke, function: str, resource: str, status: int
) -> None:
    """The very events of the tests above, now with a full context."""
    context = {"merchant": MERCHANT, "mode": "test", "principalId": "4geeks"}
    assert invoke(function, resource, context)["statusCode"] == status


# --------------------------------------------------------------------- modes and merchants apart

SEEN = [
    # key, payment, ?test=, status
    (Mode.TEST, Mode.TEST, None, 200),
    (Mode.TEST, Mode.TEST, "true", 200),
    (Mode.TEST, Mode.TEST, "false", 404),
    (Mode.TEST, Mode.LIVE, None, 404),
    (Mode.TEST, Mode.LIVE, "true", 404),
    (Mode.TEST, Mode.LIVE, "false", 404),
    (Mode.LIVE, Mode.LIVE, None, 200),
    (Mode.LIVE, Mode.LIVE, "true", 404),
    (Mode.LIVE, Mode.LIVE, "false", 200),
    (Mode.LIVE, Mode.TEST, None, 404),
    (Mode.LIVE, Mode.TEST, "true", 200),
    (Mode.LIVE, Mode.TEST, "false", 404),
]


@pytest.mark.parametrize(("key_mode", "payment_mode", "test", "status"), SEEN)
def test_which_payments_a_key_sees(
    both_modes: Stack, key_mode: Mode, payment_mode: Mode, test: str | None, status: int
) -> None:
    merchant = f"modes-{time.time_ns()}"
    checkout = open_shop(both_modes, payment_mode, merchant).checkout()
    reader = open_shop(both_modes, key_mode, merchant)
    query = {} if test is None else {"test": test}

    one, listed = reader.get(checkout.id, **query), reader.list(**query)

    assert one.status_code == status
    if status == 404:
        assert one.json() == NOT_FOUND
    assert [row["id"] for row in listed.json()] == ([checkout.id] if status == 200 else [])


def test_another_merchant_s_payment_is_the_same_404_as_none(stack: Stack) -> None:
    owner, stranger = open_shop(stack), open_shop(stack)
    theirs = stranger.get(owner.checkout().id)
    absent = stranger.get("pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB")

    assert envelope(theirs, 404) == absent.json() == NOT_FOUND
    assert theirs.text == absent.text
    varying = {"Date", "X-Request-Id"}
    assert {name: value for name, value in theirs.headers.items() if name not in varying} == {
        name: value for name, value in absent.headers.items() if name not in varying
    }


def test_another_merchant_s_payments_are_not_listed(stack: Stack) -> None:
    owner, stranger = open_shop(stack), open_shop(stack)
    owner.checkout()
    assert stranger.list().json() == []
    assert len(owner.list().json()) == 1


# ------------------------------------------------------------------------------------ refused keys

REFUSED: dict[str, tuple[str | None, dict[str, str]]] = {
    "no header": (None, NO_CREDENTIALS),
    "empty header": ("", NO_CREDENTIALS),
    "bearer": (f"Bearer {WELL_FORMED}", INVALID_FORMAT),
    "the key alone": (WELL_FORMED, INVALID_FORMAT),
    "digest": ('Digest username="sk"', INVALID_FORMAT),
    "nothing after basic": ("Basic", INVALID_FORMAT),
    "not base64": ("Basic !!!!", INVALID_FORMAT),
    "not encoded": (f"Basic {WELL_FORMED}:", INVALID_FORMAT),
    "not text": ("Basic " + base64.b64encode(b"\xff\xfe:").decode(), INVALID_FORMAT),
    "no colon": (basic(WELL_FORMED), INVALID_FORMAT),
    "a password": (basic(f"{WELL_FORMED}:secret"), INVALID_FORMAT),
    "two colons": (basic(f"{WELL_FORMED}::"), INVALID_FORMAT),
    "the key as password": (basic(f":{WELL_FORMED}"), INVALID_FORMAT),
    "nothing but a colon": (basic(":"), INVALID_FORMAT),
    "publishable prefix": (basic("pk_test_51O62xYzAbcDef123:"), INVALID_FORMAT),
    "unknown mode": (basic("sk_prod_51O62xYzAbcDef123:"), INVALID_FORMAT),
    "no prefix": (basic("51O62xYzAbcDef123:"), INVALID_FORMAT),
    "upper-case prefix": (basic("SK_TEST_51O62xYzAbcDef123:"), INVALID_FORMAT),
    "prefix alone": (basic("sk_test_:"), INVALID_FORMAT),
    "a space in it": (basic("sk_test_51O62xYz AbcDef123:"), INVALID_FORMAT),
    "a space before it": (basic(" sk_test_51O62xYzAbcDef123:"), INVALID_FORMAT),
    "a newline after it": (basic("sk_test_51O62xYzAbcDef123\n:"), INVALID_FORMAT),
    "letters beyond ASCII": (basic("sk_test_51O62xYzÄbcDef123:"), INVALID_FORMAT),
    "a kilobyte": (basic("sk_test_" + "a" * 1024 + ":"), INVALID_FORMAT),
    "unknown": (basic(f"{WELL_FORMED}:"), INVALID_KEY),
    "unknown and live": (basic(f"{WELL_FORMED}:".replace("test", "live")), INVALID_KEY),
    "other case": (basic("sk_test_51o62xyzabcdef123:"), INVALID_KEY),
    "a letter more": (basic("sk_test_51O62xYzAbcDef1234:"), INVALID_KEY),
    "revoked": (basic(f"{REVOKED_KEY}:"), INVALID_KEY),
}


@pytest.mark.parametrize(("header", "body"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_key_hears_why(stack: Stack, header: str | None, body: dict[str, str]) -> None:
    answer = ask(stack, header)
    assert (answer.status_code, answer.json()) == (401, body)
    assert answer.headers["WWW-Authenticate"] == "Basic"
    assert answer.headers["Content-Type"] == "application/json"


def test_an_expired_key_is_an_invalid_key(stack: Stack) -> None:
    shop = open_shop(stack)
    ApiKeys(stack.key_store).rotate(shop.key or "", 60, int(time.time()) - 61)
    answer = shop.list()
    assert (answer.status_code, answer.json()) == (401, INVALID_KEY)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("method", "path"), KEY_ROUTES)
@pytest.mark.parametrize(
    ("header", "body"),
    [
        (None, NO_CREDENTIALS),
        (basic("nonsense:"), INVALID_FORMAT),
        (basic(f"{WELL_FORMED}:"), INVALID_KEY),
    ],
)
def test_every_route_refuses_in_the_same_words(
    stack: Stack, method: str, path: str, slash: str, header: str | None, body: dict[str, str]
) -> None:
    answer = ask(stack, header, method, path.rstrip("/") + slash)
    assert (answer.status_code, answer.json()) == (401, body)
    assert answer.headers["WWW-Authenticate"] == "Basic"


@pytest.mark.parametrize("header", [None, basic("nonsense:"), basic(f"{WELL_FORMED}:")])
def test_a_refused_caller_stores_nothing(both_modes: Stack, header: str | None) -> None:
    before = both_modes.row_counts()
    assert ask(both_modes, header, "POST").status_code == 401
    assert both_modes.row_counts() == before


def test_only_the_key_is_asked_for_and_no_other_header_or_field_counts(stack: Stack) -> None:
    shop = open_shop(stack)
    answer = requests.get(
        f"{stack.url}/v1/payments/?api_key={shop.key}",
        headers={"X-Api-Key": shop.key or "", "Cookie": f"key={shop.key}"},
        timeout=30,
    )
    assert (answer.status_code, answer.json()) == (401, NO_CREDENTIALS)


# ------------------------------------------------------------------------- without the key store


@pytest.mark.parametrize(("method", "path"), KEY_ROUTES)
def test_when_the_key_store_cannot_be_asked_the_answer_is_503(
    keyless: Stack, method: str, path: str
) -> None:
    answer = ask(keyless, basic(f"{WELL_FORMED}:"), method, path)
    envelope(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize(
    ("header", "body"), [(None, NO_CREDENTIALS), (basic("nonsense:"), INVALID_FORMAT)]
)
def test_who_brings_no_key_is_refused_without_asking_the_store(
    keyless: Stack, header: str | None, body: dict[str, str]
) -> None:
    answer = ask(keyless, header)
    assert (answer.status_code, answer.json()) == (401, body)


def test_shoppers_need_no_key_store(keyless: Stack) -> None:
    answer = requests.get(f"{keyless.url}/checkout/{EXAMPLE_ID}", timeout=30)
    assert answer.status_code == 404
    assert Shopper(keyless).open(f"{keyless.url}/checkout/static/style.css").status_code == 200
