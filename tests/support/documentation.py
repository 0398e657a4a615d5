"""What the documentation shows, word for word: examples to run, and bodies to compare with."""

import base64
import json
from typing import Any

import requests

_HOST = "http://127.0.0.1:8000"
EXAMPLE_ID = "pay_1ABC123XYZ456"

CREATE_BY_CURL = """\
curl -X POST 'http://127.0.0.1:8000/v1/payments/' \\
  -u "sk_test_51O62xYzAbcDef123:" \\
  -H 'Content-Type: application/json' \\
  -d '{
    "amount": "500.00",
    "description": "Premium subscription payment",
    "currency": "USD",
    "items": ["Premium Plan - Monthly"],
    "return_url": "https://example.com/payment-result"
  }'
"""

CREATE_BY_REQUESTS = """\
import requests
from requests.auth import HTTPBasicAuth

api_key = "sk_test_51O62xYzAbcDef123"
response = requests.post(
    'http://127.0.0.1:8000/v1/payments/',
    auth=HTTPBasicAuth(api_key, ""),
    json={
        "amount": "500.00",
        "description": "Premium subscription payment",
        "currency": "USD",
        "items": ["Premium Plan - Monthly"],
        "return_url": "https://example.com/payment-result"
    }
)
print(response.json())
"""

CREATE_BY_FETCH = """\
const apiKey = "sk_test_51O62xYzAbcDef123";
const credentials = Buffer.from(`${apiKey}:`).toString("base64");

fetch("http://127.0.0.1:8000/v1/payments/", {
    method: "POST",
    headers: {
        Authorization: `Basic ${credentials}`,
        "Content-Type": "application/json",
    },
    body: JSON.stringify({
        amount: "500.00",
        description: "Premium subscription payment",
        currency: "USD",
        items: ["Premium Plan - Monthly"],
        return_url: "https://example.com/payment-result",
    }),
})
    .then((res) => res.json())
    .then((data) => console.log(data));
"""

GET_BY_CURL = """\
curl -X GET 'http://127.0.0.1:8000/v1/payments/pay_1ABC123XYZ456' \\
  -u "sk_test_51O62xYzAbcDef123:" \\
  -H 'Accept: application/json'
"""

LIST_BY_CURL = """\
curl -X GET 'http://127.0.0.1:8000/v1/payments/?status=succeeded&test=false' \\
  -u "sk_test_51O62xYzAbcDef123:" \\
  -H 'Accept: application/json'
"""

CHECKOUT_DATA: dict[str, Any] = json.loads(
    base64.b64decode(
        "eyJyZXR1cm5fdXJsIjogImh0dHA6Ly9leGFtcGxlLmNvbS9wYXltZW50LXJlc3VsdCIsICJ0ZXN0IjogdHJ1ZSwg"
        "Imhhc19jdXN0b21lciI6IGZhbHNlLCAiY29tcGFueV9lbWFpbCI6ICJzdXBwb3J0QDRnZWVrcy5pbyIsICJwcm9k"
        "dWN0IjogeyJ0b3RhbF9wcmljZSI6IDUwMC4wMCwgInByaWNlIjogNTAwLjAwLCAiY3VycmVuY3kiOiAiVVNEIiwg"
        "Im5hbWUiOiAiUHJlbWl1bSBzcWJzY3JpcHRpb24gcGF5bWVudCIsICJkZXNjcmlwdGlvbiI6IFsiUHJlbWl1bSBQ"
        "bGFuIC0gTW9udGhseSJdfSwgInN0YXRlbWVudF9kZXNjcmlwdG9yIjogWyI0R0VFS1MiXSwgImNvbXBhbnlfbmFt"
        "ZSI6ICI0R2Vla3MgUGF5bWVudHMifQ=="
    )
)

ONE_VIEW_KEYS = (
    "id",
    "amount",
    "currency",
    "description",
    "status",
    "items",
    "customer_email",
    "return_url",
    "payment_method",
    "card_last4",
    "card_brand",
    "created_at",
    "updated_at",
    "test",
)

