"""The rates table: one item with every rate, read rarely and by many."""

from payments.adapters.aws import AwsClient
from payments.adapters.store.items import from_item, to_item
from payments.errors import AwsUnavailableError
from payments.model.clock import Clock
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.money.exchange_rates import SNAPSHOT, Rate, Rates

CACHE_SECONDS = 300
_ITEM_ID = "usd"


class RatesStore:
    """Reads and writes the rates. What the table does not have, the shipped snapshot has."""

    def __init__(self, dynamodb: AwsClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def read(self) -> Rates:
        """One read, half a unit for every 4 KB: a few seconds' lag does no harm."""
        response = self._dynamodb.get_item(TableName=self._table, Key=to_item({"id": _ITEM_ID}))
        stored = from_item(response.get("Item", {})).get("rates", {})
        read = {
            code: Rate(per_usd, source, int(at))
            for code, (per_usd, source, at) in stored.items()
            if code in MINOR_UNIT_DIGITS  # a currency that has ended is not needed
        }
        return Rates({**SNAPSHOT.known, **read})

    def write(self, rates: Rates) -> None:
        rows = {code: [rate.per_usd, rate.source, rate.at] for code, rate in rates.known.items()}
        self._dynamodb.put_item(
            TableName=self._table, Item=to_item({"id": _ITEM_ID, "rates": rows})
        )


class CurrentRates:
    """The rates, remembered for a few minutes: a warm create does not read them."""

    def __init__(self, store: RatesStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._remembered: tuple[int, Rates] | None = None

    def __call__(self) -> Rates:
        """Where the table does not respond, the last rates serve on: each knows its own age."""
        now_us = self._clock.now_us()
        if self._remembered and abs(now_us - self._remembered[0]) < CACHE_SECONDS * 1_000_000:
            return self._remembered[1]
        try:
            rates = self._store.read()
        except AwsUnavailableError:
            if self._remembered is None:
                raise
            rates = self._remembered[1]
        self._remembered = now_us, rates
        return rates
