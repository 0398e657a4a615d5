"""Held money and unpaid payments: capture, cancel."""

from collections.abc import Callable

from payments.entry import merchant_function, view_context
from payments.inputs.idempotency_key import idempotency_key, key_errors
from payments.inputs.merchant_api import parse
from payments.inputs.money_out import CancelRequest, CaptureRequest
from payments.model.payment import Payment
from payments.web.http import Request, Response, json_response
from payments.web.views import one_view
from payments.wiring import Services


def capture(request: Request, services: Services) -> Response:
    """POST /v1/payments/{id}/capture"""
    caller = request.caller
    body = request.json_or_empty()
    header = request.headers.get("idempotency-key")
    wanted = parse(CaptureRequest, body, also=key_errors(header))
    captured = services.capture_payment(
        caller.merchant,
        caller.account,
        request.path_parameters["id"],
        wanted,
        idempotency_key(header, body),
    )
    return _shown(request, services, captured.payment, is_replay=captured.is_replay)


def cancel(request: Request, services: Services) -> Response:
    """POST /v1/payments/{id}/cancel"""
    caller = request.caller
    wanted = parse(CancelRequest, request.json_or_empty())
    payment = services.cancel_payment(caller.account, request.path_parameters["id"], wanted)
    return _shown(request, services, payment)


def _shown(
    request: Request, services: Services, payment: Payment, *, is_replay: bool = False
) -> Response:
    """202 while the acquirer has not said what became of it."""
    status = 202 if payment.operation else 200
    replayed = {"Idempotent-Replayed": "true"} if is_replay else {}
    return json_response(status, one_view(payment, view_context(request, services)), replayed)


ROUTES: dict[str, Callable[[Request, Services], Response]] = {
    "/v1/payments/{id}/capture": capture,
    "/v1/payments/{id}/cancel": cancel,
}

handler = merchant_function(lambda request, services: ROUTES[request.resource](request, services))
