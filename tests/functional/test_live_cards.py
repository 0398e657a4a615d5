"""Live cards: who may send them, and who is recorded to have charged them."""

from collections.abc import Iterator

import pytest

from payments.model.ids import Mode
from payments.model.merchant import Profile
from tests.conftest import StackFor
from tests.support.actors import DECLINED_CARD, PAID_CARD, Shop, Shopper, open_shop
from tests.support.stack import Stack, rows_where


@pytest.fixture(scope="module")
def live(stack_for: StackFor) -> Stack:
    return stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds="1")


@pytest.fixture
def live_shop(live: Stack) -> Iterator[Shop]:
    shop = open_shop(live, Mode.LIVE)
    yield shop
    shop.close()


def test_a_live_card_comes_from_the_page_alone_unless_the_profile_allows_json(live: Stack) -> None:
    shop, shopper = open_shop(live, Mode.LIVE, "no-json-cards"), Shopper(live)
    profile = live.merchant_store.get("no-json-cards")
    assert profile is not None
    live.merchant_store.put(Profile(profile.merchant, accepts_json_cards=False))
    checkout = shop.checkout()
    refused = shopper.pay(checkout, PAID_CARD)
    assert refused.status_code == 415
    assert shop.payment(checkout.id)["status"] == "requires_action"
    assert shopper.pay_by_form(checkout, PAID_CARD).status_code == 303
    assert shop.payment(checkout.id)["status"] == "completed"


def test_a_merchant_without_a_profile_sends_no_live_cards_as_json(live: Stack) -> None:
    shop, shopper = open_shop(live, Mode.LIVE, "without-profile"), Shopper(live)
    live.dynamodb.delete_item(
        TableName=live.resources["MerchantsTable"], Key={"id": {"S": "merchant#without-profile"}}
    )
    assert shopper.pay(shop.checkout(), PAID_CARD).status_code == 415


def test_a_test_card_may_always_come_as_json(shop: Shop, shopper: Shopper) -> None:
    assert shopper.pay(shop.checkout(), PAID_CARD).status_code == 200


@pytest.mark.parametrize("number", [PAID_CARD, DECLINED_CARD])
def test_a_live_payment_records_who_settled_it(live: Stack, live_shop: Shop, number: str) -> None:
    checkout = live_shop.checkout()
    Shopper(live).pay(checkout, number)
    (row,) = rows_where(live, "PaymentsTable", "id", checkout.id)
    assert row["acquirer"] == "simulator"


def test_a_test_payment_needs_no_word_for_it(shop: Shop, shopper: Shopper, stack: Stack) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout, PAID_CARD)
    (row,) = rows_where(stack, "PaymentsTable", "id", checkout.id)
    assert "acquirer" not in row
