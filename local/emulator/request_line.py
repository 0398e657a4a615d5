"""The terminal's line for a request: what a developer needs, and nothing that is secret."""

import json
import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from payments.model.ids import is_payment_id, parse_challenge_id
from payments.web.checkout_link import read_checkout_data

_MAX_PATH_CHARACTERS = 200
# Of a path only words are shown. Keys, client secrets and challenge ids are longer than this, and
# card numbers and codes have more digits.
_WORD = re.compile(r"(?=\D*(?:\d\D*){0,2}$)[A-Za-z0-9._~{}-]{0,24}")
_METHOD = re.compile(r"[A-Z]{1,10}")
_INVALID_FIELD = re.compile(r'name="(\w+)"[^>]*aria-invalid="true"')
_ACCEPTED, _BAD_REQUEST, _SERVER_ERROR = 202, 400, 500


def request_line(
    request: Request,
    path: str,
    parameters: Mapping[str, str] | None,
    response: Response,
    millis: float,
) -> str:
    """`path` as it was sent, `parameters` those of its route; None if there is no such route."""
    method = request.method if _METHOD.fullmatch(request.method) else "?"
    shown_path = _shown(path)
    answer = _json(response)
    payment_id = _payment_id(request, parameters or {}, answer)
    more = [payment_id] if payment_id not in shown_path else []
    if parameters is None:
        more.append("no such route")
    elif response.status_code >= _BAD_REQUEST:
        more.append(_reason(response, answer))
    line = f"{method} {shown_path} {response.status_code} {millis:.0f} ms"
    told = "  ".join([line, *filter(None, more)])
    return "".join(letter if letter.isprintable() else "?" for letter in told)


def _shown(path: str) -> str:
    parts = [
        part if is_payment_id(part) or _WORD.fullmatch(part) else "…" for part in path.split("/")
    ]
    return "/".join(parts)[:_MAX_PATH_CHARACTERS]


def _json(response: Response) -> dict[str, Any]:
    """The answer to a create, and every error: what else says something about the payment."""
    if response.status_code != _ACCEPTED and response.status_code < _BAD_REQUEST:
        return {}
    if response.mimetype != "application/json":
        return {}
    answer = json.loads(response.get_data(as_text=True) or "null")
    return answer if isinstance(answer, dict) else {}


def _payment_id(request: Request, parameters: Mapping[str, str], answer: Mapping[str, Any]) -> str:
    challenge = parse_challenge_id(parameters.get("challenge", ""))
    candidates = (
        parameters.get("id", ""),
        challenge.payment_id if challenge else "",
        read_checkout_data(request.args.get("data", ""))[0],
        (answer.get("data") or {}).get("id_payment", ""),
    )
    return next((found for found in candidates if is_payment_id(found)), "")


def _reason(response: Response, answer: Mapping[str, Any]) -> str:
    """Quotes the answer itself, which never repeats what was sent."""
    if errors := answer.get("errors"):
        return ", ".join(f"{error['field']}: {error['code']}" for error in errors)
    if decline := answer.get("error"):
        return str(decline.get("decline_code", ""))
    if response.status_code == _BAD_REQUEST and response.mimetype == "text/html":
        return ", ".join(_INVALID_FIELD.findall(response.get_data(as_text=True)))
    told = answer.get("content") if response.status_code >= _SERVER_ERROR else answer.get("title")
    return str(answer.get("detail") or answer.get("reason") or told or "")
