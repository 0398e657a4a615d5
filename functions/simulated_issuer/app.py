"""The simulated issuer of test mode: its page asks the shopper for a one-time code."""

from collections.abc import Callable

from payments.acquirers.simulator.acquirer import ONE_TIME_CODE
from payments.entry import ApiFunction
from payments.model.ids import Mode
from payments.model.payment import Payment
from payments.web.error_responses import error_response
from payments.web.http import Request, Response
from payments.web.pages.checkout import problem_page
from payments.web.pages.formats import BRAND_NAMES, shown_amount
from payments.web.pages.rendering import page, redirect
from payments.wiring import Services


def show_challenge(request: Request, services: Services) -> Response:
    """GET /3ds/{challenge} — a challenge that is over leads on to its outcome."""
    payment, attempt = services.shopper_payments.find_by_challenge(_challenge_id(request))
    result = services.simulator.authentication_result(attempt.id) if attempt else None
    if result is None or not result.needs_challenge:
        return _to_return(request)
    return _challenge_page(request, payment, wrong_code=False)


def decide_challenge(request: Request, services: Services) -> Response:
    """POST /3ds/{challenge} — the issuer decides; the workflow asks the acquirer for the result."""
    payment, attempt = services.shopper_payments.find_by_challenge(_challenge_id(request))
    posted = request.form()
    if attempt is None:
        return _to_return(request)
    if posted.get("action") == "fail":
        services.simulator.fail_challenge(attempt.id)
        return _to_return(request)
    result = services.simulator.pass_challenge(attempt.id, posted.get("code", ""))
    if result.needs_challenge:
        return _challenge_page(request, payment, wrong_code=True)
    return _to_return(request)


ROUTES: dict[tuple[str, str], Callable[[Request, Services], Response]] = {
    ("GET", "/3ds/{challenge}"): show_challenge,
    ("POST", "/3ds/{challenge}"): decide_challenge,
}


def simulated_issuer(request: Request, services: Services) -> Response:
    return ROUTES[request.method, request.resource](request, services)


def show_error(request: Request, error: Exception) -> Response:
    return problem_page(request, error_response(error, request.language).status)


def _challenge_id(request: Request) -> str:
    return request.path_parameters["challenge"]


def _to_return(request: Request) -> Response:
    return redirect(f"{request.base_url}/3ds/{_challenge_id(request)}/return")


def _challenge_page(request: Request, payment: Payment, *, wrong_code: bool) -> Response:
    values = {
        "payment": payment,
        "amount": shown_amount(payment, request.language),
        "challenge_id": _challenge_id(request),
        "brand_names": BRAND_NAMES,
        "is_test": payment.account.mode is Mode.TEST,
        "one_time_code": ONE_TIME_CODE,
        "wrong_code": wrong_code,
    }
    return page(request, 400 if wrong_code else 200, "challenge", values)


handler = ApiFunction(simulated_issuer, show_error, {})
