"""Every way to pay, to fail and to give up, as a shopper does it in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from payments.model.hosts import ascii_host
from payments.web.texts import LANGUAGES, text
from tests.browser import states
from tests.browser.chromium import PHONE, has_room
from tests.browser.conftest import Open
from tests.browser.shop_front import shop_front
from tests.browser.states import Scene, fill_in, pay
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    ONE_TIME_CODE,
    PAID_CARD,
    Shop,
    open_shop,
)
from tests.support.records import ledger, times_paid
from tests.support.stack import Stack

WITH_AND_WITHOUT_JAVASCRIPT = pytest.mark.parametrize(
    "has_javascript", [True, False], ids=["javascript", "no-javascript"]
)


@contextmanager
def at_checkout(open_browser: Open, shop: Shop, thanks_url: str, **options: Any) -> Iterator[Scene]:
    """A new payment's checkout, open in a browser."""
    with open_browser(**options) as page:
        scene = Scene(page, shop.stack, shop.checkout(return_url=thanks_url))
        states.checkout(scene)
        yield scene


def expect_return(scene: Scene, thanks_url: str) -> None:
    expect(scene.page).to_have_url(f"{thanks_url}?id_payment={scene.checkout.id}")
    expect(scene.page.get_by_role("heading", name="Thank you")).to_be_visible()


def expect_paid(scene: Scene, shop: Shop, thanks_url: str, **facts: str) -> None:
    expect_return(scene, thanks_url)
    view = shop.payment(scene.checkout.id)
    assert view["status"] == "completed"
    assert {name: view[name] for name in facts} == facts


# ------------------------------------------------------------------------------ by card


@WITH_AND_WITHOUT_JAVASCRIPT
def test_a_shopper_pays_with_a_card_and_returns_to_the_shop(
    has_javascript: bool, open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url, has_javascript=has_javascript) as scene:
        pay(scene.page, "4242 4242 4242 4242")
        expect_paid(scene, shop, thanks_url, payment_method="card", card_last4="4242")


