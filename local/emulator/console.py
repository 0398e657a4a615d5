"""`make start` on the terminal: what was typed, what is printed, and Ctrl-C."""

import argparse
import logging
import os
import select
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from local import REGION
from local.variables import Variable, one_of, optional, read_all, shaped, whole_number

HOST = "127.0.0.1"
_port = whole_number(0, 65535, "a port from 1 to 65535, or 0 for any free one")
_VARIABLES = (
    Variable("PORT", _port),
    Variable("AWS_PORT", _port),
    optional("STAGE", shaped(r"[A-Za-z0-9_-]{1,128}", "letters, digits, - and _, like prod"), ""),
    optional("LIFETIME", whole_number(1, 10**9 - 1, "a number of seconds, like 60")),
    optional("LOG", one_of("debug"), ""),
)


def parser(description: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.emulator", description=description)
    parser.add_argument("--port", default="8000", help="where the API listens")
    parser.add_argument("--aws-port", default="4566", help="where emulated AWS listens")
    parser.add_argument("--stage", default="", help="serve under /STAGE, as on AWS")
    parser.add_argument("--lifetime", default="", help="how many seconds a payment can be paid")
    parser.add_argument("--log", default="", help="debug: all that the functions log, too")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=lambda text: tuple(text.split("=", 1)),
        metavar="NAME=VALUE",
        help="a parameter of template.yaml",
    )
    parser.add_argument(
        "--calls", type=Path, metavar="FILE", help="write every AWS call of a function to this file"
    )
    parser.add_argument(
        "--until-stdin-ends",
        action="store_true",
        help="stop when standard input ends, as a pipe does when whoever holds it dies",
    )
    return parser


def can_start(options: argparse.Namespace) -> bool:
    """Reads what was typed after `make`, and asks for the ports. If not, the terminal says why."""
    typed = {name.upper(): value for name, value in vars(options).items()}
    values, problems = read_all(_VARIABLES, typed)
    vars(options).update(values)
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return False
    if options.lifetime:
        options.parameter.append(("PaymentLifetimeSeconds", str(options.lifetime)))
    return _ports_are_free(options)


def _ports_are_free(options: argparse.Namespace) -> bool:
    for name, port in (("PORT", options.port), ("AWS_PORT", options.aws_port)):
        if not _is_free(port):
            print(f"Port {port} is taken. Choose another one: make start {name}=…", file=sys.stderr)
            return False
    if options.port and options.port == options.aws_port:
        print("PORT and AWS_PORT must differ.", file=sys.stderr)
        return False
    return True


class Stopping:
    """Whether Ctrl-C was pressed, or the process asked to end.

    The handler only writes to a pipe: with a lock, as an Event has one, it could wait for itself.
    """

    def __init__(self, *, until_stdin_ends: bool) -> None:
        self._is_asked = False
        self._heard, self._told = os.pipe()
        self._watched = [self._heard, sys.stdin.fileno()] if until_stdin_ends else [self._heard]
        os.set_blocking(self._told, False)
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signal_number, self._ask)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._is_asked:
            self._is_asked = True
            os.write(self._told, b".")

    def is_set(self) -> bool:
        return self._is_asked

    def wait(self, seconds: float | None = None) -> bool:
        """Until it is asked, or for so long."""
        heard, _, _ = select.select(self._watched, [], [], seconds)
        return bool(heard)


def prepare(log: str, *, until_stdin_ends: bool = False) -> Stopping:
    """Sets region and logs, and begins to listen for Ctrl-C."""
    os.environ.update({"AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION})
    if log != "debug":
        os.environ.update(
            {"POWERTOOLS_LOG_LEVEL": "WARNING", "POWERTOOLS_METRICS_DISABLED": "true"}
        )
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stdout,
    )
    logging.getLogger("local.emulator.gateway").setLevel(logging.INFO)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.getLogger("waitress").setLevel(logging.ERROR)  # not how many wait for their turn
    return Stopping(until_stdin_ends=until_stdin_ends)


def step(text: str) -> None:
    print(f"· {text}", flush=True)


def ready(url: str, aws_url: str, seconds: float) -> None:
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


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
