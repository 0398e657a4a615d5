"""Contract, section 7: amounts as each language writes them, with the currency's own decimals."""

import pytest
from babel.numbers import format_currency

from payments.money.amounts import format_amount, to_minor
from payments.money.currencies import MINOR_UNIT_DIGITS
from payments.web.pages.formats import shown_amount
from payments.web.texts import LANGUAGES
from tests.support.payments import a_payment

# Digits by ISO 4217: Babel's own data would show RSD and MGA without, and IQD with none.
# In the order of LANGUAGES, but for French, which stands below.
AMOUNTS = {
    ("1234.5", "USD"): ("$1,234.50", "1.234,50US$", "US$1.234,50", "1.234,50USD", "1.234,50$"),
    ("1234.5", "EUR"): ("€1,234.50", "1.234,50€", "€1.234,50", "1.234,50€", "1.234,50€"),
    ("1234.5", "CRC"): ("CRC1,234.50", "1.234,50CRC", "CRC1.234,50", "1.234,50CRC", "1.234,50CRC"),
    ("1235", "JPY"): ("¥1,235", "1.235JPY", "JP¥1.235", "1.235JPY", "1.235¥"),
    ("1234.5", "KWD"): ("KWD1,234.500", "1.234,500KWD", "KWD1.234,500") + ("1.234,500KWD",) * 2,
    ("1234.5", "IQD"): ("IQD1,234.500", "1.234,500IQD", "IQD1.234,500") + ("1.234,500IQD",) * 2,
    ("1234.5", "RSD"): ("RSD1,234.50", "1.234,50RSD", "RSD1.234,50") + ("1.234,50RSD",) * 2,
    ("1234.5", "MGA"): ("MGA1,234.50", "1.234,50MGA", "MGA1.234,50") + ("1.234,50MGA",) * 2,
}
FRENCH = {"USD": "1234,50$US", "EUR": "1234,50€", "JPY": "1235JPY", "KWD": "1234,500KWD"} | {
    "CRC": "1234,50CRC",
    "IQD": "1234,500IQD",
    "RSD": "1234,50RSD",
    "MGA": "1234,50MGA",
}


def shown(amount: str, currency: str, language: str) -> str:
    """As the checkout page shows a payment of this amount."""
    payment = a_payment(amount_minor=to_minor(amount, currency), currency=currency)
    return shown_amount(payment, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("amount", "currency"), AMOUNTS)
def test_amounts_are_written_as_the_language_does_with_the_currencys_own_decimals(
    amount: str, currency: str, language: str
) -> None:
    expected = (*AMOUNTS[amount, currency], FRENCH[currency])[LANGUAGES.index(language)]
    assert "".join(shown(amount, currency, language).split()) == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("amount", "currency"), [("12.3", "USD"), ("1234567.89", "EUR")])
def test_where_babel_knows_the_decimals_an_amount_is_babels_to_the_space(
    amount: str, currency: str, language: str
) -> None:
    assert shown(amount, currency, language) == format_currency(amount, currency, locale=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_currency_is_shown_with_all_its_decimals(language: str) -> None:
    for currency, digits in MINOR_UNIT_DIGITS.items():
        amount = format_amount(7654, currency)
        separated = amount.replace(".", "." if language == "en" else ",")
        written = shown(amount, currency, language)
        numerals = "".join(sign for sign in written if sign.isdigit() or sign in ".,").strip(".,")
        if digits:
            assert numerals == separated, written
        else:
            assert "".join(sign for sign in numerals if sign.isdigit()) == amount, written
