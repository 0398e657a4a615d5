"""Which of the template's rules the local stack follows."""

import pytest

from local import template
from local.emulator.aws import LocalAws
from local.emulator.schedule import Schedule

NO_CLOCK = {"ScheduleExpression": "cron(0 * * * ? *)", "Targets": []}


def test_a_rule_the_local_stack_cannot_follow_is_refused() -> None:
    with pytest.raises(ValueError, match="cron"):
        Schedule({"Hourly": NO_CLOCK}, {})


def test_a_disabled_rule_is_not_followed() -> None:
    Schedule({"Hourly": NO_CLOCK | {"State": "DISABLED"}}, {}).stop()


@pytest.mark.parametrize(("url", "state"), [("", "DISABLED"), ("https://feed.example/", "ENABLED")])
def test_rates_are_refreshed_where_there_is_a_feed(
    url: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    parameters = {"PublicBaseUrl": "https://pay.example", "RatesUrl": url}
    loaded = template.load(parameters)
    aws = LocalAws(loaded, parameters)
    try:
        rules = loaded.of_type("AWS::Events::Rule")
        states = {
            name: aws.resolve(rule["Properties"]).get("State", "ENABLED")
            for name, rule in rules.items()
        }
    finally:
        aws.stop()

    assert states.pop("RefreshRatesFunctionEveryHour") == state
    assert set(states.values()) == {"ENABLED"}
