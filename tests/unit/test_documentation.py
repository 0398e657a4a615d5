"""What README and docs say exists: links, make targets, fields, codes, fees, alarms."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from local import PROJECT
from payments.model.declines import DECLINE_CODES
from payments.model.lifecycle import REFUSAL_REASONS, Status
from payments.money.fees import EURO_COUNTRIES, EURO_RATE, PUBLISHED, FeeRate

README = PROJECT / "README.md"
PAGES = [README, *sorted((PROJECT / "docs").glob("*.md"))]
LONGEST_README_LINES = 200
_MARKDOWN = MarkdownIt().enable("table")
_ELSEWHERE = re.compile(r"[a-z]+:")
_SOURCE = re.compile(r'\bsrc="([^"]+)"')
_MAKE = re.compile(r"\bmake\s+(?:[A-Z_]+=\S+\s+)*([a-z][a-z-]*)")


@cache
def _tokens(page: Path) -> list[Token]:
    return _MARKDOWN.parse(page.read_text("utf-8"))


def _inline(page: Path) -> Iterator[Token]:
    for token in _tokens(page):
        yield token
        yield from token.children or ()


def _links(page: Path) -> Iterator[str]:
    """The links and pictures that stay in the repository."""
    for token in _inline(page):
        targets = [str(token.attrs.get("href") or token.attrs.get("src") or "")]
        if token.type in ("html_inline", "html_block"):
            targets = _SOURCE.findall(token.content)
        yield from (target for target in targets if target and not _ELSEWHERE.match(target))


@cache
def _anchors(page: Path) -> set[str]:
    """Headings as GitHub names them."""
    tokens = _tokens(page)
    headings = [
        "".join(child.content for child in tokens[number + 1].children or ())
        for number, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _code(page: Path) -> Iterator[str]:
    """What is set as code, in lines and in blocks."""
    for token in _inline(page):
        if token.type in ("code_inline", "fence"):
            yield token.content


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    broken = []
    for link in _links(page):
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        is_there = target.exists() and target.is_relative_to(PROJECT)
        if not is_there or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert not broken


def test_links_are_found_at_all() -> None:
    assert len([link for page in PAGES for link in _links(page)]) > 50
    assert "docs/screenshots/checkout.png" in list(_links(README))


def test_every_page_can_be_reached_from_the_readme() -> None:
    linked = {(README.parent / link.partition("#")[0]).resolve() for link in _links(README)}
    assert not set(PAGES) - {README} - linked


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= LONGEST_README_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {target for code in _code(page) for target in _MAKE.findall(code)}
    assert named <= targets


def test_the_api_page_names_every_field() -> None:
    schemas: dict[str, Any] = yaml.safe_load(
        (PROJECT / "functions/openapi.yaml").read_text("utf-8")
    )["components"]["schemas"]
    # Nothing answers it yet.
    fields = {
        name
        for schema in ("PaymentRequest", "Payment", "ThreeDSecure", "Risk", "ListedPayment")
        for name in schemas[schema]["properties"]
    } - {"refunded_amount"}
    assert not fields - _words_of_api_page()


def test_the_api_page_names_every_code_reason_and_query() -> None:
    catalogue = json.loads(
        (PROJECT / "layers/payments/payments/web/locales/en.json").read_text("utf-8")
    )
    codes = {key.removeprefix("field.") for key in catalogue if key.startswith("field.")}
    queries = {"status", "test", "limit", "sort", "cursor"}
    named = codes | set(DECLINE_CODES) | set(REFUSAL_REASONS.values()) | {"key_reused"} | queries
    assert not named - _words_of_api_page()


def _words_of_api_page() -> set[str]:
    return {word for code in _code(PROJECT / "docs/api.md") for word in re.findall(r"\w+", code)}


def test_the_docs_say_what_every_status_means() -> None:
    page = (PROJECT / "docs/integrate.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))
    assert {status.value for status in Status} - {"succeeded"} | {"completed"} <= rows


def test_the_docs_show_the_fees_as_they_are() -> None:
    page = (PROJECT / "docs/money.md").read_text("utf-8")
    rates = PUBLISHED | {", ".join(sorted(EURO_COUNTRIES)): EURO_RATE}
    assert [name for name, rate in rates.items() if _fee_row(name, rate) not in page] == []


def _fee_row(countries: str, rate: FeeRate) -> str:
    return f"| {countries} | {rate.percentage} % | {rate.currency} {rate.fixed} |\n"


def test_the_docs_say_what_to_do_about_every_alarm() -> None:
    page = (PROJECT / "docs/operate.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `(\w+Alarm)` \|", page, re.MULTILINE))
    templates = ("template.yaml", "functions/monitoring.yaml")
    alarms = {
        name
        for template in templates
        for name in re.findall(
            r"^  (\w+):\n    Type: AWS::CloudWatch::Alarm$",
            (PROJECT / template).read_text("utf-8"),
            re.MULTILINE,
        )
    }
    assert explained == alarms


def test_every_cited_section_of_the_contract_exists() -> None:
    sections = set(
        re.findall(r"^## (\d+)\.", (PROJECT / "docs/contract.md").read_text("utf-8"), re.MULTILINE)
    )
    cited = {
        number
        for folder in ("layers", "functions", "local", "tests")
        for path in (PROJECT / folder).rglob("*.py")
        for numbers in re.findall(
            r"contract, sections? (\d+(?: and \d+)?)", path.read_text("utf-8")
        )
        for number in numbers.split(" and ")
    }
    assert cited
    assert cited <= sections
