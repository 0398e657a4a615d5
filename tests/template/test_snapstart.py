"""SnapStart clones what init leaves behind: nothing that must be new each time may be among it."""

import base64
import json
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ulid import ULID

from tests.support.stack import PROJECT


@pytest.fixture(scope="module")
def seen() -> Any:
    """What `snapshot.py` saw at init and in the clones."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.template.snapshot"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{PROJECT}:{PROJECT}/layers/payments"},
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def _secret(clone: Any) -> str:
    encoded = parse_qs(urlsplit(clone["data"]["redirect"]).query)["data"][0]
    return str(json.loads(base64.b64decode(encoded))["client_secret"])


def test_init_takes_no_time_and_nothing_random_and_asks_aws_for_nothing(seen: Any) -> None:
    assert seen["at_init"] == []
    # The watch is seen to work by what a request takes.
    assert any("time_ns" in taken for taken in seen["later"])
    assert any("token_hex" in taken for taken in seen["later"])
    assert any("dynamodb.PutItem" in taken for taken in seen["later"])


def test_clones_of_one_snapshot_make_different_ids_and_secrets(seen: Any) -> None:
    ids = {clone["data"]["id_payment"] for clone in seen["clones"]}
    secrets = {_secret(clone) for clone in seen["clones"]}
    assert (len(ids), len(secrets)) == (3, 3)


def test_a_clone_s_clock_is_the_time_of_its_request(seen: Any) -> None:
    for clone in seen["clones"]:
        made = ULID.from_str(clone["data"]["id_payment"].removeprefix("pay_")).timestamp
        assert abs(clone["restored"] - made) < 1
