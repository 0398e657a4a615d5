"""Section 7 of the contract: six catalogues that say the same, and the choice between them."""

import json
import re
from string import Formatter

import pytest

from payments.web.pages.formats import shown_time
from payments.web.texts import LANGUAGES, catalogue, negotiate, text
from tests.support.documentation import WORDS
from tests.support.stack import PROJECT
from tests.support.text_keys import used_keys

LOCALES = PROJECT / "layers/payments/payments/web/locales"
TRANSLATIONS = tuple(language for language in LANGUAGES if language != "en")
# Names, and words that happen to be the same in both languages.
DECLINED_IN_ENGLISH = ("es", "pt", "fr")  # contract, section 7
SAME_AS_ENGLISH = {
    *((language, "page.apple_pay") for language in TRANSLATIONS),
    *((language, "page.google_pay") for language in TRANSLATIONS),
    *((language, "page.month_format") for language in TRANSLATIONS),
    ("es", "page.error_prefix"),
    ("de", "page.optional"),
}
_KEY = re.compile(r'\s*"([^"]+)": ')


def placeholders(value: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(value) if name is not None)


# ----------------------------------------------------------------------------------- catalogues


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_one_file_per_language(language: str) -> None:
    assert {path.stem for path in LOCALES.iterdir()} == set(LANGUAGES)
    assert catalogue(language)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_catalogue_is_laid_out_as_the_english_one(language: str) -> None:
    """The same keys in the same lines, each once: two files can be read side by side."""
    english, other = (
        [_KEY.split(line)[1:2] or line for line in path.read_text("utf-8").splitlines()]
        for path in (LOCALES / "en.json", LOCALES / f"{language}.json")
    )
    assert other == english
    assert len(catalogue(language)) == sum(isinstance(line, list) for line in english)


def test_no_key_is_missing() -> None:
    assert used_keys() - catalogue("en").keys() == set()


