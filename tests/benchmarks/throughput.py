"""W5: whether creates grow slower while payments are stored, over real HTTP.

Seconds vary on shared machines, so this compares the local stack with itself: short rounds of a
nearly empty and a full stack are interleaved, and the best of each compared, the one that was least
disturbed. `peers.py` plays the same rounds with other people's servers.
"""

import base64
import http.client
import itertools
import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from payments.model.ids import Mode
from tests.benchmarks.rows import AT_LEAST, Row
from tests.support.actors import open_shop, order
from tests.support.stack import Stack

ROUNDS, REQUESTS = 25, 40
FEW, MANY = 100, 2_000


@dataclass
class Server:
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


def play(server: Server, acts: tuple[Callable[[], None], ...]) -> Round:
    """Sends that many requests, one after the other, alternating."""
    cpu, started = server.cpu_seconds(), time.perf_counter()
    for act in itertools.islice(itertools.cycle(acts), REQUESTS):
        act()
    seconds = time.perf_counter() - started
    return Round(REQUESTS / seconds, (server.cpu_seconds() - cpu) / REQUESTS)


def local_stack() -> Stack:
    """As `make start` runs it: nobody notes its calls."""
    return Stack(notes_calls=False, log="")


def rows() -> list[Row]:
    with closing(local_stack()) as stack, closing(local_stack()) as full:
        nearly_empty, crowded = local_server(stack), local_server(full)
        nearly_empty.store(FEW)
        crowded.store(MANY)
        few, many = interleaved([(one, (one.create,)) for one in (nearly_empty, crowded)])
    what = f"creates a second, {MANY:,} stored / {FEW} stored"
    return [Row("W5", what, many.per_second / few.per_second, 0.9, AT_LEAST)]


def interleaved(servers: list[tuple[Server, tuple[Callable[[], None], ...]]]) -> list[Round]:
    """Each server's best round; all of them play in turn."""
    rounds = [[play(server, acts) for server, acts in servers] for _ in range(ROUNDS)]
    return [
        Round(
            max(played.per_second for played in of_server),
            min(played.cpu_per_request for played in of_server),
        )
        for of_server in zip(*rounds, strict=True)
    ]


def local_server(stack: Stack) -> Server:
    shop = open_shop(stack, Mode.TEST)
    shop.close()
    credentials = base64.b64encode(f"{shop.key}:".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    return Server(stack.url, (stack.process_id,), headers, json.dumps(order()))
