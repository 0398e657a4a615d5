"""`make merchant`: a merchant's profile."""

import re
from dataclasses import asdict, replace
from typing import Any

from babel import Locale
from babel.numbers import get_territory_currencies
from pydantic import TypeAdapter

from local.operator.deployed import DeployedStack
from local.variables import Variable, one_of, optional, shaped
from payments.adapters.store.api_keys import ApiKeyStore
from payments.adapters.store.merchants import MerchantStore
from payments.inputs.merchant_api import Email
from payments.model.ids import MERCHANT_PATTERN
from payments.model.merchant import Merchant, Profile
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.money.fees import parse_fee
from payments.use_cases.api_keys import ApiKeys
from payments.use_cases.merchants import Merchants

STANDARD_FEE = "standard"
MAX_DESCRIPTOR_CHARACTERS = 22
_MOST_NAME_CHARACTERS = 100
# Two letters in CLDR, but no countries of ISO 3166: groups, parts of countries, test data.
# fmt: off
_NO_COUNTRIES = frozenset({
    "AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ",
})
# fmt: on
# Card schemes refuse these in what a statement shows.
_REFUSED_IN_DESCRIPTORS = frozenset("<>\\'\"*")


def countries() -> frozenset[str]:
    """The two-letter codes of ISO 3166."""
    codes = {str(code) for code in Locale("en").territories}
    return frozenset(code for code in codes - _NO_COUNTRIES if re.fullmatch("[A-Z]{2}", code))


def country(text: str) -> str:
    if text not in countries():
        raise ValueError("must be two capital letters of ISO 3166, like US")
    return text


def _currency(text: str) -> str:
    if text not in MINOR_UNIT_DIGITS:
        raise ValueError("must be three capital letters of ISO 4217, like USD")
    return text


def _descriptor(text: str) -> str:
    if len(text) > MAX_DESCRIPTOR_CHARACTERS:
        raise ValueError(
            f"must have at most {MAX_DESCRIPTOR_CHARACTERS} characters, this has {len(text)}"
        )
    if not (text.isascii() and text.isprintable()) or _REFUSED_IN_DESCRIPTORS & set(text):
        raise ValueError("must be plain letters, digits and signs, without < > \\ ' \" *")
    return text


def _fee(text: str) -> str:
    if text == STANDARD_FEE:
        return ""
    try:
        parse_fee(text)
    except ValueError:
        raise ValueError(
            f'must be like "2.9% + 0.30 USD", with no more decimals than the currency has, '
            f"or {STANDARD_FEE}: what the merchant's country pays"
        ) from None
    return text


def _name(text: str) -> str:
    if len(text) > _MOST_NAME_CHARACTERS or not text.isprintable():
        raise ValueError(f"must have at most {_MOST_NAME_CHARACTERS} characters on one line")
    return text


def _email(text: str) -> str:
    try:
        return TypeAdapter(Email).validate_python(text)
    except ValueError:
        raise ValueError("must be an e-mail address") from None


def _yes(text: str) -> bool:
    return bool(one_of("yes", "no")(text) == "yes")


MERCHANT = Variable(
    "MERCHANT", shaped(MERCHANT_PATTERN, "1 to 39 lower-case letters, digits or dashes")
)
PROFILE = (
    MERCHANT,
    optional("NAME", _name),
    optional("EMAIL", _email),
    optional("COUNTRY", country),
    optional("DESCRIPTOR", _descriptor),
    optional("LOCAL_CURRENCY", _currency),
    optional("SETTLEMENT_CURRENCY", _currency),
    optional("FEE", _fee),
    optional("JSON_CARDS", _yes),
    optional("FRAUD_RULES_IN_TEST", _yes),
)
# A variable and the field that it sets, where they have not the same name.
_FIELDS = {
    "descriptor": "statement_descriptor",
    "json_cards": "accepts_json_cards",
    "fraud_rules_in_test": "enforces_fraud_rules_in_test",
}


def save(stack: DeployedStack, merchant: str, **typed: Any) -> str:
    """Creates or changes the profile, and says what changed. Raises ValueError."""
    given = {_FIELDS.get(name, name): value for name, value in typed.items() if value is not None}
    keys = ApiKeys(ApiKeyStore(stack.aws_client, stack.output("KeysTable")))
    merchants = Merchants(_store(stack), keys)
    before = merchants.get(merchant)
    after = _changed(before or _new_profile(merchant, given), given)
    if after == before:
        return f"Nothing to change: {merchant} is so already."
    renewed = merchants.save(after)
    done = "Changed" if before else "Created"
    return "\n".join(
        [f"{done} merchant {merchant}.", *_told(before, after), f"Its API keys: {renewed}."]
    )


def find(stack: DeployedStack, merchant: str) -> Profile:
    """Raises LookupError for a merchant that nobody has created."""
    profile = _store(stack).get(merchant)
    if profile is None:
        raise LookupError(
            f"There is no merchant {merchant}. To create it: "
            f"make merchant MERCHANT={merchant} NAME='…' EMAIL=… COUNTRY=…"
        )
    return profile


def _store(stack: DeployedStack) -> MerchantStore:
    return MerchantStore(stack.aws_client, stack.output("MerchantsTable"))


def _new_profile(merchant: str, given: dict[str, Any]) -> Profile:
    """Raises ValueError if something is missing that only the operator knows."""
    missing = [name.upper() for name in ("name", "email", "country") if name not in given]
    if missing:
        raise ValueError(
            f"There is no merchant {merchant} yet. To create it, add {' and '.join(missing)}."
        )
    currencies = get_territory_currencies(given["country"])
    return Profile(
        Merchant(
            id=merchant,
            name=given["name"],
            email=given["email"],
            country=given["country"],
            statement_descriptor=merchant.upper()[:MAX_DESCRIPTOR_CHARACTERS],
            local_currency=next((code for code in currencies if code in MINOR_UNIT_DIGITS), "USD"),
            settlement_currency="USD",
        )
    )


def _changed(profile: Profile, given: dict[str, Any]) -> Profile:
    accepts = given.pop("accepts_json_cards", profile.accepts_json_cards)
    return Profile(replace(profile.merchant, **given), accepts)


def _told(before: Profile | None, after: Profile) -> list[str]:
    """A line for each field that is new or differs."""
    old = _values(before) if before else {}
    return [
        f"  {name}: {_shown(old[name])} -> {_shown(value)}"
        if before
        else f"  {name}: {_shown(value)}"
        for name, value in _values(after).items()
        if not before or old[name] != value
    ]


def _values(profile: Profile) -> dict[str, Any]:
    """By the names that the operator types."""
    variables = {field: name.upper() for name, field in _FIELDS.items()}
    fields = {**asdict(profile.merchant), "accepts_json_cards": profile.accepts_json_cards}
    del fields["id"]
    return {variables.get(field, field.upper()): value for field, value in fields.items()}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or STANDARD_FEE  # of all fields only a fee may be empty
