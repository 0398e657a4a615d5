"""The way back to the shop: `return_url` with `id_payment` added (contract, section 5)."""

from urllib.parse import quote, unquote, urlsplit

from payments.model.hosts import ascii_host
from payments.model.payment import Payment

_PARAMETER = "id_payment"
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"


def return_link(payment: Payment) -> str:
    """The URL keeps its query; an `id_payment` in it is replaced; a fragment stays last.

    Only characters a header cannot carry are encoded.
    """
    url, hash_sign, fragment = payment.return_url.partition("#")
    address, _, query = url.partition("?")
    query = "&".join(part for part in query.split("&") if not _is_payment_id(part))
    and_sign = "&" if query and not query.endswith("&") else ""
    query = f"{query}{and_sign}{_PARAMETER}={payment.id}"
    link = f"{_ascii_address(address)}?{query}{hash_sign}{fragment}"
    return quote(link, safe=_URL_CHARACTERS)


def _is_payment_id(part: str) -> bool:
    return unquote(part.partition("=")[0]) == _PARAMETER


def _ascii_address(address: str) -> str:
    """The URL, its host as browsers write it."""
    host, colon, port = urlsplit(address).netloc.partition(":")
    if host.isascii():
        return address
    return address.replace(f"{host}{colon}{port}", f"{ascii_host(host)}{colon}{port}", 1)
