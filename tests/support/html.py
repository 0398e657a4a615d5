"""Pages as a browser without JavaScript sees them: elements, text, and forms that can be sent."""

from dataclasses import dataclass
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag


@dataclass(frozen=True)
class Element:
    """A tag with its attributes, and the text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str

    @classmethod
    def of(cls, found: Tag) -> "Element":
        attributes = {name: str(value) for name, value in found.attrs.items()}
        return cls(found.name, attributes, found.text)


@dataclass(frozen=True)
class Form:
    """A form of a page. `fields` are its inputs by name; buttons are not among them."""

    url: str
    method: str
    action: str
    fields: dict[str, Element]

    @classmethod
    def of(cls, found: Tag, page_url: str) -> "Form":
        attributes = Element.of(found).attributes
        named = found.find_all(["input", "select", "textarea"], attrs={"name": True})
        fields = [Element.of(field) for field in named]
        return cls(
            url=urljoin(page_url, attributes.get("action", "")),
            method=attributes.get("method", "get").lower(),
            action=attributes.get("action", ""),
            fields={field.attributes["name"]: field for field in fields},
        )

    @property
    def values(self) -> dict[str, str]:
        """What is sent if nothing is typed."""
        return {name: field.attributes.get("value", "") for name, field in self.fields.items()}

    def send(self, session: requests.Session, **typed: str) -> requests.Response:
        """Posts the form, with `typed` in its fields. Redirects are not followed."""
        assert self.method == "post", "all forms of this product are posted"
        unknown = typed.keys() - self.fields.keys()
        assert not unknown, f"the page has no such field: {unknown}"
        data = self.values | typed
        return session.post(self.url, data=data, allow_redirects=False, timeout=30)


class Page:
    """A parsed page."""

    def __init__(self, response: requests.Response) -> None:
        assert response.headers["Content-Type"].startswith("text/html"), response.headers
        self.url = response.url
        self._soup = BeautifulSoup(response.text, "html.parser", multi_valued_attributes=None)

    @property
    def text(self) -> str:
        """What can be read on the page, white space collapsed."""
        assert self._soup.body, "a page without a body"
        return " ".join(self._soup.body.get_text(" ").split())

    @property
    def title(self) -> str:
        return " ".join(element.text for element in self.all("title"))

    @property
    def headings(self) -> list[str]:
        """Those that can be read: a blank one, or one inside a template, is none."""
        texts = [element.text.strip() for element in self.all("h1", "h2")]
        return [text for text in texts if text]

    @property
    def forms(self) -> list[Form]:
        return [Form.of(found, self.url) for found in self._soup.find_all("form")]

    def all(self, *tags: str) -> list[Element]:
        """All elements with one of these tags, in the page's order; without a tag every element."""
        return [Element.of(found) for found in self._soup.find_all(tags or True)]

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
