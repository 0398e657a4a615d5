"""What must hold of money that was held or taken, here and in the acquirer's ledger."""

from collections.abc import Iterable, Mapping
from typing import Any

from payments.model import lifecycle
from payments.model.lifecycle import Status
from payments.model.operation_result import OperationStatus
from payments.model.payment import Payment
from payments.model.refund import MAX_REFUNDS, Refund
from payments.money.amounts import to_minor
from tests.reliability.world import Movement, World

# The reconciler runs every minute, and leaves what is younger than a minute to who began it.
MAX_LAPSE_SECONDS = 300
Entry = Mapping[str, Any]


def check_money(world: World, payment: Payment, ledger: Entry) -> None:
    """Everybody is done, and the acquirer has answered all that it was asked."""
    operations = {
        reference: noted
        for reference, noted in ledger.items()
        if reference.startswith(("cap_", "void_", "ref_"))
    }
    refunds = world.refunds.of(payment)
    _check_ledger(payment, ledger["charge"], operations)
    _check_hold(world, payment, ledger["charge"], operations)
    _check_refunds(payment, refunds, operations)
    _check_sums(payment, refunds)
    _check_answers(world, payment, refunds)


def _check_ledger(payment: Payment, charge: Entry, operations: Mapping[str, Entry]) -> None:
    """Theirs alone: whatever we ask of them, they never give more than they took."""
    captured, gone = charge["captured_minor"], _given_back(operations.values())
    where = f"{payment.id}, at the acquirer: {operations}"
    assert 0 <= gone <= captured <= charge["amount_minor"], where
    assert charge["refundable_minor"] == captured - gone, where
    assert not (charge["voided"] and captured), f"{payment.id} was captured and voided"


def _given_back(operations: Iterable[Entry]) -> int:
    return sum(
        noted["amount_minor"]
        for noted in operations
        if noted["kind"] == "refund" and _is_done(noted)
    )


def _is_done(noted: Entry) -> bool:
    return not noted.get("refused") and not noted.get("taken_back")


def _check_hold(
    world: World, payment: Payment, charge: Entry, operations: Mapping[str, Entry]
) -> None:
    assert payment.operation is None, f"{payment.id} is still under way: {payment.operation}"
    assert payment.captured_total_minor == charge["captured_minor"], (
        f"{payment.id}: {payment.captured_total_minor} captured here, "
        f"{charge['captured_minor']} at the acquirer"
    )
    is_let_go = payment.status is Status.CANCELED
    assert is_let_go == charge["voided"], f"{payment.id} reads {payment.status}, voided: {charge}"
    done = [one for one in operations.values() if one["kind"] == "capture" and _is_done(one)]
    assert len(done) <= 1, f"{payment.id} was captured {len(done)} times"
    if "capture_before_us" not in charge:
        assert not done
        return
    before_us = charge["capture_before_us"]
    ours = payment.capture_before_us
    assert ours == before_us, f"{payment.id} may be captured until {ours}, not {before_us}"
    assert all(one["at_us"] < before_us for one in done), f"{payment.id} was captured too late"
    if payment.status is Status.AUTHORIZED:
        due = {due.payment_id for due in world.holds.due_at(before_us + 1)}
        assert payment.id in due, f"{payment.id} is held, and nobody will let go of it"
        late_us = world.scheduler.now_us() - before_us
        assert late_us < MAX_LAPSE_SECONDS * 1_000_000, f"{payment.id} is held for too long"


def _check_refunds(
    payment: Payment, refunds: tuple[Refund, ...], operations: Mapping[str, Entry]
) -> None:
    """Ours are theirs, one by one."""
    asked = {reference for reference, one in operations.items() if one["kind"] == "refund"}
    assert tuple(refund.id for refund in refunds) == payment.refund_ids
    assert asked == set(payment.refund_ids), f"{payment.id}: {asked} at the acquirer"
    assert len(refunds) <= MAX_REFUNDS
    for refund in refunds:
        noted = operations[refund.id]
        expected = OperationStatus.SUCCEEDED if _is_done(noted) else OperationStatus.FAILED
        assert refund.status is expected, f"{refund.id} reads {refund.status}: {noted}"
        assert refund.amount_minor == noted["amount_minor"]
        assert (refund.failure_code is None) == _is_done(noted)


def _check_sums(payment: Payment, refunds: tuple[Refund, ...]) -> None:
    by_status = {
        status: {refund.id for refund in refunds if refund.status is status}
        for status in OperationStatus
    }
    assert by_status[OperationStatus.FAILED] == payment.failed_refunds
    assert by_status[OperationStatus.PENDING] == payment.open_refunds
    standing = [refund for refund in refunds if refund.status is not OperationStatus.FAILED]
    reserved = sum(refund.amount_minor for refund in standing)
    succeeded = reserved - sum(
        refund.amount_minor for refund in standing if refund.id in payment.open_refunds
    )
    captured = payment.captured_total_minor
    assert reserved <= captured <= payment.amount_minor, f"{payment.id}: {refunds}"
    assert payment.refunded_minor == succeeded, f"{payment.id}: {payment.refunded_minor} refunded"
    assert payment.refundable_total_minor == captured - reserved, (
        f"{payment.id}: {payment.refundable_total_minor} refundable of {captured} less {reserved}"
    )
    assert payment.refunds_net_minor == sum(refund.net_minor for refund in standing)
    noted = [(one.event, one.subject) for one in payment.history if one.subject]
    assert len(noted) == len(set(noted)), f"{payment.id}: a change stands twice in {noted}"
    is_whole = captured > 0 and succeeded == captured
    assert (payment.status is Status.REFUNDED) == is_whole, f"{payment.id} reads {payment.status}"


def _check_answers(world: World, payment: Payment, refunds: tuple[Refund, ...]) -> None:
    """What the merchant was told is so, and each of its requests moved money once."""
    moved = [movement for movement in world.moved if movement.payment_id == payment.id]
    asked = [movement for movement in moved if movement.verb == "refunds"]
    known = {refund.id: refund for refund in refunds}
    keys: dict[str, str] = {}
    for movement in asked:
        if movement.answer.status in (201, 202):
            refund_id = movement.answer.body["id"]
            assert refund_id in known, f"{refund_id} was promised and is lost"
            amount = to_minor(movement.answer.body["amount"], payment.currency)
            assert known[refund_id].amount_minor == amount
            if movement.key:
                same = keys.setdefault(movement.key, refund_id)
                assert same == refund_id, f"one key, two refunds: {movement.key}"
    keyless = [movement for movement in asked if movement.key is None]
    requests = len(keyless) + len({movement.key for movement in asked} - {None})
    assert len(refunds) <= requests, f"{payment.id}: {len(refunds)} refunds, {requests} requests"
    for movement in moved:
        _check_told(payment, movement)


def _check_told(payment: Payment, movement: Movement) -> None:
    status = movement.answer.status
    if movement.verb == "capture" and status == 200:
        assert payment.status in lifecycle.PAID, f"{payment.id}: the capture was a promise"
        wanted = movement.amount and to_minor(movement.amount, payment.currency)
        # A capture that was repeated gets the answer of the one that was made.
        is_replay = "Idempotent-Replayed" in movement.answer.headers
        assert is_replay or payment.captured_total_minor == (wanted or payment.amount_minor)
    if movement.verb == "cancel" and status == 200:
        assert payment.status is Status.CANCELED, f"{payment.id}: the cancel was a promise"
