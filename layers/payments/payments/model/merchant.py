"""The merchant: who is paid."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who is paid. `local_currency` is where the shop is, `settlement_currency` what it gets.

    `fee` is what was agreed with it, like "2.9% + 0.30 USD"; empty: what its country pays.
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
