"""Section 5 of the contract, the security of the shopper's pages."""

import http.client
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from payments.model.ids import Mode
from payments.model.merchant import Merchant
from payments.use_cases.api_keys import ApiKeys
from tests.conftest import StackFor
from tests.support.actors import (
    CHALLENGE_CARD,
    DECLINED_CARD,
    PAID_CARD,
    Checkout,
    Shop,
    Shopper,
    open_shop,
)
from tests.support.html import Page
from tests.support.records import ledger, open_attempts, stored
from tests.support.stack import Stack

LIFETIME_SECONDS = 2
RETURN_URL = "https://shop.example:8443/done?a=1"
SHOP_ORIGIN = "https://shop.example:8443"
URL_ATTRIBUTES = ("href", "src", "action", "formaction", "data", "poster", "srcset", "background")
LOADED_ATTRIBUTES = ("src", "srcset", "data", "poster", "background")
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}${7*7}</title>&amp;"


# ------------------------------------------------------------------------------ all the pages


def open_checkout(shopper: Shopper, checkout: Checkout) -> requests.Response:
    return shopper.open(checkout.redirect)


def refused_form(shopper: Shopper, checkout: Checkout) -> requests.Response:
    return shopper.pay_by_form(checkout, "4242", name="Ada", email="nobody")


def declined(shopper: Shopper, checkout: Checkout) -> requests.Response:
    shopper.pay(checkout, DECLINED_CARD)
    return shopper.status(checkout, as_json=False)


def challenge(shopper: Shopper, checkout: Checkout) -> requests.Response:
    return shopper.open(shopper.start_challenge(checkout))


def wrong_code(shopper: Shopper, checkout: Checkout) -> requests.Response:
    return shopper.post(shopper.start_challenge(checkout), data={"code": "0"})


def open_challenge(shopper: Shopper, checkout: Checkout) -> requests.Response:
    shopper.pay(checkout, CHALLENGE_CARD)
    return shopper.status(checkout, as_json=False)


def waiting(shopper: Shopper, checkout: Checkout) -> requests.Response:
    """As the page is between a submit and its outcome, however quick the workflow is."""
    _, mode, merchant, _ = checkout.client_secret.split("_")
    shopper.stack.dynamodb.update_item(
        TableName=shopper.stack.resources["PaymentsTable"],
        Key={"pk": {"S": f"{merchant}#{mode}"}, "id": {"S": checkout.id}},
        UpdateExpression="SET #status = :processing",
        ConditionExpression="attribute_exists(id)",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":processing": {"S": "processing"}},
    )
    return shopper.status(checkout, as_json=False)


def paid(shopper: Shopper, checkout: Checkout) -> requests.Response:
    shopper.pay(checkout)
    return shopper.status(checkout, as_json=False)


def canceled(shopper: Shopper, checkout: Checkout) -> requests.Response:
    shopper.cancel(checkout)
    return shopper.status(checkout, as_json=False)


def failed(shopper: Shopper, checkout: Checkout) -> requests.Response:
    for _ in range(5):
        shopper.pay(checkout, DECLINED_CARD)
    return shopper.status(checkout, as_json=False)


