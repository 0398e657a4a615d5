"""Starts the local stack: `make start`, or `python -m local.emulator --help`."""

import gc
import sys
import time

from local.emulator import console


def main() -> int:
    options = console.parser(__doc__).parse_args()
    if not console.can_start(options):
        return 1
    stopping = console.prepare(options.log, until_stdin_ends=options.until_stdin_ends)
    started = time.perf_counter()
    console.step("Importing the emulated AWS services")
    from local.emulator.stack import LocalStack  # noqa: PLC0415 - slow: ports are checked first

    with LocalStack(
        console.HOST,
        options.port,
        options.aws_port,
        options.stage,
        options.parameter,
        console.step,
        calls=options.calls,
    ) as stack:
        gc.freeze()  # what starting made stays: no collection needs to look at it again
        console.step(f"Exchange rates: {stack.rates_source}")
        console.ready(stack.url, stack.aws_url, time.perf_counter() - started)
        stopping.wait()
        print("Stopping.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
