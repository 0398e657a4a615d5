"""A merchant's profile changes: it is the source, and every key of the merchant carries a copy."""

from payments.adapters.store.merchants import MerchantStore
from payments.model.merchant import Profile
from payments.use_cases.api_keys import ApiKeys


class Merchants:
    """What an operator keeps of merchants."""

    def __init__(self, store: MerchantStore, keys: ApiKeys) -> None:
        self._store = store
        self._keys = keys

    def get(self, merchant_id: str) -> Profile | None:
        return self._store.get(merchant_id)

    def save(self, profile: Profile) -> int:
        """The profile first, then the copies: run again, it finishes what was interrupted.

        How many keys carry it now.
        """
        self._store.put(profile)
        return self._keys.renew_copies(profile.merchant)
