"""`make key`, `make rotate`, `make revoke`: API keys of the local stack or of a deployed one."""

import argparse
import re
import sys
import time
from dataclasses import replace
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local import REGION, STACK_NAME
from payments.api_keys import KEY_ID_LENGTH, ApiKeys, hash_key
from payments.currencies import MINOR_UNIT_DIGITS
from payments.fees import COUNTRIES
from payments.ids import MERCHANT_PATTERN, Mode
from payments.payment import Merchant
from payments.store.api_keys import ApiKeyStore

_PROFILE = {
    "name": "the name shoppers see",
    "email": "where shoppers can ask",
    "country": "where the merchant is: decides the fee",
    "statement_descriptor": "what shows on the card statement",
    "local_currency": "the currency of the merchant's country",
    "settlement_currency": "the currency the merchant is paid in",
}


def main() -> int:
    options = _options()
    try:
        store = _open_store(options.stack, options.aws_port)
        print(options.command(options, store))
    except LookupError:
        print("There is no valid key by that name.", file=sys.stderr)
    except ValueError as error:
        print(error, file=sys.stderr)
    except (ClientError, BotoCoreError) as error:
        where = options.stack or f"the local stack on port {options.aws_port} (make start)"
        print(f"Cannot reach {where}: {error}", file=sys.stderr)
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
    return f"{_show(new)}\nThe old key dies in {options.overlap_hours:g} hours."


def revoke(options: argparse.Namespace, store: ApiKeyStore) -> str:
    ApiKeys(store).revoke(options.key, int(time.time()))
    return "Revoked. The gateway may remember the key for as long as AuthorizerCacheSeconds says."


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
    merchant = replace(merchant, **given)
    if merchant.country not in COUNTRIES:
        raise ValueError(f"COUNTRY must be one of {', '.join(sorted(COUNTRIES))}.")
    if not {merchant.local_currency, merchant.settlement_currency} <= MINOR_UNIT_DIGITS.keys():
        raise ValueError("LOCAL_CURRENCY and SETTLEMENT_CURRENCY must be ISO 4217 codes.")
    return merchant


def _open_store(stack: str, aws_port: int) -> ApiKeyStore:
    return ApiKeyStore(*open_keys_table(stack, aws_port))


def open_keys_table(stack: str, aws_port: int) -> tuple[Any, str]:
    """A client and the table's name: of a deployed stack under your AWS credentials, or of the
    local one without any."""
    local: dict[str, Any] = {
        "endpoint_url": f"http://127.0.0.1:{aws_port}",
        "region_name": REGION,
        "aws_access_key_id": "local",
        "aws_secret_access_key": "local",
    }
    session = boto3.session.Session()
    client_options = {} if stack else local
    cloudformation: Any = session.client("cloudformation", **client_options)
    (described,) = cloudformation.describe_stacks(StackName=stack or STACK_NAME)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    return session.client("dynamodb", **client_options), outputs["KeysTable"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.keys", description=__doc__)
    parser.add_argument("--stack", default="", help="a deployed stack; empty: the local one")
    parser.add_argument("--aws-port", type=int, default=4566)
    commands = parser.add_subparsers(required=True)
    issuing = commands.add_parser("issue", help="a new key, shown once")
    issuing.add_argument("--merchant", required=True, help="the merchant's id")
    issuing.add_argument("--mode", required=True, choices=[mode.value for mode in Mode])
    for field, meaning in _PROFILE.items():
        issuing.add_argument(f"--{field.replace('_', '-')}", default="", help=meaning)
    issuing.set_defaults(command=issue)
    rotating = commands.add_parser("rotate", help="a new key; the old one dies after a while")
    rotating.add_argument("--key", required=True, help="the old key, or its id")
    rotating.add_argument("--overlap-hours", type=float, default=24)
    rotating.set_defaults(command=rotate)
    revoking = commands.add_parser("revoke", help="ends a key now")
    revoking.add_argument("--key", required=True, help="the key, or its id")
    revoking.set_defaults(command=revoke)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
