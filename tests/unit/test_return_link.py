"""The way back to the shop: whatever is accepted as return_url can be written to a header."""

import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.errors import InvalidInputError
from payments.inputs.merchant_api import PaymentRequest, parse
from payments.model.hosts import ascii_host, is_host
from payments.web.return_link import return_link
from tests.support.actors import order

_IN_A_CSP_SOURCE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?(:[0-9]+)?")
HOSTS = st.text(st.sampled_from("aZ09-._:[]@%*;,' ßςüİ。\u200d中☕"), min_size=1, max_size=20)
PARTS = st.text(st.sampled_from("ab=%;?/+ü"), max_size=5) | st.just("id_payment=old")
QUERIES = st.lists(PARTS, max_size=6).map("&".join)


def _link(return_url: str) -> str:
    payment: Any = SimpleNamespace(id="pay_1", return_url=return_url)
    return return_link(payment)


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("straße.de", "xn--strae-oqa.de"),
        ("νίκος.gr", "xn--kxawhkp.gr"),
        ("Bücher.Example", "xn--bcher-kva.example"),
        ("ｅｘａｍｐｌｅ.com", "example.com"),
        ("a。b.example", "a.b.example"),
    ],
)
def test_a_host_is_written_as_browsers_write_it(host: str, written: str) -> None:
    assert ascii_host(host) == written


@given(HOSTS, QUERIES)
def test_every_return_url_that_is_accepted_can_stand_in_a_header(host: str, query: str) -> None:
    return_url = f"https://{host}/a?{query}"
    try:
        parse(PaymentRequest, order(return_url=return_url))
    except InvalidInputError:
        return
    link = _link(return_url)
    assert link.isascii()
    assert link.isprintable()
    assert _IN_A_CSP_SOURCE.fullmatch(urlsplit(link).netloc)
    assert is_host(urlsplit(return_url).hostname or "")


@given(QUERIES)
def test_whatever_the_query_says_stays_as_it_is(query: str) -> None:
    others = [part for part in query.split("&") if part.partition("=")[0] != "id_payment"]
    asked = unquote(urlsplit(_link(f"https://shop.example/a?{query}#end")).query)
    kept = unquote("&".join(others))
    assert asked in (f"{kept}&id_payment=pay_1", f"{kept}id_payment=pay_1")
