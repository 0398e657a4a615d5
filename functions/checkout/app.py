"""The hosted checkout: the page, paying, the payment's status, giving up, and the page's files."""

import mimetypes
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from payments.entry import ApiFunction
from payments.errors import (
    InvalidInputError,
    NotPayableError,
    PaymentNotFoundError,
    UnsupportedMediaTypeError,
)
from payments.inputs.checkout_form import parse_form
from payments.model.ids import Mode
from payments.model.lifecycle import PAID, REFUSAL_REASONS, Status
from payments.model.payment import Payment
from payments.use_cases.shopper_payments import Progress
from payments.web.checkout_link import read_checkout_data
from payments.web.error_responses import declined_response, error_response
from payments.web.http import Request, Response, json_response
from payments.web.pages.checkout import (
    Sheets,
    form_page,
    onward,
    payment_page,
    problem_page,
    status_url,
)
from payments.web.pages.rendering import SECURITY_HEADERS, redirect
from payments.web.return_link import return_link
from payments.wiring import Services

STATIC = Path(__file__).parent / "static"
# One file to the browser; in the order of the cascade.
STYLE = [Path(__file__).parent / "style" / f"{part}.css" for part in ("page", "form", "outcome")]


def show_checkout(request: Request, services: Services) -> Response:
    """GET /checkout/?data=… — `data` only says which payment; the stored one is shown."""
    payment_id, client_secret = read_checkout_data(request.query.get("data", ""))
    payment = services.shopper_payments.find(payment_id, client_secret)
    progress = services.shopper_payments.progress(payment)
    return payment_page(request, progress, _sheets(payment, services))


def show_status(request: Request, services: Services) -> Response:
    """GET /checkout/{id}?client_secret=… — with `wait` it moves on once there is an outcome."""
    payment = _find(request, services, request.query)
    progress = services.shopper_payments.progress(payment)
    if "application/json" in request.headers.get("accept", ""):
        return _json_progress(request, progress, after_post=False)
    moves_on = "wait" in request.query
    return payment_page(request, progress, _sheets(payment, services), moves_on=moves_on)


def pay(request: Request, services: Services) -> Response:
    """POST /checkout/{id} — a form post is answered with a redirect, JSON with JSON."""
    if not _is_form(request):
        posted = request.json()
        payment = _find(request, services, posted)
        _check_json_is_accepted(payment, services)
        return _json_progress(request, _submit(request, services, payment, posted), after_post=True)
    posted = request.form()
    payment = _find(request, services, posted)
    try:
        return onward(request, _submit(request, services, payment, posted).payment)
    except InvalidInputError as error:
        progress = services.shopper_payments.progress(payment)
        return form_page(request, progress, _sheets(payment, services), posted, error)
    except NotPayableError:
        return redirect(status_url(payment, request.base_url))


def cancel(request: Request, services: Services) -> Response:
    """POST /checkout/{id}/cancel — gives up."""
    is_form = _is_form(request)
    payment = _find(request, services, request.form() if is_form else request.json())
    try:
        canceled = services.cancel_checkout(payment)
    except NotPayableError:
        if is_form:
            return redirect(status_url(payment, request.base_url))
        raise
    if is_form:
        return onward(request, canceled)
    return json_response(200, {"status": canceled.status, "redirect": return_link(canceled)})


def static_file(request: Request, _root: Services) -> Response:
    """GET /checkout/static/{file} — style, script and icon."""
    name = request.path_parameters["file"]
    files = (
        STYLE if name == "style.css" else [file for file in STATIC.iterdir() if file.name == name]
    )
    if not files:
        raise PaymentNotFoundError
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    headers = {"Content-Type": f"{kind}; charset=utf-8", "Cache-Control": "public, max-age=3600"}
    text = "".join(file.read_text("utf-8") for file in files)
    return Response(200, text, {**headers, **SECURITY_HEADERS})


ROUTES: dict[tuple[str, str], Callable[[Request, Services], Response]] = {
    ("GET", "/checkout"): show_checkout,
    ("GET", "/checkout/{id}"): show_status,
    ("POST", "/checkout/{id}"): pay,
    ("POST", "/checkout/{id}/cancel"): cancel,
    ("GET", "/checkout/static/{file}"): static_file,
}


def checkout(request: Request, services: Services) -> Response:
    return ROUTES[request.method, request.resource](request, services)


def show_error(request: Request, error: Exception) -> Response:
    """JSON callers get the contract's errors; a browser gets a page."""
    answer = error_response(error, request.language)
    if not _wants_page(request):
        return answer
    return problem_page(request, answer.status)


def _is_form(request: Request) -> bool:
    return request.media_type == "application/x-www-form-urlencoded"


def _wants_page(request: Request) -> bool:
    if request.method == "POST":
        return _is_form(request)
    return "application/json" not in request.headers.get("accept", "")


def _find(request: Request, services: Services, values: Mapping[str, Any]) -> Payment:
    client_secret = values.get("client_secret")
    if not isinstance(client_secret, str):
        raise PaymentNotFoundError
    return services.shopper_payments.find(request.path_parameters["id"], client_secret)


def _check_json_is_accepted(payment: Payment, services: Services) -> None:
    """Live cards come from browsers, unless the merchant's profile says otherwise."""
    if payment.account.mode is Mode.LIVE:
        profile = services.profiles.get(payment.account.merchant_id)
        if profile is None or not profile.accepts_json_cards:
            raise UnsupportedMediaTypeError


def _sheets(payment: Payment, services: Services) -> Sheets:
    return services.wallets_for(payment.account.mode).sheets()


def _submit(
    request: Request, services: Services, payment: Payment, posted: Mapping[str, Any]
) -> Progress:
    """State before form: what cannot be paid anyway is not worth correcting."""
    if not payment.has_attempt_from(posted.get("attempt")):
        services.shopper_payments.check_payable(payment)
    wallets = services.wallets_for(payment.account.mode)
    form = parse_form(posted, wallets.open_token, services.clock.now_us())
    return services.pay_payment(payment, form, request.base_url, request.source_ip)


def _json_progress(request: Request, progress: Progress, *, after_post: bool) -> Response:
    payment = progress.payment
    here = status_url(payment, request.base_url)
    if progress.status is Status.AUTHORIZED or progress.status in PAID:
        # What the merchant gives back later is no matter of the checkout's.
        shown = Status.SUCCEEDED if progress.status in PAID else progress.status
        return json_response(200, {"status": shown, "redirect": return_link(payment)})
    if progress.challenge_url:
        answer = {"status": "requires_challenge", "redirect": progress.challenge_url}
        return json_response(202 if after_post else 200, answer)
    if after_post and progress.status is Status.CANCELED:
        raise NotPayableError(REFUSAL_REASONS[progress.status])  # held, and let go at once
    if after_post and progress.status is not Status.PROCESSING:
        return declined_response(payment.decline_code, request.language)
    # To be taken for a fraud is the merchant's knowledge; to the shopper it has failed.
    shown = Status.FAILED if progress.status is Status.BLOCKED else progress.status
    return json_response(202 if after_post else 200, {"status": shown, "redirect": here})


handler = ApiFunction(checkout, show_error, SECURITY_HEADERS)
