"""A merchant's own block and allow lists: cards, e-mails, addresses, countries."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ListName(StrEnum):
    """Where both say something, the block list prevails."""

    BLOCK = "block"
    ALLOW = "allow"


class Kind(StrEnum):
    """What an entry names: a card by its fingerprint, an e-mail address or `@domain`, an IP
    address or a network, or the country a card was issued in."""

    CARD = "card"
    EMAIL = "email"
    IP = "ip"
    COUNTRY = "country"


_SHAPES = {
    Kind.CARD: (
        re.compile(r"[0-9a-f]{32}"),
        "32 hexadecimal digits, the fingerprint in a payment's `risk`",
    ),
    Kind.EMAIL: (re.compile(r"[^@\s]*@[^@\s]+\.[^@\s]+"), "name@domain, or @domain"),
    Kind.COUNTRY: (re.compile(r"[A-Z]{2}"), "two letters of ISO 3166"),
}
Entries = Mapping[Kind, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Traits:
    """What of an attempt can stand on a list; "" where it is not known."""

    card: str = ""
    email: str = ""
    ip: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class MerchantLists:
    block: Entries = field(default_factory=dict)
    allow: Entries = field(default_factory=dict)

    def blocks(self, traits: Traits) -> bool:
        return _holds(self.block, traits)

    def allows(self, traits: Traits) -> bool:
        return _holds(self.allow, traits)


def entry(kind: Kind, value: str) -> str:
    """The one spelling under which a value is kept. Raises ValueError for what is none."""
    value = value.strip()
    if kind is Kind.IP:
        return str(ipaddress.ip_network(value, strict=False))
    value = value.upper() if kind is Kind.COUNTRY else value.lower()
    shape, meaning = _SHAPES[kind]
    if not shape.fullmatch(value):
        raise ValueError(f"This is no {kind} as the list keeps it: {meaning}.")
    return value


def _holds(entries: Entries, traits: Traits) -> bool:
    email = traits.email.lower()
    found = {
        Kind.CARD: {traits.card},
        Kind.EMAIL: {email, "@" + email.rpartition("@")[2]},
        Kind.COUNTRY: {traits.country},
    }
    if any(found[kind] & entries.get(kind, frozenset()) for kind in found):
        return True
    networks = entries.get(Kind.IP)
    if not networks or not traits.ip:
        return False
    address = ipaddress.ip_address(traits.ip)
    return any(address in ipaddress.ip_network(network) for network in networks)
