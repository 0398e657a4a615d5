"""The stored rates are refreshed from the feed, as far as it is plausible."""

from collections.abc import Callable, Collection

from payments.adapters.store.rates import RatesStore
from payments.money.exchange_rates import Merged, Rates, merge


class RefreshRates:
    """What the feed gets wrong stays as it was, grows old, and in the end refuses live money."""

    def __init__(self, store: RatesStore, feed: Callable[[], Rates]) -> None:
        self._store = store
        self._feed = feed

    def __call__(self, accepted: Collection[str]) -> Merged:
        """`accepted`: currencies whose jump somebody has looked at. Raises RatesFeedError."""
        merged = merge(self._store.read(), self._feed(), accepted)
        if merged.taken:
            self._store.write(merged.rates)
        return merged
