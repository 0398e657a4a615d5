"""The decision on one attempt: which rules fire, what they sum up to, what that does."""

from dataclasses import dataclass

from payments.risk import Action, Risk
from payments.risk.rules import RULES
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
    """From which score on a risk is elevated, and highest."""

    elevated: int = 50
    highest: int = 80

    def level(self, score: int) -> str:
        if score >= self.highest:
            return HIGHEST
        return ELEVATED if score >= self.elevated else NORMAL


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
