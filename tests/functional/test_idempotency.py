"""Contract, section 3: the Idempotency-Key header, which makes a create safe to repeat."""

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from payments.model.ids import Mode
from payments.use_cases.api_keys import ApiKeys
from tests.conftest import StackFor
from tests.support.actors import Checkout, Shop, Shopper, open_shop, order
from tests.support.documentation import envelope, faults

TTL_SECONDS = 24 * 60 * 60
AT_ONCE = 8
JSON = {"Content-Type": "application/json"}
_numbers = itertools.count(1)


def send(shop: Shop, body: object, key: str | None = "one", **headers: str) -> requests.Response:
    """A create: `body` as JSON, or as these very bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    keyed = {} if key is None else {"Idempotency-Key": key}
    return shop.request("POST", "/v1/payments/", data=raw, headers=JSON | keyed | headers)


def is_replay(answer: requests.Response) -> bool:
    assert answer.status_code == 202, (answer.status_code, answer.text)
    replayed = answer.headers.get("Idempotent-Replayed")
    assert replayed in (None, "true")
    return replayed is not None


def made(shop: Shop) -> list[str]:
    """The ids of all the shop's payments."""
    return [row["id"] for row in shop.list(limit=100).json()]


# ------------------------------------------------------------------------------------ the header


@pytest.mark.parametrize(
    "key",
    ["k", "k" * 255, "".join(map(chr, range(0x21, 0x7F))), "6f1b3c0e-5f0a-4b0e-9d57-3f0f4c1f9a11"],
    ids=["one", "255", "every-visible-character", "uuid"],
)
def test_a_key_has_1_to_255_visible_characters(shop: Shop, key: str) -> None:
    assert not is_replay(send(shop, order(), key))
    assert is_replay(send(shop, order(), key))
    assert len(made(shop)) == 1


@pytest.mark.parametrize(
    "key", [b"", b"k" * 256, b"a b", b"a\tb", "schlüssel".encode(), b"\xff"], ids=str
)
def test_any_other_key_is_refused(shop: Shop, key: bytes) -> None:
    answer = shop.request("POST", "/v1/payments/", json=order(), headers={"Idempotency-Key": key})
    assert list(faults(answer)) == ["Idempotency-Key"]
    assert made(shop) == []


def test_a_bad_key_and_a_bad_body_are_said_at_once(shop: Shop) -> None:
    """Section 6: a 400 names everything that is wrong."""
    found = faults(send(shop, order(amount="0", currency="XXX"), key="k" * 256))
    assert set(found) == {"Idempotency-Key", "amount", "currency"}


@pytest.mark.parametrize("name", ["idempotency-key", "IDEMPOTENCY-KEY"])
def test_the_header_s_name_has_no_case(shop: Shop, name: str) -> None:
    send(shop, order())
    assert is_replay(send(shop, order(), key=None, **{name: "one"}))


# ----------------------------------------------------------------------------------- the same again


def test_the_same_key_and_body_get_the_same_answer_again(shop: Shop) -> None:
    first = send(shop, order())
    again = [send(shop, order()) for _ in range(3)]

    assert not is_replay(first)
    for answer in again:
        assert is_replay(answer)
        assert answer.text == first.text
        assert answer.headers["Content-Type"] == first.headers["Content-Type"]
    assert len(made(shop)) == 1


def test_the_answer_is_the_same_again_after_the_payment_was_paid(
    shop: Shop, shopper: Shopper
) -> None:
    first = send(shop, order())
    assert shopper.pay(Checkout.of(first)).status_code == 200
    again = send(shop, order())
    assert is_replay(again)
    assert again.text == first.text


def test_a_claim_is_kept_for_24_hours_at_least(shop: Shop) -> None:
    before = {row["pk"]["S"] for row in shop.stack.rows("IdempotencyTable")}
    asked_at = time.time()
    send(shop, order())
    (claim,) = [row for row in shop.stack.rows("IdempotencyTable") if row["pk"]["S"] not in before]
    assert float(claim["expires_at"]["N"]) >= asked_at + TTL_SECONDS


def test_the_key_is_not_stored_in_clear(shop: Shop) -> None:
    key = f"secret-{time.time_ns()}"
    send(shop, order(), key)
    assert key not in json.dumps(shop.stack.rows("IdempotencyTable"), default=str)


