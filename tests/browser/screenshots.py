"""The main states as pictures, for people who have not started anything yet: `make screenshots`."""

import sys
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import states
from tests.browser.chromium import CHROMIUM, DESKTOP, MISSING, PHONE, chromium, opened
from tests.browser.states import Scene, State
from tests.support.actors import Shop, open_shop
from tests.support.stack import PROJECT, Stack

FOLDER = PROJECT / "docs/screenshots"
MAX_BYTES = 200_000
# Name, state, size, dark?
PICTURES: list[tuple[str, State, tuple[int, int], bool]] = [
    ("checkout", states.checkout, DESKTOP, False),
    ("checkout-dark", states.typing, DESKTOP, True),
    ("checkout-phone", states.typing, PHONE, False),
    ("errors-phone", states.errors_before_sending, PHONE, False),
    ("wallet-phone", states.apple_pay_sheet, PHONE, False),
    ("contacting-the-bank-phone", states.contacting_the_bank, PHONE, False),
    ("declined-phone", states.declined, PHONE, False),
    ("challenge", states.challenge, DESKTOP, False),
    ("challenge-phone", states.challenge, PHONE, False),
    ("processing-phone", states.processing, PHONE, True),
    ("paid", states.paid, DESKTOP, False),
    ("paid-phone", states.paid, PHONE, False),
]


def take(
    browser: Browser, shop: Shop, name: str, state: State, look: tuple[int, int, bool]
) -> Path:
    """One picture of the whole page."""
    width, height, is_dark = look
    path = FOLDER / f"{name}.png"
    with opened(browser, size=(width, height), is_dark=is_dark) as page:
        state(Scene(page, shop.stack, shop.checkout(**states.ORDER)))
        page.screenshot(path=path, full_page=True, caret="hide")
    return path


def main() -> int:
    if not CHROMIUM.exists():
        print(MISSING, file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    stack = Stack()
    try:
        shop = open_shop(stack)
        with chromium() as browser:
            for name, state, (width, height), is_dark in PICTURES:
                path = take(browser, shop, name, state, (width, height, is_dark))
                size = path.stat().st_size
                print(f"{path.relative_to(PROJECT)}  {size // 1000} KB")
                assert size < MAX_BYTES, "too large for a repository"
        shop.close()
    finally:
        stack.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
