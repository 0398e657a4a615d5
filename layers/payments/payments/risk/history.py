"""What happened before, in half hours, and how much of it lies within a sliding window."""

from collections.abc import Mapping
from dataclasses import dataclass, field

BUCKET_SECONDS = 30 * 60
HOUR_SECONDS = 60 * 60
DAY_SECONDS = 24 * HOUR_SECONDS
Buckets = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much was asked for, all in all, in minor units of one currency."""

    count: int = 0
    total_minor: int = 0

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(self.count + other.count, self.total_minor + other.total_minor)


@dataclass(frozen=True, slots=True)
class History:
    """Attempts and failures by half hour since 1970, amounts by currency.

    `under_way` are the attempts without an outcome, where they are counted.
    """

    attempts: Buckets = field(default_factory=dict)
    failures: Buckets = field(default_factory=dict)
    amounts: Mapping[str, Amounts] = field(default_factory=dict)
    under_way: Buckets = field(default_factory=dict)

    def __add__(self, other: "History") -> "History":
        """Two days in one. No half hour belongs to both."""
        currencies = self.amounts.keys() | other.amounts.keys()
        return History(
            {**self.attempts, **other.attempts},
            {**self.failures, **other.failures},
            {
                currency: self.amounts.get(currency, Amounts())
                + other.amounts.get(currency, Amounts())
                for currency in currencies
            },
            {**self.under_way, **other.under_way},
        )


def within(buckets: Buckets, seconds: int, now_seconds: int) -> int:
    """How many lie in the last so many seconds.

    The half hour in which the window begins counts by the share of it that lies within.
    """
    start = now_seconds - seconds
    oldest = start // BUCKET_SECONDS
    seconds_within = (oldest + 1) * BUCKET_SECONDS - start
    share = buckets.get(oldest, 0) * seconds_within // BUCKET_SECONDS
    return share + sum(count for bucket, count in buckets.items() if bucket > oldest)