# ------------------------------------------------------------------------------------ another body


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "500.01"},
        {"amount": "500"},
        {"currency": "EUR"},
        {"currency": "usd"},
        {"description": "Premium subscription payment "},
        {"items": ["Premium Plan - Monthly", "Support"]},
        {"return_url": "https://example.com/payment-result?"},
        {"customer_email": "customer@example.com"},
        {"metadata": {"order": "1"}},
        {"unknown": None},
        {"unknown": 1},
    ],
    ids=str,
)
def test_the_same_key_with_another_body_is_a_409(shop: Shop, changes: dict[str, Any]) -> None:
    first = send(shop, order())
    conflict = send(shop, {**order(), **changes})

    assert envelope(conflict, 409, "reason")["reason"] == "key_reused"
    assert "Idempotent-Replayed" not in conflict.headers
    assert made(shop) == [first.json()["data"]["id_payment"]]


def test_a_conflict_does_not_end_the_first_body_s_claim(shop: Shop) -> None:
    first = send(shop, order())
    assert send(shop, order(amount="1.00")).status_code == 409
    assert send(shop, order()).text == first.text


def test_the_order_of_items_matters(shop: Shop) -> None:
    send(shop, order(items=["a", "b"]))
    assert send(shop, order(items=["b", "a"])).status_code == 409


# ---------------------------------------------------------------------------- bodies as parsed JSON

BODY = order(metadata={"a": "1", "b": "é"}, description="Café", unknown={"x": [1, 2.5, None]})


def _reversed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _reversed(value[name]) for name in reversed(value)}


SPELLINGS: dict[str, bytes] = {
    "compact": json.dumps(BODY, separators=(",", ":")).encode(),
    "indented": json.dumps(BODY, indent=4).encode(),
    "surrounded by white space": b"\r\n\t " + json.dumps(BODY).encode() + b"\n\n",
    "keys in another order": json.dumps(_reversed(BODY)).encode(),
    "letters not escaped": json.dumps(BODY, ensure_ascii=False).encode(),
    "letters escaped": json.dumps(BODY).encode().replace(b'"USD"', b'"\\u0055SD"'),
    "slashes escaped": json.dumps(BODY).encode().replace(b"/", b"\\/"),
    "a number with more zeros": json.dumps(BODY).encode().replace(b"2.5", b"2.500"),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_the_same_json_in_other_bytes_is_the_same_body(shop: Shop, spelling: bytes) -> None:
    first = send(shop, BODY)
    assert spelling != json.dumps(BODY).encode()
    again = send(shop, spelling)
    assert is_replay(again)
    assert again.text == first.text


def test_a_charset_in_the_content_type_makes_no_other_body(shop: Shop) -> None:
    send(shop, order())
    again = send(shop, order(), **{"Content-Type": "application/json; charset=utf-8"})
    assert is_replay(again)


# ----------------------------------------------------------------------------------------- scopes


@pytest.fixture
def merchants(stack_for: StackFor) -> Iterator[dict[str, Shop]]:
    """Two merchants; the first one with two test keys and a live key."""
    stack = stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds="1")
    first, second = (f"scope-{next(_numbers)}-{time.time_ns()}" for _ in range(2))
    shops = {
        "test": open_shop(stack, Mode.TEST, first),
        "live": open_shop(stack, Mode.LIVE, first),
        "other": open_shop(stack, Mode.TEST, second),
    }
    rotated = ApiKeys(stack.key_store).rotate(shops["test"].key or "", 3600, int(time.time()))
    shops["rotated"] = Shop(stack, rotated)
    yield shops
    for shop in shops.values():
        shop.close()


@pytest.mark.parametrize("stranger", ["live", "other"])
@pytest.mark.parametrize("amount", ["500.00", "1.00"], ids=["same-body", "another-body"])
def test_a_key_is_of_one_merchant_and_one_mode(
    merchants: dict[str, Shop], stranger: str, amount: str
) -> None:
    first = send(merchants["test"], order())
    second = send(merchants[stranger], order(amount=amount))
    assert not is_replay(first)
    assert not is_replay(second)
    assert made(merchants["test"]) == [first.json()["data"]["id_payment"]]
    assert made(merchants[stranger]) == [second.json()["data"]["id_payment"]]


def test_a_key_is_of_the_merchant_and_not_of_the_api_key(merchants: dict[str, Shop]) -> None:
    first = send(merchants["test"], order())
    assert send(merchants["rotated"], order()).text == first.text
    assert send(merchants["rotated"], order(amount="1.00")).status_code == 409


def test_a_key_is_of_the_route(shop: Shop) -> None:
    """No other route takes one, and sending one there binds nothing."""
    headers = {"Idempotency-Key": "one"}
    assert shop.request("GET", "/v1/payments/", headers=headers).status_code == 200
    created = send(shop, order())
    assert not is_replay(created)
    path = f"/v1/payments/{created.json()['data']['id_payment']}"
    assert shop.request("GET", path, headers=headers).status_code == 200


def test_both_spellings_of_the_path_are_one_route(shop: Shop) -> None:
    first = send(shop, order())
    headers = {"Idempotency-Key": "one"}
    again = shop.request("POST", "/v1/payments", json=order(), headers=headers)
    assert is_replay(again)
    assert again.text == first.text


