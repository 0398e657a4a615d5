"""The return from a 3DS challenge of any issuer, and giving a challenge up."""

from collections.abc import Callable

from payments.entry import ApiFunction
from payments.web.error_responses import error_response
from payments.web.http import Request, Response
from payments.web.pages.checkout import onward, problem_page
from payments.wiring import Services


def come_back(request: Request, services: Services) -> Response:
    """GET|POST /3ds/{challenge}/return — the outcome is stored before the shopper moves on."""
    progress = services.complete_challenge.resume(request.path_parameters["challenge"])
    return onward(request, progress.payment)


def abandon(request: Request, services: Services) -> Response:
    """POST /3ds/{challenge}/abandon — the attempt ends, another card may be tried."""
    challenge_id = request.path_parameters["challenge"]
    return onward(request, services.complete_challenge.abandon(challenge_id).payment)


ROUTES: dict[tuple[str, str], Callable[[Request, Services], Response]] = {
    ("GET", "/3ds/{challenge}/return"): come_back,
    ("POST", "/3ds/{challenge}/return"): come_back,
    ("POST", "/3ds/{challenge}/abandon"): abandon,
}


def three_d_secure_return(request: Request, services: Services) -> Response:
    return ROUTES[request.method, request.resource](request, services)


def show_error(request: Request, error: Exception) -> Response:
    return problem_page(request, error_response(error, request.language).status)


handler = ApiFunction(three_d_secure_return, show_error, {})
