"""W4 and W5: requests per second and CPU per request over real HTTP, rivals in turn.

The local stack against FastAPI under uvicorn, both on the stack's emulated DynamoDB, and against
`localstripe`. Seconds vary on shared machines: short rounds are interleaved, and the best of each
compared, the one that was least disturbed.

W5 creates, for that is where a store can grow slow. (`localstripe` reads from a dictionary in its
memory and the local stack from an emulated DynamoDB: that would compare emulators.)
"""

import base64
import http.client
import itertools
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode, urlsplit

from payments.model.ids import Mode
from tests.benchmarks.built import BASELINES, python_3_13
from tests.benchmarks.cold import BASELINE_CODE
from tests.benchmarks.rows import AT_LEAST, Row, skipped
from tests.support.actors import open_shop, order
from tests.support.stack import Stack

ROUNDS, REQUESTS = 25, 40
FEW, MANY = 100, 2_000
START_SECONDS = 30


@dataclass
class Rival:
    """Somebody who takes payments at `url`. `processes` are those whose CPU counts."""

    url: str
    processes: tuple[int, ...]
    headers: Mapping[str, str]
    body: str
    create_path: str = "/v1/payments/"
    created: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)

    def ask(self, method: str, path: str, body: str | None = None) -> Any:
        self._connection.request(method, path, body, dict(self.headers))
        answer = self._connection.getresponse()
        content = json.loads(answer.read())
        assert answer.status < 300, content
        return content

    def create(self) -> None:
        answer = self.ask("POST", self.create_path, self.body)
        self.created.append(answer.get("data", answer).get("id_payment") or answer["id"])

    def get(self) -> None:
        self.ask("GET", self.create_path.rstrip("/") + "/" + self.created[-1])

    def store(self, count: int) -> None:
        while len(self.created) < count:
            self.create()

    def cpu_seconds(self) -> float:
        return sum(time.clock_gettime(_cpu_clock(process)) for process in self.processes)


def _cpu_clock(process: int) -> int:
    """Linux's clock of another process's CPU time, exact where /proc counts hundredths."""
    return (~process << 3) | 2


@dataclass(frozen=True)
class Round:
    per_second: float
    cpu_per_request: float


def play(rival: Rival, acts: tuple[Callable[[], None], ...]) -> Round:
    """So many requests, one after the other, alternating."""
    cpu, started = rival.cpu_seconds(), time.perf_counter()
    for act in itertools.islice(itertools.cycle(acts), REQUESTS):
        act()
    seconds = time.perf_counter() - started
    return Round(REQUESTS / seconds, (rival.cpu_seconds() - cpu) / REQUESTS)


def _stack() -> Stack:
    """As `make start` runs it: nobody notes its calls."""
    return Stack(notes_calls=False)


def rows() -> list[Row]:
    if python_3_13() is None:
        return [skipped("W4–W5", "Python 3.13 is not installed")]
    with closing(_stack()) as stack, closing(_stack()) as full:
        ours, crowded = _ours(stack), _ours(full)
        with _fastapi(stack) as fastapi, _localstripe() as localstripe:
            for rival, count in ((ours, FEW), (fastapi, FEW), (crowded, MANY), (localstripe, MANY)):
                rival.store(count)
            us, them = _interleaved([(one, (one.create, one.get)) for one in (ours, fastapi)])
            few, many, stripe = _interleaved(
                [(one, (one.create,)) for one in (ours, crowded, localstripe)]
            )
    cpu_ratio = us.cpu_per_request / them.cpu_per_request
    growth, lead = many.per_second / few.per_second, many.per_second / stripe.per_second
    return [
        Row("W4", "create and get, requests a second / FastAPI + uvicorn + boto3",
            us.per_second / them.per_second, 1.3, AT_LEAST),
        Row("W4", "… CPU a request / the same", cpu_ratio, 0.7),
        Row("W5", f"creates a second, {MANY:,} stored / {FEW} stored", growth, 0.9, AT_LEAST),
        Row("W5", f"… / localstripe with {MANY:,} stored", lead, 3, AT_LEAST),
    ]  # fmt: skip


def _interleaved(rivals: list[tuple[Rival, tuple[Callable[[], None], ...]]]) -> list[Round]:
    """Each rival's best round."""
    rounds = [[play(rival, acts) for rival, acts in rivals] for _ in range(ROUNDS)]
    return [
        Round(
            max(played.per_second for played in of_rival),
            min(played.cpu_per_request for played in of_rival),
        )
        for of_rival in zip(*rounds, strict=True)
    ]


def _ours(stack: Stack) -> Rival:
    shop = open_shop(stack, Mode.TEST)
    shop.close()
    credentials = base64.b64encode(f"{shop.key}:".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    return Rival(stack.url, (stack.process_id,), headers, json.dumps(order()))


@contextmanager
def _fastapi(stack: Stack) -> Iterator[Rival]:
    """Its store is ours, over HTTP, so the emulated AWS works for it and counts for it."""
    environment = {
        "BENCH_AWS_URL": stack.aws_url,
        "PAYMENTS_TABLE": stack.resources["PaymentsTable"],
        "PYTHONPATH": f"{BASELINE_CODE}:{BASELINES}",
    }
    command = ["-m", "uvicorn", "fastapi_app:app", "--port", "0", "--no-access-log"]
    command += ["--timeout-keep-alive", "300"]  # it rests while its rivals work
    with _serving(command, environment, r"running on http://([\d.:]+)") as (server, address):
        headers = {"Content-Type": "application/json"}
        processes = (server, stack.process_id)
        yield Rival(f"http://{address}", processes, headers, json.dumps(order()))


@contextmanager
def _localstripe() -> Iterator[Rival]:
    command = ["-m", "localstripe", "--port", "0", "--from-scratch"]
    environment = {"PYTHONPATH": str(BASELINES)}
    with _serving(command, environment, r"Running on http://\S+:(\d+)") as (server, port):
        headers = {
            "Authorization": "Bearer sk_test_12345",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode({"amount": 50_000, "currency": "usd"})
        url, path = f"http://127.0.0.1:{port}", "/v1/payment_intents"
        yield Rival(url, (server,), headers, body, path)


@contextmanager
def _serving(
    command: list[str], environment: Mapping[str, str], ready: str
) -> Iterator[tuple[int, str]]:
    """A server on a free port, until the end of the block: its process and its address."""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    variables = {"AWS_DEFAULT_REGION": "us-east-1", "PYTHONUNBUFFERED": "1", **credentials}
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(python_3_13()), "-S", *command],
                env={**os.environ, **variables, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
        try:
            yield process.pid, _announced(log, ready)
        finally:
            process.terminate()
            process.wait(timeout=10)


def _announced(log: Path, ready: str) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if found := re.search(ready, log.read_text("utf-8", "replace")):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"a server did not start:\n{log.read_text('utf-8', 'replace')}")
