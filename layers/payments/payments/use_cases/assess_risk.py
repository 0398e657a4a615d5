"""The risk of an attempt: count it, read what was counted before, ask the rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from payments.adapters.fingerprints import Fingerprints
from payments.adapters.store.merchant_lists import MerchantListStore
from payments.adapters.store.risk_counters import RiskCounters
from payments.errors import UnavailableError
from payments.model.attempt import Attempt
from payments.model.authorization import CardProfile
from payments.model.card import Card
from payments.model.ids import Account
from payments.risk.assessment import Risk, Thresholds, assess
from payments.risk.emails import country_of, domain_of
from payments.risk.history import History
from payments.risk.lists import MerchantLists, Traits
from payments.risk.signals import Signals, Tally, usual_amount_minor

RunTogether = Callable[[Sequence[Callable[[], Any]]], list[Any]]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Subjects:
    """Under what an attempt is counted. Without a fingerprint it is not counted there."""

    account: Account
    card: str = ""
    email: str = ""
    ip_hash: str = ""

    @property
    def keys(self) -> dict[str, str]:
        names = {"card": self.card, "email": self.email, "ip": self.ip_hash}
        keys = {
            kind: f"{self.account}#{kind}#{fingerprint}"
            for kind, fingerprint in names.items()
            if fingerprint
        }
        return {**keys, "merchant": f"{self.account}#merchant"}


class AssessRisk:
    """Marks what cannot be read as missing: the rules then ask for a challenge."""

    def __init__(
        self,
        counters: RiskCounters,
        lists: MerchantListStore,
        fingerprints: Fingerprints,
        run_together: RunTogether,
        is_disposable: Callable[[str], bool],
        thresholds: Thresholds,
        report: Callable[[Exception], None],
    ) -> None:
        self._counters = counters
        self._lists = lists
        self._fingerprints = fingerprints
        self._run_together = run_together
        self._is_disposable = is_disposable
        self._thresholds = thresholds
        self._report = report

    def __call__(self, attempt: Attempt, card: Card, profile: CardProfile) -> Risk:
        """Never raises for want of counters, lists or key.

        The attempt is weighed as of its beginning, however often its task is delivered.
        """
        now_seconds = attempt.created_at_us // 1_000_000
        subjects = self._known(lambda: self._subjects(attempt, card))
        is_named = subjects is not None
        subjects = subjects or Subjects(attempt.account)
        lists, histories = self._read(attempt, subjects, now_seconds)
        signals = self._signals(
            attempt,
            profile,
            histories or {},
            lists or MerchantLists(),
            Traits(subjects.card, attempt.shopper_email, attempt.shopper_ip, profile.country),
            now_seconds,
        )
        has_all = is_named and lists is not None and histories is not None
        risk = assess(
            replace(signals, has_counters=has_all),
            self._thresholds,
            enforced=attempt.enforces_fraud_rules,
        )
        # Where the IP address may not have been counted, nothing is to be taken back.
        ip_hash = subjects.ip_hash if histories is not None else ""
        return replace(risk, fingerprint=subjects.card, ip_hash=ip_hash)

    def _subjects(self, attempt: Attempt, card: Card) -> Subjects:
        account, email, ip = attempt.account, attempt.shopper_email, attempt.shopper_ip
        return Subjects(
            account,
            self._fingerprints.of_card(account, card.number),
            self._fingerprints.of_email(account, email) if email else "",
            self._fingerprints.of_ip(account, ip) if ip else "",
        )

    def _read(
        self, attempt: Attempt, subjects: Subjects, now_seconds: int
    ) -> tuple[MerchantLists | None, Mapping[str, History] | None]:
        """All at once: at most four updates, two reads. None for what could not be read.

        An IP address's attempts count while they are under way, so many at once pass no more easily
        than one after another.
        """
        keys = subjects.keys
        amount = (attempt.currency, attempt.amount_minor)
        counts = [
            partial(
                self._counters.count,
                key,
                attempt.id,
                now_seconds,
                amount if kind == "merchant" else None,
                is_under_way=kind == "ip",
            )
            for kind, key in keys.items()
        ]
        calls: list[Callable[[], Any]] = [
            partial(self._lists.of, attempt.account.merchant_id),
            partial(self._counters.of_yesterday, list(keys.values()), now_seconds),
            *counts,
        ]
        lists, yesterday, *today = self._run_together(
            [partial(self._known, call) for call in calls]
        )
        if yesterday is None or None in today:
            return lists, None
        return lists, {
            kind: yesterday.get(key, History()) + history
            for (kind, key), history in zip(keys.items(), today, strict=True)
        }

    def _signals(
        self,
        attempt: Attempt,
        profile: CardProfile,
        histories: Mapping[str, History],
        lists: MerchantLists,
        traits: Traits,
        now_seconds: int,
    ) -> Signals:
        def tally(kind: str) -> Tally:
            return Tally.of(histories.get(kind, History()), now_seconds)

        amounts = histories.get("merchant", History()).amounts.get(attempt.currency)
        return Signals(
            screening=profile.screening,
            card_country=profile.country,
            merchant_country=attempt.merchant_country,
            email_country=country_of(attempt.shopper_email),
            has_disposable_email=self._is_disposable(domain_of(attempt.shopper_email)),
            amount_minor=attempt.amount_minor,
            usual_amount_minor=usual_amount_minor(amounts, attempt.amount_minor),
            attempt_number=attempt.number,
            is_blocked=lists.blocks(traits),
            is_allowed=lists.allows(traits),
            card=tally("card"),
            email=tally("email"),
            ip=tally("ip"),
            merchant=tally("merchant"),
        )

    def _known(self, find: Callable[[], Found]) -> Found | None:
        """None, and a report, where AWS does not respond in time."""
        try:
            return find()
        except UnavailableError as error:
            self._report(error)
            return None
