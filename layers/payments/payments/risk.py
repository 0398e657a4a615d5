"""Fraud prevention, before 3DS: a score, a level, the reasons, and what is done about it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from payments.acquirer.port import CardProfile, Screening


class Action(StrEnum):
    """What a decision does: nothing, ask the issuer for a challenge, or refuse the card."""

    ALLOW = "allow"
    CHALLENGE = "challenge"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Risk:
    """One decision, with everything that explains it. `score` is 0 to 100."""

    score: int
    level: str
    action: Action
    reasons: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        """What is stored on the payment and shown to its merchant."""
        return {"score": self.score, "level": self.level, "reasons": list(self.reasons)}


# What the acquirer's own screening says counts as it stands: it has seen the card elsewhere.
_SCREENING = {
    Screening.NORMAL: Risk(0, "normal", Action.ALLOW),
    Screening.ELEVATED: Risk(65, "elevated", Action.CHALLENGE, ("acquirer_elevated_risk",)),
    Screening.HIGHEST: Risk(90, "highest", Action.BLOCK, ("acquirer_highest_risk",)),
    Screening.BLOCKED: Risk(100, "highest", Action.BLOCK, ("acquirer_blocked_card",)),
}


def assess(profile: CardProfile) -> Risk:
    """The decision on one attempt."""
    return _SCREENING[profile.screening]
