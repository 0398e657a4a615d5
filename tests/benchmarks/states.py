"""S: workflow states, and the AWS bill that follows from everything counted."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks.lives import CHALLENGE_CARD, DECLINED_CARD, PAID_CARD, Life, Scene
from tests.benchmarks.rows import Row

# List prices in us-east-1, USD for a million.
STATE_TRANSITION = 25.00
API_CALL = 3.50
LAMBDA_REQUEST = 0.20
LAMBDA_GB_SECOND = 16.6667
KMS_REQUEST = 3.00
WRITE_UNIT = 0.625
READ_UNIT = 0.125


@dataclass(frozen=True)
class Assumptions:
    """What a payment does besides what is counted."""

    challenged_share: float = 0.1
    pages_and_files: int = 4  # the checkout page, its style, script and icon
    authorizer_share: float = 0.2  # of the merchant's requests; the gateway remembers the others
    memory_gb: float = 0.5
    request_seconds: float = 0.02
    waiting_seconds: float = 0.5  # the checkout waits for the workflow's outcome


ASSUMED = Assumptions()


def rows(scene: Scene) -> list[Row]:
    frictionless, challenge, decline = (
        scene.live(card) for card in (PAID_CARD, CHALLENGE_CARD, DECLINED_CARD)
    )
    assert (frictionless.outcome, challenge.outcome) == ("completed", "completed")
    assert decline.outcome == "requires_action"
    share = ASSUMED.challenged_share
    total = sum(bill(frictionless).values()) * (1 - share) + sum(bill(challenge).values()) * share
    assumed = (
        f"{share:.0%} challenged, {ASSUMED.pages_and_files} pages and files,"
        f" {ASSUMED.memory_gb:g} GB, {ASSUMED.request_seconds:g} s a request,"
        f" {ASSUMED.waiting_seconds:g} s waiting"
    )
    return [
        Row("S1", "states entered, frictionless", len(frictionless.states), 3),
        Row("S1", "states entered, challenge", len(challenge.states), 5),
        Row("S1", "states entered, decline", len(decline.states), 3),
        Row("S2", f"USD for a million payments ({assumed})", total, 140),
    ]


def bill(life: Life) -> Mapping[str, float]:
    """USD for a million such payments, by what it goes to."""
    shopper_requests = ASSUMED.pages_and_files + 1 + 2 * ("AwaitChallenge" in life.states)
    merchant_requests = 2  # create, and get after the return
    tasks = len(life.states) - life.states.count("IsChallenged")
    api_calls = shopper_requests + merchant_requests
    invocations = api_calls + tasks + merchant_requests * ASSUMED.authorizer_share
    seconds = invocations * ASSUMED.request_seconds + ASSUMED.waiting_seconds
    return {
        "state transitions": len(life.states) * STATE_TRANSITION,
        "API calls": api_calls * API_CALL,
        "Lambda requests": invocations * LAMBDA_REQUEST,
        "Lambda time": seconds * ASSUMED.memory_gb * LAMBDA_GB_SECOND,
        "KMS": life.count("kms") * KMS_REQUEST,
        "DynamoDB": life.write_units * WRITE_UNIT + life.read_units * READ_UNIT,
    }
