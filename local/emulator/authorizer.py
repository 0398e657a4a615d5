"""A Lambda authorizer as API Gateway asks it, and what the gateway answers when it refuses."""

import fnmatch
import time
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import Headers

from local.emulator.functions import Context, Handler


class RefusedError(Exception):
    """The gateway answers by itself: a gateway response of this type."""

    def __init__(self, response_type: str, authorizer: Mapping[str, Any] | None = None) -> None:
        super().__init__(response_type)
        self.response_type = response_type
        self.authorizer = authorizer or {}


class Authorizer:
    """Calls the authorizer function and remembers its answers for as long as the template says."""

    def __init__(self, definition: Mapping[str, Any], handler: Handler) -> None:
        self._handler = handler
        self._ttl_seconds = int(definition["authorizerResultTtlInSeconds"])
        self._identity_headers = [
            source.strip().removeprefix("method.request.header.")
            for source in definition["identitySource"].split(",")
        ]
        self._answers: dict[tuple[str, ...], tuple[float, Mapping[str, Any]]] = {}

    def context(self, event: Mapping[str, Any], headers: Headers) -> Mapping[str, Any]:
        """The authorizer's context. Raises RefusedError."""
        identity = tuple(headers.get(name, "") for name in self._identity_headers)
        if not all(identity):
            raise RefusedError("UNAUTHORIZED")
        answer = self._remembered(identity) or self._ask(event, identity)
        context: dict[str, Any] = answer["context"] | {"principalId": answer["principalId"]}
        if not _allows(answer["policyDocument"], event["methodArn"]):
            raise RefusedError("ACCESS_DENIED", context)
        return context

    def _remembered(self, identity: tuple[str, ...]) -> Mapping[str, Any]:
        until, answer = self._answers.get(identity, (0.0, {}))
        return answer if until > time.monotonic() else {}

    def _ask(self, event: Mapping[str, Any], identity: tuple[str, ...]) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = self._handler(event, Context())
        except Exception as error:  # whatever breaks in the function, the gateway says the same
            raise RefusedError("AUTHORIZER_CONFIGURATION_ERROR") from error
        if self._ttl_seconds:
            self._answers[identity] = (time.monotonic() + self._ttl_seconds, answer)
        return answer


def _allows(policy: Mapping[str, Any], arn: str) -> bool:
    effects = {
        statement["Effect"]
        for statement in policy["Statement"]
        if any(fnmatch.fnmatchcase(arn, pattern) for pattern in statement["Resource"])
    }
    return effects == {"Allow"}
