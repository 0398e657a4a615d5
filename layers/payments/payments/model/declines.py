"""Why an attempt ended without money: stable codes, and which of them a shopper may see."""

GENERIC = "generic_decline"
FRAUDULENT = "fraudulent"
INCORRECT_CVC = "incorrect_cvc"

DECLINE_CODES = (
    GENERIC,
    "insufficient_funds",
    "lost_card",
    "stolen_card",
    "expired_card",
    INCORRECT_CVC,
    "processing_error",
    "card_velocity_exceeded",
    "authentication_required",
    "authentication_failed",
    "authentication_unavailable",
    "authentication_abandoned",
    "authentication_timed_out",
    FRAUDULENT,
)
# These would help a thief and embarrass an honest cardholder.
_FOR_THE_MERCHANT_ALONE = ("lost_card", "stolen_card", FRAUDULENT)


def known(code: str) -> str:
    """The code if it is one of ours: an acquirer may have words that no catalogue knows."""
    return code if code in DECLINE_CODES else GENERIC


def shown_to_shopper(code: str) -> str:
    """The code that a page or a response to the shopper may show."""
    return GENERIC if code in _FOR_THE_MERCHANT_ALONE else code
