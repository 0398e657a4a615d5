"""Calls a handler so many times with one event, DynamoDB's answers coming from a file.

    warm.py MODULE HANDLER EVENT-FILE ANSWER-FILE ITEM-FILE CALLS

The network is cut off below botocore, at its HTTP session: everything above is the real thing.
"""

import importlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import botocore.httpsession
from botocore.awsrequest import AWSResponse, HeadersDict

module_name, handler_name, event_file, answer_file, item_file, calls = sys.argv[1:]
answer = Path(answer_file).read_bytes()
os.environ["BENCH_ITEM"] = Path(item_file).read_text("utf-8")


class Raw(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self) -> Any:
        yield self.read()


def send(_session: Any, request: Any) -> AWSResponse:
    headers: Any = HeadersDict({"content-type": "application/x-amz-json-1.0"})
    return AWSResponse(request.url, 200, headers, Raw(answer))


class Context:
    """What of Lambda's context our handlers read."""

    aws_request_id = "bench"


botocore.httpsession.URLLib3Session.send = send  # type: ignore[method-assign, assignment]
event = json.loads(Path(event_file).read_text("utf-8"))
sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - log lines, to the very end
handler = getattr(importlib.import_module(module_name), handler_name)
for _ in range(int(calls)):
    response = handler(event, Context())
    assert response["statusCode"] < 300, response
os._exit(0)
