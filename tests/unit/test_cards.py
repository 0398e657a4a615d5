"""What a card number says about itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.acquirers.simulator.cards import TEST_CARDS
from payments.model.card import (
    Card,
    brand_of,
    holds_card_number,
    is_card_number,
    is_card_number_address,
    is_luhn_valid,
)


@pytest.mark.parametrize(
    ("number", "brand"),
    [
        ("4242424242424242", "visa"),
        ("5555555555554444", "mastercard"),
        ("2223003122003222", "mastercard"),
        ("378282246310005", "amex"),
        ("6011111111111117", "discover"),
        ("3056930009020004", "diners"),
        ("3566002020360505", "jcb"),
        ("6200000000000005", "unionpay"),
        ("9999999999999995", "unknown"),
    ],
)
def test_a_number_names_its_scheme(number: str, brand: str) -> None:
    assert brand_of(number) == brand


@pytest.mark.parametrize("number", sorted(TEST_CARDS))
def test_every_test_card_has_a_right_check_digit(number: str) -> None:
    assert is_luhn_valid(number)


@given(
    number=st.sampled_from(sorted(TEST_CARDS)), position=st.integers(0, 14), by=st.integers(1, 9)
)
def test_one_wrong_digit_is_noticed(number: str, position: int, by: int) -> None:
    wrong = (int(number[position]) + by) % 10
    assert not is_luhn_valid(number[:position] + str(wrong) + number[position + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "Jane 4242 4242 4242 4242 Doe",
        "4242-4242-4242-4242@example.com",
        "x4242.4242.4242.4242y",
        "00004242424242424242",
    ],
)
def test_a_card_number_is_found_wherever_it_hides(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize("text", ["Jane Doe", "jane.1984@example.com", "+506 8888 7777", ""])
def test_ordinary_names_and_addresses_hold_none(text: str) -> None:
    assert not holds_card_number(text)


def test_a_card_shows_neither_number_nor_code() -> None:
    shown = repr(Card("4242424242424242", "314", 12, 2034, "Jane Doe"))
    assert "4242424242424242" not in shown
    assert "314" not in shown
    assert "Jane" not in shown


@pytest.mark.parametrize(
    "local_part",
    [
        "4242424242424242",
        "4242x4242x4242x4242",
        "4242.4242.4242.4242",
        "4242_4242+4242-4242",
        "4242424242424242+shop",
        "\uff14242424242424242",
        "378282246310005",
    ],
)
def test_an_address_that_is_a_card_number_with_a_domain_is_known(local_part: str) -> None:
    assert is_card_number_address(f"{local_part}@example.com")


@given(
    local_part=st.from_regex(r"[0-9]{5,30}", fullmatch=True),
    domain=st.sampled_from(["163.com", "139.com", "189.cn", "4242424242424242.example"]),
)
def test_an_address_counts_as_a_card_number_only_if_all_digits_before_the_at_are_one(
    local_part: str, domain: str
) -> None:
    assert is_card_number_address(f"{local_part}@{domain}") == is_card_number(local_part)


@given(st.integers(0, 10**10 - 1), st.sampled_from(["163.com", "139.com", "189.cn"]))
def test_no_mobile_number_is_taken_for_a_card_number(number: int, domain: str) -> None:
    assert not is_card_number_address(f"1{number:010}@{domain}")
