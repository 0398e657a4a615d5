"""Fraud prevention, before 3DS: a score, a level, the reasons, and what is done about it.

`signals` is what is known of an attempt, `rules` the one table of what that is worth, `assessment`
the decision. All of it is pure: the same signals give the same decision.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What a decision does: nothing, ask the issuer for a challenge, or refuse the card.

    In the order of their weight: of two, the later one prevails.
    """

    ALLOW = "allow"
    CHALLENGE = "challenge"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Risk:
    """One decision, with everything that explains it. `score` is 0 to 100.

    `fingerprint` stands for the card, `address` for the shopper's IP address: both are keyed
    hashes, empty where they could not be made.
    """

    score: int
    level: str
    action: Action
    reasons: tuple[str, ...] = ()
    fingerprint: str = ""
    address: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What is stored on the payment and shown to its merchant."""
        facts = {"score": self.score, "level": self.level, "reasons": list(self.reasons)}
        return {**facts, "fingerprint": self.fingerprint} if self.fingerprint else facts