def unknown_payment(shopper: Shopper, checkout: Checkout) -> requests.Response:
    return shopper.open(checkout.redirect[: len(checkout.redirect) // 2])


def unknown_secret(shopper: Shopper, checkout: Checkout) -> requests.Response:
    return shopper.pay_by_form(Checkout(checkout.id, "cs_test_nobody_" + "0" * 32, "", {}))


def unknown_challenge(shopper: Shopper, checkout: Checkout) -> requests.Response:
    return shopper.open(f"{shopper.stack.url}/3ds/nothing")


def unknown_file(shopper: Shopper, checkout: Checkout) -> requests.Response:
    return shopper.open(f"{shopper.stack.url}/checkout/static/nothing.css")


def malformed_form(shopper: Shopper, checkout: Checkout) -> requests.Response:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return shopper.post(f"{shopper.stack.url}/checkout/{checkout.id}", data=b"a=%ff", headers=form)


def too_large_form(shopper: Shopper, checkout: Checkout) -> requests.Response:
    return shopper.pay_by_form(checkout, name="x" * 70_000)


PagesOf = Callable[[Shopper, Checkout], requests.Response]
WITH_A_FORM: list[PagesOf] = [
    open_checkout,
    refused_form,
    declined,
    challenge,
    wrong_code,
    open_challenge,
]
OF_A_PAYMENT: list[PagesOf] = [*WITH_A_FORM, waiting, paid, canceled, failed]
OF_NOTHING: list[PagesOf] = [
    unknown_payment,
    unknown_secret,
    unknown_challenge,
    unknown_file,
    malformed_form,
    too_large_form,
]
STATUS_OF_PAGE: dict[PagesOf, int] = {
    refused_form: 400,
    wrong_code: 400,
    malformed_form: 400,
    too_large_form: 413,
}
NAMES = [page.__name__ for page in [*OF_A_PAYMENT, *OF_NOTHING]] + ["expired"]


@pytest.fixture(scope="module")
def pages(stack: Stack, stack_for: StackFor) -> Iterator[dict[str, requests.Response]]:
    """Every page there is, by name."""
    shop, shopper = open_shop(stack), Shopper(stack)
    short_lived = stack_for(PaymentLifetimeSeconds=str(LIFETIME_SECONDS))
    late_shop, late_shopper = open_shop(short_lived), Shopper(short_lived)
    late = late_shop.checkout(return_url=RETURN_URL)
    created_at = time.monotonic()
    found = {
        page.__name__: page(shopper, shop.checkout(return_url=RETURN_URL))
        for page in [*OF_A_PAYMENT, *OF_NOTHING]
    }
    time.sleep(max(0.0, created_at + LIFETIME_SECONDS - time.monotonic()))
    found["expired"] = late_shopper.status(late, as_json=False)
    yield found
    for actor in (shop, shopper, late_shop, late_shopper):
        actor.close()


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def policy_of(answer: requests.Response) -> dict[str, list[str]]:
    """The Content-Security-Policy: directive -> sources."""
    header = answer.headers["Content-Security-Policy"]
    assert "," not in header, "two policies"
    directives = [directive.split() for directive in header.split(";") if directive.strip()]
    policy = {name: sources for name, *sources in directives}
    assert len(policy) == len(directives), "a directive twice: only its first would count"
    return policy


@pytest.mark.parametrize("page", [*OF_A_PAYMENT, *OF_NOTHING], ids=lambda page: page.__name__)
def test_the_pages_under_test_are_those_they_are_taken_for(
    page: PagesOf, pages: dict[str, requests.Response]
) -> None:
    expected = STATUS_OF_PAGE.get(page, 404 if page in OF_NOTHING else 200)
    answer = pages[page.__name__]
    assert answer.status_code == expected
    assert bool(Page(answer).forms) == (page in WITH_A_FORM)


# ------------------------------------------------------------------------------ headers


@pytest.mark.parametrize("name", NAMES)
def test_every_page_has_a_strict_content_security_policy(
    name: str, pages: dict[str, requests.Response]
) -> None:
    """No inline script or style and no third party, whatever the browser falls back to."""
    policy = policy_of(pages[name])
    assert policy.pop("form-action") == ["'self'"]
    assert policy.pop("frame-ancestors") == ["'none'"]
    assert policy.pop("base-uri") in (["'none'"], ["'self'"])
    assert policy.pop("default-src") == ["'none'"]
    assert all(directive.endswith("-src") for directive in policy), policy
    assert all(sources in (["'self'"], ["'none'"]) for sources in policy.values()), policy


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    ],
)
def test_every_page_is_kept_out_of_caches_referrers_and_guesses(
    name: str, header: str, value: str, pages: dict[str, requests.Response]
) -> None:
    assert pages[name].headers[header] == value


