"""What can go wrong at the two seams, AWS and the acquirer, and what was asked there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from botocore.exceptions import ClientError, ReadTimeoutError

from payments.acquirers.port import Acquirer, ChargeRequest
from payments.errors import AcquirerUnavailableError
from payments.model.authorization import Authorization, CardProfile
from payments.model.operation_result import OperationResult
from payments.model.three_d_secure import Authentication
from tests.reliability.scheduler import Call, Crash, Scheduler

Answer = TypeVar("Answer")

# What a call may meet. "crash": the process dies; "lost": the answer never arrives;
# "refused": the service says no for now (AWS), or is not reached (acquirer);
# "repeated": the answer is lost, so the client sends the same again, and both arrive.
BEFORE = ("crash", "refused")
AFTER = ("crash", "lost", "repeated")


@dataclass
class Faults:
    """Decides the fate of every call. `log` has each call's name in the order they were made."""

    choose: Callable[[int, str, str], str | None] = lambda _number, _side, _name: None
    log: list[str] = field(default_factory=list)
    is_on: bool = True

    def before(self, name: str) -> str | None:
        self.log.append(name)
        return self.choose(len(self.log), "before", name) if self.is_on else None

    def after(self, name: str) -> str | None:
        return self.choose(len(self.log), "after", name) if self.is_on else None


def meet_aws(fate: str | None, name: str) -> None:
    """Raises what the botocore client would raise, its own retries spent."""
    service, _, operation = name.partition(".")
    match fate:
        case "crash":
            raise Crash
        case "lost":
            raise ReadTimeoutError(endpoint_url=f"https://{service}.example")
        case "refused":
            raise ClientError(
                {
                    "Error": {"Code": "ThrottlingException", "Message": "slow down"},
                    "ResponseMetadata": {"HTTPStatusCode": 400},  # type: ignore[typeddict-item]
                },
                operation,
            )


def meet_acquirer(fate: str | None) -> None:
    if fate == "crash":
        raise Crash
    if fate is not None:
        raise AcquirerUnavailableError


class UnreliableAcquirer:
    """The simulated acquirer behind a bad line: slow, unreachable, its answers lost or late."""

    def __init__(
        self,
        acquirer: Acquirer,
        scheduler: Scheduler,
        faults: Faults,
        note_charge: Callable[[ChargeRequest], None],
    ) -> None:
        self._acquirer = acquirer
        self._note_charge = note_charge
        self._scheduler = scheduler
        self._faults = faults

    def profile(self, charge: ChargeRequest) -> CardProfile:
        return self._ask("profile", lambda: self._acquirer.profile(charge))

    def authenticate(
        self, charge: ChargeRequest, return_url: str, *, challenge_mandated: bool
    ) -> Authentication:
        return self._ask(
            "authenticate",
            lambda: self._acquirer.authenticate(
                charge, return_url, challenge_mandated=challenge_mandated
            ),
            charge.reference,
        )

    def authentication_result(self, reference: str) -> Authentication | None:
        return self._ask(
            "authentication_result",
            lambda: self._acquirer.authentication_result(reference),
            reference,
        )

    def authorize(self, charge: ChargeRequest, *, capture: bool) -> Authorization:
        self._note_charge(charge)
        return self._ask(
            "authorize",
            lambda: self._acquirer.authorize(charge, capture=capture),
            charge.reference,
        )

    def look_up(self, reference: str) -> Authorization | None:
        return self._ask("look_up", lambda: self._acquirer.look_up(reference), reference)

    def reverse(self, reference: str) -> Authorization | None:
        return self._ask("reverse", lambda: self._acquirer.reverse(reference), reference)

    def capture(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        return self._ask(
            "capture", lambda: self._acquirer.capture(charge, reference, amount_minor), charge
        )

    def void(self, charge: str, reference: str) -> OperationResult:
        return self._ask("void", lambda: self._acquirer.void(charge, reference), charge)

    def refund(self, charge: str, reference: str, amount_minor: int) -> OperationResult:
        return self._ask(
            "refund", lambda: self._acquirer.refund(charge, reference, amount_minor), charge
        )

    def look_up_operation(self, charge: str, reference: str) -> OperationResult | None:
        return self._ask(
            "look_up_operation",
            lambda: self._acquirer.look_up_operation(charge, reference),
            charge,
        )

    def _ask(self, name: str, ask: Callable[[], Answer], reference: str = "") -> Answer:
        self._scheduler.step(Call("acquirer" if reference else "", reference))
        fate = self._faults.before(f"acquirer.{name}")
        if fate == "late":  # it arrives there, but long after Lambda has given us up
            self._scheduler.spawn(f"late {name}", ask, after_seconds=45)
            self._scheduler.sleep(60)
            raise AcquirerUnavailableError
        if fate == "slow":
            self._scheduler.sleep(self._scheduler.random.uniform(1, 40))
            fate = None
        meet_acquirer(fate)
        answer = ask()
        fate = self._faults.after(f"acquirer.{name}")
        self._scheduler.step()
        if fate == "repeated":
            return ask()
        meet_acquirer(fate)
        return answer
