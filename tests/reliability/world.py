"""The whole product in simulated time: real handlers and the real workflow definition, on moto.

Nothing of ours is replaced but what the composition root takes as an argument: the clock and the
acquirer. Faults happen at the AWS client and at the acquirer, which are the seams.
"""

import base64
import io
import itertools
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.botocore_stubber import MockRawResponse
from moto.core.config import default_user_config
from moto.dynamodb.models import dynamodb_backends

from local import REGION, template
from local.emulator.aws import LocalAws
from local.emulator.calls import called_by, watch
from local.emulator.functions import Context, Handler, load_handler
from payments.acquirers.port import ChargeRequest
from payments.acquirers.simulator.acquirer import ONE_TIME_CODE, SimulatedAcquirer
from payments.adapters.aws import AwsClient
from payments.adapters.store.attempts import AttemptStore
from payments.adapters.store.items import from_item
from payments.adapters.store.payments import PageRequest, PaymentStore
from payments.model.attempt import Attempt
from payments.model.card import Card
from payments.model.ids import Account, Mode
from payments.model.merchant import Merchant
from payments.model.payment import Payment
from payments.use_cases.assess_risk import RunTogether
from payments.wiring import Services
from tests.reliability.faults import Faults, UnreliableAcquirer, meet_aws
from tests.reliability.scheduler import Call, Crash, Scheduler
from tests.reliability.workflow import SimulatedStepFunctions
from tests.support.actors import order
from tests.support.calls import note_call

START_US = 1_795_000_000_000_000
LIFETIME_SECONDS = 86_400
CANARY_NUMBER = "4539578763621486"  # an ordinary card to the simulated issuer: it pays
CANARY_CODE = "937"
_merchant_numbers = itertools.count(1)
Mutation = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Answer:
    """What the caller saw. Status 502: the function died."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Ticket:
    """A created payment, as its shopper holds it."""

    id: str
    client_secret: str


@dataclass(frozen=True)
class Sending:
    """One sending of a form: what its shopper typed, from where, and what the answer was."""

    payment_id: str
    page_token: str | None
    number: str
    email: str
    ip: str
    answer: Answer

    @property
    def is_refused(self) -> bool:
        """Whether its sender was told that this card is not charged."""
        return self.answer.status in (400, 402, 404, 409)


@dataclass(frozen=True)
class Charge:
    """What the acquirer was asked to charge, and the attempt's row as it stood then."""

    card: Card
    attempt: Attempt | None


@dataclass
class Stage:
    """What stays from one world to the next: the emulated AWS and the handlers' code.

    `session` is what the functions' clients are made from, `outside` is how a test looks at the
    tables, `ledger` how the simulated acquirer does.
    """

    aws: LocalAws
    session: boto3.session.Session
    handlers: dict[str, Handler]
    outside: Any
    ledger: Any
    log: io.StringIO
    run_together: RunTogether
    current: "World | None" = None

    @property
    def world(self) -> "World":
        assert self.current is not None
        return self.current

    def restart(self, function: str, **changes: str) -> None:
        """A new process for the function: it remembers nothing, and asks the current world.

        `changes` to its environment are this process's own.
        """
        handler: Any = self.handlers[function]
        acquirer: Any = _CurrentAcquirer(self)
        environment = self.aws.environments[function] | changes
        handler.build(
            Services(environment, _CurrentClock(self), acquirer, self.run_together, self.session)
        )


class _CurrentClock:
    """The clock of whichever world is on stage, so that roots are built once for all of them."""

    def __init__(self, built: Stage) -> None:
        self._stage = built

    def now_us(self) -> int:
        return self._stage.world.scheduler.now_us()

    def sleep(self, seconds: float) -> None:
        self._stage.world.scheduler.sleep(seconds)


class _CurrentAcquirer:
    """The acquirer of whichever world is on stage."""

    def __init__(self, built: Stage) -> None:
        self._stage = built

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage.world.acquirer, name)


