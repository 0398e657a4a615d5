"""The way back to the shop: `return_url` with `id_payment` added (contract, section 5)."""

from urllib.parse import quote, unquote, urlsplit

from payments.model.payment import Payment

_PARAMETER = "id_payment"
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"


def return_link(payment: Payment) -> str:
    """Whatever query the URL has is kept; an `id_payment` in it is replaced; a fragment stays last.

    Only characters a header cannot carry are encoded.
    """
    url, hash_sign, fragment = payment.return_url.partition("#")
    address, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and not _is_payment_id(part)]
    query = "&".join([*kept, f"{_PARAMETER}={payment.id}"])
    return quote(_ascii_host(f"{address}?{query}{hash_sign}{fragment}"), safe=_URL_CHARACTERS)


def origin(url: str) -> str:
    """Scheme, host and port, as a Content-Security-Policy names them."""
    parts = urlsplit(_ascii_host(url))
    return f"{parts.scheme}://{parts.netloc}"


def _is_payment_id(part: str) -> bool:
    return unquote(part.partition("=")[0]) == _PARAMETER


def _ascii_host(url: str) -> str:
    if url.isascii():
        return url
    host = urlsplit(url).netloc
    try:
        return url.replace(host, host.encode("idna").decode(), 1)
    except UnicodeError:
        return url
