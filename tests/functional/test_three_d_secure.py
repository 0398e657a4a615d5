"""Every 3DS outcome: who pays, who answers for fraud, and what the merchant reads of it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.records import questions

CHALLENGE_SECONDS = 2
NOTICING_SECONDS = 10
ELEVATED_RISK_CARD = "4000000000009235"
CARDS = {
    "visa": {
        "Y": "4242424242424242",
        "A": "4000000000001026",
        "C": "4000000000001091",
        "N": "4000000000001018",
        "R": "4000000000001042",
        "U": "4000000000001034",
        "I": "4000000000001083",
    },
    "mastercard": {
        "Y": "5555555555554444",
        "A": "5200000000001021",
        "C": "5200000000001096",
        "N": "5200000000001013",
        "R": "5200000000001047",
        "U": "5200000000001039",
        "I": "5200000000001088",
    },
}
ECI = {
    "visa": {"Y": "05", "A": "06", "none": "07"},
    "mastercard": {"Y": "02", "A": "01", "none": "00"},
}
EVERY_OUTCOME = [(brand, status) for brand, cards in CARDS.items() for status in cards]
# What becomes of a card at once, under each policy: "" if it pays.
OUTCOMES = {
    "refuse": {
        "Y": "",
        "A": "",
        "N": "authentication_failed",
        "R": "authentication_failed",
        "U": "authentication_unavailable",
        "I": "authentication_unavailable",
    },
    "proceed": {
        "Y": "",
        "A": "",
        "N": "authentication_failed",
        "R": "authentication_failed",
        "U": "",
        "I": "",
    },
}


@dataclass(frozen=True)
class Place:
    """A merchant and a shopper of one stack."""

    shop: Shop
    shopper: Shopper

    def charges(self, checkout: Checkout) -> int:
        """How often the acquirer was asked for money."""
        asked = questions(self.shop.stack, checkout)
        return sum(attempt.count("authorize") for attempt in asked)


@pytest.fixture(scope="module")
def place_for(stack_for: StackFor) -> Iterator[Callable[..., Place]]:
    """`place_for(ThreeDSUnavailable="proceed")`: a merchant and a shopper of such a stack."""
    places: list[Place] = []

    def make(**parameters: str) -> Place:
        running = stack_for(**parameters)
        places.append(Place(open_shop(running), Shopper(running)))
        return places[-1]

    yield make
    for place in places:
        place.shop.close()
        place.shopper.close()


@pytest.fixture(scope="module")
def default(place_for: Callable[..., Place]) -> Place:
    return place_for()


@pytest.fixture(scope="module")
def proceeding(place_for: Callable[..., Place]) -> Place:
    return place_for(ThreeDSUnavailable="proceed")


@pytest.fixture
def under(request: pytest.FixtureRequest) -> Callable[[str], Place]:
    """A place by the policy's name. To refuse is the default: that stack has no parameter."""

    def find(policy: str) -> Place:
        place: Place = request.getfixturevalue({"refuse": "default"}.get(policy, "proceeding"))
        return place

    return find


@pytest.mark.parametrize("policy", OUTCOMES)
@pytest.mark.parametrize(("brand", "status"), EVERY_OUTCOME)
def test_each_outcome_pays_or_not_and_is_recorded_with_its_schemes_eci(
    policy: str, brand: str, status: str, under: Callable[[str], Place]
) -> None:
    place = under(policy)
    checkout = place.shop.checkout()
    answer = place.shopper.pay(checkout, CARDS[brand][status])
    flow, code = "frictionless", OUTCOMES[policy].get(status, "")
    if status == "C":
        place.shopper.answer_challenge(answer.json()["redirect"])
        flow, status = "challenge", "Y"
    elif code:
        assert (answer.status_code, answer.json()["error"]["decline_code"]) == (402, code)
    else:
        assert answer.status_code == 200

    view = place.shop.payment(checkout.id)

    has_shift = status in ("Y", "A")
    assert view["status"] == ("requires_action" if code else "completed")
    assert view["decline_code"] == (code or None)
    assert view["three_d_secure"] == {
        "trans_status": status,
        "eci": ECI[brand][status if has_shift else "none"],
        "liability_shift": has_shift,
        "flow": flow,
    }
    assert place.charges(checkout) == (0 if code else 1)


@pytest.mark.parametrize(
    ("policy", "code", "charges"),
    [("refuse", "authentication_unavailable", 0), ("proceed", "authentication_required", 1)],
)
def test_a_card_whose_3ds_always_fails_never_pays(
    policy: str, code: str, charges: int, under: Callable[[str], Place]
) -> None:
    place = under(policy)
    checkout = place.shop.checkout()
    answer = place.shopper.pay(checkout, "4000008400001280")
    assert (answer.status_code, answer.json()["error"]["decline_code"]) == (402, code)
    assert place.shop.payment(checkout.id)["status"] == "requires_action"
    assert place.charges(checkout) == charges


def test_a_card_for_which_3ds_is_optional_pays_without_shift_where_that_is_the_policy(
    proceeding: Place,
) -> None:
    checkout = proceeding.shop.checkout()
    assert proceeding.shopper.pay(checkout, "4000000000003097").status_code == 200
    view = proceeding.shop.payment(checkout.id)
    assert (view["status"], view["three_d_secure"]["liability_shift"]) == ("completed", False)


