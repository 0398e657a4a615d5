"""GET /v1/payments/{id} — one payment, strongly consistent."""

from payments.entry import merchant_function, view_context
from payments.inputs.merchant_api import parse
from payments.inputs.queries import PaymentQuery
from payments.web.http import Request, Response, json_response
from payments.web.views import one_view
from payments.wiring import Services


def get_payment(request: Request, services: Services) -> Response:
    caller = request.caller
    query = parse(PaymentQuery, request.query)
    payment = services.get_payment(caller.account, request.path_parameters["id"], test=query.test)
    return json_response(200, one_view(payment, view_context(request, services)))


handler = merchant_function(get_payment)
