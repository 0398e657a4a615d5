"""The Lambda authorizer: an API key becomes a merchant and a mode for every route (contract, 2)."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from payments.entry import TaskFunction
from payments.errors import AuthenticationError
from payments.web.texts import negotiate, text
from payments.wiring import Services


def authorize_request(event: Mapping[str, Any], services: Services) -> dict[str, Any]:
    """Allows or denies all routes at once, because the gateway caches the result across them.

    A store that does not respond is an error, which the gateway turns into a 503, never a 401.
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    now_seconds = services.clock.now_us() // 1_000_000
    try:
        key = services.api_keys.authenticate(headers.get("authorization"), now_seconds)
    except AuthenticationError as error:
        language = negotiate(headers.get("accept-language"))
        detail = text(f"auth.{error.reason}", language)
        return _answer(event, "Deny", "unknown", {"detail": detail})
    context = {"merchant": json.dumps(asdict(key.merchant)), "mode": key.mode}
    return _answer(event, "Allow", key.merchant.id, context)


def _answer(
    event: Mapping[str, Any], effect: str, principal: str, context: Mapping[str, str]
) -> dict[str, Any]:
    stage_arn = "/".join(event["methodArn"].split("/")[:2])
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": effect,
        "Resource": [f"{stage_arn}/*"],
    }
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }


handler = TaskFunction(authorize_request)