LISTED: dict[str, Any] = {
    "id": "7f277445-d4d0-47e2-bd6f-4664e4480778",
    "product": "981a34d7-729a-4240-a30a-c5819b0e4969",
    "customer": "5c35a9f5-cd2a-4bf5-a0e2-d946eedeefeb",
    "amount": 100.0,
    "fee": 5.5,
    "currency": "USD",
    "description": None,
    "statement_description": "JUANPESA",
    "status": "succeeded",
    "capture": True,
    "created_on": "2025-11-04T14:33:25.690012Z",
    "refund": None,
    "captured": None,
    "test": True,
    "card_last4": "",
    "card_exp_month": "",
    "card_exp_year": "",
    "card_country": "",
    "card_brand": "",
    "exchange_usd_to_payout": 0.0,
    "exchange_original_payout_to_usd": 0.0,
    "exchange_usd_to_local": 533.48,
    "exchange_original_local_to_usd": 1.0,
    "currency_local": "CRC",
    "net": 94.5,
    "net_currency": "USD",
}

NOT_FOUND: dict[str, Any] = {
    "code": 404,
    "title": "Payments not found",
    "content": "Errors were encountered during the search, please verify the data.",
    "type": "danger",
}

# Every message that a page gives in its language. (The Portuguese page gives them in English.)
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "created.title": "Action required",
        "created.content": "Show the checkout page to complete payment.",
        "error.not_found.title": NOT_FOUND["title"],
        "error.not_found.content": NOT_FOUND["content"],
        "auth.malformed": "Invalid API key format.",
        "declined.message": "Card declined. Please try another payment method.",
        "decline.insufficient_funds": "insufficient_funds",
    },
    "it": {
        "created.title": "Azione richiesta",
        "created.content": "Mostra la pagina di checkout per completare il pagamento.",
        "error.not_found.title": "Pagamenti non trovati",
        "error.not_found.content": (
            "Sono stati riscontrati errori durante la ricerca, per favore verifica i dati."
        ),
        "auth.malformed": "Formato della chiave API non valido.",
        "declined.message": "Carta rifiutata. Per favore prova un altro metodo di pagamento.",
        "decline.insufficient_funds": "fondi_insufficienti",
    },
    "de": {
        "created.title": "Aktion erforderlich",
        "created.content": "Zeigen Sie die Checkout-Seite an, um die Zahlung abzuschließen.",
        "error.not_found.title": "Zahlungen nicht gefunden",
        "error.not_found.content": (
            "Bei der Suche sind Fehler aufgetreten, bitte überprüfen Sie die Daten."
        ),
        "auth.malformed": "Ungültiges API-Key-Format.",
        "declined.message": "Karte abgelehnt. Bitte versuchen Sie eine andere Zahlungsmethode.",
        "decline.insufficient_funds": "unzureichende_deckung",
    },
}


def example(text: str, url: str) -> str:
    """An example as printed, with only its host and port replaced."""
    assert text.count(_HOST) == 1
    return text.replace(_HOST, url)


def envelope(answer: requests.Response, status: int, *further: str) -> dict[str, Any]:
    """The documented error body, which must have these keys and no others."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-Id"]
    body: dict[str, Any] = answer.json()
    assert set(body) == {"code", "title", "content", "type", *further}
    assert (body["code"], body["type"]) == (status, "danger")
    assert body["title"]
    assert body["content"]
    return body


def faults(answer: requests.Response) -> dict[str, str]:
    """Field -> code of everything a 400 found wrong."""
    errors = envelope(answer, 400, "errors")["errors"]
    assert errors
    for error in errors:
        assert set(error) == {"field", "code", "message"}
        assert error["message"]
    found = {error["field"]: error["code"] for error in errors}
    assert len(found) == len(errors), "a field is named twice"
    return found
