"""The real handlers, each with its own environment, as Lambda would run them."""

import importlib.util
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Context:
    """What of Lambda's context object our handlers read."""

    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


Handler = Callable[[Mapping[str, Any], Context], Any]
_NAME_IN_ARN = re.compile(r":function:([^:/]+)")


def function_name(reference: str) -> str:
    """The name in a function's ARN or its alias's, or the name itself."""
    found = _NAME_IN_ARN.search(reference)
    return found[1] if found else reference


def load_handler(name: str, folder: Path, environment: Mapping[str, str]) -> Handler:
    """Imports `app.py` under the function's name and lets it build its root in its environment."""
    spec = importlib.util.spec_from_file_location(f"functions_{name}", folder / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with _environment(environment):
        spec.loader.exec_module(module)
        module.handler.build()
    handler: Handler = module.handler
    return handler


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
