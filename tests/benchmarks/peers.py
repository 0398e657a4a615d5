"""`make bench-peers`: the product beside what others have built, in a table of its own.

C2 compares imports, W4 the local stack with FastAPI under uvicorn, W5 with `localstripe`. They are
not part of `make bench`, because they depend on other people's releases and on how fast moto is on
this machine: W4's two stacks spend most of their time in the emulated DynamoDB, and `localstripe`
keeps payments in a dictionary. W5 only creates, for that is where a store can grow slow.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from tests.benchmarks.built import BASELINES, Layout, build, lay_out, python_3_13
from tests.benchmarks.cold import BASELINE_CODE, MERCHANT, count_ready
from tests.benchmarks.instructions import count, why_not
from tests.benchmarks.report import report, step
from tests.benchmarks.rows import AT_LEAST, Row, skipped
from tests.benchmarks.throughput import (
    FEW,
    MANY,
    Server,
    interleaved,
    local_server,
    local_stack,
)
from tests.support.actors import order
from tests.support.stack import Stack

START_SECONDS = 30


def rows() -> list[Row]:
    step("building")
    build()
    with TemporaryDirectory() as folder:
        layout = lay_out(Path(folder))
        step("imports")
        imports = _imports(layout)
    step("requests")
    return [*imports, *_beside_fastapi(), *_beside_localstripe()]


def _imports(layout: Layout) -> list[Row]:
    if why := why_not():
        return [skipped("C2", why)]
    ours = count_ready(layout, *MERCHANT["create"])
    fastapi = count("ready.py", [BASELINE_CODE, BASELINES], "fastapi_app")
    return [Row("C2", "Ir of importing create / FastAPI + Mangum + boto3", ours / fastapi, 0.6)]


def _beside_fastapi() -> list[Row]:
    with closing(local_stack()) as stack, _fastapi(stack) as fastapi:
        ours = local_server(stack)
        for server in (ours, fastapi):
            server.store(FEW)
        us, them = interleaved([(one, (one.create, one.get)) for one in (ours, fastapi)])
    return [
        Row("W4", "create and get, requests a second / FastAPI + uvicorn + boto3",
            us.per_second / them.per_second, 1.3, AT_LEAST),
        Row("W4", "… CPU a request / the same", us.cpu_per_request / them.cpu_per_request, 0.7),
    ]  # fmt: skip


def _beside_localstripe() -> list[Row]:
    with closing(local_stack()) as stack, _localstripe() as localstripe:
        ours = local_server(stack)
        for server in (ours, localstripe):
            server.store(MANY)
        us, them = interleaved([(one, (one.create,)) for one in (ours, localstripe)])
    what = f"creates a second, {MANY:,} stored / localstripe with as many"
    return [Row("W5", what, us.per_second / them.per_second, 3, AT_LEAST)]


@contextmanager
def _fastapi(stack: Stack) -> Iterator[Server]:
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
        yield Server(f"http://{address}", processes, headers, json.dumps(order()))


@contextmanager
def _localstripe() -> Iterator[Server]:
    command = ["-m", "localstripe", "--port", "0", "--from-scratch"]
    environment = {"PYTHONPATH": str(BASELINES)}
    with _serving(command, environment, r"Running on http://\S+:(\d+)") as (server, port):
        headers = {
            "Authorization": "Bearer sk_test_12345",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode({"amount": 50_000, "currency": "usd"})
        url, path = f"http://127.0.0.1:{port}", "/v1/payment_intents"
        yield Server(url, (server,), headers, body, path)


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


if __name__ == "__main__":
    sys.exit(report("bench-peers", rows))
