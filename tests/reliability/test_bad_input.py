"""Issue 3, test 4: whatever is sent, there is no 5xx, no answer outside the document, and nothing
is stored by a refused request.

Schemathesis makes requests out of `functions/openapi.yaml`; Hypothesis makes what no schema
describes. Both are derandomized, so that every run tries the same. Every answer is looked at when
it comes; the last tests compare what was stored with what was accepted, and feed the judges lies.
"""

import base64
import binascii
import copy
import json
import re
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.errors import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from payments.money.currencies import MINOR_UNIT_DIGITS
from tests.support.actors import (
    PAID_CARD,
    TIMEOUT_SECONDS,
    Checkout,
    Shop,
    Shopper,
    open_shop,
    order,
)
from tests.support.documentation import NOT_FOUND, envelope, faults
from tests.support.records import stored
from tests.support.report import record
from tests.support.stack import PROJECT, Stack

UNKNOWN_ID = "pay_01JDQ8Z5M3W7V0XKQ2T4R6Y8AB"
SECURED = ("/v1/payments", "/v1/payments/internal", "/v1/payments/{id}")
# What a JSON schema cannot say of a value: then valid data may be refused.
BEYOND_SCHEMAS = frozenset(
    {"invalid_cursor", "invalid_email", "invalid_url", "holds_card_number", "too_many_decimals"}
)
_DOCUMENTED: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_OUTCOMES = (200, 202, 303, 402)  # of a pay that was not refused

Operation = schemathesis.APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Operation]

generously = settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
sparingly = settings(generously, max_examples=20)


# The generator tries strings one by one against a pattern that looks ahead, which takes minutes. It
# gets a pattern that the first one contains; what the first one alone refuses is tried in unit
# tests. Beginning of the pattern -> the one to generate from.
_EASIER = {
    "^(?=.{1,64}@)": r"^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}@[a-z]{1,20}\.[a-z]{2,6}$",
    r"^(?=[\s\S]*\S)": r"^[ -~\u00a1-\u024f]*[!-~][ -~\u00a1-\u024f]*$",
}


def _ease(node: Any) -> None:
    """Replaces patterns that look ahead, wherever they stand in the document."""
    if isinstance(node, list):
        for inner in node:
            _ease(inner)
    elif isinstance(node, dict):
        for beginning, easier in _EASIER.items():
            if str(node.get("pattern", "")).startswith(beginning):
                node["pattern"] = easier
        for inner in node.values():
            _ease(inner)


