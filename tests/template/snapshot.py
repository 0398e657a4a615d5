"""Run as a program: initialises every function as Lambda does, then restores that state thrice.

SnapStart keeps a function's memory after its init and starts each environment from it. A forked
process does the same: what init left behind is cloned, and each clone goes on by itself.
"""

import json
import multiprocessing
import os
import random
import secrets
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from local import PROJECT, REGION, template
from local.emulator.aws import LocalAws
from local.emulator.calls import Call
from local.emulator.functions import Context
from tests.support.events import load_event

CLONES = 3
OURS = (str(PROJECT / "layers"), str(PROJECT / "functions"))
SOURCES = (
    (os, "urandom"),
    (random, "random"),
    (random, "getrandbits"),
    (secrets, "token_bytes"),
    (secrets, "token_hex"),
    (secrets, "token_urlsafe"),
    (time, "time"),
    (time, "time_ns"),
    (time, "monotonic"),
    (uuid, "uuid4"),
)


def main() -> None:
    os.environ.update({"AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION})
    taken: list[str] = []
    asked: list[Call] = []
    for module, name in SOURCES:
        setattr(module, name, _watched(getattr(module, name), name, taken))
    parameters = {"PublicBaseUrl": "https://pay.example"}
    # Creating the stack builds every function's root, as Lambda's init does.
    aws = LocalAws(template.load(parameters), parameters, asked.append)
    at_init = [*taken, *map(str, asked)]
    create = aws.handlers[aws.resolve({"Ref": "CreatePaymentFunction"})]
    time.sleep(1.1)

    def restore(_number: int) -> Any:
        answer = create(load_event("create_payment"), Context())
        return {"restored": time.time(), "data": json.loads(answer["body"])["data"]}

    clones = _forked(restore)
    create(load_event("create_payment"), Context())
    later = [*taken, *map(str, asked)]
    print(json.dumps({"at_init": at_init, "later": later, "clones": clones}))


def _watched(source: Callable[..., Any], name: str, taken: list[str]) -> Callable[..., Any]:
    """The source itself, which notes when our own code takes from it."""

    def watched(*args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1).f_code.co_filename
        if caller.startswith(OURS):
            taken.append(f"{name} in {caller}")
        return source(*args, **kwargs)

    return watched


def _forked(restore: Callable[[int], Any]) -> list[Any]:
    """What each clone of this process answers."""
    answers = []
    context: Any = multiprocessing.get_context("fork")
    for number in range(CLONES):
        here, there = context.Pipe(duplex=False)
        clone = context.Process(target=lambda n=number, to=there: to.send(restore(n)))
        clone.start()
        assert here.poll(30), "a clone did not answer"
        answers.append(here.recv())
        clone.join(10)
    return answers


if __name__ == "__main__":
    main()
