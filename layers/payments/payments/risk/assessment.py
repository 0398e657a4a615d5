"""The decision on one attempt: which rules fire, what they sum up to, what that does."""

from dataclasses import dataclass
from typing import Any

from payments.risk.rules import RULES, Action
from payments.risk.signals import Signals

NORMAL, ELEVATED, HIGHEST = "normal", "elevated", "highest"
MAX_SCORE = 100
_ACTION_OF_LEVEL = {
    NORMAL: Action.ALLOW,
    ELEVATED: Action.CHALLENGE,
    HIGHEST: Action.BLOCK,
}
_BY_WEIGHT = list(Action)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The scores from which a risk is elevated, and highest."""

    elevated: int = 50
    highest: int = 80

    def level(self, score: int) -> str:
        if score >= self.highest:
            return HIGHEST
        return ELEVATED if score >= self.elevated else NORMAL


@dataclass(frozen=True, slots=True)
class Risk:
    """One decision, with everything that explains it. `score` is 0 to 100.

    `fingerprint` stands for the card, `ip_hash` for the shopper's IP address: both are keyed
    hashes, empty where they could not be made.
    """

    score: int
    level: str
    action: Action
    reasons: tuple[str, ...] = ()
    fingerprint: str = ""
    ip_hash: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What is stored on the payment and shown to its merchant."""
        facts = {"score": self.score, "level": self.level, "reasons": list(self.reasons)}
        return {**facts, "fingerprint": self.fingerprint} if self.fingerprint else facts


def assess(signals: Signals, thresholds: Thresholds, *, enforced: bool) -> Risk:
    """Without enforcement the score does nothing; what acts by itself does."""
    fired = [rule for rule in RULES if rule.fires(signals)]
    if signals.is_allowed:
        fired = [rule for rule in fired if rule.acts]
    score = min(MAX_SCORE, sum(rule.weight for rule in fired))
    level = thresholds.level(score)
    actions = [rule.acts for rule in fired if rule.acts]
    actions.append(_ACTION_OF_LEVEL[level] if enforced else Action.ALLOW)
    action = max(actions, key=_BY_WEIGHT.index)
    return Risk(score, level, action, tuple(rule.name for rule in fired))
