"""Contract, sections 6 and 7: what an error becomes, in each of the six languages."""

import json
import re
from typing import Any

import pytest

from payments import errors
from payments.errors import FieldError, InvalidInputError
from payments.inputs.checkout_form import parse_form
from payments.inputs.idempotency_key import key_errors
from payments.inputs.merchant_api import PaymentRequest, parse
from payments.inputs.queries import ListQuery
from payments.model.card import Card
from payments.model.declines import DECLINE_CODES, shown_to_shopper
from payments.model.ids import Mode
from payments.web.error_responses import declined_response, error_response
from payments.web.http import Response
from payments.web.texts import LANGUAGES, catalogue, text
from tests.support.actors import PAID_CARD, TYPED_CARD, order

NOW_US = 1_795_867_200_000_000  # in November 2026
# error -> (status, key of its title, key of its content, keys besides those of every error)
ENVELOPES: dict[str, tuple[Exception, int, str, str, dict[str, str]]] = {
    "not found": (errors.PaymentNotFoundError(), 404, "not_found", "not_found", {}),
    "key reused": (
        errors.KeyReusedError(),
        409,
        "conflict",
        "key_reused",
        {"reason": "key_reused"},
    ),
    **{
        reason: (errors.NotPayableError(reason), 409, "conflict", reason, {"reason": reason})
        for reason in ("already_paid", "in_progress", "expired", "canceled", "failed")
    },
    **{
        reason: (errors.ConflictError(reason), 409, "conflict", reason, {"reason": reason})
        for reason in (
            *("not_authorized", "already_captured", "authorization_expired"),
            *("not_paid", "already_refunded", "too_many_refunds", "too_old"),
        )
    },
    "too much": (
        errors.ConflictError("exceeds_refundable", refundable_amount="12.50"),
        409,
        "conflict",
        "exceeds_refundable",
        {"reason": "exceeds_refundable", "refundable_amount": "12.50"},
    ),
    "paid, not canceled": (
        errors.ConflictError("already_paid", "cancel_already_paid"),
        409,
        "conflict",
        "cancel_already_paid",
        {"reason": "already_paid"},
    ),
    "operation": (
        errors.ConflictError.operation_in_progress(),
        409,
        "conflict",
        "operation_in_progress",
        {"reason": "in_progress"},
    ),
    "too large": (errors.BodyTooLargeError(), 413, "too_large", "too_large", {}),
    "media type": (errors.UnsupportedMediaTypeError(), 415, "media_type", "media_type", {}),
    "unforeseen": (RuntimeError("4242424242424242"), 500, "internal", "internal", {}),
    "no acquirer": (errors.NoLiveAcquirerError(), 503, "unavailable", "no_live_acquirer", {}),
    "no rates": (errors.RatesUnavailableError(), 503, "unavailable", "no_rates", {}),
    "no answer": (errors.AcquirerUnavailableError(), 503, "unavailable", "unavailable", {}),
}


def body_of(answer: Response) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/json"
    body: dict[str, Any] = json.loads(answer.body)
    return body


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ENVELOPES)
def test_an_error_has_the_documented_body_in_the_callers_language(name: str, language: str) -> None:
    error, status, title, content, further = ENVELOPES[name]
    answer = error_response(error, language)
    assert answer.status == status
    assert body_of(answer) == {
        "code": status,
        "title": text(f"error.{title}.title", language),
        "content": text(f"error.{content}.content", language),
        "type": "danger",
        **further,
    }
    will_be_over = further == {"reason": "in_progress"}
    assert ("Retry-After" in answer.headers) == (status == 503 or will_be_over)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", ["missing", "malformed", "unknown"])
def test_a_refused_key_is_told_so_in_the_callers_language(reason: str, language: str) -> None:
    answer = error_response(errors.AuthenticationError(reason), language)
    assert answer.status == 401
    assert body_of(answer) == {"detail": text(f"auth.{reason}", language)}
    assert answer.headers["WWW-Authenticate"] == "Basic"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", DECLINE_CODES)
