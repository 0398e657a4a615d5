"""The merchants and keys that work on the local stack from the start (contract, section 9)."""

import time

from payments.adapters.store.merchants import MerchantStore
from payments.model.ids import Mode
from payments.model.merchant import Merchant, Profile
from payments.use_cases.api_keys import ApiKeys

TEST_KEY = "sk_test_51O62xYzAbcDef123"
LIVE_KEY = "sk_live_51O62xYzAbcDef123"
SECOND_MERCHANT_KEY = "sk_test_71Q84zAbCdEfGh456"
REVOKED_KEY = "sk_test_41N51wXyZabCde000"

FIRST = Merchant(
    id="4geeks",
    name="4Geeks Payments",
    email="support@4geeks.io",
    country="CR",
    statement_descriptor="4GEEKS",
    local_currency="CRC",
    settlement_currency="USD",
)
SECOND = Merchant(
    id="juanpesa",
    name="Juan Pesa",
    email="hola@juanpesa.example",
    country="CR",
    statement_descriptor="JUANPESA",
    local_currency="CRC",
    settlement_currency="USD",
    enforces_fraud_rules_in_test=True,
)


def seed(keys: ApiKeys, merchants: MerchantStore) -> None:
    """Both merchants, their keys, and one key that was revoked."""
    now_seconds = int(time.time())
    for merchant in (FIRST, SECOND):
        merchants.put(Profile(merchant, accepts_json_cards=True))
    keys.issue(FIRST, Mode.TEST, now_seconds, key=TEST_KEY)
    keys.issue(FIRST, Mode.LIVE, now_seconds, key=LIVE_KEY)
    keys.issue(SECOND, Mode.TEST, now_seconds, key=SECOND_MERCHANT_KEY)
    keys.issue(FIRST, Mode.TEST, now_seconds, key=REVOKED_KEY)
    keys.revoke(REVOKED_KEY, now_seconds)
