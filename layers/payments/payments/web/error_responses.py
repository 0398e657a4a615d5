"""Errors become responses here and nowhere else (contract, section 6)."""

from collections.abc import Mapping

from payments import errors
from payments.model import declines
from payments.web.http import Response, json_response
from payments.web.texts import text

RETRY_AFTER_SECONDS = 2
_ENVELOPES: dict[type[Exception], tuple[int, str]] = {
    errors.PaymentNotFoundError: (404, "not_found"),
    errors.BodyTooLargeError: (413, "too_large"),
    errors.UnsupportedMediaTypeError: (415, "media_type"),
}
_UNAVAILABLE: dict[type[Exception], str] = {
    errors.NoLiveAcquirerError: "no_live_acquirer",
    errors.RatesUnavailableError: "no_rates",
}
_NO_DETAILS: Mapping[str, str] = {}


def declined_response(decline_code: str | None, language: str) -> Response:
    """The documented 402 (contract, sections 6 and 7), as a shopper may read it."""
    shown = declines.shown_to_shopper(decline_code or declines.GENERIC)
    error = {
        "code": 402,
        "type": "payment_failed",
        "message": text("declined.message", language),
        "decline_reason": text(f"decline.{shown}", language),
        "decline_code": shown,
    }
    return json_response(402, {"error": error})


def error_response(error: Exception, language: str) -> Response:  # noqa: PLR0911 - a table
    """The response to an error: the one place that maps them. Anything unforeseen is a 500."""
    match error:
        case errors.AuthenticationError():
            detail = text(f"auth.{error.reason}", language)
            return json_response(401, {"detail": detail}, {"WWW-Authenticate": "Basic"})
        case errors.InvalidInputError():
            field_errors = [
                _field_error_view(field_error, language) for field_error in error.errors
            ]
            return _envelope(400, "invalid_input", language, errors=field_errors)
        case errors.KeyReusedError() | errors.NotPayableError():
            return _conflict(error.reason, language)
        case errors.ConflictError():
            return _conflict(error.reason, language, error.message, error.details)
        case errors.OperationRefusedError():
            return operation_refused_response(error.code, language)
        case errors.UnavailableError():
            return _unavailable(_UNAVAILABLE.get(type(error), "unavailable"), language)
        case _:
            status, key = _ENVELOPES.get(type(error), (500, "internal"))
            return _envelope(status, key, language)


def _envelope(
    status: int, key: str, language: str, title: str | None = None, **extra: object
) -> Response:
    body = {
        "code": status,
        "title": text(f"error.{title or key}.title", language),
        "content": text(f"error.{key}.content", language),
        "type": "danger",
    }
    return json_response(status, body | extra)


def operation_refused_response(code: str, language: str) -> Response:
    """402 for a merchant: the acquirer refused a capture, a void or a refund."""
    error = {
        "code": 402,
        "type": "operation_refused",
        "message": text("operation_refused.message", language),
        "decline_reason": code,
        "decline_code": code,
    }
    return json_response(402, {"error": error})


def _conflict(
    reason: str, language: str, message: str = "", details: Mapping[str, str] = _NO_DETAILS
) -> Response:
    """What is in progress will be over: then asking again is right."""
    response = _envelope(
        409, message or reason, language, title="conflict", reason=reason, **details
    )
    return _with_retry_after(response) if reason == "in_progress" else response


def _unavailable(key: str, language: str) -> Response:
    return _with_retry_after(_envelope(503, key, language, title="unavailable"))


def _with_retry_after(response: Response) -> Response:
    headers = {**response.headers, "Retry-After": str(RETRY_AFTER_SECONDS)}
    return Response(response.status, response.body, headers)


def _field_error_view(field_error: errors.FieldError, language: str) -> dict[str, str]:
    message = text(f"field.{field_error.code}", language, **field_error.details)
    return {"field": field_error.field, "code": field_error.code, "message": message}
