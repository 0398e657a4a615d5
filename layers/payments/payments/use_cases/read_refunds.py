"""A merchant reads refunds: one, those of a payment, or all of them page by page."""

import hashlib
import json
from dataclasses import dataclass

from payments.adapters.store.payments import PaymentStore
from payments.adapters.store.refunds import RefundStore
from payments.errors import FieldError, InvalidInputError, PaymentNotFoundError
from payments.inputs.money_out import RefundsQuery
from payments.inputs.queries import Cursor
from payments.model import ids
from payments.model.ids import Account
from payments.model.refund import Refund
from payments.use_cases.read_payments import account_seen


@dataclass(frozen=True, slots=True)
class ListedRefunds:
    """One page. `next_cursor` is None on the last one."""

    refunds: tuple[Refund, ...]
    next_cursor: str | None


class ReadRefunds:
    """Reads only. A live key may read test data when it asks for it."""

    def __init__(self, payments: PaymentStore, refunds: RefundStore) -> None:
        self._payments = payments
        self._refunds = refunds

    def one(
        self, account: Account, refund_id: str, *, test: bool | None, payment_id: str | None = None
    ) -> Refund:
        """One read. Raises PaymentNotFoundError, also if it is another payment's."""
        seen = account_seen(account, test=test)
        if seen is None or not ids.is_refund_id(refund_id):
            raise PaymentNotFoundError
        refund = self._refunds.get(seen, refund_id)
        if refund is None or payment_id not in (None, refund.payment_id):
            raise PaymentNotFoundError
        return refund

    def of_payment(
        self, account: Account, payment_id: str, *, test: bool | None
    ) -> tuple[Refund, ...]:
        """The oldest first; two reads. Raises PaymentNotFoundError."""
        seen = account_seen(account, test=test)
        if seen is None or not ids.is_payment_id(payment_id):
            raise PaymentNotFoundError
        payment = self._payments.get(seen, payment_id)
        if payment is None:
            raise PaymentNotFoundError
        return self._refunds.of(payment)

    def page(self, account: Account, query: RefundsQuery) -> ListedRefunds:
        """One read. Raises InvalidInputError for a cursor that is not of this very list."""
        filters_hash = _filters_hash(account, query)
        if query.cursor and query.cursor.filters_hash != filters_hash:
            raise InvalidInputError(FieldError("cursor", "invalid_cursor"))
        seen = account_seen(account, test=query.test)
        if seen is None:
            return ListedRefunds((), None)
        refunds, next_after = self._refunds.page(
            seen,
            query.limit,
            newest_first=query.sort == "-created_on",
            after=query.cursor.after if query.cursor else None,
        )
        cursor = Cursor(next_after, filters_hash).encode() if next_after else None
        return ListedRefunds(refunds, cursor)


def _filters_hash(account: Account, query: RefundsQuery) -> str:
    filters = ["refunds", str(account), query.test, query.sort]
    return hashlib.sha256(json.dumps(filters).encode()).hexdigest()[:16]
