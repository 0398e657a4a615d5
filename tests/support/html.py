"""HTML as a browser without JavaScript sees it: elements, text, and forms that can be sent."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_UNSEEN = frozenset({"head", "script", "style", "template", "title"})


@dataclass
class Element:
    """A start tag with its attributes, and the text that stands inside."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Form:
    """A form of a page at `page_url`. `fields` by name; of a submit button only its own."""

    page_url: str
    method: str
    action: str
    fields: dict[str, Element] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it is sent, made absolute as a browser does it."""
        return urljoin(self.page_url, self.action)

    @property
    def values(self) -> dict[str, str]:
        """What is sent if nothing is typed."""
        return {name: item.attributes.get("value", "") for name, item in self.fields.items()}

    def send(self, session: requests.Session, **typed: str) -> requests.Response:
        """Posts the form, with `typed` in its fields. Redirects are not followed."""
        assert self.method == "post", "this product's forms are all posted"
        unknown = typed.keys() - self.fields.keys()
        assert not unknown, f"the page has no such field: {unknown}"
        data = self.values | typed
        return session.post(self.url, data=data, allow_redirects=False, timeout=30)


class Page(HTMLParser):
    """A parsed page."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(convert_charrefs=True)
        assert response.headers["Content-Type"].startswith("text/html"), response.headers
        self.url = response.url
        self.elements: list[Element] = []
        self.forms: list[Form] = []
        self._open: list[Element] = []
        self._seen: list[str] = []
        self.feed(response.text)
        self.close()

    @property
    def text(self) -> str:
        """What can be read on the page, white space collapsed."""
        return " ".join("".join(self._seen).split())

    @property
    def title(self) -> str:
        return " ".join(element.text for element in self.all("title"))

    @property
    def headings(self) -> list[str]:
        return [element.text for element in self.all("h1") + self.all("h2")]

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def form(self, name: str) -> Form:
        """The one form that has a field, or else an action, of this name."""
        found = [
            form
            for form in self.forms
            if name in form.fields or form.action.rstrip("/").endswith(f"/{name}")
        ]
        assert len(found) == 1, f"{len(found)} forms for {name} in: {self.text}"
        return found[0]

    def link(self, text: str) -> str:
        """Where the one link with this text leads, made absolute."""
        found = [item for item in self.all("a") if text.lower() in item.text.lower()]
        assert len(found) == 1, f"{len(found)} links with {text} in: {self.text}"
        return urljoin(self.url, found[0].attributes["href"])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag == "form":
            method = element.attributes.get("method", "get").lower()
            self.forms.append(Form(self.url, method, element.attributes.get("action", "")))
        is_field = tag in ("input", "select", "textarea") and "name" in element.attributes
        if is_field and any(parent.tag == "form" for parent in self._open):
            self.forms[-1].fields[element.attributes["name"]] = element
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass
        self._seen.append(" ")

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data
        if not any(element.tag in _UNSEEN for element in self._open):
            self._seen.append(data)
