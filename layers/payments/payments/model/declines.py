"""Why an attempt ended without money: stable codes, and what of them a shopper may be told."""

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
# Telling these to whoever holds the card would help a thief and shame an honest owner.
_FOR_THE_MERCHANT_ALONE = ("lost_card", "stolen_card", FRAUDULENT)


def known(code: str) -> str:
    """The code if it is one of ours: an acquirer may have words that no catalogue knows."""
    return code if code in DECLINE_CODES else GENERIC


def shown_to_shopper(code: str) -> str:
    """The code a page, or an answer to the shopper, may show."""
    return GENERIC if code in _FOR_THE_MERCHANT_ALONE else code
