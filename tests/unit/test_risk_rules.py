"""The table of fraud rules: each alone, at its border, and together."""

from dataclasses import replace
from typing import Any

import pytest

from local import PROJECT
from payments.model.authorization import Screening
from payments.risk.assessment import Thresholds, assess
from payments.risk.emails import country_of, mailbox_of
from payments.risk.history import BUCKET_SECONDS, HOUR_SECONDS, Amounts, History, within
from payments.risk.lists import Kind, MerchantLists, Traits, entry
from payments.risk.rules import RULES, Action
from payments.risk.signals import ENOUGH_AMOUNTS, Signals, Tally, usual_amount_minor

# An ordinary attempt of an ordinary shopper.
QUIET = Signals(
    card_country="CR",
    merchant_country="CR",
    email_country="CR",
    amount_minor=5_000,
    usual_amount_minor=6_000,
    card=Tally(1, 1),
    email=Tally(1, 1),
    ip=Tally(2, 2),
    merchant=Tally(40, 900),
)
# rule -> what just fires it, what just does not
BORDERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "acquirer_blocked_card": (
        {"screening": Screening.BLOCKED},
        {"screening": Screening.NORMAL},
    ),
    "acquirer_highest_risk": ({"screening": Screening.HIGHEST}, {"screening": Screening.NORMAL}),
    "acquirer_elevated_risk": ({"screening": Screening.ELEVATED}, {"screening": Screening.NORMAL}),
    "merchant_block_list": ({"is_blocked": True}, {"is_blocked": False}),
    "merchant_allow_list": ({"is_allowed": True}, {"is_allowed": False}),
    "counters_unavailable": ({"has_counters": False}, {"has_counters": True}),
    "card_velocity_hour": ({"card": Tally(6, 6)}, {"card": Tally(5, 5)}),
    "card_velocity_day": ({"card": Tally(1, 16)}, {"card": Tally(1, 15)}),
    "card_country_differs": ({"card_country": "US", "email_country": ""}, {"card_country": ""}),
    "many_cards_on_payment": ({"attempt_number": 3}, {"attempt_number": 2}),
    "email_velocity": ({"email": Tally(9, 9)}, {"email": Tally(8, 8)}),
    "email_country_differs": ({"email_country": "MX"}, {"email_country": ""}),
    "disposable_email": ({"has_disposable_email": True}, {"has_disposable_email": False}),
    "ip_velocity": ({"ip": Tally(61, 61)}, {"ip": Tally(60, 60)}),
    "ip_failures": ({"ip": Tally(7, 7, 3)}, {"ip": Tally(8, 8, 3)}),
    "ip_under_way": ({"ip": Tally(7, 7, 1, 2)}, {"ip": Tally(8, 8, 1, 2)}),
    "card_testing": ({"ip": Tally(9, 9, 5)}, {"ip": Tally(10, 10, 5)}),
    "small_amount": ({"amount_minor": 500}, {"amount_minor": 501}),
    "unusual_amount": ({"amount_minor": 60_001}, {"amount_minor": 60_000}),
    "merchant_failures": ({"merchant": Tally(61, 900, 30)}, {"merchant": Tally(62, 900, 30)}),
    "merchant_velocity": ({"merchant": Tally(301, 1_203)}, {"merchant": Tally(301, 1_204)}),
}
# These come with others by their nature: five failures are three as well.
TOGETHER = {"card_testing": {"ip_failures"}}


def _reasons(**changes: Any) -> set[str]:
    return set(assess(replace(QUIET, **changes), Thresholds(), enforced=True).reasons)


def test_an_ordinary_attempt_scores_nothing() -> None:
    risk = assess(QUIET, Thresholds(), enforced=True)
    assert (risk.score, risk.level, risk.action, risk.reasons) == (0, "normal", Action.ALLOW, ())


def test_every_rule_has_a_border_case() -> None:
    assert [rule.name for rule in RULES] == list(BORDERS)


@pytest.mark.parametrize("name", BORDERS)
def test_a_rule_fires_at_its_limit_alone_and_not_before(name: str) -> None:
    fires, does_not = BORDERS[name]
    assert _reasons(**fires) == {name} | TOGETHER.get(name, set())
    assert name not in _reasons(**does_not)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_score_is_the_weight_of_what_fired(rule: Any) -> None:
    changes, _ = BORDERS[rule.name]
    risk = assess(replace(QUIET, **changes), Thresholds(), enforced=False)
    weights = {each.name: each.weight for each in RULES}
    assert risk.score == sum(weights[reason] for reason in risk.reasons)
    assert risk.action == (rule.acts or Action.ALLOW)


def test_weights_add_up_to_a_hundred_at_most() -> None:
    everything: dict[str, Any] = {}
    for name, (fires, _) in BORDERS.items():
        if name != "merchant_allow_list":
            everything |= fires
    risk = assess(replace(QUIET, **everything), Thresholds(), enforced=True)
    assert (risk.score, risk.level, risk.action) == (100, "highest", Action.BLOCK)


