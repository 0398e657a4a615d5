"""The main job, end to end: from the documentation's curl example to paid."""

import json
import re
import subprocess
import sys
from typing import Any

from local.emulator.demo import TEST_KEY
from tests.support.actors import TIMEOUT_SECONDS, Checkout, Shop, Shopper
from tests.support.stack import PROJECT, Stack

CURL = re.compile(r"^curl (?:.*\\\n)*.*(?:\n .*)*", re.MULTILINE)
README = (PROJECT / "README.md").read_text("utf-8")
API_PAGE = (PROJECT / "docs/api.md").read_text("utf-8")
(WALK,) = re.findall(r"### A walk from hold to refund\n.*?```sh\n(.*?)```", API_PAGE, re.DOTALL)
(PYTHON_EXAMPLE,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def _at(stack: Stack, text: str) -> str:
    """A README's example, with only its host and port replaced."""
    assert "http://127.0.0.1:8000" in text
    return text.replace("http://127.0.0.1:8000", stack.url)


def _printed(*command: str) -> str:
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True
    )
    return ran.stdout


def test_the_readmes_first_payment_goes_as_it_says(stack: Stack, shopper: Shopper) -> None:
    create, get, list_paid, refund = (_at(stack, command) for command in CURL.findall(README))
    created: dict[str, Any] = json.loads(_printed("sh", "-c", create))
    checkout = Checkout.at(created["data"]["redirect"])
    assert shopper.open(checkout.redirect).status_code == 200
    assert shopper.pay(checkout).status_code == 200

    payment = json.loads(_printed("sh", "-c", get.replace("pay_…", checkout.id)))
    assert payment["status"] == "completed"
    listed = json.loads(_printed("sh", "-c", list_paid))
    assert "succeeded" in [row["status"] for row in listed if row["id"] == checkout.id]
    refunded = json.loads(_printed("sh", "-c", refund.replace("pay_…", checkout.id)))
    assert (refunded["amount"], refunded["status"]) == ("10.00", "succeeded")


def test_the_api_pages_walk_from_hold_to_refund_goes_as_it_says(stack: Stack) -> None:
    printed = _printed("sh", "-c", _at(stack, WALK)).splitlines()
    paid, captured, refund, replayed, one, listed = map(json.loads, printed)
    assert paid["status"] == "authorized"
    assert (captured["status"], captured["captured_amount"]) == ("completed", "80.00")
    assert (refund["amount"], refund["status"]) == ("30.00", "succeeded")
    assert replayed == refund
    amounts = [one[f"{name}_amount"] for name in ("captured", "refunded", "refundable")]
    assert amounts == ["80.00", "30.00", "50.00"]
    assert one["refunds"] == [refund["id"]]
    (row,) = listed
    assert (row["id"], row["captured"], row["refund"]) == (one["id"], 80.0, 30.0)


def test_the_api_pages_examples_create_a_payment_once_and_pay_it(stack: Stack, shop: Shop) -> None:
    without_walk = API_PAGE.replace(WALK, "")
    create, pay = (_at(stack, command) for command in CURL.findall(without_walk))
    create = create.replace(TEST_KEY, shop.key or "")
    created: dict[str, Any] = json.loads(_printed("sh", "-c", create))
    assert json.loads(_printed("sh", "-c", create)) == created
    checkout = Checkout.at(created["data"]["redirect"])
    filled_in = pay.replace("pay_…", checkout.id).replace("cs_test_…", checkout.client_secret)
    assert json.loads(_printed("sh", "-c", filled_in))["status"] == "succeeded"
    assert shop.payment(checkout.id)["metadata"] == {"order": "1001"}


def test_the_readmes_ten_lines_fulfil_an_order_once_it_is_paid(
    stack: Stack, shopper: Shopper
) -> None:
    example = _at(stack, PYTHON_EXAMPLE)
    assert len(PYTHON_EXAMPLE.splitlines()) <= 15
    assert _printed(sys.executable, "-c", example) == ""
    # The key makes it the same payment when the lines run again, paid by then.
    create = example.partition("# Store")[0] + "print(created['redirect'])"
    redirect = _printed(sys.executable, "-c", create).strip()
    assert shopper.pay(Checkout.at(redirect)).status_code == 200
    assert "fulfil order 1001" in _printed(sys.executable, "-c", example)


def test_a_frictionless_card_pays_and_the_payment_reads_completed(
    shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout()
    assert shop.payment(checkout.id)["status"] == "requires_action"

    paid = shopper.pay(checkout)

    assert paid.status_code == 200
    assert paid.json() == {
        "status": "succeeded",
        "redirect": f"https://example.com/payment-result?id_payment={checkout.id}",
    }
    assert shop.payment(checkout.id)["status"] == "completed"


def test_a_challenge_card_pays_once_its_challenge_is_passed(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    challenge = shopper.start_challenge(checkout)
    assert shop.payment(checkout.id)["status"] == "processing"

    back = shopper.answer_challenge(challenge)

    assert back.status_code == 303
    assert shopper.way_out(back).endswith(f"?id_payment={checkout.id}")
    assert shop.payment(checkout.id)["status"] == "completed"