def test_no_key_is_unused() -> None:
    assert catalogue("en").keys() - used_keys() == set()


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_has_the_placeholders_of_the_english_text(language: str) -> None:
    english = {key: placeholders(value) for key, value in catalogue("en").items()}
    assert {key: placeholders(value) for key, value in catalogue(language).items()} == english


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_everything_is_translated(language: str) -> None:
    english = catalogue("en")
    same = {(language, key) for key, value in catalogue(language).items() if value == english[key]}
    codes = {(language, key) for key in english if key.startswith("decline.")}
    expected = {entry for entry in SAME_AS_ENGLISH if entry[0] == language}
    assert same == expected | (codes if language in DECLINED_IN_ENGLISH else set())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_blank_or_frayed(language: str) -> None:
    frayed = [key for key, value in catalogue(language).items() if value != value.strip()]
    doubled = [key for key, value in catalogue(language).items() if not value or "  " in value]
    assert (frayed, doubled) == ([], [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_that_are_not_filled_in_are_the_same_everywhere(language: str) -> None:
    """Limits, the test card: what is written out in every catalogue may not drift apart."""
    for key, value in catalogue(language).items():
        assert re.findall(r"[0-9]+", value) == re.findall(r"[0-9]+", catalogue("en")[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_counts_with_a_plural_in_brackets(language: str) -> None:
    plural = re.compile(r"\w\(\w{1,3}\)")
    assert [key for key, value in catalogue(language).items() if plural.search(value)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_decline_reasons_are_distinct_words_of_the_documented_form(language: str) -> None:
    reasons = [value for key, value in catalogue(language).items() if key.startswith("decline.")]
    assert len(set(reasons)) == len(reasons)
    assert [reason for reason in reasons if not re.fullmatch(r"[a-z]+(_[a-z]+)*", reason)] == []


@pytest.mark.parametrize("language", DECLINED_IN_ENGLISH)
def test_a_decline_reason_that_no_page_prints_otherwise_is_the_english_code(language: str) -> None:
    reasons = {key: word for key, word in catalogue(language).items() if key.startswith("decline.")}
    assert reasons == {key: key.removeprefix("decline.") for key in reasons}


@pytest.mark.parametrize("language", WORDS)
def test_what_the_documentation_says_in_a_language_is_said_word_for_word(language: str) -> None:
    words = WORDS[language]
    assert {key: text(key, language) for key in words} == words


# ----------------------------------------------------------------------------------- negotiation

NEGOTIATED: dict[str | None, str] = {
    # What nobody asked for.
    None: "en",
    "": "en",
    "ja": "en",
    "ja, zh-Hant;q=0.8": "en",
    # One language, with and without region, script and variant, however it is cased.
    **{language: language for language in LANGUAGES},
    "IT": "it",
    "pt-BR": "pt",
    "pt-PT": "pt",
    "es-419": "es",
    "es-CR": "es",
    "de-CH": "de",
    "DE-ch-1996": "de",
    "fr-Latn-CA": "fr",
    "de-CH-x-phonebk": "de",
    # By q, whatever the order.
    "en;q=0.1, it": "it",
    "en;q=0.5, it;q=0.9, de;q=0.7": "it",
    "de-CH;q=0.8, fr;q=0.9, en;q=0.7": "fr",
    "en;q=0.001,es;q=0.002": "es",
    "it;q=1.000, de;q=0.999": "it",
    "ja, fr;q=0.1": "fr",
    "ja;q=1, en;q=0.3, pt;q=0.4": "pt",
    # A region counts as its language, as high as the region is wanted.
    "en;q=0.9, pt-BR": "pt",
    "pt-BR;q=0.3, en;q=0.2": "pt",
    # What browsers send.
    "it-IT,it;q=0.9,en-US;q=0.8,en;q=0.7": "it",
    "es-CR,es-419;q=0.9,es;q=0.8,en;q=0.7": "es",
    "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5": "fr",
    "nb-NO,nb;q=0.9,de;q=0.5,en;q=0.5": "de",
    # Equals: the first.
    "it, de": "it",
    "de, it": "de",
    "de;q=0.5, it;q=0.5": "de",
    "it;q=0.5, de;q=0.8, it;q=0.8": "de",
    # Anything will do: that leaves it to us, and to what else is said.
    "*": "en",
    "*;q=0.1": "en",
    "ja, *;q=0.5": "en",
    "*, it;q=0.5": "it",
    "it;q=0.2, *;q=0.9": "it",
    "*, fr": "fr",
    # What is refused is not given, even where it is the fallback or asked for by region.
    "it;q=0": "en",
    "it;q=0, de;q=0.1": "de",
    "it;q=0.0, *": "en",
    "en;q=0, *": "es",
    "en;q=0": "es",
    "en;q=0.000, es;q=0, *;q=0.5": "pt",
    "de-CH, de;q=0, fr;q=0.1": "fr",
    "de-CH;q=0, de": "de",
    "de-CH;q=0, de-AT;q=0.5": "de",
    "it, *;q=0": "it",
    "*;q=0": "en",
    "ja, *;q=0": "en",
    ",".join(f"{language};q=0" for language in LANGUAGES): "en",
    # White space and empty elements are allowed.
    "  it ;  q=0.5 ,\tde;q=0.4 ": "it",
    ",,it,,": "it",
    "it;Q=0.2, de;Q=0.3": "de",
    # More decimals than the grammar has are understood all the same.
    "it;q=0.30000000000000004, de;q=0.3": "it",
    "it;q=0., de;q=1.": "de",
    # Junk is passed over, and what stands next to it is not.
    "junk!, it": "it",
    "it;q=high, de;q=0.1": "de",
    "it;q=nan, de;q=0.1": "de",
    "it;q=inf, de;q=0.1": "de",
    "it;q=1e9, de;q=0.1": "de",
    "it;q=2, de;q=0.1": "de",
    "it;q=1.5, de;q=0.1": "de",
    "it;q=-1, de;q=0.1": "de",
    "it;q=, de;q=0.1": "de",
    "it;q, de;q=0.1": "de",
    "it;level=1, de;q=0.1": "de",
    "it;q=0.9;q=0.8, de;q=0.1": "de",
    "it;q=٠.٩, de;q=0.1": "de",
    "it;q = 0.9, de;q=0.1": "de",
    "-it, de;q=0.1": "de",
    "it-, de;q=0.1": "de",
    "it--IT, de;q=0.1": "de",
    "it-toolongasubtag, de;q=0.1": "de",
    "italian, de;q=0.1": "de",
    "e\u017f, de;q=0.1": "de",  # a long s, which is an s to those who ignore case
    "../../it, de;q=0.1": "de",
    "i t, de;q=0.1": "de",
    "it\x00, de;q=0.1": "de",
    "it de": "en",
    "it;de;q=0.1": "en",
    ";": "en",
    "q=1": "en",
    "en_US;q=1, it;q=0.1": "it",
    # Huge: read as far as anybody writes, and no further.
    "ja," * 50 + "it": "it",
    "ja," * 100_000 + "it": "en",
    "it," + "ja," * 100_000: "it",
    "it," + "x" * 1_000_000: "it",
    "it," + "-a" * 500_000 + "!": "it",
    "it;q=0." + "0" * 100_000 + ",de;q=0.1": "de",
    "," * 1_000_000: "en",
}


@pytest.mark.timeout(2)
@pytest.mark.parametrize(
    ("header", "language"),
    NEGOTIATED.items(),
    ids=[ascii(header)[:60] for header in NEGOTIATED],
)
def test_the_best_language_that_is_spoken_is_taken(header: str | None, language: str) -> None:
    assert negotiate(header) == language


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "Jan 2, 2026, 3:04\u202fPM UTC"),
        ("es", "2 ene 2026, 15:04 UTC"),
        ("pt", "2 de jan. de 2026, 15:04 UTC"),
        ("it", "2 gen 2026, 15:04 UTC"),
        ("de", "02.01.2026, 15:04 UTC"),
        ("fr", "2 janv. 2026, 15:04 UTC"),
    ],
)
def test_a_time_is_written_as_the_language_does(language: str, shown: str) -> None:
    assert shown_time(1_767_366_299_999_999, language) == shown


def test_the_catalogues_are_utf_8_that_everybody_can_read_in_a_diff() -> None:
    """Letters as they are; only spaces that look like others are written as escapes."""
    for language in LANGUAGES:
        raw = (LOCALES / f"{language}.json").read_text("utf-8")
        assert re.findall(r"[\u00a0\u2000-\u200f\u2028-\u202f\ufeff]", raw) == []
        assert set(re.findall(r"\\u([0-9a-f]{4})", raw)) <= {"00a0", "202f"}
        assert raw.endswith("}\n")
        assert json.loads(raw) == catalogue(language)
