"""`make key`, `make keys`, `make rotate`, `make revoke`: a merchant's API keys."""

import time
from datetime import UTC, datetime
from decimal import Decimal

from local.operator.deployed import DeployedStack
from local.operator.merchants import find
from local.variables import Variable, one_of, optional, shaped
from payments.adapters.store.api_keys import KEY_ID_LENGTH, ApiKeyStore, StoredKey
from payments.model.ids import Mode
from payments.use_cases.api_keys import KEY_PATTERN, ApiKeys, hash_key

_MOST_OVERLAP_HOURS = 30 * 24
MODE = Variable("MODE", one_of(*Mode))
KEY = Variable(
    "KEY",
    shaped(
        rf"{KEY_PATTERN}|[0-9a-f]{{{KEY_ID_LENGTH}}}",
        "an API key (sk_test_… or sk_live_…) or a key's id, which make keys shows",
    ),
)


def _hours(text: str) -> Decimal:
    number = shaped(r"[0-9]{1,5}(\.[0-9]{1,3})?", _HOURS)(text)
    if Decimal(number) > _MOST_OVERLAP_HOURS:
        raise ValueError(f"must be {_HOURS}")
    return Decimal(number)


_HOURS = f"a number of hours from 0 to {_MOST_OVERLAP_HOURS}, like 24"
OVERLAP_HOURS = optional("OVERLAP_HOURS", _hours, Decimal(24))


def issue(stack: DeployedStack, merchant: str, mode: Mode) -> str:
    profile = find(stack, merchant)
    return _shown(_keys(stack).issue(profile.merchant, mode, int(time.time())))


def show(stack: DeployedStack, merchant: str) -> str:
    """A line for each key, the newest first."""
    find(stack, merchant)
    keys = _keys(stack).of_merchant(merchant)
    if not keys:
        return f"{merchant} has no keys. To issue one: make key MERCHANT={merchant} MODE=test"
    rows = [("ID", "MODE", "CREATED", "STATE")] + [
        (key.id, key.mode, _moment(key.created_at), _state(key, int(time.time())))
        for key in sorted(keys, key=lambda key: key.created_at, reverse=True)
    ]
    return "\n".join(
        f"{id_:<14}{mode:<6}{created:<22}{state}" for id_, mode, created, state in rows
    )


def rotate(stack: DeployedStack, key: str, overlap_hours: Decimal) -> str:
    overlap_seconds = round(overlap_hours * 3600)
    new = _keys(stack).rotate(key, overlap_seconds, int(time.time()))
    return f"{_shown(new)}\nThe old key stops working in {overlap_hours.normalize():f} hours."


def revoke(stack: DeployedStack, key: str) -> str:
    _keys(stack).revoke(key, int(time.time()))
    return "Revoked. The gateway may still accept it for AuthorizerCacheSeconds (default: 60)."


def _keys(stack: DeployedStack) -> ApiKeys:
    return ApiKeys(ApiKeyStore(stack.aws_client, stack.output("KeysTable")))


def _shown(key: str) -> str:
    key_id = hash_key(key)[:KEY_ID_LENGTH]
    return f"{key}\nThis key is shown once. Its id, to rotate or revoke it: {key_id}"


def _state(key: StoredKey, now_seconds: int) -> str:
    if key.expires_at is None:
        return "valid"
    return f"{'valid until' if key.is_valid_at(now_seconds) else 'ended'} {_moment(key.expires_at)}"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
