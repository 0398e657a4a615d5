"""The same create, get and list as most people would write them: FastAPI, pydantic and boto3.

`handler` runs on Lambda by Mangum; `app` runs under uvicorn. It stores what we store and shows what
we show, and leaves out what a first version leaves out: keys, idempotency, expiry, languages.
"""

import base64
import json
import os
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from fastapi import FastAPI, HTTPException
from mangum import Mangum
from pydantic import BaseModel, Field, HttpUrl

app = FastAPI()
client = boto3.client("dynamodb", endpoint_url=os.environ.get("BENCH_AWS_URL"))
serializer, deserializer = TypeSerializer(), TypeDeserializer()
TABLE = os.environ.get("PAYMENTS_TABLE", "payments")
MERCHANT = "fastapi"
ACCOUNT = f"{MERCHANT}#test"


class PaymentRequest(BaseModel):
    amount: Decimal = Field(gt=0)
    currency: str = Field(min_length=3, max_length=3)
    description: str = Field(min_length=1, max_length=500)
    items: list[str] = Field(min_length=1, max_length=100)
    return_url: HttpUrl
    customer_email: str | None = None
    metadata: dict[str, str] = {}


class Data(BaseModel):
    id_payment: str
    redirect: str


class Created(BaseModel):
    code: int
    title: str
    content: str
    data: Data


class Payment(BaseModel):
    id: str
    amount: str
    currency: str
    description: str
    status: str
    items: list[str]
    customer_email: str | None
    return_url: str
    payment_method: str | None
    card_last4: str | None
    card_brand: str | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    test: bool
    redirect: str
    metadata: dict[str, str]


@app.post("/v1/payments/", status_code=202)
def create(request: PaymentRequest) -> Created:
    row = _row(request)
    client.put_item(
        TableName=TABLE,
        Item={name: serializer.serialize(value) for name, value in row.items()},
        ConditionExpression="attribute_not_exists(pk)",
    )
    return Created(
        code=202,
        title="Action required",
        content="Show the checkout page to complete payment.",
        data=Data(id_payment=row["id"], redirect=_redirect(row)),
    )


@app.get("/v1/payments/{payment_id}")
def get(payment_id: str) -> Payment:
    key = {"pk": {"S": ACCOUNT}, "id": {"S": payment_id}}
    answer = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True)
    if "Item" not in answer:
        raise HTTPException(404)
    return _payment(answer["Item"])


@app.get("/v1/payments/")
def list_payments(limit: int = 20) -> list[Payment]:
    answer = client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": ACCOUNT}},
        ScanIndexForward=False,
        Limit=limit,
    )
    return [_payment(item) for item in answer["Items"]]


def _row(request: PaymentRequest) -> dict[str, Any]:
    now_us = int(datetime.now(UTC).timestamp() * 1_000_000)
    amount_minor = int(request.amount * 100)
    fee_minor = amount_minor * 5 // 100 + 50
    return {
        "pk": ACCOUNT,
        "id": f"pay_{uuid.uuid4().hex}",
        "status_pk": f"{ACCOUNT}#requires_action",
        "status": "requires_action",
        "client_secret": f"cs_test_{MERCHANT}_{uuid.uuid4().hex}",
        "amount_minor": amount_minor,
        "currency": request.currency,
        "description": request.description,
        "items": request.items,
        "return_url": str(request.return_url),
        "company_name": "Corner Shop",
        "company_email": "shop@example.com",
        "statement_descriptor": "CORNER",
        "local_currency": "CRC",
        "fee_minor": fee_minor,
        "net_minor": amount_minor - fee_minor,
        "net_currency": request.currency,
        "merchant_country": "CR",
        "quote": {
            "charge": Decimal(1),
            "local": Decimal("533.48"),
            "net": Decimal(1),
            "fee": Decimal(1),
            "source": "snapshot 2026-10-30",
            "at": 1793318400,
        },
        "created_at_us": now_us,
        "updated_at_us": now_us,
        "history": [["requires_action", now_us]],
        "attempt_tokens": [],
        "challenge_secrets": [],
        "metadata": request.metadata,
    }


def _payment(item: dict[str, Any]) -> Payment:
    row = {name: deserializer.deserialize(value) for name, value in item.items()}
    created_at = datetime.fromtimestamp(int(row["created_at_us"]) / 1_000_000, UTC)
    return Payment(
        id=row["id"],
        amount=f"{row['amount_minor'] / 100:.2f}",
        currency=row["currency"],
        description=row["description"],
        status=row["status"],
        items=row["items"],
        customer_email=row.get("customer_email"),
        return_url=row["return_url"],
        payment_method=None,
        card_last4=None,
        card_brand=None,
        created_at=created_at,
        updated_at=created_at,
        expires_at=created_at + timedelta(days=1),
        test=True,
        redirect=_redirect(row),
        metadata=row["metadata"],
    )


def _redirect(row: dict[str, Any]) -> str:
    data = {
        "return_url": row["return_url"],
        "test": True,
        "company_email": row["company_email"],
        "product": {
            "total_price": int(row["amount_minor"]) / 100,
            "currency": row["currency"],
            "name": row["description"],
            "description": row["items"],
        },
        "company_name": row["company_name"],
        "id_payment": row["id"],
        "client_secret": row["client_secret"],
    }
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    return f"https://pay.example/checkout/?data={encoded}"


handler = Mangum(app)
