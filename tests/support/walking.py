"""A shopper's browser without JavaScript, going where pages and answers lead."""

import time
from urllib.parse import urljoin

import requests

from tests.support.actors import Checkout, Shopper
from tests.support.html import Page

OUTCOME_SECONDS = 15  # how long an outcome may take on a busy machine, at the very most


def checkout_page(shopper: Shopper, checkout: Checkout) -> Page:
    answer = shopper.open(checkout.redirect)
    assert answer.status_code == 200
    return Page(answer)


def leave(shopper: Shopper, answer: requests.Response) -> str:
    """Follows redirects and self-refreshing pages as a browser does, until they lead elsewhere."""
    deadline = time.monotonic() + OUTCOME_SECONDS
    while time.monotonic() < deadline:
        if answer.status_code == 303:
            url = answer.headers["Location"]
            if not url.startswith(shopper.stack.url):
                return url
            answer = shopper.open(url)
            continue
        if "Refresh" in answer.headers:
            url = shopper.way_out(answer)
            if not url.startswith(shopper.stack.url):
                return url
            answer = shopper.open(url)
            continue
        refreshes = [
            element.attributes["content"]
            for element in Page(answer).all("meta")
            if element.attributes.get("http-equiv") == "refresh"
        ]
        assert refreshes, f"stuck on: {Page(answer).text}"
        relative = refreshes[0].partition("url=")[2]
        time.sleep(0.1)
        answer = shopper.open(urljoin(answer.url, relative))
    raise AssertionError("no outcome in time")
