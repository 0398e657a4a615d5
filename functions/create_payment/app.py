"""POST /v1/payments/ — a merchant asks for a payment."""

from payments.entry import merchant_function, view_context
from payments.inputs.idempotency_key import idempotency_key, key_errors
from payments.inputs.merchant_api import PaymentRequest, parse
from payments.web.http import Request, Response, json_response
from payments.web.views import created_view
from payments.wiring import Services


def create_payment(request: Request, services: Services) -> Response:
    caller = request.caller
    body = request.json()
    header = request.headers.get("idempotency-key")
    wanted = parse(PaymentRequest, body, caller.mode, also=key_errors(header))
    key = idempotency_key(header, body)
    created = services.create_payment(caller.merchant, caller.mode, wanted, key)
    if not created.is_replay:
        services.telemetry.count("PaymentCreated", caller.mode)
    replayed = {"Idempotent-Replayed": "true"} if created.is_replay else {}
    return json_response(
        202, created_view(created.payment, view_context(request, services)), replayed
    )


handler = merchant_function(create_payment)
