"""Every word people read, by key and language; one catalogue file per language in `locales/`."""

import json
import re
from functools import cache
from operator import itemgetter
from pathlib import Path

LANGUAGES = ("en", "es", "pt", "it", "de", "fr")
DEFAULT_LANGUAGE = "en"
_LOCALES = Path(__file__).parent / "locales"
MAX_RANGES = 100
# Any number of decimals: not everybody rounds to the three that the grammar has.
_RANGE = re.compile(
    r"[ \t]*(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)[ \t]*"
    r"(?:;[ \t]*q=(0(?:\.[0-9]*)?|1(?:\.0*)?)[ \t]*)?",
    re.ASCII | re.IGNORECASE,
)


@cache
def catalogue(language: str) -> dict[str, str]:
    """All texts of a language by key."""
    texts: dict[str, str] = json.loads((_LOCALES / f"{language}.json").read_text("utf-8"))
    return texts


def text(key: str, language: str = DEFAULT_LANGUAGE, **values: str | int) -> str:
    """The text with its `{placeholders}` filled in. Raises KeyError for an unknown key."""
    return catalogue(language)[key].format(**values)


def negotiate(accept_language: str | None) -> str:
    """The language to respond in (contract, section 7), by RFC 9110, 12.5.4, and RFC 4647, 3.4.

    Every catalogue is of a language without a region, so looking a range up comes down to its
    first subtag. Refusing a region leaves its language, and `*` names no language.
    """
    entries = (accept_language or "").split(",", MAX_RANGES)[:MAX_RANGES]
    matches = [match for entry in entries if (match := _RANGE.fullmatch(entry))]
    ranges = [(float(match[2] or 1), match[1].lower()) for match in matches]
    refused = {name for quality, name in ranges if not quality}
    best_first = sorted(ranges, key=itemgetter(0), reverse=True)  # equals stay in their order
    wanted = [name.partition("-")[0] for quality, name in best_first if quality]
    for language in (*wanted, *LANGUAGES):  # none of those wanted: the first that is not refused
        if language in LANGUAGES and language not in refused:
            return language
    return DEFAULT_LANGUAGE
