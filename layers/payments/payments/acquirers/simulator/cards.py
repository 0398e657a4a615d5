"""The simulated issuer's cards: public test numbers, and what each of them does.

Those of the first groups behave as Stripe's cards of the same number, the 3DS outcomes as
CardinalCommerce's, so that a merchant's existing tests keep their meaning.
"""

from dataclasses import dataclass

from payments.model.authorization import AvsCvcResults, CardProfile, Screening


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`trans_status` is the 3DS result; a challenge the shopper passes turns C into Y.

    `decline_code` is the response to the charge; None approves it. `refunds` is what becomes of
    refunds that do not simply succeed: FAIL_LATER or STAY_PENDING.
    """

    trans_status: str = "Y"
    decline_code: str | None = None
    screening: Screening = Screening.NORMAL
    funding: str = "credit"
    address_line1: str = "not_provided"
    postal_code: str = "not_provided"
    cvc: str = "pass"
    country: str = "US"
    refunds: str = ""

    @property
    def profile(self) -> CardProfile:
        return CardProfile(self.funding, self.country, self.screening)

    def checks(self, *, has_cvc: bool) -> AvsCvcResults:
        return AvsCvcResults(
            self.address_line1, self.postal_code, self.cvc if has_cvc else "not_provided"
        )


FAIL_LATER, STAY_PENDING = "fail_later", "stay_pending"
PAID = Behaviour()
DEBIT = Behaviour(funding="debit")
CHALLENGED = Behaviour("C")

TEST_CARDS: dict[str, Behaviour] = {
    # paid, frictionless
    "4242424242424242": PAID,
    "4000056655665556": DEBIT,
    "5555555555554444": PAID,
    "2223003122003222": PAID,
    "5200828282828210": DEBIT,
    "378282246310005": PAID,
    "6011111111111117": PAID,
    "3056930009020004": PAID,
    "3566002020360505": PAID,
    "6200000000000005": PAID,
    # a challenge first
    "4000002760003184": CHALLENGED,
    "4000000000003220": CHALLENGED,
    "4000008400001629": Behaviour("C", "generic_decline"),
    "4000008260003178": Behaviour("C", "insufficient_funds"),
    # 3DS with an error, optional, optional with an error
    "4000008400001280": Behaviour("U", "authentication_required"),
    "4000000000003055": Behaviour("A"),
    "4000000000003097": Behaviour("U"),
    # declined
    "4000000000000002": Behaviour(decline_code="generic_decline"),
    "4000000000009995": Behaviour(decline_code="insufficient_funds"),
    "4000000000009987": Behaviour(decline_code="lost_card"),
    "4000000000009979": Behaviour(decline_code="stolen_card"),
    "4000000000000069": Behaviour(decline_code="expired_card"),
    "4000000000000127": Behaviour(decline_code="incorrect_cvc", cvc="fail"),
    "4000000000000119": Behaviour(decline_code="processing_error"),
    "4000000000006975": Behaviour(decline_code="card_velocity_exceeded"),
    # fraud
    "4100000000000019": Behaviour(screening=Screening.BLOCKED),
    "4000000000004954": Behaviour(screening=Screening.HIGHEST),
    "4000000000009235": Behaviour(screening=Screening.ELEVATED),
    # what the issuer compares
    "4000000000000010": Behaviour(address_line1="fail", postal_code="fail"),
    "4000000000000028": Behaviour(address_line1="fail", postal_code="pass"),
    "4000000000000036": Behaviour(address_line1="pass", postal_code="fail"),
    "4000000000000044": Behaviour(address_line1="unavailable", postal_code="unavailable"),
    "4000000000000101": Behaviour(cvc="fail"),
    # refunds that fail after they succeeded, and that stay pending before they succeed
    "4000000000005126": Behaviour(refunds=FAIL_LATER),
    "4000000000007726": Behaviour(refunds=STAY_PENDING),
    # every other 3DS outcome, for Visa and for Mastercard
    "4000000000001026": Behaviour("A"),
    "5200000000001021": Behaviour("A"),
    "4000000000001018": Behaviour("N"),
    "5200000000001013": Behaviour("N"),
    "4000000000001042": Behaviour("R"),
    "5200000000001047": Behaviour("R"),
    "4000000000001034": Behaviour("U"),
    "5200000000001039": Behaviour("U"),
    "4000000000001083": Behaviour("I"),
    "5200000000001088": Behaviour("I"),
    "4000000000001091": CHALLENGED,
    "5200000000001096": CHALLENGED,
}


def behaviour_of(number: str) -> Behaviour:
    """An unlisted number is an ordinary card: it pays."""
    return TEST_CARDS.get(number, PAID)
