"""What is known of an attempt when its risk is weighed."""

from dataclasses import dataclass

from payments.model.authorization import Screening
from payments.risk.history import DAY_SECONDS, HOUR_SECONDS, Amounts, History, within

# Fewer payments than these say nothing about what is usual.
ENOUGH_AMOUNTS = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a card, an e-mail, an IP address or a merchant was seen, this attempt included.

    A failure is an attempt that came to nothing, or that waits for a challenge we asked for.
    `under_way_hour` are others that have no outcome yet: of an IP address alone.
    """

    attempts_hour: int = 0
    attempts_day: int = 0
    failures_hour: int = 0
    under_way_hour: int = 0

    @classmethod
    def of(cls, history: History, now_seconds: int) -> "Tally":
        return cls(
            within(history.attempts, HOUR_SECONDS, now_seconds),
            within(history.attempts, DAY_SECONDS, now_seconds),
            max(0, within(history.failures, HOUR_SECONDS, now_seconds)),
            max(0, within(history.under_way, HOUR_SECONDS, now_seconds) - 1),
        )

    def fails(self, failures: int, percent: int) -> bool:
        """Whether so many attempts failed in the last hour, and such a share of those before."""
        return self._are_many(self.failures_hour, failures, percent)

    def may_fail(self, failures: int, percent: int) -> bool:
        """Whether they would have failed if those under way did."""
        return self._are_many(self.failures_hour + self.under_way_hour, failures, percent)

    def _are_many(self, count: int, limit: int, percent: int) -> bool:
        before = max(1, self.attempts_hour - 1)
        return count >= limit and count * 100 >= before * percent


@dataclass(frozen=True, slots=True)
class Signals:
    """Countries are ISO 3166 codes, "" where unknown. `attempt_number` counts on one payment.

    `usual_amount_minor` is the merchant's mean in this currency, None while too little is known.
    """

    screening: Screening = Screening.NORMAL
    card_country: str = ""
    merchant_country: str = ""
    email_country: str = ""
    has_disposable_email: bool = False
    amount_minor: int = 0
    usual_amount_minor: int | None = None
    attempt_number: int = 1
    card: Tally = Tally()
    email: Tally = Tally()
    ip: Tally = Tally()
    merchant: Tally = Tally()
    is_blocked: bool = False
    is_allowed: bool = False
    has_counters: bool = True


def usual_amount_minor(amounts: Amounts | None, amount_minor: int) -> int | None:
    """The mean of what was asked for before this attempt, which is counted already."""
    before = amounts + Amounts(-1, -amount_minor) if amounts else Amounts()
    return before.total_minor // before.count if before.count >= ENOUGH_AMOUNTS else None
