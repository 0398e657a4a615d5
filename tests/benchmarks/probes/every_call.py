"""Makes every AWS call of the product through its functions; prints each operation called.

    every_call.py LAYOUT

Runs with the built layers and functions alone, against a local stack that runs the workflow.
"""

import base64
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3

from payments.adapters.aws import AwsClient
from payments.adapters.store.writes import transact
from payments.wiring import Services

CHALLENGE_CARD = "4000002760003184"
MERCHANT = {
    "id": "built",
    "name": "Built",
    "email": "built@example.com",
    "country": "CR",
    "statement_descriptor": "BUILT",
    "local_currency": "CRC",
    "settlement_currency": "USD",
}


class TwoMinutesAhead:
    """The reconciler asks about attempts that are older than a minute."""

    def now_us(self) -> int:
        return time.time_ns() // 1000 + 120_000_000

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Context:
    """What of Lambda's context our handlers read."""

    aws_request_id = "built"


def told(**called: Any) -> None:
    model = called["model"]
    print(f"called {model.service_model.service_name}.{model.name}")


def load(app: Path) -> Any:
    spec = importlib.util.spec_from_file_location(app.parts[-4], app)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.handler.build(root)
    return module.handler


def ask(function: str, method: str, resource: str, body: Any = None, **parameters: str) -> Any:
    event = {
        "httpMethod": method,
        "resource": resource,
        "pathParameters": parameters,
        "queryStringParameters": None,
        "headers": {"Content-Type": "application/json", "Authorization": "Basic c2tfOg=="},
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/GET/v1/payments",
        "requestContext": {
            "requestId": "built",
            "path": resource.format(**parameters),
            "domainName": "pay.example",
            "identity": {"sourceIp": "203.0.113.7"},
            "authorizer": {"merchant": json.dumps(MERCHANT), "mode": "test"},
        },
    }
    return handlers[f"{function}Function"](event, Context())


def challenged() -> tuple[str, str]:
    """A payment whose shopper stands before a challenge: the challenge's id, and the attempt's."""
    order = {
        "amount": "9.90",
        "currency": "USD",
        "description": "Built",
        "items": ["One"],
        "return_url": "https://example.com/",
    }
    created = json.loads(ask("CreatePayment", "POST", "/v1/payments", order)["body"])["data"]
    encoded = parse_qs(urlsplit(created["redirect"]).query)["data"][0]
    form = {
        "client_secret": json.loads(base64.b64decode(encoded))["client_secret"],
        "card_number": CHALLENGE_CARD,
        "exp_month": 12,
        "exp_year": 2034,
        "cvc": "314",
        "name": "Ada Lovelace",
        "attempt": "built-attempt",
    }
    paid = ask("Checkout", "POST", "/checkout/{id}", form, id=created["id_payment"])
    assert paid["statusCode"] == 202, paid
    challenge = urlsplit(json.loads(paid["body"])["redirect"]).path.rpartition("/")[2]
    return challenge, "pay_" + "_".join(challenge.split("_")[3:5])


session = boto3.session.Session()
session.events.register("after-call", told)
root = Services(session=session)
apps = sorted(Path(sys.argv[1]).glob("*Function/var/task/app.py"))
handlers = {app.parts[-4]: load(app) for app in apps}

assert ask("Authorizer", "GET", "/v1/payments")["principalId"] == "unknown"
assert ask("ListPayments", "GET", "/v1/payments")["statusCode"] == 200
for action in ("return", "abandon"):
    challenge, _ = challenged()
    answer = ask("ThreeDSecureReturn", "POST", f"/3ds/{{challenge}}/{action}", challenge=challenge)
    assert answer["statusCode"] == 303, answer

_, attempt = challenged()
task = {"attempt_id": attempt}
shown = handlers["AuthenticateFunction"](task, Context())
assert shown["authentication"]["trans_status"] == "C", shown
handlers["ReconcileAttemptsFunction"].build(Services(session=session, clock=TwoMinutesAhead()))
assert handlers["ReconcileAttemptsFunction"]({}, Context())["left"] >= 1
ended = task | shown | {"challenge": {"Error": "ChallengeAbandoned"}}
assert handlers["AuthorizeFunction"](ended, Context()) == {"status": "requires_action"}
nothing = {"TableName": os.environ["PAYMENTS_TABLE"], "Key": {"pk": {"S": "-"}, "id": {"S": "-"}}}
transact(AwsClient(session.client("dynamodb")), [{"Delete": nothing}], time.sleep)
