"""Every word people read, by key and language; one catalogue file per language in `locales/`."""

import json
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "es", "pt", "it", "de", "fr")
DEFAULT_LANGUAGE = "en"


@cache
def catalogue(language: str) -> dict[str, str]:
    """All texts of a language by key."""
    texts: dict[str, str] = json.loads(
        files("payments").joinpath(f"locales/{language}.json").read_text("utf-8")
    )
    return texts


def text(key: str, language: str = DEFAULT_LANGUAGE, **values: str | int) -> str:
    """The text with its `{placeholders}` filled in. Raises KeyError for an unknown key."""
    return catalogue(language)[key].format(**values)


def negotiate(accept_language: str | None) -> str:
    """The language to answer in (contract, section 7): the best the reader accepts."""
    ranked: list[tuple[float, int, str]] = []
    for position, entry in enumerate((accept_language or "")[:500].split(",")):
        tag, _, parameters = entry.strip().partition(";")
        base = tag.strip().lower().partition("-")[0]
        quality = _quality(parameters)
        if quality > 0 and base in LANGUAGES:
            ranked.append((-quality, position, base))
    return min(ranked)[2] if ranked else DEFAULT_LANGUAGE


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