# ---------------------------------------------------------------------------------------- at once


def _at_once(shop: Shop, bodies: list[dict[str, Any]]) -> list[requests.Response]:
    """Each body from a client of its own, all under one key."""
    clients = [Shop(shop.stack, shop.key) for _ in bodies]
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(send, clients, bodies))
    for client in clients:
        client.close()
    return answers


@pytest.mark.parametrize("_round", range(5))
def test_many_at_once_make_one_payment_and_never_a_5xx(shop: Shop, _round: int) -> None:
    answers = _at_once(shop, [order()] * AT_ONCE)

    created = [answer for answer in answers if answer.status_code == 202]
    refused = [answer for answer in answers if answer.status_code != 202]
    assert len({answer.text for answer in created}) == 1
    assert [is_replay(answer) for answer in created].count(False) == 1
    for answer in refused:
        assert envelope(answer, 409, "reason")["reason"] == "in_progress"
        assert int(answer.headers["Retry-After"]) > 0
    assert made(shop) == [created[0].json()["data"]["id_payment"]]
    assert send(shop, order()).text == created[0].text


@pytest.mark.parametrize("_round", range(5))
def test_of_different_bodies_at_once_one_is_made(shop: Shop, _round: int) -> None:
    bodies = [order(amount=f"{number}.00") for number in range(1, AT_ONCE + 1)]
    answers = _at_once(shop, bodies)

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [202] + [409] * (AT_ONCE - 1)
    assert len(made(shop)) == 1


def test_at_once_without_a_key_are_as_many_payments(shop: Shop) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: Shop(shop.stack, shop.key).create(), range(AT_ONCE)))
    assert [answer.status_code for answer in answers] == [202] * AT_ONCE
    assert len(set(made(shop))) == AT_ONCE


# ----------------------------------------------------------------------------- what binds nothing


REFUSED: dict[str, tuple[bytes, dict[str, str], int]] = {
    "a bad field": (json.dumps(order(amount="0")).encode(), {}, 400),
    "not json": (b'{"amount": ', {}, 400),
    "not an object": (b"[]", {}, 400),
    "no key": (json.dumps(order()).encode(), {"Authorization": ""}, 401),
    "unknown key": (
        json.dumps(order()).encode(),
        {"Authorization": "Basic c2tfdGVzdF8wMDAwMDAwMDAwMDAwMDAwMDA6"},
        401,
    ),
    "too large": (json.dumps(order()).encode().ljust(64 * 1024 + 1), {}, 413),
    "media type": (json.dumps(order()).encode(), {"Content-Type": "text/plain"}, 415),
}


@pytest.mark.parametrize(("body", "headers", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_request_binds_nothing(
    shop: Shop, body: bytes, headers: dict[str, str], status: int
) -> None:
    sent = JSON | {"Idempotency-Key": "one"} | headers
    auth = None if "Authorization" in headers else (shop.key, "")
    refused = shop.request("POST", "/v1/payments/", data=body, headers=sent, auth=auth)
    assert refused.status_code == status

    assert not is_replay(send(shop, order(amount="7.00")))
    assert is_replay(send(shop, order(amount="7.00")))
    assert len(made(shop)) == 1


def test_a_create_that_has_no_live_acquirer_binds_nothing(stack_for: StackFor) -> None:
    stack = stack_for(stage="prod")
    before = stack.row_counts()
    assert send(open_shop(stack, Mode.LIVE), order()).status_code == 503
    assert stack.row_counts() == before


def test_a_create_that_has_no_live_acquirer_is_foreseen_and_no_error_in_the_log(
    stack_for: StackFor,
) -> None:
    stack = stack_for()
    answer = open_shop(stack, Mode.LIVE).create()
    assert answer.status_code == 503
    lines = stack.log.splitlines()
    logged = [line for line in lines if answer.headers["X-Request-Id"] in line]
    assert logged
    assert [line for line in logged if "ERROR" in line or "Traceback" in line] == []
    assert [line for line in lines if '"ForeseenUnavailable"' in line]


def test_without_the_header_nothing_is_merged(shop: Shop) -> None:
    answers = [send(shop, order(), key=None) for _ in range(3)]
    assert not any(is_replay(answer) for answer in answers)
    ids = [answer.json()["data"]["id_payment"] for answer in answers]
    assert len(set(ids)) == 3
    assert sorted(made(shop)) == sorted(ids)


def test_other_keys_are_other_payments(shop: Shop) -> None:
    answers = [send(shop, order(), key) for key in ("one", "two", "ONE")]
    assert not any(is_replay(answer) for answer in answers)
    assert len(made(shop)) == 3