@WITH_AND_WITHOUT_JAVASCRIPT
@pytest.mark.parametrize("ending", ["paid", "challenged", "canceled"])
def test_a_shopper_gets_back_to_a_shop_that_redirects_to_another_origin(
    ending: str, has_javascript: bool, open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    """As shops do from http to https, or to www: no policy of ours can list where they lead."""
    with (
        shop_front(moved_to=thanks_url) as moved_url,
        at_checkout(open_browser, shop, moved_url, has_javascript=has_javascript) as scene,
    ):
        if ending == "canceled":
            scene.page.get_by_role("button", name="Cancel and return").click()
        else:
            pay(scene.page, PAID_CARD if ending == "paid" else CHALLENGE_CARD)
        if ending == "challenged":
            scene.page.get_by_label("One-time code").fill(ONE_TIME_CODE)
            scene.page.get_by_role("button", name="Confirm payment").click()
        expect_return(scene, thanks_url)


def test_the_browser_writes_hosts_as_we_do(open_browser: Open) -> None:
    hosts = ("straße.de", "νίκος.gr", "Bücher.example", "faß.ÖBB.at", "例え.テスト", "a。b.example")
    with open_browser() as page:
        for host in hosts:
            assert page.evaluate("host => new URL(`https://${host}/`).hostname", host) == (
                ascii_host(host)
            )


@WITH_AND_WITHOUT_JAVASCRIPT
def test_a_shopper_passes_the_banks_challenge_and_has_paid(
    has_javascript: bool, open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url, has_javascript=has_javascript) as scene:
        pay(scene.page, CHALLENGE_CARD)
        scene.page.get_by_label("One-time code").fill(ONE_TIME_CODE)
        scene.page.get_by_role("button", name="Confirm payment").click()
        expect_paid(scene, shop, thanks_url, card_last4="3184")


def test_a_shopper_who_fails_the_challenge_is_told_and_pays_with_another_card(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url) as scene:
        pay(scene.page, CHALLENGE_CARD)
        scene.page.get_by_role("button", name="Fail the confirmation").click()
        expect(scene.page.get_by_role("alert")).to_contain_text("did not confirm")
        pay(scene.page, PAID_CARD)
        expect_paid(scene, shop, thanks_url, card_last4="4242")


@WITH_AND_WITHOUT_JAVASCRIPT
def test_a_declined_shopper_is_told_so_and_pays_with_a_second_card(
    has_javascript: bool, open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url, has_javascript=has_javascript) as scene:
        pay(scene.page, DECLINED_CARD)
        expect(scene.page.get_by_role("alert")).to_contain_text("You have not been charged")
        pay(scene.page, "5555 5555 5555 4444")
        expect_paid(scene, shop, thanks_url, card_brand="mastercard")


def test_a_shopper_leaves_an_open_challenge_and_pays_with_another_card(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url) as scene:
        pay(scene.page, CHALLENGE_CARD)
        states.checkout(scene)
        scene.page.get_by_role("button", name="Stop and use another card").click()
        expect(scene.page.get_by_role("alert")).to_contain_text("You stopped the confirmation")
        pay(scene.page, PAID_CARD)
        expect_paid(scene, shop, thanks_url)


# ------------------------------------------------------------------------------ by wallet


@WITH_AND_WITHOUT_JAVASCRIPT
@pytest.mark.parametrize(
    ("method", "name"), [("apple_pay", "Apple Pay"), ("google_pay", "Google Pay")]
)
def test_a_shopper_pays_with_a_wallet(
    method: str, name: str, has_javascript: bool, open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url, has_javascript=has_javascript) as scene:
        confirm = scene.page.get_by_role("button", name=f"Confirm with {name}")
        expect(confirm).to_be_hidden()
        scene.page.locator(f"#{method}").click()
        confirm.click()
        expect_paid(scene, shop, thanks_url, payment_method=method, card_last4="4242")


def test_a_wallets_card_without_a_cryptogram_is_asked_for_a_confirmation(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url) as scene:
        scene.page.locator("#google_pay").click()
        scene.page.get_by_label("asks for a confirmation").check()
        scene.page.get_by_role("button", name="Confirm with Google Pay").click()
        scene.page.get_by_label("One-time code").fill(ONE_TIME_CODE)
        scene.page.get_by_role("button", name="Confirm payment").click()
        expect_paid(scene, shop, thanks_url, payment_method="google_pay", card_last4="3184")


@WITH_AND_WITHOUT_JAVASCRIPT
def test_a_wallet_that_cannot_be_read_is_an_error_that_leads_to_that_wallet(
    has_javascript: bool, open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    """Nobody can type a token, so the page's own one is spoilt."""
    with at_checkout(open_browser, shop, thanks_url, has_javascript=has_javascript) as scene:
        page = scene.page
        page.locator("#google_pay").click()
        token = page.locator(".wallet[open] input[type=radio]").first
        token.evaluate("(input) => { input.value = 'spoilt'; }")
        page.get_by_role("button", name="Confirm with Google Pay").click()

        link = page.get_by_role("alert").get_by_role("link")
        expect(link).to_have_text("This is not a payment token of this wallet.")
        expect(link).to_have_attribute("href", "#google_pay")
        expect(page.locator(".wallet[open] .error")).to_have_text(link.inner_text())
        page.get_by_role("button", name="Confirm with Google Pay").click()
        expect_paid(scene, shop, thanks_url)


# ------------------------------------------------------------------------------ errors


def test_a_typing_error_is_found_before_anything_is_sent_and_nothing_typed_is_lost(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url) as scene:
        page = scene.page
        pay(page, "4242 4242 4242 4241", year="")
        expect(page.locator("#problems")).to_be_focused()
        expect(page.locator("#problems li")).to_have_text(
            ["Enter a valid card number.", "Enter the year your card expires."]
        )
        expect(page.locator("[aria-invalid]")).to_have_count(2)
        expect(page.locator("#card_number")).to_have_value("4242 4242 4242 4241")
        expect(page.locator("#card_number")).to_have_accessible_description(
            "Enter a valid card number. " + text("page.brand_unknown")
        )
        page.locator("#problems a").first.click()
        expect(page.locator("#card_number")).to_be_focused()
        pay(page, PAID_CARD)
        expect_paid(scene, shop, thanks_url)


def test_without_javascript_the_server_finds_the_same_errors_in_the_same_places(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    found = []
    for has_javascript in (True, False):
        with at_checkout(open_browser, shop, thanks_url, has_javascript=has_javascript) as scene:
            page = scene.page
            pay(page, "378282246310006", year="x")
            expect(page.locator("#problems")).to_be_visible()
            links = page.locator("#problems a").all()
            errors = page.locator("#pay .error").all()
            found.append(
                (
                    [(link.get_attribute("href"), link.inner_text()) for link in links],
                    [(error.get_attribute("id"), error.inner_text()) for error in errors],
                )
            )
    assert found[0] == found[1]
    assert [error for error, _ in found[0][1]] == ["card_number-error", "exp_year-error"]


def test_the_brand_is_shown_and_said_while_the_number_is_typed(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url) as scene:
        number, badge = scene.page.locator("#card_number"), scene.page.locator("#brand")
        said = scene.page.locator("#brand-name")
        expect(badge).to_be_hidden()
        brands = {
            "4242": "Visa",
            "2223 00": "Mastercard",
            "3782 822463": "American Express",
            "6011 11": "Discover",
            "3056 93": "Diners Club",
            "3566 00": "JCB",
            "6200 00": "UnionPay",
        }
        for typed, name in brands.items():
            number.fill("")
            number.press_sequentially(typed.replace(" ", ""))
            expect(number).to_have_value(typed)
            expect(said).to_have_text(name)
            expect(badge).to_be_visible()
        number.fill("9")
        expect(said).to_be_empty()
        expect(badge).to_be_hidden()


# ------------------------------------------------------------------------------ there and back


@WITH_AND_WITHOUT_JAVASCRIPT
def test_a_shopper_who_gives_up_returns_to_the_shop(
    has_javascript: bool, open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url, has_javascript=has_javascript) as scene:
        scene.page.get_by_role("button", name="Cancel and return to Corner Shop").click()
        expect_return(scene, thanks_url)
        assert shop.payment(scene.checkout.id)["status"] == "canceled"


@WITH_AND_WITHOUT_JAVASCRIPT
def test_the_waiting_page_survives_reloads_and_leads_on_by_itself(
    has_javascript: bool, open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url, has_javascript=has_javascript) as scene:
        states.processing(scene)
        waiting = scene.page.get_by_role("heading", name="Your payment is being processed")
        expect(waiting).to_be_visible()
        for _ in range(2):
            scene.page.reload()
            expect(waiting).to_be_visible()
        states.set_status(scene, "succeeded")
        expect_return(scene, thanks_url)


def test_a_reload_in_the_middle_of_paying_charges_once_and_ends_at_the_shop(
    open_browser: Open, stack_for: StackFor, thanks_url: str
) -> None:
    """This stack answers before the outcome is there."""
    hasty = stack_for(OutcomeWaitSeconds="0")
    shop = open_shop(hasty)
    with at_checkout(open_browser, shop, thanks_url) as scene:
        pay(scene.page, PAID_CARD)
        scene.page.reload()
        expect_paid(scene, shop, thanks_url)
    assert times_paid(hasty, scene.checkout) == 1
    assert len(ledger(hasty, scene.checkout)) == 1
    shop.close()


def test_the_back_button_after_paying_shows_a_page_that_pays_nothing_twice(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url) as scene:
        pay(scene.page, PAID_CARD)
        expect_return(scene, thanks_url)
        scene.page.go_back()
        button = scene.page.locator("#pay button")
        if button.count():  # as it was left, from the browser's memory
            expect(button).not_to_have_attribute("aria-disabled", "true")
            fill_in(scene.page, PAID_CARD)
            button.click()
            expect_paid(scene, shop, thanks_url)
        else:
            expect(scene.page.get_by_role("heading")).to_have_text("Payment complete")


def test_a_page_that_comes_back_as_it_was_left_can_be_used_again(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url) as scene:
        states.contacting_the_bank(scene)
        button = scene.page.locator("#pay button")
        expect(button).to_have_text("Processing…")
        expect(scene.page.get_by_text("Contacting your bank…")).to_be_visible()

        scene.page.evaluate(
            "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"
        )

        expect(button).not_to_have_attribute("aria-disabled", "true")
        expect(button).to_have_text("Pay $500.00")
        expect(scene.page.locator("#pay .progress")).to_be_empty()


# ------------------------------------------------------------------------------ everybody


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """As many steps as it takes, but not endlessly many."""
    for _ in range(30):
        if page.evaluate("(selector) => document.activeElement?.matches(selector)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_shopper_pays_with_the_keyboard_alone(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url) as scene:
        page = scene.page
        for selector, typed in {
            "#card_number": CHALLENGE_CARD,
            "#exp_month": "12",
            "#exp_year": "34",
            "#cvc": "314",
            "#name": "Ada Lovelace",
            "#email": "ada@example.com",
        }.items():
            tab_to(page, selector)
            page.keyboard.type(typed)
        tab_to(page, "#pay button")
        page.keyboard.press("Enter")
        page.wait_for_url("**/3ds/**")
        tab_to(page, "#code")
        page.keyboard.type(ONE_TIME_CODE)
        page.keyboard.press("Enter")
        expect_paid(scene, shop, thanks_url, customer_email="ada@example.com")


def test_a_shopper_pays_from_a_wallet_with_the_keyboard_alone(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with at_checkout(open_browser, shop, thanks_url) as scene:
        page = scene.page
        tab_to(page, "#apple_pay")
        page.keyboard.press("Enter")
        tab_to(page, ".wallet[open] input[type=radio]")
        page.keyboard.press("ArrowDown")
        tab_to(page, ".wallet[open] button")
        page.keyboard.press("Space")
        expect_paid(scene, shop, thanks_url, payment_method="apple_pay", card_last4="4444")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shopper_pays_on_a_phone_in_each_language(
    language: str, open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    options = {"size": PHONE, "language": f"{language}-{language.upper()}"}
    with at_checkout(open_browser, shop, thanks_url, **options) as scene:
        page = scene.page
        expect(page.locator("html")).to_have_attribute("lang", language)
        title = text("page.pay_title", language, merchant="Corner Shop")
        expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
        assert has_room(page)
        page.locator("#pay button").click()
        expect(page.locator("#problems h2")).to_have_text(text("page.problems", language))
        assert has_room(page)
        pay(page, CHALLENGE_CARD)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("h1")).to_have_text(text("page.bank_title", language))
        assert has_room(page)
        page.locator("#code").fill(ONE_TIME_CODE)
        page.locator("button[value=pass]").click()
        expect_paid(scene, shop, thanks_url)


def test_a_long_order_from_a_long_named_shop_fits_a_phone(
    open_browser: Open, shop: Shop, thanks_url: str
) -> None:
    with open_browser(size=(320, 640)) as page:
        order = {"items": ["W" * 200] * 30, "description": "M" * 300, "currency": "KWD"}
        checkout = shop.checkout(return_url=thanks_url, amount="999999999999.999", **order)
        states.checkout(Scene(page, shop.stack, checkout))
        assert has_room(page)
        expect(page.locator(".items li:visible")).to_have_count(4)
        page.get_by_text("Show 26 more").click()
        expect(page.locator(".items li:visible")).to_have_count(30)


# ------------------------------------------------------------------------------ what it costs


def test_a_checkout_costs_less_than_sixty_kilobytes_and_at_most_five_requests(
    open_browser: Open, stack: Stack, shop: Shop, thanks_url: str
) -> None:
    with open_browser() as page:
        sizes: dict[str, int] = {}

        def weigh(request: Any) -> None:
            weights = request.sizes()
            sizes[request.url] = weights["responseBodySize"] + weights["responseHeadersSize"]

        page.on("requestfinished", weigh)
        scene = Scene(page, stack, shop.checkout(return_url=thanks_url))
        states.checkout(scene)
        page.wait_for_load_state("networkidle")
        # Playwright does not report the icon in the tab.
        icon = scene.shopper().open(f"{stack.url}/checkout/static/icon.svg")
        sizes[icon.url] = len(icon.content) + len(str(icon.headers))

        print(f"checkout page: {len(sizes)} requests, {sum(sizes.values())} bytes")
        assert len(sizes) == 5, sizes.keys()
        assert sum(sizes.values()) < 60_000, sizes
