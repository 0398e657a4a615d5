"""Which page a payment has, by where it stands. Never a blank one."""

from collections.abc import Mapping, Sequence
from typing import Any

from payments.acquirers.port import SheetCard
from payments.errors import FieldError, InvalidInputError
from payments.inputs.checkout_form import without_separators
from payments.model import ids
from payments.model.card import SCHEMES, holds_card_number, is_card_number_address
from payments.model.declines import shown_to_shopper
from payments.model.lifecycle import ENDS_OF_HOLDS, Status
from payments.model.payment import Payment
from payments.use_cases.shopper_payments import Progress
from payments.web.http import Request, Response
from payments.web.pages.formats import BRAND_NAMES, shown_amount, shown_time
from payments.web.pages.rendering import page, redirect
from payments.web.return_link import return_link
from payments.web.texts import text

Sheets = Mapping[str, Sequence[SheetCard]]
_ENDED = {
    Status.AUTHORIZED: "paid",
    Status.SUCCEEDED: "paid",
    Status.REFUNDED: "paid",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "expired",
    Status.FAILED: "failed",
    Status.BLOCKED: "failed",
}
_CARD_FIELDS = ("card_number", "exp_month", "exp_year", "cvc", "name", "email")
_KEPT_FIELDS = ("exp_month", "exp_year", "name", "email")
# Their messages do not say which field is meant, so a list of problems has to.
_NAMED_FIELDS = ("name", "email")
_PROBLEMS = {
    400: "unreadable",
    404: "not_found",
    413: "unreadable",
    415: "unreadable",
    503: "unavailable",
}


def status_url(payment: Payment, base_url: str) -> str:
    """Where the shopper sees how the payment stands."""
    return f"{base_url}/checkout/{payment.id}?client_secret={payment.client_secret}"


def onward_url(payment: Payment, base_url: str) -> str:
    """The same for a shopper who has done what there was to do: it moves on by itself."""
    return status_url(payment, base_url) + "&wait=1"


def payment_page(
    request: Request, progress: Progress, wallets: Sheets, *, moves_on: bool = False
) -> Response:
    """The form, the way back into a challenge, the waiting page, or how it ended.

    `moves_on`: the shopper comes from a form or the waiting page and need not stay here.
    """
    payment = progress.payment
    if progress.is_payable:
        return form_page(request, progress, wallets)
    values: dict[str, Any] = _purchase(request, payment)
    if state := _ENDED.get(progress.status):
        back = return_link(payment)
        is_settled = progress.status in {Status.AUTHORIZED, *ENDS_OF_HOLDS}
        ended = values | {"state": state, "return_link": back}
        return page(request, 200, "ended", ended, back if moves_on and is_settled else None)
    if progress.challenge_url:
        # The built-in challenge is one of our own pages; an issuer's is elsewhere.
        challenge_url = progress.challenge_url
        if challenge_url.startswith(request.base_url):
            challenge_url = request.prefix + challenge_url.removeprefix(request.base_url)
        values |= {"challenge_url": challenge_url, "challenge_id": progress.challenge_id}
        return page(request, 200, "challenge_open", values, challenge_url if moves_on else None)
    next_url = onward_url(payment, request.prefix)
    return page(request, 200, "processing", values | {"next_url": next_url})


def form_page(
    request: Request,
    progress: Progress,
    wallets: Sheets,
    posted: Mapping[str, str] | None = None,
    error: InvalidInputError | None = None,
) -> Response:
    """The payment form; with `error`, the same again, keeping all but the card's secrets."""
    payment = progress.payment
    language = request.language
    field_errors = sorted(error.errors, key=_place_on_page) if error else []
    method = (posted or {}).get("method", "")
    failed_wallet = method if method in wallets else None
    values = {
        **_purchase(request, payment),
        "wallets": wallets,
        "schemes": sorted(SCHEMES, key=lambda scheme: list(BRAND_NAMES).index(scheme.brand)),
        "expires": shown_time(progress.expires_at_us, language),
        "attempt": ids.new_page_token(),
        "values": {name: _repeatable(name, posted or {}) for name in _KEPT_FIELDS},
        "errors": {
            field_error.field: _message(field_error, language)
            for field_error in field_errors
            if field_error.field in _CARD_FIELDS
        },
        "failed_wallet": failed_wallet if field_errors else None,
        "wallet_error": _message(field_errors[0], language) if field_errors else "",
        "problem_links": _problem_links(field_errors, failed_wallet, language),
        "notice": _notice(payment, language),
    }
    return page(request, 400 if error else 200, "checkout", values)


def _place_on_page(field_error: FieldError) -> int:
    return (
        _CARD_FIELDS.index(field_error.field)
        if field_error.field in _CARD_FIELDS
        else len(_CARD_FIELDS)
    )


def _message(field_error: FieldError, language: str) -> str:
    """What a shopper can do about it; of what no shopper typed only that it is wrong."""
    if field_error.field not in (*_CARD_FIELDS, "wallet_token"):
        return text("page.unreadable", language)
    if field_error.code == "required":
        return text(f"page.required.{field_error.field}", language)
    return text(f"field.{field_error.code}", language, **field_error.details)


def _problem_links(
    field_errors: Sequence[FieldError], failed_wallet: str | None, language: str
) -> list[tuple[str, str]]:
    """Where each field_error is on the page, and its message; of two equal ones the first."""
    links: dict[str, str] = {}
    for field_error in field_errors:
        message = _message(field_error, language)
        if field_error.field in _NAMED_FIELDS:
            message = f"{text(f'page.{field_error.field}', language)}: {message}"
        is_typed = failed_wallet is None and field_error.field in _CARD_FIELDS
        links.setdefault(message, field_error.field if is_typed else failed_wallet or "card_number")
    return [(target, message) for message, target in links.items()]


def _repeatable(name: str, posted: Mapping[str, str]) -> str:
    """What was typed, unless it is a card number or security code in the wrong place."""
    value = posted.get(name, "")
    code = without_separators(posted.get("cvc", ""))
    is_address = name == "email" and "@" in value
    holds_number = is_card_number_address(value) if is_address else holds_card_number(value)
    return "" if holds_number or (code and code in without_separators(value)) else value


def problem_page(request: Request, status: int) -> Response:
    """What cannot be shown: unknown payments and our own field_errors."""
    return page(request, status, "problem", {"problem": _PROBLEMS.get(status, "internal")})


def onward(request: Request, payment: Payment) -> Response:
    """After a post: to our own page, which leaves for the shop or the challenge, or stays."""
    return redirect(onward_url(payment, request.base_url))


def _notice(payment: Payment, language: str) -> str | None:
    """Why the last attempt ended, in no more detail than a shop should show."""
    if payment.decline_code is None:
        return None
    return text(f"page.declined.{shown_to_shopper(payment.decline_code)}", language)


def _purchase(request: Request, payment: Payment) -> dict[str, Any]:
    return {
        "payment": payment,
        "amount": shown_amount(payment, request.language),
        "brand_names": BRAND_NAMES,
    }