def one_after_another(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What runs at the same time on Lambda: the scheduler knows no threads within an actor."""
    return [call() for call in calls]


@contextmanager
def stage(
    session: boto3.session.Session | None = None, run_together: RunTogether = one_after_another
) -> Iterator[Stage]:
    """Builds the emulated AWS once; its client hooks always reach the current world.

    A session may come with hooks of its own, and `run_together` may note what it runs.
    """
    os.environ.update({"AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION})
    parameters = {"PublicBaseUrl": "https://pay.example", "LiveAcquirer": "simulator"}
    loaded = template.load(parameters)
    log = io.StringIO()
    with redirect_stdout(log):
        aws = LocalAws(loaded, parameters)
    # Every handler of before-send is called: without this moto would run the workflow as well.
    core_config = default_user_config["core"]
    default_user_config["core"] = {"passthrough": {"services": ["stepfunctions"], "urls": []}}
    session = session or boto3.session.Session()
    # The acquirer is beyond what is broken here, but what a function asks of it in AWS is asked
    # under the function's role.
    acquirer_session: Any = boto3.session.Session()
    for watched in (session, acquirer_session):
        watch(watched, aws.logical_ids(), note_call)
    outside: Any = boto3.session.Session().client("dynamodb")
    ledger = acquirer_session.client("dynamodb")
    built = Stage(aws, session, {}, outside, ledger, log, run_together)
    _hook_clients(built, session)
    try:
        with redirect_stdout(log):
            for name, environment in aws.environments.items():
                built.handlers[name] = load_handler(name, loaded.paths[name], environment)
                built.restart(name)
        _have_loggers_write_to(log)
        _warm_up(built)
        yield built
    finally:
        aws.stop()
        default_user_config["core"] = core_config


def _have_loggers_write_to(log: io.StringIO) -> None:
    """A function's logger lives as long as the process, and keeps the stream it was made with."""
    for logger in list(logging.root.manager.loggerDict.values()):
        handler = getattr(logger, "powertools_handler", None)
        if isinstance(handler, logging.StreamHandler):
            handler.stream = log  # the one before may be closed


def _warm_up(built: Stage) -> None:
    """What a process does once is done, so that every world makes the same calls."""
    world = World(built)
    world.run(lambda: world.create("warm-up"))
    world.run(lambda: world.pay(world.tickets["warm-up"], CANARY_NUMBER))
    world.close()


def _hook_clients(built: Stage, session: Any) -> None:
    """Every client made from now on asks the current world before and after each call."""

    def before_call(model: Any, context: Mapping[str, Any], **_: Any) -> None:
        if built.current:
            built.current.meet_before(_name(model), context.get("call", Call()))

    def after_call(model: Any, context: Mapping[str, Any], **_: Any) -> None:
        if built.current:
            built.current.meet_after(_name(model), context.get("table"), context.get("fate"))

    def before_build(model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["table"] = params.get("TableName")
        context["call"] = _call(_name(model), params)
        if built.current:
            built.current.mutate(_name(model), params)

    def before_send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
        if built.current and event_name.startswith("before-send.sfn."):
            return built.current.answer_stepfunctions(request)
        return None

    session.events.register("before-call", before_call)
    session.events.register_first("needs-retry", partial(_needs_retry, built))
    session.events.register("after-call", after_call)
    session.events.register("before-parameter-build", before_build)
    session.events.register_first("before-send", before_send)


def _needs_retry(
    built: Stage, operation: Any, attempts: int, request_dict: dict[str, Any], **_: Any
) -> int | None:
    """The client's own second try, where it would have got no answer to the first."""
    if built.current is None or attempts > 1:
        return None
    fate = built.current.faults.after(_name(operation))
    request_dict["context"]["fate"] = fate
    if fate != "repeated":
        return None
    built.current.scheduler.step()
    return 0


def _call(name: str, params: Mapping[str, Any]) -> Call:
    """Keys make no difference to each other. Counters that only observe make none to anybody."""
    service, _, operation = name.partition(".")
    table = str(params.get("TableName", ""))
    if service == "kms" or operation == "BatchGetItem" or "Risk" in table:
        return Call()
    if service == "stepfunctions" or operation == "Scan":
        return Call(table or service, writes=operation not in ("Scan", "DescribeExecution"))
    item = params.get("Key") or params.get("Item", {})
    row = next((str(item[key]) for key in ("id", "pk", "reference") if key in item), "")
    return Call(table, row, writes=operation not in ("GetItem", "Query"))


def _name(model: Any) -> str:
    return f"{model.service_model.service_name}.{model.name}"


@dataclass
class World:
    """One run: a seed, faults, merchants, shoppers, and in the end the invariants."""

    stage: Stage
    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    mutate: Mutation = lambda _name, _params: None
    wrap_acquirer: Callable[[Any], Any] = lambda acquirer: acquirer
    reconciles: bool = True
    enforces_fraud_rules: bool = False
    shopper_ip: str = "203.0.113.7"

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.seed, START_US)
        self.stepfunctions = SimulatedStepFunctions(
            self.scheduler,
            self._invoke,
            {
                "ChallengeTimeoutSeconds": "600",
                "WorkflowTimeoutSeconds": "1200",
                "Partition": "aws",
            },
        )
        environment = self.stage.aws.environments["ReconcileAttemptsFunction"]
        # The outside party's own connection: what happens behind it is not ours to crash.
        self.simulator = SimulatedAcquirer(
            AwsClient(self.stage.ledger), environment["SIMULATOR_TABLE"], self.scheduler.now_us
        )
        outside = self.stage.outside
        self.acquirer = self.wrap_acquirer(
            UnreliableAcquirer(self.simulator, self.scheduler, self.faults, self._note_charge)
        )
        self.payments = PaymentStore(AwsClient(outside), environment["PAYMENTS_TABLE"])
        self._attempts_table = environment["ATTEMPTS_TABLE"]
        self.attempts = AttemptStore(AwsClient(outside), self._attempts_table)
        self._outside = outside
        self._ledger_table = environment["SIMULATOR_TABLE"]
        self.stage.current = self
        with redirect_stdout(self.stage.log):
            self.stage.restart("CreatePaymentFunction")  # which keeps rates in mind by the clock
        self.merchant = Merchant(
            id=f"sim{next(_merchant_numbers)}",  # no number by itself: one may be the card's code
            name="Corner Shop",
            email="shop@example.com",
            country="CR",
            statement_descriptor="CORNER",
            local_currency="CRC",
            settlement_currency="USD",
            enforces_fraud_rules_in_test=self.enforces_fraud_rules,
        )
        self.tickets: dict[str, Ticket] = {}
        self.answers: list[tuple[str, Answer]] = []
        self.sent: list[Sending] = []
        self.asked: dict[str, Charge] = {}
        self.broken: list[str] = []
        self.stage.log.seek(0)
        self.stage.log.truncate()

    # ------------------------------------------------------------ the seams
    def meet_before(self, name: str, call: Call) -> None:
        self.scheduler.step(call)
        meet_aws(self.faults.before(name), name)

    def meet_after(self, name: str, table: str | None, fate: str | None) -> None:
        is_attempt = (name, table) == ("dynamodb.UpdateItem", self._attempts_table)
        if is_attempt and any(
            attempt.authorization and attempt.encrypted_card for attempt in self.attempts.all()
        ):
            self.broken.append("a card outlived the acquirer's answer")
        self.scheduler.step()
        meet_aws(fate, name)

    def _note_charge(self, charge: ChargeRequest) -> None:
        asked = Charge(charge.card, self.attempts.get(charge.reference))
        self.asked.setdefault(charge.reference, asked)

    def answer_stepfunctions(self, request: AWSPreparedRequest) -> AWSResponse:
        operation = str(request.headers["X-Amz-Target"]).rpartition(".")[2].rstrip("'")
        asked: Any = request.body
        status, body = self.stepfunctions.call(operation, json.loads(asked))
        raw: Any = MockRawResponse(json.dumps(body))
        return AWSResponse(request.url, status, HTTPHeaders(), raw)

    def _invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        with called_by(function):
            return self.stage.handlers[function](event, Context(aws_request_id="simulated"))

    # ------------------------------------------------------------ requests
    def request(
        self,
        function: str,
        method: str,
        resource: str,
        body: Mapping[str, Any],
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        mode: Mode = Mode.TEST,
        shopper_ip: str = "",
    ) -> Answer:
        """Calls the function as API Gateway would. JSON in; the answer parsed where it is JSON."""
        path = resource.format(**(parameters or {}))
        event = {
            "resource": resource,
            "path": path,
            "httpMethod": method,
            "headers": {"Content-Type": "application/json", "Accept": "application/json"}
            | dict(headers or {}),
            "queryStringParameters": None,
            "pathParameters": dict(parameters or {}),
            "body": json.dumps(body),
            "isBase64Encoded": False,
            "requestContext": {
                "requestId": "simulated",
                "path": path,
                "domainName": "pay.example",
                "identity": {"sourceIp": shopper_ip or self.shopper_ip},
                "authorizer": {"merchant": json.dumps(asdict(self.merchant)), "mode": mode.value},
            },
        }
        try:
            raw = self._invoke(function, event)
        except Crash:
            return Answer(502, {}, {})
        is_json = raw["headers"].get("Content-Type") == "application/json"
        return Answer(raw["statusCode"], json.loads(raw["body"]) if is_json else {}, raw["headers"])

    def create(self, key: str | None = None, **changes: Any) -> Ticket | None:
        """A merchant's create; None if it got no payment. Every answer is remembered."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.request(
            "CreatePaymentFunction", "POST", "/v1/payments", order(**changes), headers=headers
        )
        self.answers.append((f"create {key}", answer))
        if answer.status != 202:
            return None
        encoded = parse_qs(urlsplit(answer.body["data"]["redirect"]).query)["data"][0]
        secret = json.loads(base64.b64decode(encoded))["client_secret"]
        ticket = Ticket(answer.body["data"]["id_payment"], secret)
        if key:
            before = self.tickets.setdefault(key, ticket)
            assert before == ticket, "one key, two payments"
        else:
            self.tickets[ticket.id] = ticket
        return ticket

    def pay(
        self,
        ticket: Ticket,
        number: str,
        attempt: str | None = None,
        shopper_ip: str = "",
        **changes: Any,
    ) -> Answer:
        """The shopper sends the form."""
        form = {
            "name": "Ada Lovelace",
            "client_secret": ticket.client_secret,
            "card_number": number,
            "exp_month": 12,
            "exp_year": 2034,
            "cvc": CANARY_CODE,
            "attempt": attempt,
        }
        answer = self.request(
            "CheckoutFunction",
            "POST",
            "/checkout/{id}",
            form | changes,
            {"id": ticket.id},
            shopper_ip=shopper_ip,
        )
        self.answers.append((ticket.id, answer))
        sender = changes.get("email") or "", shopper_ip or self.shopper_ip
        self.sent.append(Sending(ticket.id, attempt, number, *sender, answer))
        return answer

    def status(self, ticket: Ticket) -> Answer:
        """The merchant asks how the payment stands."""
        answer = self.request(
            "GetPaymentFunction", "GET", "/v1/payments/{id}", {}, {"id": ticket.id}
        )
        self.answers.append((ticket.id, answer))
        return answer

    def cancel(self, ticket: Ticket) -> Answer:
        body = {"client_secret": ticket.client_secret}
        answer = self.request(
            "CheckoutFunction", "POST", "/checkout/{id}/cancel", body, {"id": ticket.id}
        )
        self.answers.append((ticket.id, answer))
        return answer

    def challenge(self, challenge_url: str, action: str) -> Answer:
        """The shopper passes or fails the challenge, then comes back; or abandons it."""
        challenge = urlsplit(challenge_url).path.split("/")[2]
        parameters = {"challenge": challenge}
        if action == "abandon":
            return self._form("/3ds/{challenge}/abandon", parameters, "")
        if action != "return":
            attempt_id = "pay_" + "_".join(challenge.split("_")[3:5])
            if action == "pass":
                self.simulator.pass_challenge(attempt_id, ONE_TIME_CODE)
            else:
                self.simulator.fail_challenge(attempt_id)
        return self._form("/3ds/{challenge}/return", parameters, "")

    def _form(self, resource: str, parameters: Mapping[str, str], _body: str) -> Answer:
        return self.request("ThreeDSecureReturnFunction", "POST", resource, {}, parameters)

    def reconcile(self) -> None:
        """One scheduled run; a run that dies is followed by the next."""
        try:
            self._invoke("ReconcileAttemptsFunction", {})
        except (Crash, Exception):  # noqa: BLE001 - EventBridge does not care how it died
            return

    # ------------------------------------------------------------ the end
    def run(self, *actors: Callable[[], Any]) -> None:
        """Everybody at once, until all are done; a broken promise seen on the way is kept."""
        started = [self.scheduler.spawn(f"actor {n}", actor) for n, actor in enumerate(actors)]
        with redirect_stdout(self.stage.log):
            self.scheduler.run()
        for actor in started:
            if isinstance(actor.error, AssertionError):
                self.broken.append(str(actor.error))
            elif actor.error is not None and not isinstance(actor.error, Crash):
                raise actor.error

    def settle(self) -> None:
        """The faults are over. A few minutes pass, and the reconciler runs as scheduled."""
        self.faults.is_on = False
        for _ in range(3 if self.reconciles else 0):
            self.scheduler.wait(90)
            self.run(self.reconcile)

    def stored(self) -> list[Payment]:
        """Every payment of this world's merchant."""
        found: list[Payment] = []
        after: str | None = None
        while True:
            page = self.payments.page(
                PageRequest(Account(self.merchant.id, Mode.TEST), None, 100, True, after, 0)
            )
            found.extend(page.payments)
            after = page.next_after
            if after is None:
                return found

    def payment(self, ticket: Ticket) -> Payment:
        """As it is stored, whoever looks."""
        payment = self.payments.get(Account(self.merchant.id, Mode.TEST), ticket.id)
        assert payment is not None
        return payment

    def charges(self, payment: Payment) -> dict[str, dict[str, Any]]:
        """What the acquirer was asked to charge for a payment, by reference; reversals are not."""
        return {
            row["reference"]: row["charge"]
            for row in self._ledger_rows()
            if row["reference"].startswith(payment.id)
            and "charge" in row
            and "reversed" not in row["charge"]
        }

    def rows(self) -> list[dict[str, Any]]:
        """Every item that this world's tables hold."""
        tables = {
            value
            for environment in self.stage.aws.environments.values()
            for name, value in environment.items()
            if name.endswith("_TABLE")
        }
        return [
            item
            for table in sorted(tables)
            for page in self._outside.get_paginator("scan").paginate(TableName=table)
            for item in page["Items"]
            if self.merchant.id in repr(item) or "reference" in item
        ]

    def attempt_rows(self) -> list[dict[str, Any]]:
        """What the attempts table holds, whether or not it can be read as an attempt."""
        pages = self._outside.get_paginator("scan").paginate(TableName=self._attempts_table)
        return [item for page in pages for item in page["Items"]]

    def _ledger_rows(self) -> list[dict[str, Any]]:
        pages = self._outside.get_paginator("scan").paginate(TableName=self._ledger_table)
        return [from_item(item) for page in pages for item in page["Items"]]

    def close(self) -> None:
        """Leaves nothing behind for the next world."""
        self.stage.current = None
        for table in dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables.values():
            table.items.clear()
