"""`make key`, `make rotate`, `make revoke`: API keys of the local stack or of a deployed one."""

import argparse
import sys
import time

from local.operator.deployed import add_stack_options, open_stack, run
from local.operator.merchants import check_id
from payments.adapters.store.api_keys import KEY_ID_LENGTH, ApiKeyStore
from payments.adapters.store.merchants import MerchantStore
from payments.model.ids import Mode
from payments.use_cases.api_keys import ApiKeys, hash_key


def main() -> int:
    options = _options()
    return run(options, lambda: options.command(options))


def issue(options: argparse.Namespace) -> str:
    """Raises ValueError for a merchant without a profile."""
    check_id(options.merchant)
    stack = open_stack(options.stack, options.aws_port)
    merchants = MerchantStore(stack.aws_client, stack.outputs()["MerchantsTable"])
    profile = merchants.get(options.merchant)
    if profile is None:
        raise ValueError(
            f"There is no merchant {options.merchant}. "
            f"Make it first: make merchant MERCHANT={options.merchant} NAME=… COUNTRY=…"
        )
    return _show(_keys(options).issue(profile.merchant, Mode(options.mode), int(time.time())))


def rotate(options: argparse.Namespace) -> str:
    overlap_seconds = round(options.overlap_hours * 3600)
    new = _keys(options).rotate(options.key, overlap_seconds, int(time.time()))
    return f"{_show(new)}\nThe old key stops working in {options.overlap_hours:g} hours."


def revoke(options: argparse.Namespace) -> str:
    _keys(options).revoke(options.key, int(time.time()))
    return "Revoked. The gateway may still accept it for AuthorizerCacheSeconds (default: 60)."


def _keys(options: argparse.Namespace) -> ApiKeys:
    stack = open_stack(options.stack, options.aws_port)
    return ApiKeys(ApiKeyStore(stack.aws_client, stack.outputs()["KeysTable"]))


def _show(key: str) -> str:
    key_id = hash_key(key)[:KEY_ID_LENGTH]
    return f"{key}\nThis key is shown once. Its id, to rotate or revoke it: {key_id}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.operator.keys", description=__doc__)
    add_stack_options(parser)
    commands = parser.add_subparsers(required=True)
    issuing = commands.add_parser("issue", help="a new key, shown once")
    issuing.add_argument("--merchant", required=True, help="the merchant's id")
    issuing.add_argument("--mode", required=True, choices=[mode.value for mode in Mode])
    issuing.set_defaults(command=issue)
    rotating = commands.add_parser("rotate", help="a new key; the old one stops after the overlap")
    rotating.add_argument("--key", required=True, help="the old key, or its id")
    rotating.add_argument("--overlap-hours", type=float, default=24)
    rotating.set_defaults(command=rotate)
    revoking = commands.add_parser("revoke", help="ends a key now")
    revoking.add_argument("--key", required=True, help="the key, or its id")
    revoking.set_defaults(command=revoke)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
