"""Every fraud rule, its weight and its parameter: the one table.

A score is the sum of the weights of the rules that fire, at most 100. What a score does depends on
the merchant (in test mode rules only observe, unless it has them enforced). A rule with an action
of its own acts always: it speaks of what somebody has decided or knows, or of our own blindness.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from payments.model.authorization import Screening
from payments.risk.signals import Signals

# The one rule that says nothing of the attempt itself, only that it is one of many at once.
IP_UNDER_WAY = "ip_under_way"


class Action(StrEnum):
    """What a decision does: nothing, ask the issuer for a challenge, or refuse the card.

    In the order of their weight: of two, the later one prevails.
    """

    ALLOW = "allow"
    CHALLENGE = "challenge"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Rule:
    """`test` is asked with the signals and the rule's `limit`, which `{}` in `meaning` shows."""

    name: str
    weight: int
    limit: int
    meaning: str
    test: Callable[[Signals, int], bool]
    acts: Action | None = None

    def fires(self, signals: Signals) -> bool:
        return self.test(signals, self.limit)

    @property
    def text(self) -> str:
        return self.meaning.format(self.limit)


# fmt: off
RULES = (
    # ------------------------------------------------ what others know or have decided
    Rule("acquirer_blocked_card", 100, 0, "the acquirer has blocked the card",
         lambda s, _: s.screening is Screening.BLOCKED, Action.BLOCK),
    Rule("acquirer_highest_risk", 90, 0, "the acquirer rates the card highest risk",
         lambda s, _: s.screening is Screening.HIGHEST, Action.BLOCK),
    Rule("acquirer_elevated_risk", 65, 0, "the acquirer rates the card elevated risk",
         lambda s, _: s.screening is Screening.ELEVATED, Action.CHALLENGE),
    Rule("merchant_block_list", 100, 0, "on the merchant's block list",
         lambda s, _: s.is_blocked, Action.BLOCK),
    Rule("merchant_allow_list", 0, 0, "on the merchant's allow list: no scored rule counts",
         lambda s, _: s.is_allowed, Action.ALLOW),
    Rule("counters_unavailable", 50, 0, "counters or lists could not be read",
         lambda s, _: not s.has_counters, Action.CHALLENGE),
    # ------------------------------------------------ the card
    Rule("card_velocity_hour", 50, 5, "more than {} attempts with the card in an hour",
         lambda s, limit: s.card.attempts_hour > limit),
    Rule("card_velocity_day", 30, 15, "more than {} attempts with the card in a day",
         lambda s, limit: s.card.attempts_day > limit),
    Rule("card_country_differs", 10, 0, "issued in another country than the merchant's",
         lambda s, _: _differ(s.card_country, s.merchant_country)),
    Rule("many_cards_on_payment", 30, 3, "a card new today, at attempt {} or later on one payment",
         lambda s, limit: s.attempt_number >= limit and s.card.attempts_day == 1),
    # ------------------------------------------------ the shopper
    Rule("email_velocity", 30, 8, "more than {} attempts with the e-mail in an hour",
         lambda s, limit: s.email.attempts_hour > limit),
    Rule("email_country_differs", 15, 0, "e-mail of another country than the card's",
         lambda s, _: _differ(s.email_country, s.card_country)),
    Rule("disposable_email", 30, 0, "e-mail of a throw-away service",
         lambda s, _: s.has_disposable_email),
    Rule("ip_velocity", 15, 60, "more than {} attempts from the IP address in an hour",
         lambda s, limit: s.ip.attempts_hour > limit),
    Rule("ip_failures", 50, 3, "{} failed from the IP address in an hour, half of all",
         lambda s, limit: s.ip.fails(limit, percent=50)),
    Rule(IP_UNDER_WAY, 50, 3, "{} failed or under way from the IP address, half of its hour, but"
         " fewer failed",
         lambda s, limit: s.ip.may_fail(limit, percent=50) and not s.ip.fails(limit, percent=50)),
    Rule("card_testing", 40, 5, "{} failed from the IP address in an hour, three of five",
         lambda s, limit: s.ip.fails(limit, percent=60)),
    # ------------------------------------------------ the amount and the merchant
    Rule("small_amount", 10, 500, "at most {} minor units (USD 5.00, JPY 500), as testers ask",
         lambda s, limit: s.amount_minor <= limit),
    Rule("unusual_amount", 30, 10, "more than {} times the merchant's usual in this currency",
         lambda s, limit: s.usual_amount_minor is not None
         and s.amount_minor > limit * s.usual_amount_minor),
    Rule("merchant_failures", 40, 30, "{} failed at the merchant in an hour, half of all",
         lambda s, limit: s.merchant.fails(limit, percent=50)),
    Rule("merchant_velocity", 10, 300, "more than {} attempts at the merchant in an hour, and six"
         " times its usual hour",
         lambda s, limit: s.merchant.attempts_hour > limit
         and s.merchant.attempts_hour * 24 > s.merchant.attempts_day * 6),
)
# fmt: on


def _differ(one: str, other: str) -> bool:
    """What is not known differs from nothing."""
    return bool(one and other and one != other)
