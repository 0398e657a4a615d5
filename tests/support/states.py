"""The states a payment can be brought to by its shopper, for tests of what happens in each."""

from collections.abc import Callable

from tests.support.actors import DECLINED_CARD, Checkout, Shopper


def _leave_alone(_shopper: Shopper, _checkout: Checkout) -> None:
    pass


def _decline_once(shopper: Shopper, checkout: Checkout) -> None:
    assert shopper.pay(checkout, DECLINED_CARD).status_code == 402


def _decline_five_times(shopper: Shopper, checkout: Checkout) -> None:
    for _ in range(5):
        _decline_once(shopper, checkout)


def _start_challenge(shopper: Shopper, checkout: Checkout) -> None:
    shopper.start_challenge(checkout)


def _pay(shopper: Shopper, checkout: Checkout) -> None:
    assert shopper.pay(checkout).status_code == 200


def _cancel(shopper: Shopper, checkout: Checkout) -> None:
    assert shopper.cancel(checkout).status_code == 303


STATES: dict[str, Callable[[Shopper, Checkout], None]] = {
    "unpaid": _leave_alone,
    "declined": _decline_once,
    "challenged": _start_challenge,
    "paid": _pay,
    "failed": _decline_five_times,
    "canceled": _cancel,
}


def bring_to(state: str, shopper: Shopper, checkout: Checkout) -> None:
    """Does what a shopper does to get a new payment there."""
    STATES[state](shopper, checkout)
