"""Who is asked for the money: by name, and never by what is configured later."""

from typing import Any

import pytest

from payments.acquirers.registry import Acquirers, acquirer_name
from payments.errors import NoLiveAcquirerError, UnknownAcquirerError
from payments.model.ids import Mode


@pytest.mark.parametrize("live", ["none", "simulator", "other"])
def test_test_mode_has_the_simulator_whatever_takes_live_money(live: str) -> None:
    assert acquirer_name(Mode.TEST, live) == "simulator"


def test_live_mode_has_what_is_configured_or_nobody() -> None:
    assert acquirer_name(Mode.LIVE, "other") == "other"
    with pytest.raises(NoLiveAcquirerError):
        acquirer_name(Mode.LIVE, "none")


def test_an_acquirer_is_built_once_and_only_when_it_is_asked_for() -> None:
    built: list[str] = []

    def build(name: str) -> Any:
        built.append(name)
        return object()

    acquirers = Acquirers({"one": lambda: build("one"), "two": lambda: build("two")})
    assert built == []
    assert acquirers["two"] is acquirers["two"]
    assert built == ["two"]


def test_a_name_that_this_stack_does_not_have_is_an_error_that_decides_nothing() -> None:
    with pytest.raises(UnknownAcquirerError):
        Acquirers({})["gone"]
