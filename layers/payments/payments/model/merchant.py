"""The merchant: who is paid."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Merchant:
    """What every request of a merchant needs of its profile; each of its keys carries a copy.

    `local_currency` is where the shop is, `settlement_currency` what it gets. `fee` is what was
    agreed with it, like "2.9% + 0.30 USD"; empty: what its country pays.
    """

    id: str
    name: str
    email: str
    country: str
    statement_descriptor: str
    local_currency: str
    settlement_currency: str
    enforces_fraud_rules_in_test: bool = False
    fee: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A merchant's profile: the source of every copy, and what only the checkout needs.

    `accepts_json_cards`: a server may send live cards as JSON. Then nobody knows the shopper's
    address, which is what a card tester wants (contract, section 5).
    """

    merchant: Merchant
    accepts_json_cards: bool = False
