"""Section 4 of the contract, the list: its order, pages, filters, and what it refuses."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from payments.model.ids import Mode
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    TIMEOUT_SECONDS,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.documentation import faults
from tests.support.money import held, paid, refund
from tests.support.stack import Stack

LIFETIME_SECONDS = 2
INDEX_LAG_SECONDS = 1.0  # what the contract allows a list by status
STATUSES = (
    "requires_action",
    "processing",
    "authorized",
    "succeeded",
    "failed",
    "canceled",
    "expired",
    "blocked",
    "refunded",
)
MANY = 45
_NEXT = re.compile(r'<([^>]+)>; rel="next"')


def ids_of(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


def next_url(answer: requests.Response) -> str | None:
    link = answer.headers.get("Link")
    if link is None:
        return None
    match = _NEXT.fullmatch(link)
    assert match, link
    return match[1]


def cursor_of(answer: requests.Response) -> str:
    url = next_url(answer)
    assert url is not None, "there is no next page"
    return parse_qs(urlsplit(url).query)["cursor"][0]


def follow(shop: Shop, url: str) -> requests.Response:
    """GET of an absolute URL, as it stands in a Link header."""
    assert shop.key is not None
    return shop.session.get(url, auth=(shop.key, ""), timeout=TIMEOUT_SECONDS)


def pages_after(shop: Shop, answer: requests.Response) -> list[list[str]]:
    """The ids of every page that follows, by Link headers alone."""
    pages: list[list[str]] = []
    while url := next_url(answer):
        assert len(pages) < 200, "the list does not end"
        answer = follow(shop, url)
        pages.append(ids_of(answer))
    return pages


def walk(shop: Shop, **query: str | int) -> list[str]:
    """All ids of a list, page by page."""
    first = shop.list(**query)
    return [*ids_of(first), *(id_ for page in pages_after(shop, first) for id_ in page)]


def eventually(shop: Shop, wanted: list[str], **query: str) -> list[str]:
    """The list by status, once the index has had the time it is allowed."""
    deadline = time.monotonic() + INDEX_LAG_SECONDS
    while (found := ids_of(shop.list(**query))) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def full_shop(stack: Stack) -> Iterator[Shop]:
    """A merchant with more payments than two default pages hold. Nobody changes them."""
    shop = open_shop(stack)
    for _ in range(MANY):
        shop.checkout()
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def full_ids(full_shop: Shop) -> list[str]:
    """Its payments, newest first, in one page."""
    return ids_of(full_shop.list(limit=100))


# ------------------------------------------------------------------------------ shape and order


def test_a_list_without_payments_is_an_empty_array(shop: Shop) -> None:
    answer = shop.list()
    assert (answer.status_code, answer.json()) == (200, [])
    assert "Link" not in answer.headers


def test_the_list_is_a_bare_json_array(full_shop: Shop) -> None:
    answer = full_shop.list()
    assert isinstance(answer.json(), list)
    assert answer.headers["Content-Type"].partition(";")[0] == "application/json"


@pytest.mark.parametrize(
    ("query", "is_newest_first"),
    [({}, True), ({"sort": "-created_on"}, True), ({"sort": "created_on"}, False)],
)
@pytest.mark.parametrize("status", ["", "requires_action"])
def test_the_list_is_newest_first_unless_it_is_asked_the_other_way_round(
    query: dict[str, str], is_newest_first: bool, status: str, shop: Shop
) -> None:
    created = [shop.checkout().id for _ in range(8)]
    by_status = {"status": status} if status else {}

    answer = shop.list(**query, **by_status)

    assert ids_of(answer) == (created[::-1] if is_newest_first else created)
    times = [row["created_on"] for row in answer.json()]
    assert times == sorted(times, reverse=is_newest_first)


@pytest.mark.parametrize(
    ("query", "count"),
    [({}, 20), ({"limit": 1}, 1), ({"limit": 20}, 20), ({"limit": 44}, 44), ({"limit": 100}, MANY)],
)
def test_a_page_has_as_many_rows_as_the_limit_and_20_by_default(
    query: dict[str, int], count: int, full_shop: Shop, full_ids: list[str]
) -> None:
    assert ids_of(full_shop.list(**query)) == full_ids[:count]


def test_a_page_of_100_holds_100(shop: Shop) -> None:
    for _ in range(101):
        shop.checkout()

    answer = shop.list(limit=100)

    assert len(answer.json()) == 100
    assert [len(page) for page in pages_after(shop, answer)] == [1]


# ------------------------------------------------------------------------------ pages


@pytest.mark.parametrize("limit", [2, 7, 44, 45, 46])
@pytest.mark.parametrize("sort", ["-created_on", "created_on"])
@pytest.mark.parametrize("status", ["", "requires_action"])
def test_the_links_lead_through_the_whole_list_once(
    limit: int, sort: str, status: str, full_shop: Shop, full_ids: list[str]
) -> None:
    by_status = {"status": status} if status else {}

    found = walk(full_shop, limit=limit, sort=sort, **by_status)

    assert found == (full_ids if sort == "-created_on" else full_ids[::-1])


def test_the_default_page_links_to_the_next_one_too(full_shop: Shop, full_ids: list[str]) -> None:
    assert walk(full_shop) == full_ids


@pytest.mark.parametrize("limit", [45, 46, 100])
def test_the_last_page_has_no_link(limit: int, full_shop: Shop) -> None:
    assert next_url(full_shop.list(limit=limit)) is None


@pytest.mark.parametrize("path", ["/v1/payments/", "/v1/payments", "/v1/payments/internal"])
def test_the_link_is_absolute_and_keeps_the_route_and_the_filters(
    path: str, stack: Stack, full_shop: Shop
) -> None:
    query = {"limit": "3", "status": "requires_action", "sort": "created_on", "test": "true"}

    url = next_url(full_shop.request("GET", path, params=query))

    assert url is not None
    address, _, asked = url.partition("?")
    assert address.rstrip("/") == stack.url + path.rstrip("/")
    asked_values = parse_qs(asked)
    assert len(asked_values.pop("cursor")) == 1
    assert asked_values == {name: [value] for name, value in query.items()}


def test_the_link_holds_under_a_stage_prefix(stack_for: StackFor) -> None:
    staged = stack_for(stage="prod")
    shop = open_shop(staged)
    created = [shop.checkout().id for _ in range(5)]

    first = shop.list(limit=2)

    assert str(next_url(first)).startswith(f"{staged.url}/v1/payments")
    assert [id_ for page in pages_after(shop, first) for id_ in page] == created[2::-1]
    shop.close()


def test_the_limit_may_change_from_page_to_page(full_shop: Shop, full_ids: list[str]) -> None:
    cursor = cursor_of(full_shop.list(limit=5))
    assert ids_of(full_shop.list(limit=9, cursor=cursor)) == full_ids[5:14]


@pytest.mark.parametrize(
    "other",
    [
        {"status": "succeeded"},
        {"status": "expired"},
        {"sort": "created_on"},
        {"status": "requires_action", "sort": "created_on"},
        {"test": "false"},
    ],
)
def test_a_cursor_is_bound_to_its_filters(other: dict[str, str], full_shop: Shop) -> None:
    cursor = cursor_of(full_shop.list(limit=5))
    assert set(faults(full_shop.list(limit=5, cursor=cursor, **other))) == {"cursor"}


def test_a_cursor_of_a_filtered_list_is_not_one_of_the_whole_list(full_shop: Shop) -> None:
    cursor = cursor_of(full_shop.list(limit=5, status="requires_action"))
    assert set(faults(full_shop.list(limit=5, cursor=cursor))) == {"cursor"}


def test_a_cursor_is_bound_to_its_merchant(full_shop: Shop, shop: Shop) -> None:
    cursor = cursor_of(full_shop.list(limit=5))
    assert set(faults(shop.list(limit=5, cursor=cursor))) == {"cursor"}


def test_a_cursor_is_bound_to_its_mode(stack_for: StackFor) -> None:
    taking_live = stack_for(LiveAcquirer="simulator")
    name = f"modes-{time.time_ns()}"
    test, live = (open_shop(taking_live, mode, merchant_id=name) for mode in (Mode.TEST, Mode.LIVE))
    for shop in (test, live, test, live):
        shop.checkout()

    assert set(faults(live.list(limit=1, cursor=cursor_of(test.list(limit=1))))) == {"cursor"}
    assert set(faults(test.list(limit=1, cursor=cursor_of(live.list(limit=1))))) == {"cursor"}
    test.close()
    live.close()


def test_a_cursor_does_not_show_where_it_points_to(full_shop: Shop, full_ids: list[str]) -> None:
    cursor = cursor_of(full_shop.list(limit=5))
    assert not any(payment_id in cursor for payment_id in full_ids)
    assert "#" not in cursor


# ------------------------------------------------------------------------------ while others work


def _create_more(shop: Shop, _shopper: Shopper, _checkouts: list[Checkout]) -> None:
    for _ in range(4):
        shop.checkout()


def _pay_first_and_last(_shop: Shop, shopper: Shopper, checkouts: list[Checkout]) -> None:
    shopper.pay(checkouts[0])
    shopper.pay(checkouts[-1])


def _cancel_first_and_last(_shop: Shop, shopper: Shopper, checkouts: list[Checkout]) -> None:
    shopper.cancel(checkouts[0])
    shopper.cancel(checkouts[-1])


def _cancel_where_the_page_ended(_shop: Shop, shopper: Shopper, checkouts: list[Checkout]) -> None:
    """The fourth of twelve, counted from either end."""
    shopper.cancel(checkouts[3])
    shopper.cancel(checkouts[-4])


CHANGES = [_create_more, _pay_first_and_last, _cancel_first_and_last, _cancel_where_the_page_ended]
Change = Callable[[Shop, Shopper, list[Checkout]], None]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("sort", ["-created_on", "created_on"])
def test_no_row_of_the_start_is_lost_or_repeated_while_others_are_created_or_changed(
    change: Change, sort: str, shop: Shop, shopper: Shopper
) -> None:
    checkouts = [shop.checkout() for _ in range(12)]
    started_with = [checkout.id for checkout in checkouts]
    first = shop.list(limit=4, sort=sort)
    change(shop, shopper, checkouts)

    found = ids_of(first) + [id_ for page in pages_after(shop, first) for id_ in page]

    assert len(found) == len(set(found)), "a row came twice"
    wanted = started_with[::-1] if sort == "-created_on" else started_with
    assert [id_ for id_ in found if id_ in started_with] == wanted


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("sort", ["-created_on", "created_on"])
def test_no_row_that_still_matches_the_status_is_lost_or_repeated_either(
    change: Change, sort: str, shop: Shop, shopper: Shopper
) -> None:
    checkouts = [shop.checkout() for _ in range(12)]
    created = [checkout.id for checkout in checkouts]
    query = {"sort": sort, "status": "requires_action"}
    started_with = created[::-1] if sort == "-created_on" else created
    assert eventually(shop, started_with, **query) == started_with
    first = shop.list(limit=4, **query)
    change(shop, shopper, checkouts)

    found = ids_of(first) + [id_ for page in pages_after(shop, first) for id_ in page]

    assert len(found) == len(set(found)), "a row came twice"
    matching = [row["id"] for row in shop.list().json() if row["status"] == "requires_action"]
    still_there = [id_ for id_ in started_with if id_ in matching]
    assert len(still_there) >= 10
    assert [id_ for id_ in found if id_ in still_there] == still_there


def test_rows_created_at_the_same_time_disturb_no_walk(shop: Shop, stack: Stack) -> None:
    started_with = [shop.checkout().id for _ in range(12)]
    assert shop.key is not None
    others = [Shop(stack, shop.key) for _ in range(2)]

    def create(other: Shop) -> None:
        for _ in range(15):
            other.checkout()

    with ThreadPoolExecutor(len(others)) as pool:
        creating = [pool.submit(create, other) for other in others]
        walks = [walk(shop, limit=3) for _ in range(3)]
        for future in creating:
            future.result()
    for other in others:
        other.close()

    for found in walks:
        assert len(found) == len(set(found)), "a row came twice"
        assert [id_ for id_ in found if id_ in started_with] == started_with[::-1]
    assert len(walk(shop, limit=100)) == 12 + 30


@pytest.mark.parametrize("change", ["create", "pay", "cancel"])
def test_without_a_filter_the_list_shows_every_change_at_once(
    change: str, shop: Shop, shopper: Shopper
) -> None:
    """Every time, with no waiting: strongly consistent."""
    expected = {"create": "requires_action", "pay": "succeeded", "cancel": "canceled"}[change]
    for count in range(1, 4):
        checkout = shop.checkout()
        if change == "pay":
            shopper.pay(checkout)
        elif change == "cancel":
            shopper.cancel(checkout)

        rows = shop.list().json()

        assert (rows[0]["id"], rows[0]["status"], len(rows)) == (checkout.id, expected, count)


# ------------------------------------------------------------------------------ by status


@pytest.fixture(scope="module")
def by_status(stack: Stack) -> Iterator[tuple[Shop, dict[str, str]]]:
    """A merchant with one payment in every status that needs neither time nor fraud."""
    shop, shopper = open_shop(stack), Shopper(stack)
    checkouts = {
        status: shop.checkout()
        for status in ("requires_action", "processing", "succeeded", "failed", "canceled")
    }
    checkouts["authorized"] = held(shop, shopper)
    checkouts["refunded"] = paid(shop, shopper)
    refund(shop, checkouts["refunded"].id)
    shopper.pay(checkouts["processing"], CHALLENGE_CARD)
    shopper.pay(checkouts["succeeded"])
    for _ in range(5):
        shopper.pay(checkouts["failed"], DECLINED_CARD)
    shopper.cancel(checkouts["canceled"])
    yield shop, {status: checkout.id for status, checkout in checkouts.items()}
    shop.close()
    shopper.close()


@pytest.mark.parametrize("status", [*STATUSES, "completed"])
def test_the_list_is_filtered_by_every_status_and_by_both_spellings_of_paid(
    status: str, by_status: tuple[Shop, dict[str, str]]
) -> None:
    shop, payments = by_status
    stored = "succeeded" if status == "completed" else status
    wanted = [payments[stored]] if stored in payments else []

    assert eventually(shop, wanted, status=status) == wanted


@pytest.mark.parametrize("status", ["requires_action", "processing", "succeeded", "failed"])
def test_a_filtered_row_shows_the_status_it_was_filtered_by(
    status: str, by_status: tuple[Shop, dict[str, str]]
) -> None:
    shop, payments = by_status
    assert eventually(shop, [payments[status]], status=status) == [payments[status]]
    (row,) = shop.list(status=status).json()
    assert row["status"] == status


def test_every_status_that_a_shopper_can_bring_about_is_shown_in_the_whole_list(
    by_status: tuple[Shop, dict[str, str]],
) -> None:
    shop, payments = by_status
    rows = shop.list().json()
    assert {row["status"]: row["id"] for row in rows} == payments


@pytest.fixture(scope="module")
def short_lived(stack_for: StackFor) -> Iterator[tuple[Shop, dict[str, str]]]:
    """A merchant with a payment that has expired, one that was paid in time, and a new one.

    The new one is younger than the lifetime while this module's tests of it run, for they are few.
    """
    running = stack_for(PaymentLifetimeSeconds=str(LIFETIME_SECONDS))
    shop, shopper = open_shop(running), Shopper(running)
    paid, expired = shop.checkout(), shop.checkout()
    shopper.pay(paid)
    time.sleep(LIFETIME_SECONDS)
    yield shop, {"succeeded": paid.id, "expired": expired.id}
    shop.close()
    shopper.close()


def test_expired_and_unpaid_payments_are_told_apart_by_the_clock(
    short_lived: tuple[Shop, dict[str, str]],
) -> None:
    shop, payments = short_lived
    new = shop.checkout().id

    found = {
        status: ids_of(shop.list(status=status))
        for status in ("requires_action", "expired", "succeeded")
    }

    assert found["requires_action"][0] == new
    assert payments["expired"] not in found["requires_action"]
    assert payments["expired"] in found["expired"]
    assert new not in found["expired"]
    assert found["succeeded"] == [payments["succeeded"]]


def test_an_expired_payment_reads_expired_in_every_list(
    short_lived: tuple[Shop, dict[str, str]],
) -> None:
    shop, payments = short_lived
    whole = {row["id"]: row["status"] for row in shop.list(limit=100).json()}
    filtered = {row["id"]: row["status"] for row in shop.list(status="expired").json()}

    assert whole[payments["expired"]] == "expired"
    assert whole[payments["succeeded"]] == "succeeded"
    assert filtered[payments["expired"]] == "expired"


def test_a_payment_passes_from_one_filter_to_the_other_at_its_time_and_is_never_in_none(
    short_lived: tuple[Shop, dict[str, str]],
) -> None:
    shop, _ = short_lived
    started = time.monotonic()
    payment_id = shop.checkout().id
    seen = set()
    while time.monotonic() - started < LIFETIME_SECONDS + 0.5:
        # In this order: what is no longer unpaid must then be expired already, and so on.
        was_expired = shop.payment(payment_id)["status"] == "expired"
        is_unpaid = payment_id in ids_of(shop.list(status="requires_action"))
        is_expired = payment_id in ids_of(shop.list(status="expired"))
        assert is_unpaid or is_expired
        assert not (was_expired and is_unpaid)
        assert is_expired or not was_expired
        assert not is_expired or shop.payment(payment_id)["status"] == "expired"
        seen.add((is_unpaid, is_expired))
        time.sleep(0.02)

    assert {(True, False), (False, True)} <= seen
    assert time.monotonic() - started > LIFETIME_SECONDS


def test_a_row_that_expires_between_two_pages_is_not_repeated(
    short_lived: tuple[Shop, dict[str, str]],
) -> None:
    shop, _ = short_lived
    created = [shop.checkout().id for _ in range(6)]
    first = shop.list(limit=3, status="requires_action")
    assert ids_of(first) == created[:2:-1]
    time.sleep(LIFETIME_SECONDS)

    later = [id_ for page in pages_after(shop, first) for id_ in page]

    assert later == []  # nothing matches any more, and nothing comes twice
    assert ids_of(shop.list(limit=6, status="expired")) == created[::-1]


# ------------------------------------------------------------------------------ refusals

# Each parameter is in tests/unit/test_query.py, and over HTTP in tests/functional/test_errors.py.


def test_a_bad_parameter_is_refused_where_the_list_would_be_empty_too(shop: Shop) -> None:
    assert set(faults(shop.list(test="false", limit="0"))) == {"limit"}
    assert set(faults(shop.list(test="false", cursor="garbage"))) == {"cursor"}