def _document() -> dict[str, Any]:
    text = (PROJECT / "functions/openapi.yaml").read_text("utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    # A generator takes minutes to make 6,000 characters of base64; longer ones are made below.
    (data,) = (
        parameter
        for parameter in document["paths"]["/checkout"]["get"]["parameters"]
        if parameter.get("name") == "data"
    )
    data["schema"]["maxLength"] = 300
    _ease(document)
    # Keys are sent, left out and made up here, not by the generator.
    del document["components"]["securitySchemes"]
    for path in SECURED:
        for operation in ("get", "post"):
            document["paths"][path].get(operation, {}).pop("security", None)
    return document


def _described() -> schemathesis.BaseSchema:
    schemathesis.openapi.format("iso-4217", st.sampled_from(sorted(MINOR_UNIT_DIGITS)))
    described = schemathesis.openapi.from_dict(_document(), config=schemathesis.Config())
    described.config.phases.coverage.unexpected_methods = set()  # a 404 here, by contract
    # An unknown query parameter is ignored, so a request that differs by one alone is valid.
    described.config.generation.allow_extra_parameters = False
    return described


API = _described()
_TEMPLATES = sorted(_document()["paths"], key=lambda path: path.count("{"))


# ------------------------------------------------------------------------------- what is judged


def operation_of(answer: requests.Response) -> tuple[str, str] | None:
    """Which (method, path) of the document was asked."""
    method, path = str(answer.request.method), urlsplit(str(answer.request.url)).path.rstrip("/")
    for template in _TEMPLATES:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in API[template]:
            return method, template
    return None


def wrongs(answer: requests.Response) -> list[str]:
    """Everything that may not be answered, whatever was asked."""
    if answer.status_code >= 500:
        return [f"{answer.status_code} {answer.text[:300]}"]
    asked = operation_of(answer)
    if asked is None:
        is_not_found = answer.status_code == 404 and answer.json() == NOT_FOUND
        return [] if is_not_found else [f"{answer.status_code} on a path that is not documented"]
    method, template = asked
    try:
        _check(answer, API[template][method], _DOCUMENTED)
    except FailureGroup as group:
        return [str(failure) for failure in group.exceptions]
    return []


def _check(
    answer: requests.Response,
    operation: Operation,
    checks: list[CheckFunction],
) -> None:
    seen = schemathesis.Response(
        status_code=answer.status_code,
        headers={name: [value] for name, value in answer.headers.items()},
        content=answer.content,
        request=answer.request,
        elapsed=answer.elapsed.total_seconds(),
        verify=True,
    )
    parameters = dict.fromkeys(re.findall(r"\{(\w+)\}", operation.path), "x")
    operation.Case(path_parameters=parameters).validate_response(seen, checks=checks)


@dataclass
class Audit:
    """Every answer of this file: wrong ones stop the test, the others are counted."""

    stack: Stack
    before: dict[str, int]
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)

    def see(self, answer: requests.Response, **_options: object) -> None:
        """For `requests` to call with each answer."""
        found = wrongs(answer)
        asked = f"{answer.request.method} {answer.request.url} {answer.request.body!r}"[:2000]
        assert not found, "\n".join([asked, *found])
        self.statuses[answer.status_code] += 1
        is_replay = "Idempotent-Replayed" in answer.headers
        match operation_of(answer), answer.status_code:
            case ("POST", "/v1/payments"), 202 if not is_replay:
                self.accepted["PaymentsTable"] += 1
                is_keyed = "Idempotency-Key" in answer.request.headers
                self.accepted["IdempotencyTable"] += is_keyed
            case ("POST", "/checkout/{id}"), status if status in _OUTCOMES:
                self.accepted["SimulatorTable"] += 1

    @property
    def refused(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 400)


def unexplained(
    before: Mapping[str, int], after: Mapping[str, int], accepted: Mapping[str, int]
) -> list[str]:
    """Tables that hold more or less than what was accepted."""
    return [
        f"{table}: {after[table] - before[table]} rows more, {accepted.get(table, 0)} accepted"
        for table in ("PaymentsTable", "IdempotencyTable", "SimulatorTable")
        if after[table] - before[table] != accepted.get(table, 0)
    ]


@pytest.fixture(scope="module")
def audit(stack: Stack) -> Iterator[Audit]:
    """After all tests, in whichever order they came: a refused request has stored nothing."""
    audit = Audit(stack, stack.row_counts())
    yield audit
    assert unexplained(audit.before, audit.stack.row_counts(), audit.accepted) == []
    if audit.refused:
        record("bad inputs tried", audit.refused, f"of {audit.statuses.total()} made up requests")


@pytest.fixture(scope="module")
def watched(audit: Audit) -> Iterator[Shop]:
    """A merchant whose every answer is looked at."""
    shop = open_shop(audit.stack)
    shop.session.hooks["response"].append(audit.see)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def browser(audit: Audit) -> Iterator[Shopper]:
    """A shopper whose every answer is looked at."""
    shopper = Shopper(audit.stack)
    shopper.session.hooks["response"].append(audit.see)
    yield shopper
    shopper.close()


# ------------------------------------------------------------------- requests out of the document


def _send(case: Case, shop: Shop, auth: tuple[str, str] | None) -> schemathesis.Response:
    return case.call(
        base_url=shop.stack.url,
        session=shop.session,
        auth=auth,
        allow_redirects=False,
        timeout=TIMEOUT_SECONDS,
    )


def _is_beyond_schemas(answer: schemathesis.Response) -> bool:
    if answer.status_code != 400 or "errors" not in answer.text:
        return False
    return bool({error["code"] for error in answer.json()["errors"]} <= BEYOND_SCHEMAS)


@API.parametrize()
@generously
def test_what_the_document_allows_is_taken_and_the_rest_refused_with_a_key(
    case: Case, watched: Shop
) -> None:
    answer = _send(case, watched, (str(watched.key), ""))

    if case.path == "/checkout/static/{file}" or _is_beyond_schemas(answer):
        return  # any name may be asked for
    case.validate_response(answer, checks=[negative_data_rejection, positive_data_acceptance])


