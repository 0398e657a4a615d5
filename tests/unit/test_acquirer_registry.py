"""Who is asked for the money: by name, and never by what is configured later."""

from typing import Any

import pytest

from payments.acquirers.registry import Acquirers
from payments.errors import NoLiveAcquirerError, UnknownAcquirerError
from payments.model.ids import Mode
from payments.settings import Settings


def _settings(live: str) -> Settings:
    return Settings.read({"LIVE_ACQUIRER": live})


@pytest.mark.parametrize("live", ["none", "simulator", "other"])
def test_test_mode_has_the_simulator_whatever_takes_live_money(live: str) -> None:
    assert _settings(live).acquirer_name(Mode.TEST) == "simulator"


def test_live_mode_has_what_is_configured_or_nobody() -> None:
    assert _settings("other").acquirer_name(Mode.LIVE) == "other"
    with pytest.raises(NoLiveAcquirerError):
        _settings("none").acquirer_name(Mode.LIVE)


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
