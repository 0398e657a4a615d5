"""The shopper's pages: HTML from templates, everything escaped, under a strict security policy."""

from collections.abc import Iterable, Mapping
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
    form_targets: Iterable[str] = (),
) -> Response:
    """`form_targets`: origins a form post may be redirected to, besides our own."""
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
            "Content-Security-Policy": _policy(form_targets),
            "Cache-Control": "no-store",
            **SECURITY_HEADERS,
        },
    )


def redirect(url: str) -> Response:
    """303: whatever was posted, what follows is read."""
    return Response(303, "", {"Location": url, "Cache-Control": "no-store", **SECURITY_HEADERS})


def _policy(form_targets: Iterable[str]) -> str:
    """No inline script or style, no third party, no framing (contract, section 5)."""
    targets = " ".join(dict.fromkeys(("'self'", *form_targets)))
    return (
        "default-src 'none'; base-uri 'none'; connect-src 'self'; frame-ancestors 'none';"
        f" img-src 'self'; script-src 'self'; style-src 'self'; form-action {targets}"
    )
