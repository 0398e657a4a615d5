"""`make key`, `make rotate`, `make revoke`: API keys of the local stack or of a deployed one."""

import argparse
import re
import sys
import time
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from local.operator.deployed import add_stack_options, open_stack, unreachable
from payments.adapters.store.api_keys import ApiKeyStore
from payments.model.ids import MERCHANT_PATTERN, Mode
from payments.model.merchant import Merchant
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.money.fees import COUNTRY_PATTERN, parse_fee
from payments.use_cases.api_keys import KEY_ID_LENGTH, ApiKeys, hash_key

_PROFILE = {
    "name": "the name shoppers see",
    "email": "where shoppers can ask",
    "country": "where the merchant is: decides the fee",
    "statement_descriptor": "what shows on the card statement",
    "local_currency": "the currency of the merchant's country",
    "settlement_currency": "the currency the merchant is paid in",
    "fee": 'the agreed fee, like "2.9% + 0.30 USD"; "standard": the fee of the country',
}


def main() -> int:
    options = _options()
    try:
        stack = open_stack(options.stack, options.aws_port)
        store = ApiKeyStore(stack.dynamodb, stack.outputs()["KeysTable"])
        print(options.command(options, store))
    except LookupError:
        print("No valid key has this value or id. Nothing was changed.", file=sys.stderr)
    except ValueError as error:
        print(error, file=sys.stderr)
    except (ClientError, BotoCoreError) as error:
        print(unreachable(options, error), file=sys.stderr)
    else:
        return 0
    return 1


def issue(options: argparse.Namespace, store: ApiKeyStore) -> str:
    keys = ApiKeys(store)
    merchant = _merchant(options, store)
    keys.register(merchant)
    return _show(keys.issue(merchant, Mode(options.mode), int(time.time())))


def rotate(options: argparse.Namespace, store: ApiKeyStore) -> str:
    overlap_seconds = round(options.overlap_hours * 3600)
    new = ApiKeys(store).rotate(options.key, overlap_seconds, int(time.time()))
    return f"{_show(new)}\nThe old key stops working in {options.overlap_hours:g} hours."


def revoke(options: argparse.Namespace, store: ApiKeyStore) -> str:
    ApiKeys(store).revoke(options.key, int(time.time()))
    return "Revoked. The gateway may still accept it for AuthorizerCacheSeconds (default: 60)."


def _show(key: str) -> str:
    key_id = hash_key(key)[:KEY_ID_LENGTH]
    return f"{key}\nThis key is shown once. Its id, to rotate or revoke it: {key_id}"


def _merchant(options: argparse.Namespace, store: ApiKeyStore) -> Merchant:
    """The stored profile, or a new one, with what the options change. Raises ValueError."""
    if not re.fullmatch(MERCHANT_PATTERN, options.merchant):
        raise ValueError("MERCHANT must be 1 to 39 lower-case letters, digits or dashes.")
    merchant = store.merchant(options.merchant) or Merchant(
        id=options.merchant,
        name=options.merchant.replace("-", " ").title(),
        email=f"support@{options.merchant}.example",
        country="US",
        statement_descriptor=options.merchant.upper()[:22],
        local_currency="USD",
        settlement_currency="USD",
    )
    given = {field: getattr(options, field) for field in _PROFILE if getattr(options, field)}
    if given.get("fee") == "standard":
        given["fee"] = ""
    merchant = replace(merchant, **given)
    if merchant.fee:
        parse_fee(merchant.fee)
    if not re.fullmatch(COUNTRY_PATTERN, merchant.country):
        raise ValueError("COUNTRY must be two capital letters, as in ISO 3166.")
    if not {merchant.local_currency, merchant.settlement_currency} <= MINOR_UNIT_DIGITS.keys():
        raise ValueError("LOCAL_CURRENCY and SETTLEMENT_CURRENCY must be ISO 4217 codes.")
    return merchant


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.operator.keys", description=__doc__)
    add_stack_options(parser)
    commands = parser.add_subparsers(required=True)
    issuing = commands.add_parser("issue", help="a new key, shown once")
    issuing.add_argument("--merchant", required=True, help="the merchant's id")
    issuing.add_argument("--mode", required=True, choices=[mode.value for mode in Mode])
    for field, meaning in _PROFILE.items():
        issuing.add_argument(f"--{field.replace('_', '-')}", default="", help=meaning)
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
