"""Contract, section 4: what the query of a list, and of one payment, may say."""

import base64

import pytest

from payments.errors import InvalidInputError
from payments.inputs.merchant_api import parse
from payments.inputs.queries import Cursor, ListQuery, PaymentQuery
from payments.model.lifecycle import Status
from tests.support.payments import PAYMENT_ID


def refused(model: type[ListQuery] | type[PaymentQuery], **query: str) -> dict[str, str]:
    """Parameter -> code of everything that is wrong with the query."""
    with pytest.raises(InvalidInputError) as caught:
        parse(model, query)
    return {error.field: error.code for error in caught.value.errors}


def test_without_parameters_a_list_has_the_20_newest_of_any_status() -> None:
    query = parse(ListQuery, {})
    assert (query.limit, query.sort, query.status) == (20, "-created_on", None)
    assert (query.test, query.cursor) == (None, None)


@pytest.mark.parametrize("limit", ["1", "20", "100", "007"])
def test_a_limit_is_1_to_100(limit: str) -> None:
    assert parse(ListQuery, {"limit": limit}).limit == int(limit)


@pytest.mark.parametrize("status", Status)
def test_any_status_can_be_asked_for(status: Status) -> None:
    assert parse(ListQuery, {"status": str(status)}).status is status


def test_both_spellings_of_paid_can_be_asked_for() -> None:
    assert parse(ListQuery, {"status": "completed"}).status is Status.SUCCEEDED


@pytest.mark.parametrize("model", [ListQuery, PaymentQuery])
@pytest.mark.parametrize(
    ("text", "flag"), [("true", True), ("false", False), ("TRUE", True), ("False", False)]
)
def test_test_is_true_or_false_in_any_case(
    text: str, flag: bool, model: type[ListQuery] | type[PaymentQuery]
) -> None:
    assert parse(model, {"test": text}).test is flag


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(PAYMENT_ID, "0123456789abcdef")
    assert parse(ListQuery, {"cursor": cursor.encode()}).cursor == cursor


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        *(
            ("limit", value, "invalid_limit")
            for value in ("0", "101", "-1", "1.5", "", "x", "9" * 4000, "abc", "١", "٥", "²")
        ),
        *(("limit", value, "invalid_limit") for value in (" 5", "5 ", "+5", "1e1", "9" * 30)),
        *(
            ("status", value, "unknown_status")
            for value in (
                "paid",
                "",
                "SUCCEEDED",
                "succeeded,failed",
                "success",
                "*",
                "\0",
                "\ud800",
            )
        ),
        *(("test", value, "not_a_boolean") for value in ("", "1", "yes", "null", "\0", "maybe")),
        *(
            ("sort", value, "not_allowed")
            for value in ("", "amount", "-", "created_on\0", " created_on", "+created_on")
        ),
        *(
            ("sort", value, "not_allowed")
            for value in ("-CREATED_ON", "created_on,id", "created_at")
        ),
        *(
            ("cursor", value, "invalid_cursor")
            for value in ("", "x", "\0", "\ufffd", "é", "AAAA", "x" * 5000, "garbage", "!!!", "💳")
        ),
        ("cursor", "cGF5XzAx", "invalid_cursor"),
        ("cursor", "MDFKRFE4WjVNM1c3VjBYS1EyVDRSNlk4QUI", "invalid_cursor"),
        ("cursor", base64.urlsafe_b64encode(b"pay_1.0").decode(), "invalid_cursor"),
        ("cursor", base64.urlsafe_b64encode(b"\xff.0").decode(), "invalid_cursor"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_anything_else_is_refused_by_its_name(name: str, value: str, code: str) -> None:
    assert refused(ListQuery, **{name: value}) == {name: code}


@pytest.mark.parametrize("value", ["", "1", "yes", "\ufffd"])
def test_test_of_one_payment_is_true_or_false_too(value: str) -> None:
    assert refused(PaymentQuery, test=value) == {"test": "not_a_boolean"}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = {"limit": "0", "status": "paid", "sort": "amount", "test": "maybe", "cursor": "x"}
    assert refused(ListQuery, **wrong).keys() == wrong.keys()
