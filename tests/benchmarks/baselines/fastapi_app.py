"""The same create, get and list as most people would write them: FastAPI, pydantic and boto3.

`handler` runs on Lambda by Mangum; `app` runs under uvicorn.
"""

import os
import uuid
from datetime import datetime, timezone
from decimal import Decimal

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from fastapi import FastAPI, HTTPException
from mangum import Mangum
from pydantic import BaseModel, Field, HttpUrl

app = FastAPI()
client = boto3.client("dynamodb", endpoint_url=os.environ.get("BENCH_AWS_URL"))
serializer, deserializer = TypeSerializer(), TypeDeserializer()
TABLE = os.environ.get("PAYMENTS_TABLE", "payments")
ACCOUNT = "fastapi#test"


class PaymentRequest(BaseModel):
    amount: Decimal = Field(gt=0)
    currency: str = Field(min_length=3, max_length=3)
    description: str = Field(min_length=1, max_length=500)
    items: list[str] = Field(min_length=1, max_length=100)
    return_url: HttpUrl
    customer_email: str | None = None


class Created(BaseModel):
    id_payment: str
    redirect: str


class Payment(BaseModel):
    id: str
    amount: str
    currency: str
    description: str
    status: str
    items: list[str]
    return_url: str
    created_at: str


@app.post("/v1/payments/", status_code=202)
def create(request: PaymentRequest) -> Created:
    payment_id = f"pay_{uuid.uuid4().hex}"
    row = {
        "pk": ACCOUNT,
        "id": payment_id,
        "status_pk": f"{ACCOUNT}#requires_action",
        "status": "requires_action",
        "client_secret": uuid.uuid4().hex,
        "amount": str(request.amount),
        "currency": request.currency,
        "description": request.description,
        "items": request.items,
        "return_url": str(request.return_url),
        "created_at": datetime.now(timezone.utc).isoformat(),
    }
    client.put_item(
        TableName=TABLE,
        Item={name: serializer.serialize(value) for name, value in row.items()},
        ConditionExpression="attribute_not_exists(pk)",
    )
    return Created(id_payment=payment_id, redirect=f"https://pay.example/checkout/{payment_id}")


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


def _payment(item: dict) -> Payment:
    return Payment(**{name: deserializer.deserialize(value) for name, value in item.items()})


handler = Mangum(app)