def test_a_decline_is_told_in_the_shoppers_language_with_a_stable_code(
    code: str, language: str
) -> None:
    answer = declined_response(code, language)
    shown = shown_to_shopper(code)
    assert answer.status == 402
    assert body_of(answer) == {
        "error": {
            "code": 402,
            "type": "payment_failed",
            "message": text("declined.message", language),
            "decline_reason": text(f"decline.{shown}", language),
            "decline_code": shown,
        }
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_of_the_acquirer_is_told_the_merchant_with_its_code(language: str) -> None:
    answer = error_response(errors.OperationRefusedError("refused_by_acquirer"), language)
    assert answer.status == 402
    assert body_of(answer) == {
        "error": {
            "code": 402,
            "type": "operation_refused",
            "message": text("operation_refused.message", language),
            "decline_reason": "refused_by_acquirer",
            "decline_code": "refused_by_acquirer",
        }
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent"])
def test_lost_stolen_and_fraudulent_cards_get_the_very_answer_of_a_generic_decline(
    code: str, language: str
) -> None:
    assert declined_response(code, language) == declined_response("generic_decline", language)


# ------------------------------------------------------------------------------ faults of fields


def of_order(mode: Mode = Mode.TEST, **changes: Any) -> InvalidInputError:
    return _raised(lambda: parse(PaymentRequest, order(**changes), mode))


def of_query(**query: str) -> InvalidInputError:
    return _raised(lambda: parse(ListQuery, query))


def of_form(**changes: Any) -> InvalidInputError:
    return _raised(lambda: parse_form(TYPED_CARD | changes, _open_token, NOW_US))


def _open_token(_method: str, token: object) -> Card:
    raise errors.WalletTokenError(str(token))


def _raised(act: Any) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        act()
    return caught.value


# Together they are every fault that a field can have.
FAULTS: dict[str, tuple[InvalidInputError, set[str]]] = {
    "body": (errors.MalformedBodyError(), {"malformed"}),
    "absent": (of_order(amount=None), {"required"}),
    "kinds": (
        of_order(description=1, items="x", metadata=[]),
        {"not_a_string", "not_a_list", "not_an_object"},
    ),
    "short": (of_order(description="", items=[]), {"too_short", "too_few"}),
    "long": (of_order(description="x" * 501, items=["x"] * 101), {"too_long", "too_many"}),
    "words": (
        of_order(amount="x", currency="XXX", return_url="x", customer_email="x"),
        {"invalid_amount", "unknown_currency", "invalid_url", "invalid_email"},
    ),
    "zero": (of_order(amount="0"), {"amount_not_positive"}),
    "above the authorized": (
        InvalidInputError(FieldError("amount", "too_large", {"maximum": "80.00"})),
        {"too_large"},
    ),
    "huge": (of_order(amount="9" * 13), {"amount_too_large"}),
    "two decimals": (of_order(amount="1.001"), {"too_many_decimals"}),
    "no decimals": (of_order(amount="1.0", currency="JPY"), {"too_many_decimals"}),
    "http": (of_order(Mode.LIVE, return_url="http://shop.example/"), {"https_required"}),
    "idempotency": (InvalidInputError(*key_errors("x" * 256)), {"invalid_idempotency_key"}),
    "query": (
        of_query(test="x", status="x", limit="0", sort="x", cursor="x"),
        {"not_a_boolean", "unknown_status", "invalid_limit", "not_allowed", "invalid_cursor"},
    ),
    "card": (
        of_form(card_number="4242424242424241", exp_month="13", cvc="1"),
        {"invalid_card_number", "invalid_expiry", "invalid_cvc"},
    ),
    "amex": (of_form(card_number="378282246310005", cvc="123"), {"invalid_cvc"}),
    "old card": (of_form(exp_year="2020"), {"card_expired"}),
    "other scheme": (of_form(card_number="5018000000000009"), {"unsupported_card"}),
    "name": (of_form(name=PAID_CARD), {"holds_card_number"}),
    "attempt": (of_form(attempt="x"), {"invalid"}),
    "no token": (
        of_form(method="apple_pay", wallet_token="invalid_wallet_token"),
        {"invalid_wallet_token"},
    ),
    "real token": (
        of_form(method="apple_pay", wallet_token="wallet_not_configured"),
        {"wallet_not_configured"},
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_of_a_field_is_told_in_the_callers_language(name: str, language: str) -> None:
    error, codes = FAULTS[name]
    answer = error_response(error, language)
    body = body_of(answer)
    assert (answer.status, body["code"]) == (400, 400)
    assert body["title"] == text("error.invalid_input.title", language)
    assert {fault["code"] for fault in body["errors"]} == codes
    for fault in body["errors"]:
        told = re.escape(_text_with_gaps(f"field.{fault['code']}", language))
        assert re.fullmatch(told.replace("GAP", ".{1,40}"), fault["message"]), fault


def _text_with_gaps(key: str, language: str) -> str:
    """The text with every placeholder as a gap."""
    return re.sub(r"\{\w+\}", "GAP", catalogue(language)[key])


def test_no_fault_of_a_field_is_left_out_above() -> None:
    tried = {code for _, codes in FAULTS.values() for code in codes}
    assert {f"field.{code}" for code in tried} == {
        key for key in catalogue("en") if key.startswith("field.")
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_filled_in_is_no_english_either(language: str) -> None:
    """A choice is listed with commas: `or` would be English."""
    (fault,) = body_of(error_response(of_query(sort="x"), language))["errors"]
    assert "created_on, -created_on" in fault["message"]


def test_the_digits_of_a_security_code_are_those_of_the_cards_scheme() -> None:
    for number, digits in ((PAID_CARD, 3), ("378282246310005", 4)):
        assert of_form(card_number=number, cvc="1").errors == (
            FieldError("cvc", "invalid_cvc", {"digits": digits}),
        )
