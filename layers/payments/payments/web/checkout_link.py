"""The `redirect` of a created payment: the checkout page's address, with what it will show."""

import base64
import json
from typing import Any
from urllib.parse import quote

from payments.model.ids import Mode
from payments.model.payment import Payment
from payments.money.amounts import to_number
from payments.web.http import to_json

MAX_URL_LENGTH = 6000  # gateways take 8,192


def checkout_url(payment: Payment, base_url: str) -> str:
    """At most 6,000 characters: items, then the name, then return_url are cut, for show only.

    The page shows the stored payment; of `data` it uses only the id and the secret.
    """
    data = _data(payment)
    url = _encode(data, base_url)
    product = data["product"]
    while len(url) > MAX_URL_LENGTH and product["description"]:
        product["description"].pop()
        url = _encode(data, base_url)
    for holder, key in ((product, "name"), (data, "return_url")):
        while len(url) > MAX_URL_LENGTH and holder[key]:
            holder[key] = holder[key][: len(holder[key]) * 3 // 4]
            url = _encode(data, base_url)
    return url


def read_checkout_data(encoded: str) -> tuple[str, str]:
    """The payment's id and client secret from `data`, two empty strings if they are not in it."""
    try:
        # A "+" that was not percent-encoded arrives as a space.
        data = json.loads(base64.b64decode(encoded.replace(" ", "+"), validate=True))
        found = data["id_payment"], data["client_secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""
    return found if all(isinstance(part, str) for part in found) else ("", "")


def _encode(data: dict[str, Any], base_url: str) -> str:
    encoded = base64.b64encode(to_json(data).encode())
    return f"{base_url}/checkout/?data={quote(encoded, safe='')}"


def _data(payment: Payment) -> dict[str, Any]:
    price = to_number(payment.amount_minor, payment.currency)
    return {
        "return_url": payment.return_url,
        "test": payment.account.mode is Mode.TEST,
        "has_customer": payment.customer_email is not None,
        "company_email": payment.company_email,
        "product": {
            "total_price": price,
            "price": price,
            "currency": payment.currency,
            "name": payment.description,
            "description": list(payment.items),
        },
        "statement_descriptor": [payment.statement_descriptor],
        "company_name": payment.company_name,
        "id_payment": payment.id,
        "client_secret": payment.client_secret,
    }
