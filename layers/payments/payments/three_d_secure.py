"""EMV 3DS 2.x: what a transaction status means, and its ECI in each scheme.

Y authenticated    A attempted       liability shifts to the issuer
C challenge                          the issuer wants to see the shopper first
N not authenticated    R rejected    refused: never charged
U unavailable    I informational     nobody vouches for the shopper: the owner's policy decides
"""

_FULL, _ATTEMPTED, _NONE = range(3)
_OUTCOME = {"Y": _FULL, "A": _ATTEMPTED}
_ECI = {"mastercard": ("02", "01", "00")}
_ECI_ELSEWHERE = ("05", "06", "07")

VOUCHED = frozenset(_OUTCOME)
UNDECIDED = frozenset("UI")


def eci_of(trans_status: str, brand: str) -> str:
    """The electronic commerce indicator that goes with the charge."""
    return _ECI.get(brand, _ECI_ELSEWHERE)[_OUTCOME.get(trans_status, _NONE)]


def shifts_liability(eci: str) -> bool:
    """Whether the issuer answers for fraud, by the ECI of whichever scheme."""
    return eci in {
        indicators[outcome]
        for indicators in (*_ECI.values(), _ECI_ELSEWHERE)
        for outcome in (_FULL, _ATTEMPTED)
    }