def test_after_3ds_was_unavailable_another_card_pays(default: Place) -> None:
    checkout = default.shop.checkout()
    default.shopper.pay(checkout, CARDS["visa"]["U"])
    assert default.shopper.pay(checkout, PAID_CARD).status_code == 200
    view = default.shop.payment(checkout.id)
    assert (view["status"], view["decline_code"]) == ("completed", None)


# ------------------------------------------------------------------------------ challenges


def _pass(shopper: Shopper, challenge: str) -> None:
    shopper.answer_challenge(challenge)


def _fail(shopper: Shopper, challenge: str) -> None:
    shopper.answer_challenge(challenge, action="fail")


def _type_wrong_codes(shopper: Shopper, challenge: str) -> None:
    for _ in range(3):
        shopper.answer_challenge(challenge, code="000000")


def _abandon(shopper: Shopper, challenge: str) -> None:
    shopper.post(f"{challenge}/abandon")


def _return_unfinished(shopper: Shopper, challenge: str) -> None:
    shopper.open(f"{challenge}/return")


ENDINGS: list[tuple[Callable[[Shopper, str], None], str, str | None]] = [
    (_pass, "Y", None),
    (_fail, "N", "authentication_failed"),
    (_type_wrong_codes, "N", "authentication_failed"),
    (_abandon, "C", "authentication_abandoned"),
    (_return_unfinished, "C", "authentication_failed"),
]


@pytest.mark.parametrize("brand", CARDS)
@pytest.mark.parametrize(("end", "status", "code"), ENDINGS)
def test_a_challenge_is_recorded_as_it_ended(
    end: Callable[[Shopper, str], None],
    status: str,
    code: str | None,
    brand: str,
    default: Place,
) -> None:
    checkout = default.shop.checkout()
    answer = default.shopper.pay(checkout, CARDS[brand]["C"])

    end(default.shopper, answer.json()["redirect"])

    view = default.shop.payment(checkout.id)
    is_passed = status == "Y"
    assert view["status"] == ("completed" if is_passed else "requires_action")
    assert view["decline_code"] == code
    assert view["three_d_secure"] == {
        "trans_status": status,
        "eci": ECI[brand]["Y" if is_passed else "none"],
        "liability_shift": is_passed,
        "flow": "challenge",
    }
    assert default.charges(checkout) == is_passed


@pytest.mark.parametrize("brand", CARDS)
def test_a_challenge_nobody_answers_is_recorded_as_one(
    brand: str, place_for: Callable[..., Place]
) -> None:
    place = place_for(ChallengeTimeoutSeconds=str(CHALLENGE_SECONDS))
    checkout = place.shop.checkout()
    place.shopper.pay(checkout, CARDS[brand]["C"])
    deadline = time.monotonic() + CHALLENGE_SECONDS + NOTICING_SECONDS
    while (view := place.shop.payment(checkout.id))["status"] == "processing":
        assert time.monotonic() < deadline, "it does not end"
        time.sleep(0.1)

    assert (view["status"], view["decline_code"]) == ("requires_action", "authentication_timed_out")
    assert view["three_d_secure"] == {
        "trans_status": "C",
        "eci": ECI[brand]["none"],
        "liability_shift": False,
        "flow": "challenge",
    }
    assert place.charges(checkout) == 0


@pytest.mark.parametrize(("action", "is_paid"), [("pass", True), ("fail", False)])
def test_a_card_of_elevated_risk_is_challenged_though_its_issuer_would_not_ask(
    action: str, is_paid: bool, place_for: Callable[..., Place]
) -> None:
    place = place_for()  # a merchant of its own: what other tests decline would add to the risk
    checkout = place.shop.checkout()
    answer = place.shopper.pay(checkout, ELEVATED_RISK_CARD)
    assert (answer.status_code, answer.json()["status"]) == (202, "requires_challenge")

    place.shopper.answer_challenge(answer.json()["redirect"], action=action)

    view = place.shop.payment(checkout.id)
    assert view["status"] == ("completed" if is_paid else "requires_action")
    assert view["three_d_secure"]["flow"] == "challenge"
    assert view["risk"]["level"] == "elevated"
    assert place.charges(checkout) == is_paid


# ------------------------------------------------------------------------------ several attempts


def test_what_is_recorded_is_always_of_the_last_attempt(default: Place) -> None:
    checkout = default.shop.checkout()
    shopper, seen = default.shopper, []
    shopper.answer_challenge(shopper.start_challenge(checkout), action="fail")
    seen.append(default.shop.payment(checkout.id))
    shopper.pay(checkout, CARDS["mastercard"]["A"], cvc="999")

    seen.append(default.shop.payment(checkout.id))

    flows = [view["three_d_secure"]["flow"] for view in seen]
    assert flows == ["challenge", "frictionless"]
    assert seen[1]["three_d_secure"]["eci"] == "01"
    assert [view["card_last4"] for view in seen] == [CHALLENGE_CARD[-4:], "1021"]
    assert "checks" not in seen[0]["risk"]
    assert seen[1]["risk"]["checks"]["cvc"] == "pass"


def test_a_card_that_is_blocked_leaves_no_3ds_result_of_the_card_before(default: Place) -> None:
    checkout = default.shop.checkout()
    default.shopper.pay(checkout, CARDS["visa"]["N"])
    default.shopper.pay(checkout, "4100000000000019")
    view = default.shop.payment(checkout.id)
    assert (view["status"], view["three_d_secure"]) == ("blocked", None)