@API.parametrize()
@sparingly
def test_without_a_key_nothing_of_a_merchant_is_answered(case: Case, watched: Shop) -> None:
    answer = _send(case, watched, None)

    is_secured = case.path in SECURED and case.method != "OPTIONS"
    assert not is_secured or answer.status_code == 401


@API.include(path_regex="^/checkout/{id}").parametrize()
@generously
def test_made_up_forms_on_a_real_payment_change_nothing_unless_they_are_accepted(
    case: Case, watched: Shop
) -> None:
    checkout = watched.checkout()
    case.path_parameters["id"] = checkout.id
    for sent in (case.query, case.body):
        if isinstance(sent, dict) and "client_secret" in sent:
            sent["client_secret"] = checkout.client_secret
    before = stored(watched.stack, checkout)
    answer = _send(case, watched, None)
    after = stored(watched.stack, checkout)

    is_refused = answer.status_code >= 400 and answer.status_code != 402
    assert not is_refused or after == before


@pytest.fixture(scope="module")
def challenges(watched: Shop, browser: Shopper) -> Callable[[str], str]:
    """A challenge of each operation's own."""
    started: dict[str, str] = {}

    def challenge_for(operation: str) -> str:
        if operation not in started:
            url = browser.start_challenge(watched.checkout())
            started[operation] = url.rpartition("/")[2]
        return started[operation]

    return challenge_for


@API.include(path_regex="^/3ds/").parametrize()
@sparingly
def test_made_up_requests_about_a_real_challenge_are_answered_as_documented(
    case: Case, watched: Shop, challenges: Callable[[str], str]
) -> None:
    case.path_parameters["challenge"] = challenges(case.operation.label)

    _send(case, watched, None)


# ------------------------------------------------------------------- what no schema describes

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)


def _header(raw: bytes) -> bytes:
    """What of it may stand in a header (RFC 9110, 5.5): no control characters, no space around."""
    allowed = bytes(byte for byte in raw if byte == 0x09 or (byte >= 0x20 and byte != 0x7F))
    return allowed.strip(b" \t\x85\xa0")


ANY_HEADER = st.binary(max_size=300).map(_header)


def _changed(text: str) -> st.SearchStrategy[str]:
    """The text with something in it replaced, left out or added."""
    alphabet = st.sampled_from(string.ascii_letters + string.digits + "-_=.+é")
    place = st.integers(0, len(text))
    return st.one_of(
        st.builds(lambda at, new: text[:at] + new + text[at + 1 :], place, alphabet),
        st.builds(lambda at, new: text[:at] + new + text[at:], place, alphabet),
        st.builds(lambda at: text[:at], place),
        st.just(text.lower()),
        st.just(text.swapcase()),
    )


# ------------------------------------------------------------------------------------- amounts

AMOUNTS = st.one_of(
    st.from_regex(r"[0-9]{1,14}(\.[0-9]{0,5})?", fullmatch=True),
    st.from_regex(r"[-+ ]?[0-9]{0,3}[.,eE_ ]?[0-9]{0,3}[ \n]?", fullmatch=True),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.floats().map(str),
    st.text(st.characters(categories=["Nd", "No", "Nl"]), min_size=1, max_size=6),
    ANY_TEXT,
    ANY_JSON,
)


