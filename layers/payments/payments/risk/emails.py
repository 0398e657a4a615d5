"""What an e-mail address says about its owner."""

# Two letters that are sold to the whole world: they say nothing about a country.
_SOLD_TO_ALL = (
    "ac ag ai am bz cc cd cf co dj eu fm ga gg gq gs im io la li me ml mn ms nu pm pw sc sh so st"
    " sx tc tk tl tm to tv vc vg vu ws"
)
_OTHERWISE_SPELLED = {"uk": "GB"}


def country_of(email: str) -> str:
    """The country of the address's top-level domain, "" where it names none."""
    top = domain_of(email).rpartition(".")[2]
    if len(top) != 2 or not top.isalpha() or not top.isascii() or top in _SOLD_TO_ALL.split():
        return ""
    return _OTHERWISE_SPELLED.get(top, top.upper())


def domain_of(email: str) -> str:
    """Lower-cased; "" if there is no address."""
    return email.rpartition("@")[2].lower()


def mailbox_of(email: str) -> str:
    """One spelling per mailbox: `Ana+shop@example.com` is `ana@example.com`."""
    name, _, domain = email.lower().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"
