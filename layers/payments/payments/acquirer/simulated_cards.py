"""The simulated issuer's cards: Stripe's public test numbers and what each of them does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`trans_status` answers 3DS; a challenge the shopper passes turns C into Y.

    `decline_code` answers the charge; None approves it.
    """

    trans_status: str = "Y"
    decline_code: str | None = None


PAID = Behaviour()

TEST_CARDS: dict[str, Behaviour] = {
    "4242424242424242": PAID,
    "4000056655665556": PAID,
    "5555555555554444": PAID,
    "2223003122003222": PAID,
    "5200828282828210": PAID,
    "378282246310005": PAID,
    "6011111111111117": PAID,
    "3056930009020004": PAID,
    "3566002020360505": PAID,
    "6200000000000005": PAID,
    "4000002760003184": Behaviour(trans_status="C"),
    "4000000000003220": Behaviour(trans_status="C"),
    "4000000000000002": Behaviour(decline_code="generic_decline"),
    "4000000000009995": Behaviour(decline_code="insufficient_funds"),
}


def behaviour_of(number: str) -> Behaviour:
    """An unlisted number is an ordinary card: it pays."""
    return TEST_CARDS.get(number, PAID)