def is_amount(value: object, decimals: int) -> bool:
    """Contract, section 3: a string in decimal form, above zero, neither too fine nor too long."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return False
    whole, _, fraction = value.partition(".")
    return len(whole) <= 12 and len(fraction) <= decimals and Decimal(value) > 0


@generously
@given(amount=AMOUNTS, currency=st.sampled_from([("USD", 2), ("JPY", 0), ("KWD", 3)]))
@example(amount="0.010", currency=("KWD", 3))
@example(amount="1\n", currency=("JPY", 0))
@example(amount="999999999999.99", currency=("USD", 2))
@example(amount="1" * 5000, currency=("USD", 2))
@example(amount="٣.٥٠", currency=("USD", 2))
def test_an_amount_is_taken_exactly_or_refused(
    amount: object, currency: tuple[str, int], watched: Shop
) -> None:
    code, decimals = currency
    body = json.dumps(order(currency=code) | {"amount": amount})
    headers = {"Content-Type": "application/json"}
    answer = watched.request("POST", "/v1/payments/", data=body, headers=headers)

    if not is_amount(amount, decimals):
        assert set(faults(answer)) <= {"amount", "body"}
        return
    shown = watched.payment(Checkout.of(answer).id)["amount"]
    assert Decimal(shown) == Decimal(str(amount))
    assert len(shown.partition(".")[2]) == decimals


# ------------------------------------------------------------------------------------- bodies


@generously
@given(
    name=st.sampled_from(sorted({*order(), "customer_email", "metadata", "unknown"})),
    value=ANY_JSON | st.text(max_size=20),
)
@example(name="description", value="\ud800")
@example(name="metadata", value={"\ud800": "x"})
@example(name="items", value=["\x00"])
@example(name="description", value="\x00\u202e\u200b ")
@example(name="unknown", value=10**400)
def test_any_value_of_any_field_is_kept_as_it_is_or_refused_by_its_name(
    name: str, value: object, watched: Shop
) -> None:
    answer = watched.request(
        "POST",
        "/v1/payments/",
        data=json.dumps(order() | {name: value}),
        headers={"Content-Type": "application/json"},
    )

    if answer.status_code == 400:
        named = {error["field"] for error in envelope(answer, 400, "errors")["errors"]}
        assert {field.partition(".")[0] for field in named} <= {name, "body"}
        return
    view = watched.payment(Checkout.of(answer).id)
    if name in ("description", "items", "return_url", "customer_email"):
        assert view[name] == value
    if name == "metadata":
        assert view[name] == (value or {})


@generously
@given(body=st.binary(max_size=200) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
@example(body=b'{"amount":' * 20_000)
@example(body=b"[" * 60_000)
@example(body=b"1" * 60_000)
@example(body=b'{"amount": "1", "amount": "2"}')
@example(body=b"\xef\xbb\xbf{}")
@example(body=b"{" + b" " * 64 * 1024 + b"}")
@example(body=b"null")
def test_a_body_that_is_no_order_is_refused(body: bytes, watched: Shop) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "the-same"}
    answer = watched.request("POST", "/v1/payments/", data=body, headers=headers)

    assert answer.status_code in (400, 413)


# ------------------------------------------------------------------------------------- ids


@pytest.fixture(scope="module")
def known(watched: Shop, browser: Shopper) -> Iterator[Checkout]:
    """A payment nobody changes, unless a refused request does: it can be paid after all tests."""
    known = watched.checkout()
    watched.create()  # a second one, so that the list has pages
    yield known
    assert watched.payment(known.id)["status"] == "requires_action"
    assert browser.pay(known).status_code == 200
    assert watched.payment(known.id)["status"] == "completed"


IDS = st.one_of(
    ANY_TEXT,
    st.from_regex(r"pay_[0-7][0-9A-HJKMNP-TV-Z]{25}", fullmatch=True),
    st.from_regex(r"(cs|ch|pay)_(test|live)?_?[a-z0-9-]{0,9}_[0-9A-Fa-f_]{0,60}", fullmatch=True),
    _changed(UNKNOWN_ID),
)


@generously
@given(data=st.data(), made_up=IDS)
@example(data=None, made_up="pay_" + "Z" * 26)
@example(data=None, made_up="pay_7" + "Z" * 25)
@example(data=None, made_up="\0")
@example(data=None, made_up="x" * 5000)
@example(data=None, made_up="../payments")
def test_a_made_up_id_is_not_found_anywhere(
    data: st.DataObject | None, made_up: str, known: Checkout, watched: Shop, browser: Shopper
) -> None:
    if data is not None and data.draw(st.booleans()):
        made_up = data.draw(_changed(known.id))
    assume(made_up.strip("/") not in ("", ".", "..", "internal", "static", known.id))
    segment = quote(made_up, safe="")
    secret = {"client_secret": known.client_secret}
    base = watched.stack.url
    answers = [
        watched.get(segment),
        watched.get(segment, test="true"),
        browser.open(f"{base}/checkout/{segment}", params=secret),
        browser.post(f"{base}/checkout/{segment}", json=secret),
        browser.post(f"{base}/checkout/{segment}/cancel", json=secret),
        browser.open(f"{base}/3ds/{segment}"),
        browser.open(f"{base}/checkout/static/{segment}"),
    ]

    assert {answer.status_code for answer in answers} == {404}


# ------------------------------------------------------------------------------------- cursors


@pytest.fixture(scope="module")
def cursor(watched: Shop, known: Checkout) -> str:
    """A real one, of the list without filters."""
    link = watched.list(limit=1).headers["Link"]
    found = re.search(r"cursor=([^&>]+)", link)
    assert found is not None
    return str(found[1]).replace("%3D", "=")


def _filters_of(cursor: str) -> bytes:
    """The half that binds a cursor to its list; the other half is only a place in it."""
    try:
        return base64.b64decode(cursor + "==", altchars=b"-_").rpartition(b".")[2]
    except (binascii.Error, ValueError):
        return b""


@generously
@given(
    data=st.data(),
    query=st.sampled_from(
        [{}, {"sort": "created_on"}, {"status": "failed"}, {"test": "false"}, {"test": "true"}]
    ),
    made_up=ANY_TEXT
    | ANY_TEXT.map(lambda text: base64.urlsafe_b64encode(text.encode()).decode())
    | st.just(base64.urlsafe_b64encode(f"{UNKNOWN_ID}.{'0' * 16}".encode()).decode()),
)
def test_a_made_up_cursor_is_refused(
    data: st.DataObject, query: dict[str, str], made_up: str, cursor: str, watched: Shop
) -> None:
    if data.draw(st.booleans()):
        made_up = data.draw(_changed(cursor) | st.just(cursor))
    answer = watched.list(**query, limit=1, cursor=made_up)

    if query == {} and made_up == cursor:
        assert answer.status_code == 200
    elif query != {} or _filters_of(made_up) != _filters_of(cursor):
        assert set(faults(answer)) == {"cursor"}


# ------------------------------------------------------------------------------------- headers


@generously
@given(key=ANY_HEADER | st.from_regex(rb"[\x21-\x7e]{250,260}", fullmatch=True))
@example(key=b"")
@example(key=b"a b")
@example(key=b"\xe9")
def test_an_idempotency_key_has_1_to_255_visible_characters_or_is_refused(
    key: bytes, watched: Shop
) -> None:
    answer = watched.request(
        "POST", "/v1/payments/", json=order(), headers={"Idempotency-Key": key}
    )

    if re.fullmatch(rb"[\x21-\x7e]{1,255}", key):
        assert answer.status_code in (202, 409)  # others may have used it for other bodies
    else:
        assert set(faults(answer)) == {"Idempotency-Key"}


@pytest.mark.parametrize("control", [b"\x01", b"\x0b", b"\x7f"], ids=str)
@pytest.mark.parametrize("name", ["Idempotency-Key", "Accept-Language", "Content-Type"])
def test_control_characters_in_a_header_are_refused_before_the_api_sees_them(
    name: str, control: bytes, shop: Shop
) -> None:
    """As AWS does at its edge, in words of its own."""
    answer = shop.request(
        "POST", "/v1/payments/", json=order(), headers={name: b"x" + control + b"y"}
    )
    assert answer.status_code == 400
    assert shop.list().json() == []


def _basic(user: str, scheme: str = "Basic") -> bytes:
    return f"{scheme} ".encode() + base64.b64encode(user.encode())


@generously
@given(data=st.data())
def test_only_the_key_itself_opens_the_api(data: st.DataObject, watched: Shop) -> None:
    key = str(watched.key)
    users = st.one_of(
        _changed(key).map(lambda user: user + ":"),
        _changed(key + ":"),
        ANY_TEXT,
        ANY_TEXT.map(lambda password: f"{key}:{password}"),
        st.sampled_from(["sk_test_" + "0" * 32 + ":", key, f":{key}", f"{key}::", f"{key}:\0"]),
    )
    header = data.draw(
        st.one_of(
            ANY_HEADER,
            users.map(_basic),
            users.map(lambda user: _basic(user, "Bearer")),
            users.map(lambda user: _header(b"Basic " + user.encode())),
            st.just(_basic(f"{key}:").rstrip(b"=") + b"!"),
        )
    )
    assume(header.strip().lower() != _basic(f"{key}:").lower())
    answers = [
        watched.request("GET", "/v1/payments/", auth=None, headers={"Authorization": header}),
        watched.request(
            "POST", "/v1/payments/", auth=None, json=order(), headers={"Authorization": header}
        ),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].json() == answers[1].json()


@sparingly
@given(
    languages=ANY_HEADER
    | st.from_regex(rb"[a-z*]{1,3}(-[A-Z]{2})?(;q=[0-9.]{1,5})?(,..)?").map(_header)
)
@example(languages=b"en;q=nan,it;q=inf,de;q=1e999")
@example(languages=b"," * 250)
def test_any_language_is_answered_in_one_that_is_spoken(
    languages: bytes, known: Checkout, watched: Shop, browser: Shopper
) -> None:
    assume(not languages[:1].isspace())
    languages = b"".join(languages.splitlines()).strip()
    headers = {"Accept-Language": languages}
    answers = [
        watched.request("GET", f"/v1/payments/{UNKNOWN_ID}", headers=headers),
        watched.request("POST", "/v1/payments/", json={}, headers=headers),
        browser.open(known.redirect, headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [404, 400, 200]
    assert all(answer.text.strip() for answer in answers)


MEDIA_TYPES = st.one_of(
    ANY_HEADER,
    st.builds(
        lambda kind, parameter: (kind + parameter).encode(),
        st.sampled_from(
            [
                *("application/json", "APPLICATION/JSON", "application/json ", "text/json"),
                *("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"),
                *("application/problem+json", "application/xml", "json", "*/*", ""),
            ]
        ),
        st.sampled_from(["", ";", "; charset=utf-8", ";charset=x; boundary=", ", text/plain"]),
    ),
)


@generously
@given(media_type=MEDIA_TYPES)
def test_a_body_is_read_as_json_or_not_at_all(
    media_type: bytes, known: Checkout, watched: Shop, browser: Shopper
) -> None:
    headers = {"Content-Type": media_type}
    body = json.dumps(order())
    create = watched.request("POST", "/v1/payments/", data=body, headers=headers)
    secret = json.dumps({"client_secret": known.client_secret})
    pay = browser.post(f"{watched.stack.url}/checkout/{known.id}", data=secret, headers=headers)

    kind = media_type.partition(b";")[0].strip().lower()
    assert create.status_code == (202 if kind in (b"", b"application/json") else 415)
    assert pay.status_code in ((400,) if kind in (b"", b"application/json") else (404, 415))


# ------------------------------------------------------------------------------------- base64


def _page(browser: Shopper, encoded: str) -> requests.Response:
    return browser.open(f"{browser.stack.url}/checkout/?data={quote(encoded, safe='')}")


@generously
@given(
    encoded=st.one_of(
        ANY_TEXT,
        st.binary(max_size=300).map(lambda raw: base64.b64encode(raw).decode()),
        ANY_JSON.map(lambda value: base64.b64encode(json.dumps(value).encode()).decode()),
        st.builds(
            lambda payment, secret: base64.b64encode(
                json.dumps({"id_payment": payment, "client_secret": secret}).encode()
            ).decode(),
            ANY_JSON | IDS,
            ANY_JSON | st.from_regex(r"cs_(test|live)_[a-z0-9]{1,9}_[0-9a-f]{32}", fullmatch=True),
        ),
    )
)
@example(encoded=base64.b64encode(b"[" * 4000).decode())
@example(encoded=base64.b64encode(b'{"id_payment":' * 400).decode())
@example(encoded=base64.b64encode(b"9" * 4500).decode())
@example(
    encoded=base64.b64encode(b'{"id_payment": "\\ud800", "client_secret": "\\ud800"}').decode()
)
@example(encoded="=" * 8000)
def test_data_that_names_no_payment_shows_none(encoded: str, browser: Shopper) -> None:
    assert _page(browser, encoded).status_code in (404, 414)


@sparingly
@given(extra=st.dictionaries(ANY_TEXT, ANY_JSON, max_size=4), product=ANY_JSON)
def test_editing_data_changes_nothing_that_is_shown(
    extra: dict[str, object], product: object, known: Checkout, browser: Shopper
) -> None:
    edited = {**extra, **known.data, "product": product, "return_url": "https://evil.example"}
    page = _page(browser, base64.b64encode(json.dumps(edited).encode()).decode())

    assert page.status_code == 200
    assert known.data["product"]["name"] in page.text
    assert "evil.example" not in page.text


# ------------------------------------------------------------------------------------- card forms

NO_STRINGS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.lists(ANY_TEXT, max_size=2)
)
LAST_YEAR = time.gmtime().tm_year - 1
BAD_FIELDS: dict[str, st.SearchStrategy[object]] = {
    "card_number": st.one_of(
        NO_STRINGS,
        st.from_regex(r"[0-9]{0,11}|[0-9]{20,40}", fullmatch=True),
        _changed(PAID_CARD).filter(lambda number: re.sub("[- \u00a0]", "", number) != PAID_CARD),
        st.just("４２４２４２４２４２４２４２４２"),
        st.just("4242.4242.4242.4242"),
        ANY_TEXT,
    ).filter(lambda value: not _is_card_number(value)),
    "exp_month": st.one_of(
        st.none() | st.booleans() | st.floats() | st.lists(st.integers(), max_size=2),
        st.integers(max_value=0) | st.integers(min_value=13),
        st.sampled_from(["", "0", "00", "13", "1.0", "1e0", "-1", "+1", "x", "٣", "³", "00001"]),
    ),
    "exp_year": st.one_of(
        st.none() | st.booleans() | st.floats() | st.lists(st.integers(), max_size=2),
        st.integers(100, LAST_YEAR) | st.integers(LAST_YEAR + 60) | st.integers(max_value=-1),
        st.sampled_from(["", "x", "20", "1999", "02034", "20345", "2034.0", "-34", "３４", "²"]),
    ),
    "cvc": st.one_of(
        NO_STRINGS,
        st.sampled_from(
            ["", "1", "12", "1234", "12345", "abc", "１２３", "1 2", "-1", "1.5", "12³"]
        ),
    ),
    "name": st.one_of(
        st.integers() | st.lists(ANY_TEXT, min_size=1, max_size=2) | st.just({}),
        st.none() | st.sampled_from(["", "x", " ", " x ", "Ada\0", "Ada\u202e"]),
        st.text(min_size=46, max_size=200).filter(lambda text: len(text.strip()) > 45),
        st.just("Ms 4242 4242 4242 4242"),
    ),
    "email": st.one_of(
        st.integers() | st.lists(ANY_TEXT, min_size=1, max_size=2) | st.just({}),
        st.sampled_from(["a", "a@b", "a@b.c", "a b@c.de", "a@b@c.de", "4242424242424242@b.co"]),
        st.just("x" * 250 + "@b.co"),
        ANY_TEXT.filter(lambda text: text.strip() and "@" not in text),
    ),
    "method": st.sampled_from(["", "Card", "cash", "card ", None, 1, [], {}]),
    "attempt": st.sampled_from(
        ["x", "x" * 41, "a_b_c_d_e", "é" * 8, 12345678, ["x" * 8], "a b c d e"]
    ),
}


def _is_card_number(value: object) -> bool:
    digits = re.sub("[- \u00a0]", "", value) if isinstance(value, str) else ""
    if not re.fullmatch("[0-9]{12,19}", digits):
        return False
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return sum(map(int, [*digits[-1::-2], *"".join(map(str, doubled))])) % 10 == 0


@generously
@given(data=st.data(), name=st.sampled_from(sorted(BAD_FIELDS)), is_json=st.booleans())
def test_a_card_form_with_a_bad_field_names_it_and_uses_no_attempt(
    data: st.DataObject, name: str, is_json: bool, known: Checkout, browser: Shopper
) -> None:
    value = data.draw(BAD_FIELDS[name])
    form = {**browser.card_form(known, PAID_CARD), name: value}
    assume(is_json or isinstance(value, str))  # a form has only strings
    before = stored(browser.stack, known)
    url = f"{browser.stack.url}/checkout/{known.id}"
    answer = (
        browser.post(url, data=json.dumps(form), headers={"Content-Type": "application/json"})
        if is_json
        else browser.post(url, data=form)
    )

    assert answer.status_code == 400
    assert not is_json or set(faults(answer)) <= {name, "body"}
    digits = [text for text in (PAID_CARD, value) if isinstance(text, str) and text.isdigit()]
    assert not [text for text in digits if len(text) > 8 and text in answer.text]
    assert stored(browser.stack, known) == before


@generously
@given(
    form=st.dictionaries(st.sampled_from(sorted(BAD_FIELDS)) | ANY_TEXT, ANY_JSON, max_size=9),
    suffix=st.sampled_from(["", "/cancel"]),
    secret=st.sampled_from(["right", "wrong", "none"]) | ANY_JSON,
)
def test_any_form_at_all_is_answered_and_a_wrong_secret_does_nothing(
    form: dict[str, object], suffix: str, secret: object, known: Checkout, browser: Shopper
) -> None:
    assume((secret, suffix) != ("right", "/cancel"))
    secrets = {"right": known.client_secret, "wrong": known.client_secret[:-1] + "x"}
    is_word = isinstance(secret, str) and secret in secrets
    posted = form | {"client_secret": secrets[str(secret)] if is_word else secret}
    before = stored(browser.stack, known)
    answer = browser.post(
        f"{browser.stack.url}/checkout/{known.id}{suffix}",
        data=json.dumps(posted),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code in (400, 404)
    assert stored(browser.stack, known) == before


@generously
@given(
    body=st.binary(max_size=200)
    | st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=5).map(
        lambda pairs: "&".join(f"{quote(k)}={quote(v)}" for k, v in pairs).encode()
    ),
    kind=st.sampled_from(["application/json", "application/x-www-form-urlencoded"]),
    path=st.sampled_from(["/checkout/{}", "/checkout/{}/cancel"]),
)
@example(body=b"&" * 60_000, kind="application/x-www-form-urlencoded", path="/checkout/{}")
@example(body=b"a=%ff%fe", kind="application/x-www-form-urlencoded", path="/checkout/{}")
@example(body=b"a=" * 40_000, kind="application/x-www-form-urlencoded", path="/checkout/{}")
@example(body=b"a=1&" * 60, kind="application/x-www-form-urlencoded", path="/checkout/{}/cancel")
def test_any_bytes_at_all_are_answered_by_the_checkout(
    body: bytes, kind: str, path: str, known: Checkout, browser: Shopper
) -> None:
    url = browser.stack.url + path.format(known.id)
    answer = browser.post(url, data=body, headers={"Content-Type": kind})

    assert answer.status_code in (400, 404, 413)


# ----------------------------------------------------------------- each of these must be noticed


@pytest.mark.parametrize(
    "change",
    [
        {"status": 500},
        {"status": 503},
        {"status": 201},
        {"body": {"extra": 1}},
        {"body": {"data": {"id_payment": "pay_1", "redirect": "https://example.com"}}},
        {"headers": {"Content-Type": "text/html"}},
        {"without": "X-Request-Id"},
        {"without": "Access-Control-Allow-Origin"},
        {"url": "/v1/refunds"},
    ],
    ids=str,
)
def test_a_wrong_answer_is_noticed(watched: Shop, change: dict[str, Any]) -> None:
    answer = copy.copy(watched.create())
    assert wrongs(answer) == []

    answer.status_code = change.get("status", answer.status_code)
    answer._content = json.dumps(answer.json() | change.get("body", {})).encode()
    answer.headers = copy.copy(answer.headers)
    answer.headers.update(change.get("headers", {}))
    answer.headers.pop(change.get("without", ""), None)
    answer.request = copy.copy(answer.request)
    answer.request.url = watched.stack.url + change.get("url", "/v1/payments/")

    assert wrongs(answer)
    record("mutants caught", 1, f"a wrong answer: {change}")


@pytest.mark.parametrize("table", ["PaymentsTable", "IdempotencyTable", "SimulatorTable"])
@pytest.mark.parametrize("rows", [-1, 1])
def test_a_row_too_many_or_too_few_is_noticed(table: str, rows: int) -> None:
    before = {"PaymentsTable": 3, "IdempotencyTable": 2, "SimulatorTable": 1}
    accepted = {"PaymentsTable": 1}
    after = before | {"PaymentsTable": 4}
    assert unexplained(before, after, accepted) == []

    assert unexplained(before, after | {table: after[table] + rows}, accepted)
    record("mutants caught", 1, f"{rows} rows in {table}")


def test_a_check_that_accepts_what_is_bad_is_noticed(watched: Shop) -> None:
    """The document's own checks: a server error passed off as an answer."""
    answer = copy.copy(watched.create())
    answer.status_code = 500
    with pytest.raises(FailureGroup):
        _check(answer, API["/v1/payments"]["POST"], [not_a_server_error])
    record("mutants caught", 1, "a server error")
