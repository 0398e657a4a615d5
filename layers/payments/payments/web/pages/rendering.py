"""The shopper's pages: HTML from templates, everything escaped, under a strict security policy."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from payments.web.http import Request, Response
from payments.web.texts import text

_TEMPLATES = Environment(
    loader=PackageLoader("payments.web.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# No inline script or style, no third party, no framing (contract, section 5).
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; frame-ancestors 'none';"
    " img-src 'self'; script-src 'self'; style-src 'self'; form-action 'self'"
)
SECURITY_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}


def page(
    request: Request,
    status: int,
    template: str,
    values: Mapping[str, Any],
    leaves_for: str | None = None,
) -> Response:
    """`leaves_for`: where the browser goes on to by itself.

    No redirect could take it there: browsers hold `form-action` against every redirect that follows
    a form post, also those of the shop's own server, whose targets nobody knows beforehand.
    """
    body = _TEMPLATES.get_template(f"{template}.html").render(
        language=request.language,
        prefix=request.prefix,
        t=lambda key, **arguments: text(key, request.language, **arguments),
        **values,
    )
    return Response(
        status,
        body,
        {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Cache-Control": "no-store",
            **SECURITY_HEADERS,
            **({"Refresh": f"0; url={leaves_for}"} if leaves_for else {}),
        },
    )


def redirect(url: str) -> Response:
    """303: whatever was posted, what follows is read."""
    return Response(303, "", {"Location": url, "Cache-Control": "no-store", **SECURITY_HEADERS})
