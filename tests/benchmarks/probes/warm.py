"""Calls a handler so many times with one event, DynamoDB's answers coming from a file.

    warm.py MODULE EVENT-FILE ANSWER-FILE CALLS

The network is cut off below botocore, at its HTTP session: everything above is the real thing.
"""

import importlib
import io
import os
import sys
from pathlib import Path

import botocore.httpsession
from botocore.awsrequest import AWSResponse, HeadersDict

module_name, event_file, answer_file, calls = sys.argv[1:]
answer = Path(answer_file).read_bytes()


class Raw(io.BytesIO):
    def stream(self):
        yield self.read()


def send(_session, request):
    headers = HeadersDict({"content-type": "application/x-amz-json-1.0"})
    return AWSResponse(request.url, 200, headers, Raw(answer))


botocore.httpsession.URLLib3Session.send = send


class Context:
    aws_request_id = "bench"


import json  # noqa: E402 - whatever is imported before the stub is botocore's own

event = json.loads(Path(event_file).read_text("utf-8"))
sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the log lines of a warm function
handler = importlib.import_module(module_name).handler
for _ in range(int(calls)):
    response = handler(event, Context())
    assert response["statusCode"] < 300, response
os._exit(0)
