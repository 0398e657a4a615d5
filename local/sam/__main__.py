"""Starts SAM's API in front of the local stack: `make start-sam`."""

import argparse
import socket
import sys
import tempfile
import time
from pathlib import Path

from local.emulator import console
from local.sam import engine
from local.sam.api import SamApi

_START_SECONDS = 120


def main() -> int:
    options = console.parser("local.sam", __doc__).parse_args()
    if not console.can_start(options, "start-sam"):
        return 1
    stopping = console.prepare(options.log, until_stdin_ends=options.until_stdin_ends)
    started = time.perf_counter()
    console.step("Connecting to Docker")
    try:
        with engine.connected() as containers:
            return _serve(containers, options, started, stopping)
    except engine.NoEngineError as error:
        print(error, file=sys.stderr)
        return 1


def _serve(
    containers: engine.Engine,
    options: argparse.Namespace,
    started: float,
    stopping: console.Stopping,
) -> int:
    port = options.port or _free_port()
    url = f"http://{console.HOST}:{port}"
    parameters = [("PublicBaseUrl", url), *options.parameter]
    address = containers.host_address()
    console.step("Importing the emulated AWS services")
    from local.emulator.stack import LocalStack  # noqa: PLC0415 - slow: the engine is asked first

    with (
        LocalStack(
            console.HOST,
            0,
            options.aws_port,
            "",
            parameters,
            console.step,
            containers_host=address,
            calls=options.calls,
        ) as stack,
        tempfile.TemporaryDirectory(prefix="payments-sam-") as folder,
    ):
        console.step("Starting SAM and its containers")
        with SamApi(containers, stack.environments, stack.aws_port, port, Path(folder)) as sam:
            if _wait_until_it_listens(sam, stopping):
                seconds = time.perf_counter() - started
                console.ready(url, stack.aws_url, seconds, _how_to_invoke(sam))
                while sam.runs and not stopping.wait(1):
                    pass
            asked = stopping.is_set()
            print("Stopping." if asked else "SAM stopped: read its output above.", flush=True)
    return 0 if asked else 1


def _wait_until_it_listens(sam: SamApi, stopping: console.Stopping) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and sam.runs and not stopping.wait(0.1):
        if sam.listens:
            return True
    return False


def _how_to_invoke(sam: SamApi) -> str:
    command = sam.invoke_command("CreatePaymentFunction", "events/create_payment.json")
    return f"\nOne function with its recorded event, in another terminal:\n\n{command}\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((console.HOST, 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
