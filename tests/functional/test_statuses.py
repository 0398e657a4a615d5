"""Section 4 of the contract, statuses: what they are, how they expire, and their audit trail."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from payments.adapters.store.items import from_item
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    INSUFFICIENT_FUNDS_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.html import Page
from tests.support.records import Change, history, ledger, open_attempts, statuses, stored
from tests.support.stack import Stack

LIFETIME_SECONDS = 2
CHALLENGE_TIMEOUT_SECONDS = 2
NOTICING_SECONDS = 10  # how long a workflow may take to notice, at the very most
TRIED = ["processing", "requires_action"]
STATUS_OF_STATE = {
    "requires_action": ("requires_action", "requires_action"),
    "processing": ("processing", "processing"),
    "succeeded": ("completed", "succeeded"),
    "failed": ("failed", "failed"),
    "canceled": ("canceled", "canceled"),
}


def leave_alone(_shopper: Shopper, _checkout: Checkout) -> None:
    pass


def pay(shopper: Shopper, checkout: Checkout) -> None:
    assert shopper.pay(checkout).status_code == 200


def be_declined(shopper: Shopper, checkout: Checkout) -> None:
    assert shopper.pay(checkout, INSUFFICIENT_FUNDS_CARD).status_code == 402


def be_declined_then_pay(shopper: Shopper, checkout: Checkout) -> None:
    be_declined(shopper, checkout)
    pay(shopper, checkout)


def use_all_attempts(shopper: Shopper, checkout: Checkout) -> None:
    for _ in range(5):
        assert shopper.pay(checkout, DECLINED_CARD).status_code == 402


def give_up(shopper: Shopper, checkout: Checkout) -> None:
    assert shopper.cancel(checkout).status_code == 303


def be_declined_then_give_up(shopper: Shopper, checkout: Checkout) -> None:
    be_declined(shopper, checkout)
    give_up(shopper, checkout)


def open_challenge(shopper: Shopper, checkout: Checkout) -> None:
    shopper.start_challenge(checkout)


def pass_challenge(shopper: Shopper, checkout: Checkout) -> None:
    shopper.answer_challenge(shopper.start_challenge(checkout))


def fail_challenge(shopper: Shopper, checkout: Checkout) -> None:
    shopper.answer_challenge(shopper.start_challenge(checkout), action="fail")


def abandon_challenge(shopper: Shopper, checkout: Checkout) -> None:
    shopper.post(shopper.start_challenge(checkout) + "/abandon")


def let_challenge_time_out(shopper: Shopper, checkout: Checkout) -> None:
    """On a stack where that takes two seconds."""
    shopper.start_challenge(checkout)
    deadline = time.monotonic() + CHALLENGE_TIMEOUT_SECONDS + NOTICING_SECONDS
    while shopper.status(checkout).json()["status"] == "requires_challenge":
        assert time.monotonic() < deadline, "the challenge does not end"
        time.sleep(0.1)


Journey = Callable[[Shopper, Checkout], None]
JOURNEYS: list[tuple[Journey, list[str]]] = [
    (leave_alone, []),
    (pay, ["processing", "succeeded"]),
    (be_declined, TRIED),
    (be_declined_then_pay, [*TRIED, "processing", "succeeded"]),
    (use_all_attempts, [*TRIED, *TRIED, *TRIED, *TRIED, "processing", "failed"]),
    (give_up, ["canceled"]),
    (be_declined_then_give_up, [*TRIED, "canceled"]),
    (pass_challenge, ["processing", "succeeded"]),
    (fail_challenge, TRIED),
    (abandon_challenge, TRIED),
    (let_challenge_time_out, TRIED),
]
NAMES = [journey.__name__ for journey, _ in JOURNEYS]


# ------------------------------------------------------------------------------ the audit trail


class Travels:
    """Payments that went through every journey, on a stack whose payments table is streamed."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._table = stack.resources["PaymentsTable"]
        stack.dynamodb.update_table(
            TableName=self._table,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        shop, shopper = open_shop(stack), Shopper(stack)
        self.checkouts: dict[str, Checkout] = {}
        for journey, _ in JOURNEYS:
            checkout = shop.checkout()
            journey(shopper, checkout)
            self.checkouts[journey.__name__] = checkout
        self.images = self._read_images()
        shop.close()
        shopper.close()

    def _read_images(self) -> list[dict[str, Any]]:
        """The table's items after every single write, in the order of the writes."""
        streams = self.stack.aws("dynamodbstreams")
        arn = self.stack.dynamodb.describe_table(TableName=self._table)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        images: list[dict[str, Any]] = []
        while records := streams.get_records(ShardIterator=iterator):
            images += [from_item(row["dynamodb"]["NewImage"]) for row in records["Records"]]
            if not records["Records"]:
                break
            iterator = records["NextShardIterator"]
        return images

    def writes_of(self, journey: str) -> list[dict[str, Any]]:
        """A payment's row after each of its writes."""
        return [image for image in self.images if image["id"] == self.checkouts[journey].id]


@pytest.fixture(scope="module")
def travels(stack_for: StackFor) -> Travels:
    return Travels(stack_for(ChallengeTimeoutSeconds=str(CHALLENGE_TIMEOUT_SECONDS)))


@pytest.mark.parametrize(("journey", "gone_through"), JOURNEYS, ids=NAMES)
def test_the_history_tells_every_status_a_payment_went_through(
    journey: Journey, gone_through: list[str], travels: Travels
) -> None:
    row = stored(travels.stack, travels.checkouts[journey.__name__])
    assert statuses(row) == ["requires_action", *gone_through]


@pytest.mark.parametrize("journey", NAMES)
def test_the_history_tells_when_each_change_happened(journey: str, travels: Travels) -> None:
    row = stored(travels.stack, travels.checkouts[journey])
    times = [change.at_us for change in history(row)]

    assert times == sorted(set(times))
    assert (times[0], times[-1]) == (row["created_at_us"], row["updated_at_us"])


@pytest.mark.parametrize(("journey", "gone_through"), JOURNEYS, ids=NAMES)
def test_every_write_that_changes_the_status_appends_to_the_history_in_the_same_write(
    journey: Journey, gone_through: list[str], travels: Travels
) -> None:
    """Read from the table's stream: there is no moment at which the two disagree."""
    writes = travels.writes_of(journey.__name__)

    assert [image["status"] for image in writes] == ["requires_action", *gone_through]
    for number, image in enumerate(writes, start=1):
        changes = history(image)
        assert len(changes) == number
        assert changes[-1] == Change(image["status"], image["updated_at_us"])
        assert changes == history(writes[-1])[:number], "the past was rewritten"


def test_a_refused_change_leaves_no_trace_in_the_history(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    checkout = shop.checkout()
    shopper.pay(checkout)
    before = stored(stack, checkout)

    assert shopper.pay(checkout).status_code == 409
    shopper.cancel(checkout)

    assert stored(stack, checkout) == before


# ------------------------------------------------------------------------------ statuses in views


@pytest.mark.parametrize(
    ("journey", "state"),
    [
        (leave_alone, "requires_action"),
        (open_challenge, "processing"),
        (pay, "succeeded"),
        (use_all_attempts, "failed"),
        (give_up, "canceled"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_both_views_show_the_status(
    journey: Journey, state: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    journey(shopper, checkout)

    one, (row,) = shop.payment(checkout.id), shop.list().json()

    assert (one["status"], row["status"]) == STATUS_OF_STATE[state]


# ------------------------------------------------------------------------------ expiry


class Expired:
    """Payments whose time has passed: untouched, declined, paid in time, and in a challenge."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.shop, self.shopper = stack, open_shop(stack), Shopper(stack)
        self.checkout, self.declined = self.shop.checkout(), self.shop.checkout()
        self.before = self.shop.payment(self.checkout.id)
        be_declined(self.shopper, self.declined)
        self.paid = self.shop.checkout()
        pay(self.shopper, self.paid)
        self.challenged = {action: self.shop.checkout() for action in ("pass", "fail")}
        self.challenges = {
            action: self.shopper.start_challenge(checkout)
            for action, checkout in self.challenged.items()
        }
        time.sleep(LIFETIME_SECONDS)


@pytest.fixture(scope="module")
def expired(stack_for: StackFor) -> Iterator[Expired]:
    found = Expired(stack_for(PaymentLifetimeSeconds=str(LIFETIME_SECONDS)))
    yield found
    found.shop.close()
    found.shopper.close()


def test_an_unpaid_payment_expires_after_the_time_that_the_parameter_says(expired: Expired) -> None:
    assert expired.before["status"] == "requires_action"
    assert expired.shop.payment(expired.checkout.id)["status"] == "expired"


def test_a_payment_that_was_only_declined_expires_too(expired: Expired) -> None:
    assert expired.shop.payment(expired.declined.id)["status"] == "expired"


def test_paying_an_expired_payment_is_a_409_that_says_so(expired: Expired) -> None:
    answer = expired.shopper.pay(expired.checkout)
    assert answer.status_code == 409
    assert answer.json()["reason"] == "expired"


def test_paying_an_expired_payment_by_form_leads_to_a_page_that_says_so(expired: Expired) -> None:
    answer = expired.shopper.pay_by_form(expired.checkout)
    assert answer.status_code == 303

    page = Page(expired.shopper.open(answer.headers["Location"]))

    assert "expired" in page.text.lower()
    assert "card_number" not in str(page.forms)


def test_an_expired_payment_cannot_be_canceled(expired: Expired) -> None:
    expired.shopper.cancel(expired.checkout)
    assert expired.shop.payment(expired.checkout.id)["status"] == "expired"


def test_nothing_of_a_refused_attempt_on_an_expired_payment_is_stored(expired: Expired) -> None:
    expired.shopper.pay(expired.checkout)
    assert open_attempts(expired.stack, expired.checkout) == []
    assert ledger(expired.stack, expired.checkout) == []


def test_expired_is_never_stored(expired: Expired) -> None:
    """The row stays an unpaid one, even after everybody has asked for the payment."""
    expired.shop.list()
    expired.shop.list(status="expired")
    expired.shop.payment(expired.checkout.id)
    expired.shopper.status(expired.checkout)
    expired.shopper.pay(expired.checkout)
    expired.shopper.cancel(expired.checkout)

    row = stored(expired.stack, expired.checkout)

    assert row["status"] == "requires_action"
    assert statuses(row) == ["requires_action"]
    assert row["updated_at_us"] == row["created_at_us"]
    for stored_row in expired.stack.rows("PaymentsTable"):
        assert "expired" not in str(stored_row)


def test_a_payment_can_be_paid_until_its_time_and_stays_paid_after_it(expired: Expired) -> None:
    assert expired.shop.payment(expired.paid.id)["status"] == "completed"


@pytest.mark.parametrize(("action", "status"), [("pass", "completed"), ("fail", "expired")])
def test_an_attempt_that_began_in_time_may_still_end_after_it(
    action: str, status: str, expired: Expired
) -> None:
    """A payment in processing does not expire; what is unpaid again afterwards has expired."""
    payment_id = expired.challenged[action].id
    assert expired.shop.payment(payment_id)["status"] == "processing"

    expired.shopper.answer_challenge(expired.challenges[action], action=action)

    assert expired.shop.payment(payment_id)["status"] == status


def test_by_default_the_checkout_is_open_for_24_hours(stack: Stack) -> None:
    """Sets the lifetime of the functions that judge by the clock to a day, instead of waiting."""
    functions = stack.aws("lambda")
    for name in ("CheckoutFunction", "GetPaymentFunction", "ListPaymentsFunction"):
        settings = functions.get_function_configuration(FunctionName=stack.resources[name])
        lifetime = settings["Environment"]["Variables"]["PAYMENT_LIFETIME_SECONDS"]
        assert str(lifetime) == "86400"


def test_a_challenge_card_reads_processing_until_the_shopper_is_back(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    answer = shopper.pay(checkout, CHALLENGE_CARD)
    assert shop.payment(checkout.id)["status"] == "processing"

    shopper.answer_challenge(answer.json()["redirect"])

    assert shop.payment(checkout.id)["status"] == "completed"
