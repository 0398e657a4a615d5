"""The main job, end to end: from the documentation's curl example to paid."""

from tests.support.actors import Shop, Shopper


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
    assert back.headers["Location"].endswith(f"?id_payment={checkout.id}")
    assert shop.payment(checkout.id)["status"] == "completed"
