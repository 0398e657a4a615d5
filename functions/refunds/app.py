"""Refunds: ask for one, read them. /v1/refunds is the documented older spelling of the same."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from payments.entry import merchant_function
from payments.errors import FieldError, InvalidInputError, OperationRefusedError
from payments.inputs.idempotency_key import idempotency_key, key_errors
from payments.inputs.merchant_api import parse
from payments.inputs.money_out import OlderRefundRequest, RefundRequest, RefundsQuery
from payments.inputs.queries import PaymentQuery
from payments.model.operation_result import OperationStatus
from payments.model.refund import Refund
from payments.web.http import Request, Response, json_response
from payments.web.refund_views import older_refund_view, refund_view
from payments.wiring import Services

View = Callable[[Refund], dict[str, Any]]


def create(request: Request, services: Services) -> Response:
    """POST /v1/payments/{id}/refunds"""
    body = request.json_or_empty()
    header = request.headers.get("idempotency-key")
    wanted = parse(RefundRequest, body, also=key_errors(header))
    payment_id = request.path_parameters["id"]
    return _refund(request, services, payment_id, wanted, refund_view)


def create_older(request: Request, services: Services) -> Response:
    """POST /v1/refunds/"""
    header = request.headers.get("idempotency-key")
    wanted = parse(OlderRefundRequest, request.json(), also=key_errors(header))
    if not wanted.payment:
        raise InvalidInputError(FieldError("charge_id", "required"))
    return _refund(request, services, wanted.payment, wanted, older_refund_view)


def _refund(
    request: Request, services: Services, payment_id: str, wanted: RefundRequest, view: View
) -> Response:
    """201, or 202 while the acquirer has not said what becomes of it; 402 if it refuses at once."""
    caller = request.caller
    key = idempotency_key(request.headers.get("idempotency-key"), request.json_or_empty())
    made = services.refund_payment(caller.account, payment_id, wanted, key)
    refund = made.refund
    if not made.is_replay:
        services.telemetry.count("RefundRequested", caller.mode)
    if refund.status is OperationStatus.FAILED:
        raise OperationRefusedError(refund.failure_code or "refused_by_acquirer")
    status = 202 if refund.status is OperationStatus.PENDING else 201
    replayed = {"Idempotent-Replayed": "true"} if made.is_replay else {}
    return json_response(status, view(refund), replayed)


def of_payment(request: Request, services: Services) -> Response:
    """GET /v1/payments/{id}/refunds"""
    query = parse(PaymentQuery, request.query)
    payment_id = request.path_parameters["id"]
    refunds = services.read_refunds.of_payment(request.caller.account, payment_id, test=query.test)
    return json_response(200, [refund_view(refund) for refund in refunds])


def one_of_payment(request: Request, services: Services) -> Response:
    """GET /v1/payments/{id}/refunds/{refund}"""
    return _one(request, services, refund_view, request.path_parameters["id"])


def one_older(request: Request, services: Services) -> Response:
    """GET /v1/refunds/{refund}"""
    return _one(request, services, older_refund_view)


def _one(
    request: Request, services: Services, view: View, payment_id: str | None = None
) -> Response:
    query = parse(PaymentQuery, request.query)
    refund = services.read_refunds.one(
        request.caller.account,
        request.path_parameters["refund"],
        test=query.test,
        payment_id=payment_id,
    )
    return json_response(200, view(refund))


def listed(request: Request, services: Services) -> Response:
    """GET /v1/payments/refunds"""
    return _page(request, services, refund_view)


def listed_older(request: Request, services: Services) -> Response:
    """GET /v1/refunds/"""
    return _page(request, services, older_refund_view)


def _page(request: Request, services: Services, view: View) -> Response:
    found = services.read_refunds.page(request.caller.account, parse(RefundsQuery, request.query))
    headers = {}
    if found.next_cursor:
        query = urlencode({**request.query, "cursor": found.next_cursor})
        headers["Link"] = f'<{request.base_url}{request.resource}/?{query}>; rel="next"'
    return json_response(200, [view(refund) for refund in found.refunds], headers)


ROUTES: dict[tuple[str, str], Callable[[Request, Services], Response]] = {
    ("POST", "/v1/payments/{id}/refunds"): create,
    ("GET", "/v1/payments/{id}/refunds"): of_payment,
    ("GET", "/v1/payments/{id}/refunds/{refund}"): one_of_payment,
    ("GET", "/v1/payments/refunds"): listed,
    ("POST", "/v1/refunds"): create_older,
    ("GET", "/v1/refunds"): listed_older,
    ("GET", "/v1/refunds/{refund}"): one_older,
}

handler = merchant_function(
    lambda request, services: ROUTES[request.method, request.resource](request, services)
)
