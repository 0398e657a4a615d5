"""`make merchant`: a merchant's profile, of the local stack or of a deployed one."""

import argparse
import re
import sys
from dataclasses import asdict, replace

from local.operator.deployed import add_stack_options, open_stack, run
from payments.adapters.store.api_keys import ApiKeyStore
from payments.adapters.store.merchants import MerchantStore
from payments.model.ids import MERCHANT_PATTERN
from payments.model.merchant import Merchant, Profile
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.money.fees import COUNTRY_PATTERN, parse_fee
from payments.use_cases.api_keys import ApiKeys
from payments.use_cases.merchants import Merchants

STANDARD_FEE = "standard"
MAX_DESCRIPTOR_CHARACTERS = 22
_FIELDS = {
    "name": "the name shoppers see",
    "email": "where shoppers can ask",
    "country": "where the merchant is: decides the fee",
    "statement_descriptor": "what shows on the card statement",
    "local_currency": "the currency of the merchant's country",
    "settlement_currency": "the currency the merchant is paid in",
    "fee": f'what was agreed, like "2.9%% + 0.30 USD"; "{STANDARD_FEE}": what the country pays',
}


def main() -> int:
    options = _options()
    return run(options, lambda: save(options))


def save(options: argparse.Namespace) -> str:
    """Creates or changes the profile, and says what changed. Raises ValueError."""
    check_id(options.merchant)
    stack = open_stack(options.stack, options.aws_port)
    tables = stack.outputs()
    keys = ApiKeys(ApiKeyStore(stack.aws_client, tables["KeysTable"]))
    merchants = Merchants(MerchantStore(stack.aws_client, tables["MerchantsTable"]), keys)
    before = merchants.get(options.merchant)
    after = _changed(before or _new_profile(options.merchant), options)
    _check(after.merchant)
    renewed = merchants.save(after)
    return "\n".join([*_told(before, after), f"Keys that carry the profile: {renewed}."])


def check_id(merchant_id: str) -> None:
    """Raises ValueError."""
    if not re.fullmatch(MERCHANT_PATTERN, merchant_id):
        raise ValueError("MERCHANT must be 1 to 39 lower-case letters, digits or dashes.")


def _new_profile(merchant_id: str) -> Profile:
    return Profile(
        Merchant(
            id=merchant_id,
            name=merchant_id.replace("-", " ").title(),
            email=f"support@{merchant_id}.example",
            country="US",
            statement_descriptor=merchant_id.upper()[:MAX_DESCRIPTOR_CHARACTERS],
            local_currency="USD",
            settlement_currency="USD",
        )
    )


def _changed(profile: Profile, options: argparse.Namespace) -> Profile:
    given = {field: getattr(options, field) for field in _FIELDS if getattr(options, field)}
    if given.get("fee") == STANDARD_FEE:
        given["fee"] = ""
    accepts = profile.accepts_json_cards
    if options.json_cards:
        accepts = options.json_cards == "yes"
    return Profile(replace(profile.merchant, **given), accepts)


def _check(merchant: Merchant) -> None:
    if merchant.fee:
        parse_fee(merchant.fee)
    if not re.fullmatch(COUNTRY_PATTERN, merchant.country):
        raise ValueError("COUNTRY must be two capital letters, as in ISO 3166.")
    if not {merchant.local_currency, merchant.settlement_currency} <= MINOR_UNIT_DIGITS.keys():
        raise ValueError("LOCAL_CURRENCY and SETTLEMENT_CURRENCY must be ISO 4217 codes.")


def _told(before: Profile | None, after: Profile) -> list[str]:
    """A line for each field that is new or differs."""
    old = _values(before) if before else {}
    return [
        f"{name}: {value!r}" if before is None else f"{name}: {old[name]!r} -> {value!r}"
        for name, value in _values(after).items()
        if before is None or old[name] != value
    ] or ["Nothing changes."]


def _values(profile: Profile) -> dict[str, object]:
    return {**asdict(profile.merchant), "accepts_json_cards": profile.accepts_json_cards}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.operator.merchants", description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--merchant", required=True, help="the merchant's id")
    for field, meaning in _FIELDS.items():
        parser.add_argument(f"--{field.replace('_', '-')}", default="", help=meaning)
    parser.add_argument(
        "--json-cards",
        default="",
        choices=["", "yes", "no"],
        help="whether a server may send live cards to the checkout as JSON",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
