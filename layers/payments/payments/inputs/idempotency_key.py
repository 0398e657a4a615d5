"""The `Idempotency-Key` header of a POST, and the body it came with (contract, section 3)."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payments.errors import FieldError

_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The header's value and the hash of the parsed body it came with."""

    key: str
    body_hash: str


def key_errors(header: str | None) -> list[FieldError]:
    """What is wrong with the header. Not sending it is right too."""
    if header is None or _VISIBLE.fullmatch(header):
        return []
    return [FieldError("Idempotency-Key", "invalid_idempotency_key")]


def idempotency_key(header: str | None, body: Mapping[str, Any]) -> IdempotencyKey | None:
    """None without the header. Bodies are compared as parsed JSON, not as bytes."""
    if header is None:
        return None
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return IdempotencyKey(header, hashlib.sha256(canonical.encode()).hexdigest())
