"""What an acquirer says of a card and of a charge."""

from dataclasses import asdict, dataclass
from enum import StrEnum

# What an issuer compares with what was typed; of what was not provided nothing is stored.
CHECKED = ("address_line1", "postal_code", "cvc")
NOT_PROVIDED = "not_provided"


class Screening(StrEnum):
    """What the acquirer's own fraud screening says of a card."""

    NORMAL = "normal"
    ELEVATED = "elevated"
    HIGHEST = "highest"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class CardProfile:
    """What the acquirer knows of a card: `funding` is credit or debit, `country` the issuer's."""

    funding: str = ""
    country: str = ""
    screening: Screening = Screening.NORMAL


@dataclass(frozen=True, slots=True)
class AvsCvcResults:
    """How what was typed compares with what the issuer knows.

    Each is `pass`, `fail`, `unavailable` or `not_provided`.
    """

    address_line1: str = NOT_PROVIDED
    postal_code: str = NOT_PROVIDED
    cvc: str = NOT_PROVIDED

    @property
    def facts(self) -> dict[str, str]:
        """What is worth storing: what was not provided need not be said."""
        return {name: value for name, value in asdict(self).items() if value != NOT_PROVIDED}


@dataclass(frozen=True, slots=True)
class Authorization:
    """The acquirer's response to a charge. `decline_code` is stable English, None if approved.

    `is_blocked` if our own rules refused the card, so that the acquirer was never asked.
    `capture_before_us` is when the acquirer lets go of money that it only holds; None if it has
    taken it.
    """

    approved: bool
    decline_code: str | None = None
    checks: AvsCvcResults | None = None
    is_blocked: bool = False
    capture_before_us: int | None = None
