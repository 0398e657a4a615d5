"""`make cards`: writes the table of test cards in the docs from what the simulator does."""

import sys

from local import PROJECT
from payments.acquirers.simulator.cards import (
    FAIL_LATER,
    STAY_PENDING,
    TEST_CARDS,
    Behaviour,
)
from payments.model import declines
from payments.model.authorization import AvsCvcResults
from payments.model.card import scheme_of
from payments.model.three_d_secure import Authentication, eci_of, shifts_liability
from payments.risk.assessment import Thresholds, assess
from payments.risk.rules import Action
from payments.risk.signals import Signals

TARGET = PROJECT / "docs/integrate.md"
START, END = "<!-- test cards: written by `make cards` -->\n", "<!-- end of test cards -->\n"
_HEAD = "| what happens | 3DS | cards |\n|---|---|---|\n"
_NAMES = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}
_USUAL_CODE_DIGITS = 3
_REFUNDS = {
    FAIL_LATER: "a refund succeeds, and fails within two minutes",
    STAY_PENDING: "a refund is pending, and succeeds within two minutes",
}


def table() -> str:
    """Cards that do the same share a row."""
    rows: dict[tuple[str, str], list[str]] = {}
    for number, behaviour in TEST_CARDS.items():
        rows.setdefault(_behaviour(behaviour), []).append(_card(number, behaviour))
    return _HEAD + "".join(
        f"| {happens} | {three_d_secure} | {'<br>'.join(cards)} |\n"
        for (happens, three_d_secure), cards in rows.items()
    )


def render(text: str) -> str:
    """The text with its table renewed. Raises ValueError if a marker is missing."""
    start, end = text.index(START) + len(START), text.index(END)
    return text[:start] + table() + text[end:]


def _behaviour(card: Behaviour) -> tuple[str, str]:
    """What happens, and what 3DS says."""
    signals = Signals(screening=card.profile.screening)
    action = assess(signals, Thresholds(), enforced=False).action
    if action is Action.BLOCK:
        return f"{_told(declines.FRAUDULENT)}: the payment ends `blocked`", "not asked"
    is_risky = action is Action.CHALLENGE
    is_challenged = is_risky or card.trans_status == "C"
    status = "Y" if is_challenged else card.trans_status
    happens = _happens(card, Authentication(status))
    if is_challenged:
        happens = f"{'risky: ' if is_risky else ''}asks for a one-time code, then {happens}"
    shift = "liability shifts" if shifts_liability(eci_of(status, "visa")) else "no shift"
    return happens, f"{'`C`, then ' if is_challenged else ''}`{status}`, {shift}"


def _happens(card: Behaviour, authentication: Authentication) -> str:
    if authentication.is_unavailable:
        refused = _told("authentication_unavailable")
        return f"{refused}; under `ThreeDSUnavailable=proceed` {_charge(card)}"
    return _charge(card) if authentication.is_authenticated else _told("authentication_failed")


def _charge(card: Behaviour) -> str:
    checks, usual = card.checks(has_cvc=True), AvsCvcResults(cvc="pass")
    unusual = [
        f"`{name}` {getattr(checks, name)}"
        for name in AvsCvcResults.__slots__
        if getattr(checks, name) != getattr(usual, name)
    ]
    if card.refunds:
        unusual.append(_REFUNDS[card.refunds])
    outcome = _told(card.decline_code) if card.decline_code else "pays"
    return f"{outcome}; {', '.join(unusual)}" if unusual else outcome


def _told(code: str) -> str:
    shown = declines.shown_to_shopper(code)
    return f"declined: `{code}`" + (f" (shoppers read `{shown}`)" if shown != code else "")


def _card(number: str, behaviour: Behaviour) -> str:
    scheme = scheme_of(number)
    assert scheme is not None, "a test card of no scheme"
    name = _NAMES.get(scheme.brand, scheme.brand.title())
    if behaviour.funding != Behaviour().funding:
        name += f" {behaviour.funding}"
    if scheme.cvc_digits != _USUAL_CODE_DIGITS:
        name += f", {scheme.cvc_digits}-digit code"
    spaced = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    return f"`{spaced}` {name}"


if __name__ == "__main__":
    TARGET.write_text(render(TARGET.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"wrote {TARGET.name}\n")