@pytest.mark.parametrize("name", NAMES)
def test_every_page_asks_for_https_from_now_on(
    name: str, pages: dict[str, requests.Response]
) -> None:
    header = pages[name].headers["Strict-Transport-Security"]
    max_age = re.search(r"max-age=(\d+)", header)
    assert max_age
    assert int(max_age[1]) >= 365 * 24 * 60 * 60


@pytest.mark.parametrize("name", NAMES)
def test_every_page_says_that_it_is_html_in_utf_8_and_in_which_language(
    name: str, pages: dict[str, requests.Response]
) -> None:
    answer = pages[name]
    assert answer.headers["Content-Type"].replace(" ", "").lower() == "text/html;charset=utf-8"
    assert Page(answer).all("html")[0].attributes["lang"] == "en"


@pytest.mark.parametrize(
    ("return_url", "leads_to"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/a;b?c=d;script-src%20*#;e", "https://example.com/a;b"),
        ("http://localhost:3000/back", "http://localhost:3000/back"),
        ("https://bücher.example/danke", "https://xn--bcher-kva.example/danke"),
        ("https://example.com?x='unsafe-inline'", "https://example.com"),
    ],
)
def test_whatever_the_return_url_the_policy_is_the_same_and_the_page_leaves_for_it(
    return_url: str, leads_to: str, shop: Shop, shopper: Shopper
) -> None:
    checkout = shop.checkout(return_url=return_url)
    policy = policy_of(shopper.open(checkout.redirect))
    assert (policy["script-src"], policy["form-action"]) == (["'self'"], ["'self'"])
    assert shopper.way_out(shopper.pay_by_form(checkout)).partition("?")[0] == leads_to


@pytest.mark.parametrize(
    "return_url",
    [
        "https://*/x",
        "https://*.example.com/x",
        "https://example.com;script-src/x",
        "https://exam,ple.com/x",
        "https://'unsafe-inline'/x",
        "https://a b/x",
        "https:///x",
        "javascript:alert(1)",
        "data:text/html,x",
    ],
)
def test_a_return_url_that_would_widen_the_policy_is_refused(return_url: str, shop: Shop) -> None:
    answer = shop.create(return_url=return_url)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["return_url"]


def test_the_way_back_is_a_redirect_that_tells_nobody_where_the_shopper_was(
    shop: Shop, shopper: Shopper
) -> None:
    """Page addresses hold the client secret: neither caches nor the shop may learn them."""
    for answer in (shopper.pay_by_form(shop.checkout()), shopper.cancel(shop.checkout())):
        assert answer.status_code == 303
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


# ------------------------------------------------------------------------------ the HTML


@pytest.mark.parametrize("name", NAMES)
def test_no_page_has_inline_scripts_styles_or_handlers(
    name: str, pages: dict[str, requests.Response]
) -> None:
    """The policy would stop them: a page that has them does not work."""
    page = Page(pages[name])
    for script in page.all("script"):
        assert script.attributes.get("src")
        assert not script.text.strip()
    assert page.all("style") == []
    for element in page.all():
        assert "style" not in element.attributes
        assert not [name for name in element.attributes if name.startswith("on")]
    assert not {element.tag for element in page.all()} & {"base", "iframe", "object", "embed"}


@pytest.mark.parametrize("name", NAMES)
def test_no_page_names_a_third_party(name: str, pages: dict[str, requests.Response]) -> None:
    answer = pages[name]
    own_origin = origin_of(answer.url)
    for element in Page(answer).all():
        for attribute in URL_ATTRIBUTES:
            if attribute in element.attributes:
                url = urljoin(answer.url, element.attributes[attribute])
                is_link = element.tag == "a" and attribute == "href"
                allowed = {own_origin, SHOP_ORIGIN} if is_link else {own_origin}
                assert origin_of(url) in allowed, (element.tag, url)


