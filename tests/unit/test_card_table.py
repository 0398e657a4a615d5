"""The documented table of test cards is what the simulator does, as the functional tests prove."""

import pytest

from local.generate import card_table
from payments.acquirers.simulator.cards import TEST_CARDS


def test_the_docs_show_the_test_cards_as_the_simulator_has_them() -> None:
    page = card_table.TARGET.read_text("utf-8")
    assert page == card_table.render(page)


def test_every_test_card_stands_in_the_table_once() -> None:
    table = card_table.table().replace(" ", "")
    assert {number: table.count(f"`{number}`") for number in TEST_CARDS} == dict.fromkeys(
        TEST_CARDS, 1
    )


def test_a_text_without_the_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="substring"):
        card_table.render("no table here")
