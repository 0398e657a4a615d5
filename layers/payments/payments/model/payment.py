"""The payment: one record behind everything that merchants and shoppers see of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from payments.model import ids, lifecycle
from payments.model.card import CardSummary
from payments.model.ids import Account
from payments.model.lifecycle import Event, Status
from payments.model.operation import Operation
from payments.money.exchange_rates import Quote

MAX_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One line of the audit trail. Time in microseconds since 1970, UTC.

    `event` led to the status; None for the creation, and for lines that were written before lines
    named what their status does not tell. `subject` is the id of the capture, void or refund.
    """

    status: Status
    at_us: int
    event: Event | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class EarlierAttempt:
    """An attempt that ended before the last one: what tells whether its form came back."""

    card: CardSummary
    decline_code: str | None


@dataclass(frozen=True, slots=True)
class Payment:
    """One record behind both views. Times are microseconds since 1970, UTC.

    Country and rules are those of the merchant when it asked for the payment. `customer_email` is
    the merchant's, `shopper_email` what a shopper typed where the merchant gave none. `acquirer`
    names who settled it; None in test mode, which has only the simulator.

    The fields from `captures` on belong to holds and refunds (docs/contract.md, "Money after the
    payment"). `captured_minor` is None unless the charge was captured separately, and
    `refundable_minor` is None until that or until the first refund.
    """

    account: Account
    id: str
    client_secret: str = field(repr=False)
    status: Status
    amount_minor: int
    currency: str
    description: str
    items: tuple[str, ...]
    return_url: str
    company_name: str
    company_email: str
    statement_descriptor: str
    local_currency: str
    fee_minor: int
    net_minor: int
    net_currency: str
    created_at_us: int
    updated_at_us: int
    history: tuple[StatusChange, ...]
    quote: Quote | None = None
    customer_email: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    attempt_tokens: tuple[str, ...] = ()
    card: CardSummary | None = None
    decline_code: str | None = None
    three_d_secure: dict[str, str | bool] | None = None
    risk: dict[str, Any] | None = None
    merchant_country: str = ""
    enforces_fraud_rules: bool = False
    challenge_secrets: tuple[str, ...] = field(repr=False, default=())
    earlier_attempts: tuple[EarlierAttempt, ...] = ()
    shopper_email: str | None = None
    acquirer: str | None = None
    reference: str | None = None
    captures: bool = True
    capture_before_us: int | None = None
    captured_minor: int | None = None
    refundable_minor: int | None = None
    refunded_minor: int = 0
    refunds_net_minor: int = 0
    refund_ids: tuple[str, ...] = ()
    open_refunds: frozenset[str] = frozenset()
    failed_refunds: frozenset[str] = frozenset()
    operation: Operation | None = None
    cancellation_reason: str | None = None

    @property
    def email(self) -> str | None:
        """The customer's, as far as it is known: the merchant's word counts, not a shopper's."""
        return self.customer_email or self.shopper_email

    @property
    def authorized_total_minor(self) -> int:
        """What an acquirer has approved, held or taken; zero while the payment is not paid."""
        is_approved = self.status is Status.AUTHORIZED or self.status in lifecycle.PAID
        return self.amount_minor if is_approved or self.capture_before_us else 0

    @property
    def captured_total_minor(self) -> int:
        """What was taken from the card, whatever went back since."""
        if self.captured_minor is not None:
            return self.captured_minor
        return self.amount_minor if self.status in lifecycle.PAID else 0

    @property
    def refundable_total_minor(self) -> int:
        """Captured, less refunds that have succeeded and those that are pending."""
        if self.refundable_minor is not None:
            return self.refundable_minor
        return self.captured_total_minor

    @property
    def attempt_id(self) -> str | None:
        """The attempt under way, or the last one."""
        if not self.attempt_tokens:
            return None
        return ids.attempt_id(self.id, self.attempt_tokens[-1])

    def has_attempt_from(self, page_token: object) -> bool:
        """Whether the page with this token has begun an attempt before."""
        return any(ids.page_token_of(token) == page_token for token in self.attempt_tokens)

    @property
    def attempts_newest_first(self) -> Iterator[tuple[str, EarlierAttempt]]:
        """Each attempt's token, and what is recorded of it: no decline while it is under way."""
        if self.card is None:
            return iter(())
        last = EarlierAttempt(self.card, None if self.is_under_way else self.decline_code)
        recorded = (last, *reversed(self.earlier_attempts))
        return zip(reversed(self.attempt_tokens), recorded, strict=False)

    def recorded_attempt(self, token: str) -> EarlierAttempt | None:
        """What is recorded of the attempt with this token; None if it was undone."""
        return dict(self.attempts_newest_first).get(token)

    @property
    def is_under_way(self) -> bool:
        """Whether an attempt has no outcome yet."""
        return self.status is Status.PROCESSING

    def is_under(self, attempt_id: str) -> bool:
        """Whether this attempt is the one under way."""
        return self.is_under_way and self.attempt_id == attempt_id

    def status_at(self, now_us: int, lifetime_seconds: int) -> Status:
        """The status a reader sees: an unpaid payment expires by the clock, not by a job."""
        if (
            self.status is lifecycle.source(lifecycle.Event.EXPIRE)
            and self.expires_at_us(lifetime_seconds) <= now_us
        ):
            return Status.EXPIRED
        return self.status

    def expires_at_us(self, lifetime_seconds: int) -> int:
        """From the id's time, so that index ranges and this comparison agree to the millisecond."""
        return (ids.payment_id_time_ms(self.id) + lifetime_seconds * 1000) * 1000