@pytest.mark.parametrize("name", NAMES)
def test_everything_a_page_loads_is_there(
    name: str, pages: dict[str, requests.Response], shopper: Shopper
) -> None:
    answer = pages[name]
    page = Page(answer)
    loaded = [
        element.attributes[attribute]
        for element in page.all()
        for attribute in (("href",) if element.tag == "link" else LOADED_ATTRIBUTES)
        if attribute in element.attributes
    ]
    assert loaded
    for url in loaded:
        assert shopper.open(urljoin(answer.url, url)).status_code == 200


# ------------------------------------------------------------------------------ escaping


def hostile_shop(stack: Stack, text: str) -> Shop:
    """A merchant whose own texts are these."""
    merchant = Merchant(
        id=f"hostile-{time.time_ns()}",
        name=f"Shop {text}",
        email="shop@example.com",
        country="CR",
        statement_descriptor=f"SHOP {text}",
        local_currency="CRC",
        settlement_currency="USD",
    )
    key = ApiKeys(stack.key_store).issue(merchant, Mode.TEST, int(time.time()))
    return Shop(stack, key)


def page_with(text: str, page: PagesOf, stack: Stack, shopper: Shopper) -> Page:
    shop = hostile_shop(stack, text)
    checkout = shop.checkout(
        description=f"Description {text}",
        items=[f"Item {text}", f"Another {text}"],
        metadata={f"key {text[:30]}": f"value {text}"},
        return_url="https://shop.example/\"><script>alert('return')</script>",
        customer_email="ada@example.com",
    )
    shop.close()
    return Page(page(shopper, checkout))


def shape_of(page: Page) -> list[tuple[str, list[str]]]:
    return [(element.tag, sorted(element.attributes)) for element in page.all()]


@pytest.mark.parametrize("page", OF_A_PAYMENT, ids=lambda page: page.__name__)
def test_hostile_texts_of_a_merchant_are_shown_as_text_on_every_page(
    page: PagesOf, stack: Stack, shopper: Shopper
) -> None:
    harmless = page_with("harmless", page, stack, shopper)
    hostile = page_with(HOSTILE, page, stack, shopper)

    assert shape_of(hostile) == shape_of(harmless)
    assert hostile.text == harmless.text.replace("harmless", HOSTILE)
    assert "harmless" in harmless.text
    assert [script for script in hostile.all("script") if "src" not in script.attributes] == []


@pytest.mark.parametrize("field", ["name", "email", "exp_month", "exp_year"])
@pytest.mark.parametrize("hostile", [HOSTILE, f"\u202e{HOSTILE}"], ids=["markup", "reversed"])
def test_hostile_input_of_a_shopper_comes_back_as_text(
    field: str, hostile: str, shop: Shop, shopper: Shopper
) -> None:
    typed = {"exp_month": "13", "exp_year": "1999", "name": "x" * 46, "email": "nobody"}
    pages = [
        Page(shopper.pay_by_form(shop.checkout(), "4242", **(typed | {field: text})))
        for text in ("too harmless a text to be a name on a card, or a date", hostile)
    ]
    assert shape_of(pages[1]) == shape_of(pages[0])
    assert pages[1].form("card_number").values[field] in (hostile, "")


@pytest.mark.parametrize("path", ["/checkout/{}", "/3ds/{}", "/checkout/static/{}"])
def test_a_hostile_address_is_not_repeated_on_the_page(path: str, shopper: Shopper) -> None:
    hostile = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    answer = shopper.open(shopper.stack.url + path.format(hostile))
    assert answer.status_code == 404
    assert "alert(1)" not in answer.text


# ------------------------------------------------------------------------------ the address


def test_an_address_claimed_in_a_header_is_believed_nowhere(
    shop: Shop, shopper: Shopper, stack: Stack
) -> None:
    names = ("X-Forwarded-For", "X-Real-IP", "Client-IP", "True-Client-IP", "CF-Connecting-IP")
    claims = {name: f"203.0.113.{number}" for number, name in enumerate(names, start=101)}
    shopper.session.headers.update(claims | {"Forwarded": "for=203.0.113.100"})
    checkout = shop.checkout()

    shopper.open(checkout.redirect)
    assert shopper.pay(checkout, DECLINED_CARD).status_code == 402
    shopper.start_challenge(checkout)

    under_way, asked = open_attempts(stack, checkout), ledger(stack, checkout)
    assert (len(under_way), len(asked)) == (1, 2)
    written = (stack.log, stored(stack, checkout), under_way, asked)
    assert "203.0.113." not in str(written)


