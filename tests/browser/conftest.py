"""One browser and one shop front for all tests here. Without a browser they skip, and say so."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import CHROMIUM, MISSING, chromium, opened
from tests.browser.shop_front import shop_front

Open = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(MISSING)
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_browser(browser: Browser) -> Open:
    """`with open_browser(size=PHONE, language="it") as page:` — a shopper's fresh profile."""
    return partial(opened, browser)


@pytest.fixture(scope="session")
def thanks_url() -> Iterator[str]:
    """Where payments of these tests return to."""
    with shop_front() as url:
        yield url
