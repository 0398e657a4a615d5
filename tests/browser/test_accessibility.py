"""axe-core finds nothing to complain about, in any state, light or dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import states
from tests.browser.chromium import DESKTOP, PHONE, has_room
from tests.browser.conftest import Open
from tests.browser.states import STATES, Scene, State
from tests.conftest import StackFor
from tests.support.actors import Shop, open_shop

# What has to be there: a state that turned out to be another page would be checked for nothing.
SEEN: dict[State, str] = {
    states.checkout: "#pay",
    states.typing: "#brand[data-brand=mastercard]",
    states.apple_pay_sheet: ".wallet[open]",
    states.google_pay_sheet: ".wallet[open]",
    states.errors_before_sending: "#problems li",
    states.errors_from_the_server: "#problems li",
    states.contacting_the_bank: "#pay .progress:not(:empty)",
    states.declined: "#problems p",
    states.challenge: "#code",
    states.wrong_code: "#code-error",
    states.challenge_open: ".mark.asked",
    states.processing: "#waiting",
    states.paid: ".mark.paid",
    states.canceled: ".mark.canceled",
    states.failed: ".mark.failed",
    states.expired: ".mark.expired",
    states.unknown: ".mark.problem",
}


def violations(page: Page) -> list[str]:
    """Every rule that axe-core has, best practices included."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def check_state(state: State, scene: Scene) -> None:
    """Checks the light page, then the dark one on a phone's width."""
    state(scene)
    page = scene.page
    expect(page.locator(SEEN[state]).first).to_be_visible()
    assert page.locator("h1").count() == 1
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert violations(page) == []
    assert has_room(page)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_state_is_accessible(state: State, open_browser: Open, shop: Shop) -> None:
    with open_browser(size=DESKTOP) as page:
        check_state(state, Scene(page, shop.stack, shop.checkout(**states.ORDER)))


def test_the_page_of_an_expired_payment_is_accessible(
    open_browser: Open, stack_for: StackFor
) -> None:
    short_lived = stack_for(PaymentLifetimeSeconds="2")
    shop = open_shop(short_lived)
    with open_browser() as page:
        check_state(states.expired, Scene(page, short_lived, shop.checkout(**states.ORDER)))
    shop.close()


def test_axe_does_find_what_is_wrong(open_browser: Open, shop: Shop) -> None:
    """The control of the tests above: a page that is broken on purpose."""
    with open_browser() as page:
        states.checkout(Scene(page, shop.stack, shop.checkout()))
        page.evaluate("document.querySelector('label[for=cvc]').remove()")
        assert "label" in {violation.partition(":")[0] for violation in violations(page)}