# ------------------------------------------------------------------------------ static files


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("style.css", "text/css"),
        ("checkout.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
        ("cards.svg", "image/svg+xml"),
    ],
)
def test_the_pages_own_files_are_served_with_their_types(
    name: str, kind: str, shopper: Shopper
) -> None:
    answer = shopper.open(f"{shopper.stack.url}/checkout/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.text.strip()


@pytest.mark.parametrize("name", ["style.css", "checkout.js", "icon.svg", "cards.svg"])
def test_the_pages_own_files_name_no_third_party(name: str, shopper: Shopper) -> None:
    text = shopper.open(f"{shopper.stack.url}/checkout/static/{name}").text
    without_namespace = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", without_namespace)
    assert "@import" not in text


TRAVERSALS = [
    "/checkout/static/../app.py",
    "/checkout/static/..%2fapp.py",
    "/checkout/static/%2e%2e%2fapp.py",
    "/checkout/static/%2e%2e/app.py",
    "/checkout/static/..%5capp.py",
    "/checkout/static/..%252fapp.py",
    "/checkout/static/....//app.py",
    "/checkout/static/..;/app.py",
    "/checkout/static/.",
    "/checkout/static/..",
    "/checkout/static/",
    "/checkout/static/%2fetc%2fpasswd",
    "/checkout/static//etc/passwd",
    "/checkout/static/style.css%00.py",
    "/checkout/static/STYLE.CSS",
    "/checkout/static/style.css%2f..%2f..%2fapp.py",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_out_of_the_folder_of_static_files(path: str, stack: Stack) -> None:
    """Sent as it stands: an HTTP library would tidy the path up first."""
    address = urlsplit(stack.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()

    assert answer.status == 404
    assert body.strip()
    for secret in ("import ", "def ", "root:", "Traceback"):
        assert secret not in body


def test_the_path_traversals_are_sent_as_they_stand(stack: Stack) -> None:
    """The control of the test above: the same client does get what is there."""
    address = urlsplit(stack.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.request("GET", "/checkout/static/style.css")
    answer = connection.getresponse()
    assert (answer.status, b"body {" in answer.read()) == (200, True)
    connection.close()


# ------------------------------------------------------------------------------ the way in


def test_a_shopper_needs_no_key_and_no_cookie(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    answers = [shopper.open(checkout.redirect), shopper.pay(checkout, PAID_CARD)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert not any("Set-Cookie" in answer.headers for answer in answers)


@pytest.mark.parametrize("page", OF_A_PAYMENT, ids=lambda page: page.__name__)
def test_no_other_origin_may_read_a_page(
    page: PagesOf, pages: dict[str, requests.Response]
) -> None:
    assert "Access-Control-Allow-Origin" not in pages[page.__name__].headers


def test_json_answers_carry_the_headers_that_need_no_page(shop: Shop, shopper: Shopper) -> None:
    checkout = shop.checkout()
    answers = [
        shopper.status(checkout),
        shopper.pay(checkout, "1"),
        shopper.pay(checkout, DECLINED_CARD),
        shopper.pay(checkout),
        shopper.pay(checkout),
        shopper.pay(Checkout("pay_nothing", "nobody", "", {})),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 402, 200, 409, 404]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.parametrize("cvc", ["314", "3 1 4", " 31-4 "])
@pytest.mark.parametrize("name", ["Ada 314", "3 1 4", "31-4 Ada"])
def test_a_code_in_the_name_is_not_repeated_however_it_was_typed(
    cvc: str, name: str, shop: Shop, shopper: Shopper
) -> None:
    form = shopper.pay_by_form(shop.checkout(), "1", cvc=cvc, name=name)
    assert Page(form).form("card_number").values["name"] == ""
