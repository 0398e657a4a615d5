"""POST /v1/payments/ — a merchant asks for a payment."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from payments.entry import merchant_function, reader
from payments.errors import FieldError
from payments.http import Request, Response, json_response
from payments.requests import PaymentRequest, parse
from payments.use_cases.create_payment import IdempotencyKey
from payments.views import created_view
from payments.wiring import Root

_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")


def create_payment(request: Request, root: Root) -> Response:
    caller = request.caller
    body = request.json()
    wanted = parse(PaymentRequest, body, caller.mode, also=_key_faults(request))
    key = _idempotency_key(request, body)
    created = root.create_payment(caller.merchant, caller.mode, wanted, key)
    if not created.is_replay:
        root.count("PaymentCreated", caller.mode)
    replayed = {"Idempotent-Replayed": "true"} if created.is_replay else {}
    return json_response(202, created_view(created.payment, reader(request, root)), replayed)


def _key_faults(request: Request) -> list[FieldError]:
    key = request.headers.get("idempotency-key")
    if key is None or _VISIBLE.fullmatch(key):
        return []
    return [FieldError("Idempotency-Key", "invalid_idempotency_key")]


def _idempotency_key(request: Request, body: Mapping[str, Any]) -> IdempotencyKey | None:
    """Bodies are compared as parsed JSON, so that spacing and key order do not matter."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(key, hashlib.sha256(canonical.encode()).hexdigest())


handler = merchant_function(create_payment)
