"""Host names: as browsers write them, and which of them headers and security policies can name."""

import re

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_OCTET = re.compile(r"0|[1-9][0-9]{0,2}")
# Browsers take a host whose last label is a number for an IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_MAX_HOST_LENGTH = 253


def ascii_host(host: str) -> str:
    """By UTS 46, non-transitional: `straße.de` is `xn--strae-oqa.de`. "" if it has no such form.

    The transitional forms that IDNA 2003 gives may belong to somebody else: `strasse.de`.
    """
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - large tables, and few hosts need them

    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode()
    except idna.IDNAError:
        return ""


def is_host(host: str) -> bool:
    """Whether a header and a Content-Security-Policy can name it: IPv6 literals, they cannot."""
    labels = ascii_host(host).removesuffix(".").split(".")
    if len(".".join(labels)) > _MAX_HOST_LENGTH or not all(map(_LABEL.fullmatch, labels)):
        return False
    return not _NUMBER.fullmatch(labels[-1]) or _is_ipv4(labels)


def _is_ipv4(labels: list[str]) -> bool:
    return len(labels) == 4 and all(
        _OCTET.fullmatch(label) and int(label) <= 255 for label in labels
    )
