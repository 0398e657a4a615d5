"""EMV 3DS 2.x: what a transaction status means, and its ECI in each scheme.

Y authenticated    A attempted       liability shifts to the issuer
C challenge                          the issuer wants to see the shopper first
N not authenticated    R rejected    refused: never charged
U unavailable    I informational     no answer: the owner's policy decides
"""

from dataclasses import dataclass

_FULL, _ATTEMPTED, _NONE = range(3)
_OUTCOME = {"Y": _FULL, "A": _ATTEMPTED}
_ECI = {"mastercard": ("02", "01", "00")}
_ECI_ELSEWHERE = ("05", "06", "07")

AUTHENTICATED = frozenset(_OUTCOME)
UNAVAILABLE = frozenset("UI")


@dataclass(frozen=True, slots=True)
class Authentication:
    """A 3DS result. `trans_status` is EMV 3DS's: Y, A, C, N, R, U or I.

    `challenge_url` is where the shopper proves who they are, if the status is C. `flow` is
    `frictionless`, `challenge`, or `wallet` where the device has authenticated its owner.
    """

    trans_status: str
    eci: str | None = None
    liability_shift: bool = False
    challenge_url: str | None = None
    flow: str = "frictionless"

    @property
    def needs_challenge(self) -> bool:
        return self.trans_status == "C"

    @property
    def is_unavailable(self) -> bool:
        """The issuer neither confirms nor rejects the shopper: a policy decides."""
        return self.trans_status in UNAVAILABLE

    @property
    def is_authenticated(self) -> bool:
        """Authenticated or attempted; every charge asks for 3DS (contract, section 5)."""
        return self.trans_status in AUTHENTICATED


def eci_of(trans_status: str, brand: str) -> str:
    """The electronic commerce indicator that goes with the charge."""
    return _ECI.get(brand, _ECI_ELSEWHERE)[_OUTCOME.get(trans_status, _NONE)]


def shifts_liability(eci: str) -> bool:
    """Whether the issuer is liable for fraud, by the ECI of any scheme."""
    return eci in {
        indicators[outcome]
        for indicators in (*_ECI.values(), _ECI_ELSEWHERE)
        for outcome in (_FULL, _ATTEMPTED)
    }
