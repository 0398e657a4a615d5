"""Debian's Chromium, driven by Playwright, and what its pages may never do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
MISSING = (
    f"NO BROWSER: {CHROMIUM} is missing, so nothing of the checkout was tried in a browser. "
    "Install Debian's package `chromium`, or set CHROMIUM to where a Chromium is."
)
PHONE = (360, 740)
DESKTOP = (1280, 900)
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_TIMEOUT_MS = 15_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser for everything; each shopper gets a context of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


class Watch:
    """What a context asked for and complained about."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        context.on("request", self._note)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", self._hear)

    def _note(self, request: Request) -> None:
        self.requests.append(request)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def check(self) -> None:
        """No request left this machine; no error, and nothing stopped by the page's own policy.

        Chromium logs the status of a page that is meant to be a 400 or 404.
        """
        hosts = {urlsplit(request.url).hostname for request in self.requests}
        assert hosts <= {"127.0.0.1"}, hosts
        unmeant = [text for text in self.complaints if "responded with a status of 4" not in text]
        assert not unmeant, unmeant


@contextmanager
def opened(
    browser: Browser,
    *,
    size: tuple[int, int] = DESKTOP,
    language: str = "en",
    is_dark: bool = False,
    has_javascript: bool = True,
) -> Iterator[Page]:
    """A page of a shopper with a fresh profile, watched while it is open."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=language,
        color_scheme="dark" if is_dark else "light",
        java_script_enabled=has_javascript,
        reduced_motion="reduce",
        has_touch=size == PHONE,
    )
    context.set_default_timeout(_TIMEOUT_MS)
    watch = Watch(context)
    try:
        yield context.new_page()
    finally:
        context.close()
    watch.check()


def has_room(page: Page) -> bool:
    """Whether nothing has to be scrolled to sideways."""
    root = "document.documentElement"
    return bool(page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"))
