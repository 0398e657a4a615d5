"""GET /v1/payments/ and /v1/payments/internal — the list, page by page."""

from urllib.parse import urlencode

from payments.entry import merchant_function, view_context
from payments.inputs.merchant_api import parse
from payments.inputs.queries import ListQuery
from payments.web.http import Request, Response, json_response
from payments.web.views import list_view
from payments.wiring import Services


def list_payments(request: Request, services: Services) -> Response:
    caller = request.caller
    query = parse(ListQuery, request.query)
    listed = services.list_payments(caller.account, query)
    context = view_context(request, services)
    rows = [list_view(payment, context) for payment in listed.payments]
    return json_response(200, rows, _next_link(request, listed.next_cursor))


def _next_link(request: Request, cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    query = urlencode({**request.query, "cursor": cursor})
    return {"Link": f'<{request.base_url}{request.resource}/?{query}>; rel="next"'}


handler = merchant_function(list_payments)
