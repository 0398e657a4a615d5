"""`make block`, `make unblock`: a merchant's block and allow lists."""

from typing import Any

from local.operator.deployed import DeployedStack
from local.operator.merchants import country, find
from local.variables import Variable, one_of, optional
from payments.adapters.store.merchant_lists import MerchantListStore
from payments.risk.lists import Kind, ListName, entry

KIND = Variable("KIND", one_of(*Kind))
# What it must look like depends on KIND, see _entry.
VALUE = Variable("VALUE", str)
LIST = optional("LIST", one_of(*ListName), ListName.BLOCK)
_VALUES = {
    Kind.CARD: "a card's fingerprint, the 32 hexadecimal digits in a payment's `risk`; "
    "never type a card number",
    Kind.EMAIL: "name@domain, or @domain for all of a domain",
    Kind.IP: "an IP address or a network, like 203.0.113.0/24",
    Kind.COUNTRY: "two letters of ISO 3166, like US",
}


def add(stack: DeployedStack, **entry: Any) -> str:
    return _change(stack, "add", **entry)


def remove(stack: DeployedStack, **entry: Any) -> str:
    return _change(stack, "remove", **entry)


def _change(
    stack: DeployedStack, verb: str, merchant: str, kind: Kind, value: str, **names: ListName
) -> str:
    """Raises ValueError, LookupError: a list under a mistyped merchant would protect nobody."""
    kept, name = _entry(kind, value), names["list"]
    find(stack, merchant)
    store = MerchantListStore(stack.aws_client, stack.output("MerchantsTable"))
    (store.add if verb == "add" else store.remove)(merchant, name, kind, kept)
    lists = store.of(merchant)
    entries = (lists.block if name is ListName.BLOCK else lists.allow).get(kind, frozenset())
    return f"{merchant}, {name} list, {kind}: {', '.join(sorted(entries)) or 'empty'}"


def _entry(kind: Kind, value: str) -> str:
    """Raises ValueError, before anything is asked."""
    try:
        kept = entry(kind, value)
        if kind is Kind.COUNTRY:
            country(kept)
    except ValueError:
        raise ValueError(f"With KIND={kind}, VALUE must be {_VALUES[kind]}.") from None
    return kept