@pytest.mark.parametrize(
    ("changes", "score", "level", "action"),
    [
        ({"has_disposable_email": True}, 30, "normal", Action.ALLOW),
        ({"has_disposable_email": True, "email_country": "MX"}, 45, "normal", Action.ALLOW),
        (
            {"has_disposable_email": True, "email_country": "MX", "amount_minor": 100},
            55,
            "elevated",
            Action.CHALLENGE,
        ),
        ({"ip": Tally(7, 7, 3)}, 50, "elevated", Action.CHALLENGE),
        (
            {"ip": Tally(7, 7, 3), "has_disposable_email": True},
            80,
            "highest",
            Action.BLOCK,
        ),
        ({"ip": Tally(9, 9, 6), "amount_minor": 100}, 100, "highest", Action.BLOCK),
    ],
)
def test_rules_add_up_to_a_level_and_the_level_acts_only_where_it_is_enforced(
    changes: dict[str, Any], score: int, level: str, action: Action
) -> None:
    signals = replace(QUIET, **changes)
    enforced = assess(signals, Thresholds(), enforced=True)
    assert (enforced.score, enforced.level, enforced.action) == (score, level, action)
    observed = assess(signals, Thresholds(), enforced=False)
    assert observed == replace(enforced, action=Action.ALLOW)


def test_the_allow_list_silences_scored_rules_and_no_other() -> None:
    loud = replace(QUIET, is_allowed=True, ip=Tally(9, 9, 6), has_disposable_email=True)
    silent = assess(loud, Thresholds(), enforced=True)
    assert (silent.score, silent.reasons) == (0, ("merchant_allow_list",))
    for changes, action in (
        ({"screening": Screening.HIGHEST}, Action.BLOCK),
        ({"is_blocked": True}, Action.BLOCK),
        ({"has_counters": False}, Action.CHALLENGE),
    ):
        assert assess(replace(loud, **changes), Thresholds(), enforced=True).action == action


def test_thresholds_move_levels_but_not_what_acts_by_itself() -> None:
    never = Thresholds(101, 101)
    testing = assess(replace(QUIET, ip=Tally(9, 9, 6)), never, enforced=True)
    assert (testing.level, testing.action) == ("normal", Action.ALLOW)
    known = assess(replace(QUIET, screening=Screening.ELEVATED), never, enforced=True)
    assert known.action == Action.CHALLENGE


def test_a_window_slides() -> None:
    noon = 40 * BUCKET_SECONDS
    buckets = {37: 4, 38: 10, 39: 3, 40: 2}
    assert within(buckets, HOUR_SECONDS, noon) == 15
    assert within(buckets, HOUR_SECONDS, noon + 600) == 11  # two thirds of the oldest half hour
    assert within(buckets, HOUR_SECONDS, noon + BUCKET_SECONDS) == 5
    assert within(buckets, HOUR_SECONDS, noon + 3 * BUCKET_SECONDS) == 0


def test_two_days_make_one_history() -> None:
    yesterday = History({47: 1}, {47: 1}, {"USD": Amounts(2, 300)})
    today = History({48: 2}, {}, {"USD": Amounts(1, 100), "EUR": Amounts(1, 5)})
    both = yesterday + today
    assert both.attempts == {47: 1, 48: 2}
    assert both.amounts == {"USD": Amounts(3, 400), "EUR": Amounts(1, 5)}


def test_what_is_usual_is_known_after_enough_payments_and_leaves_this_one_out() -> None:
    assert usual_amount_minor(None, 100) is None
    enough = ENOUGH_AMOUNTS + 1
    assert usual_amount_minor(Amounts(ENOUGH_AMOUNTS, 20_000), 1_000) is None
    assert usual_amount_minor(Amounts(enough, ENOUGH_AMOUNTS * 1_000 + 90_000), 90_000) == 1_000


@pytest.mark.parametrize(
    ("email", "country"),
    [
        ("ana@empresa.co.cr", "CR"),
        ("a@b.co.uk", "GB"),
        ("a@b.com", ""),
        ("a@startup.io", ""),
        ("", ""),
    ],
)
def test_an_e_mail_names_a_country_only_by_a_countrys_own_domain(email: str, country: str) -> None:
    assert country_of(email) == country


def test_one_mailbox_is_counted_once_however_it_is_written() -> None:
    assert mailbox_of("Ana+shop@Example.com") == mailbox_of("ana@example.com")


@pytest.mark.parametrize(
    ("kind", "value", "traits"),
    [
        (Kind.CARD, "0123456789ABCDEF0123456789abcdef", {"card": "0123456789abcdef" * 2}),
        (Kind.EMAIL, "Ana@Example.com", {"email": "ana@example.COM"}),
        (Kind.EMAIL, "@example.com", {"email": "anybody@example.com"}),
        (Kind.IP, "203.0.113.7", {"ip": "203.0.113.7"}),
        (Kind.IP, "203.0.113.99/24", {"ip": "203.0.113.7"}),
        (Kind.IP, "2001:db8::/32", {"ip": "2001:db8::1"}),
        (Kind.COUNTRY, "cr", {"country": "CR"}),
    ],
)
def test_an_entry_is_found_in_whatever_spelling(
    kind: Kind, value: str, traits: dict[str, str]
) -> None:
    lists = MerchantLists(block={kind: frozenset({entry(kind, value)})})
    assert lists.blocks(Traits(**traits))
    assert not lists.allows(Traits(**traits))
    assert not lists.blocks(Traits(email="b@example.org", ip="198.51.100.1", country="US"))
    assert not lists.blocks(Traits())


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.CARD, "4242424242424242"),
        (Kind.EMAIL, "nobody"),
        (Kind.IP, "300.1.1.1"),
        (Kind.COUNTRY, "Peru"),
    ],
)
def test_what_is_no_entry_is_refused(kind: Kind, value: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        entry(kind, value)


def test_the_docs_show_the_rules_as_they_are() -> None:
    page = (PROJECT / "docs/fraud.md").read_text("utf-8")
    rows = [f"| `{r.name}` | {r.weight} | {r.acts or ''} | {r.text} |" for r in RULES]
    assert "\n".join(rows) in page
