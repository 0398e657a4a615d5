"""P: the checkout page as a browser fetches it, with everything it names."""

import re
from urllib.parse import urljoin

from payments.model.ids import Mode
from tests.benchmarks.rows import Row
from tests.support.actors import Shopper, open_shop
from tests.support.stack import Stack

_NAMED = re.compile(r'<(?:link|script|img)[^>]+(?:href|src)="([^"]+)"')


def rows(stack: Stack) -> list[Row]:
    shop, shopper = open_shop(stack, Mode.TEST), Shopper(stack)
    first = shop.checkout().redirect
    page = shopper.open(first)
    assert page.status_code == 200, page.text
    urls = [first, *dict.fromkeys(urljoin(first, name) for name in _NAMED.findall(page.text))]
    answers = [shopper.open(url) for url in urls]
    assert {answer.status_code for answer in answers} == {200}
    wire = sum(len(answer.content) + len(str(dict(answer.headers))) for answer in answers)
    shop.close()
    shopper.close()
    return [
        Row("P1", "checkout page with all it names, KB over the wire", wire / 1000, 60),
        Row("P1", "… requests", len(answers), 5),
    ]
