"""Starts the local stack: `make start`, or `python -m local --help`."""

import argparse
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time

from local import REGION

HOST = "127.0.0.1"


def main() -> int:
    options = _options()
    for name, port in (("PORT", options.port), ("AWS_PORT", options.aws_port)):
        if not _is_free(port):
            taken = f"Port {port} is taken. Choose another one: make start {name}=…"
            print(taken, file=sys.stderr)
            return 1
    if options.port and options.port == options.aws_port:
        print("PORT and AWS_PORT must differ.", file=sys.stderr)
        return 1
    os.environ.update({"AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION})
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
    logging.getLogger("local.gateway").setLevel(logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    stopping = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda _n, _f: stopping.set())
    started = time.perf_counter()
    _step("Importing the emulated AWS services")
    from local.stack import LocalStack  # noqa: PLC0415 - slow: ports are checked first

    with LocalStack(
        HOST, options.port, options.aws_port, options.stage, options.parameter, _step
    ) as stack:
        gc.freeze()  # what starting made stays: no collection needs to look at it again
        _ready(stack.url, stack.aws_url, time.perf_counter() - started)
        stopping.wait()
        print("Stopping.", flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=_port, default=8000, help="where the API listens")
    parser.add_argument("--aws-port", type=_port, default=4566, help="where emulated AWS listens")
    parser.add_argument("--stage", default="", help="serve under /STAGE, as on AWS")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=lambda text: tuple(text.split("=", 1)),
        metavar="NAME=VALUE",
        help="a parameter of template.yaml",
    )
    return parser.parse_args()


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return int(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _step(text: str) -> None:
    print(f"· {text}", flush=True)


def _ready(url: str, aws_url: str, seconds: float) -> None:
    print(
        f"""
Ready in {seconds:.1f} s: {url}  (emulated AWS: {aws_url}; data is gone when this stops)

curl -X POST '{url}/v1/payments/' \\
  -u 'sk_test_51O62xYzAbcDef123:' \\
  -H 'Content-Type: application/json' \\
  -d '{{"amount": "500.00", "description": "Premium subscription payment", "currency": "USD",
       "items": ["Premium Plan - Monthly"], "return_url": "https://example.com/payment-result"}}'

Open the "redirect" of the answer in a browser; card 4242 4242 4242 4242 pays. Ctrl-C stops.
""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
