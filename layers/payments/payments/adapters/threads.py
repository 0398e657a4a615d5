"""Calls that run at the same time, each in the caller's context."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

MAX_AT_ONCE = 6  # four counters and two reads


def threads() -> Callable[[Sequence[Callable[[], Any]]], list[Any]]:
    """The threads are started when they are first needed, and then kept."""
    pool = ThreadPoolExecutor(MAX_AT_ONCE)

    def run_together(calls: Sequence[Callable[[], Any]]) -> list[Any]:
        contexts = [copy_context() for _ in calls]
        return list(pool.map(lambda context, call: context.run(call), contexts, calls))

    return run_together
