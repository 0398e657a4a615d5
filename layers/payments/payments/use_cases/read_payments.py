"""A merchant reads payments: one by its id, or page by page."""

import hashlib
import json
from dataclasses import dataclass

from payments.adapters.store.payments import PageRequest, PaymentStore
from payments.errors import FieldError, InvalidInputError, PaymentNotFoundError
from payments.inputs.queries import Cursor, ListQuery
from payments.model import ids
from payments.model.clock import Clock
from payments.model.ids import Account, Mode
from payments.model.payment import Payment


def account_seen(account: Account, *, test: bool | None) -> Account | None:
    """Whose payments are asked for: a live key may ask for test data, never the other way round."""
    asked = account.mode if test is None else Mode.TEST if test else Mode.LIVE
    if account.mode is Mode.TEST and asked is Mode.LIVE:
        return None
    return Account(account.merchant_id, asked)


class GetPayment:
    """One payment, as it is now."""

    def __init__(self, payments: PaymentStore) -> None:
        self._payments = payments

    def __call__(self, account: Account, payment_id: str, *, test: bool | None) -> Payment:
        """One read, found or not. Raises PaymentNotFoundError."""
        seen = account_seen(account, test=test)
        if seen is None or not ids.is_payment_id(payment_id):
            raise PaymentNotFoundError
        payment = self._payments.get(seen, payment_id)
        if payment is None:
            raise PaymentNotFoundError
        return payment


@dataclass(frozen=True, slots=True)
class Listed:
    """One page. `next_cursor` is None on the last one."""

    payments: tuple[Payment, ...]
    next_cursor: str | None


class ListPayments:
    """The list: newest first unless asked otherwise."""

    def __init__(self, payments: PaymentStore, clock: Clock, lifetime_seconds: int) -> None:
        self._payments = payments
        self._clock = clock
        self._lifetime_seconds = lifetime_seconds

    def __call__(self, account: Account, query: ListQuery) -> Listed:
        """Raises InvalidInputError for a cursor that is not of this very list."""
        seen = account_seen(account, test=query.test)
        after = _after(query, account)
        if seen is None:
            return Listed((), None)
        page = self._payments.page(
            PageRequest(
                account=seen,
                status=query.status,
                limit=query.limit,
                newest_first=query.sort == "-created_on",
                after=after,
                expired_before_ms=self._clock.now_us() // 1000 - self._lifetime_seconds * 1000 + 1,
            )
        )
        next_cursor = _cursor(page.next_after, query, account) if page.next_after else None
        return Listed(page.payments, next_cursor)


def _filters_hash(query: ListQuery, account: Account) -> str:
    filters = [str(account), query.status, query.test, query.sort]
    return hashlib.sha256(json.dumps(filters).encode()).hexdigest()[:16]


def _cursor(after: str, query: ListQuery, account: Account) -> str:
    return Cursor(after, _filters_hash(query, account)).encode()


def _after(query: ListQuery, account: Account) -> str | None:
    if query.cursor is None:
        return None
    if query.cursor.filters_hash != _filters_hash(query, account):
        raise InvalidInputError(FieldError("cursor", "invalid_cursor"))
    return query.cursor.after
