"""Contract, section 9: `make start`, what works there from the start, and who takes live money."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from samtranslator.yaml_helper import yaml_parse

from payments.model.ids import Mode
from tests.conftest import StackFor
from tests.support.actors import Shop, Shopper, open_shop
from tests.support.documentation import (
    CREATE_BY_CURL,
    CREATE_BY_FETCH,
    CREATE_BY_REQUESTS,
    EXAMPLE_ID,
    GET_BY_CURL,
    LIST_BY_CURL,
    ONE_VIEW_KEYS,
    envelope,
    example,
)
from tests.support.intrinsics import refusals
from tests.support.stack import PROJECT, START_SECONDS, Stack

TEST_KEY = "sk_test_51O62xYzAbcDef123"
LIVE_KEY = "sk_live_51O62xYzAbcDef123"
SECOND_MERCHANT_KEY = "sk_test_71Q84zAbCdEfGh456"
CANARY = "4539578763621486"
REVOKED_KEY = "sk_test_41N51wXyZabCde000"
CLIENTS = 8
ROUNDS = 2
_PAYMENT_ID = re.compile(r"pay_[0-9A-Z]{26}")


@pytest.fixture
def demo_shop(stack: Stack) -> Iterator[Shop]:
    """The merchant of the documentation's examples."""
    shop = Shop(stack, TEST_KEY)
    yield shop
    shop.close()


def run(*command: str) -> str:
    """What the command prints; it must succeed."""
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def pasted_curl(log: str) -> str:
    """The curl line that the stack has printed."""
    found = re.search(r"^curl .*?(?=\n\n)", log, re.MULTILINE | re.DOTALL)
    assert found, log
    return found[0]


# -------------------------------------------------------------------------------------- make start


def _environment() -> dict[str, str]:
    """Without what a `make test` around us would hand down to another make."""
    handed_down = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PORT", "AWS_PORT", "STAGE", "LOG")
    return {name: value for name, value in os.environ.items() if name not in handed_down}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("overrides", "options"),
    [
        ([], '--port "8000" --aws-port "4566" --lifetime "" --log "" --stage ""'),
        (["PORT=9000"], '--port "9000" --aws-port "4566" --lifetime "" --log "" --stage ""'),
        (["STAGE=prod"], '--port "8000" --aws-port "4566" --lifetime "" --log "" --stage "prod"'),
        (
            ["LIFETIME=60", "LOG=debug"],
            '--port "8000" --aws-port "4566" --lifetime "60" --log "debug" --stage ""',
        ),
    ],
)
def test_make_start_listens_on_port_8000_unless_told_otherwise(
    overrides: list[str], options: str
) -> None:
    asked = ("make", "--dry-run", "start", *overrides)
    printed = subprocess.run(
        asked, cwd=PROJECT, env=_environment(), capture_output=True, text=True, check=True
    )
    assert f"-m local.emulator {options}" in printed.stdout


def test_make_start_serves_under_its_port_and_stage_until_ctrl_c() -> None:
    port, aws_port = _free_port(), _free_port()
    make = subprocess.Popen(
        ["make", "start", f"PORT={port}", f"AWS_PORT={aws_port}", "STAGE=prod"],
        cwd=PROJECT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    printed = ""
    try:
        assert make.stdout
        while "Ctrl-C stops" not in printed:
            line = make.stdout.readline()
            assert line, printed
            printed += line
        created = run("sh", "-c", pasted_curl(printed))
    finally:
        os.killpg(make.pid, signal.SIGINT)  # a terminal sends it to all of them
        rest, _ = make.communicate(timeout=20)
    printed += rest

    assert "Ready in " in printed
    assert f"http://127.0.0.1:{port}/prod" in printed
    assert f'"redirect": "http://127.0.0.1:{port}/prod/checkout/?data=' in created
    assert "Traceback" not in printed
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/prod/v1/payments/", timeout=5)


def test_it_prints_ready_and_a_curl_line_to_paste(stack: Stack) -> None:
    assert re.search(r"^Ready in [\d.]+ s: http://127\.0\.0\.1:\d+ ", stack.log, re.MULTILINE)
    created = run("sh", "-c", pasted_curl(stack.log))
    assert '"code": 202' in created
    assert f'"redirect": "{stack.url}/checkout/?data=' in created


def _start(option: str) -> subprocess.CompletedProcess[str]:
    """A start that is to fail."""
    return subprocess.run(
        [sys.executable, "-m", "local.emulator", "--port=0", "--aws-port=0", option],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("variable", ["PORT", "AWS_PORT"])
def test_a_taken_port_is_said_plainly_and_ends_it(variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = _start(f"--{variable.lower().replace('_', '-')}={port}")
    assert ran.returncode == 1
    assert f"Port {port} is taken" in ran.stderr
    assert f"make start {variable}=" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Ready" not in ran.stdout


def test_a_start_that_fails_ends_and_says_why() -> None:
    ran = _start("--parameter=PaymentLifetimeSeconds=soon")
    assert ran.returncode == 1
    assert "'soon'" in ran.stderr


def test_sigint_ends_it_cleanly_with_requests_made_and_a_challenge_open() -> None:
    stack = Stack()
    try:
        shop, shopper = open_shop(stack), Shopper(stack)
        shopper.pay(shop.checkout())
        shopper.start_challenge(shop.checkout())
        started = time.monotonic()
        assert stack.stop() == 0
        assert time.monotonic() - started < 10
        assert stack.log.rstrip().endswith("Stopping.")
        assert "Traceback" not in stack.log
    finally:
        stack.close()


# ------------------------------------------------------------------------------- keys, merchants


@pytest.mark.parametrize("key", [TEST_KEY, LIVE_KEY, SECOND_MERCHANT_KEY])
def test_the_keys_work_from_the_start(stack: Stack, key: str) -> None:
    assert Shop(stack, key).list().status_code == 200


def test_the_revoked_key_is_refused(stack: Stack) -> None:
    answer = Shop(stack, REVOKED_KEY).list()
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid API key."})


def test_the_first_merchant_is_the_documentation_s(demo_shop: Shop) -> None:
    checkout = demo_shop.checkout(amount="100.00")
    (row,) = [row for row in demo_shop.list(limit=100).json() if row["id"] == checkout.id]

    assert checkout.data["company_name"] == "4Geeks Payments"
    assert checkout.data["statement_descriptor"] == ["4GEEKS"]
    assert row["statement_description"] == "4GEEKS"
    assert (row["currency_local"], row["net_currency"]) == ("CRC", "USD")
    assert (row["fee"], row["net"]) == (5.5, 94.5)  # as a merchant in Costa Rica pays it


def test_the_live_key_is_the_first_merchant_s_too(demo_shop: Shop) -> None:
    checkout = demo_shop.checkout()
    live = Shop(demo_shop.stack, LIVE_KEY)
    assert live.get(checkout.id, test="true").json() == demo_shop.payment(checkout.id)


def test_the_second_merchant_is_another_one(demo_shop: Shop) -> None:
    second = Shop(demo_shop.stack, SECOND_MERCHANT_KEY)
    checkout = second.checkout()
    assert second.payment(checkout.id)["test"] is True
    assert checkout.data["company_name"] != "4Geeks Payments"
    assert demo_shop.get(checkout.id).status_code == 404


def test_fraud_rules_are_enforced_in_test_mode_for_the_second_merchant_alone(stack: Stack) -> None:
    enforced = {}
    for key in (TEST_KEY, LIVE_KEY, SECOND_MERCHANT_KEY):
        row_id = {"id": {"S": "key#" + hashlib.sha256(key.encode()).hexdigest()}}
        table = stack.resources["KeysTable"]
        row = stack.dynamodb.get_item(TableName=table, Key=row_id)["Item"]
        enforced[key] = row["merchant"]["M"]["enforces_fraud_rules_in_test"]["BOOL"]
    assert enforced == {TEST_KEY: False, LIVE_KEY: False, SECOND_MERCHANT_KEY: True}


# ------------------------------------------------------------------- the documentation's examples


@pytest.mark.parametrize(
    ("interpreter", "flag", "text"),
    [
        ("sh", "-c", CREATE_BY_CURL),
        (sys.executable, "-c", CREATE_BY_REQUESTS),
        ("node", "-e", CREATE_BY_FETCH),
    ],
    ids=["curl", "requests", "fetch"],
)
def test_the_create_examples_work_as_printed(
    demo_shop: Shop, interpreter: str, flag: str, text: str
) -> None:
    if not shutil.which(interpreter):
        pytest.skip(f"NOT TESTED: {interpreter} is not installed, so its example did not run")
    printed = run(interpreter, flag, example(text, demo_shop.stack.url))

    assert re.search(r"\bcode\W+202\b", printed)
    assert "Action required" in printed
    assert f"{demo_shop.stack.url}/checkout/?data=" in printed
    found = _PAYMENT_ID.search(printed)
    assert found
    payment = demo_shop.payment(found[0])
    assert (payment["amount"], payment["currency"]) == ("500.00", "USD")
    assert payment["description"] == "Premium subscription payment"
    assert payment["items"] == ["Premium Plan - Monthly"]
    assert payment["return_url"] == "https://example.com/payment-result"


def test_the_get_example_works_with_the_id_that_came_back(demo_shop: Shop) -> None:
    checkout = demo_shop.checkout()
    text = example(GET_BY_CURL, demo_shop.stack.url).replace(EXAMPLE_ID, checkout.id)
    view = _json(run("sh", "-c", text))
    assert tuple(view)[: len(ONE_VIEW_KEYS)] == ONE_VIEW_KEYS
    assert (view["id"], view["status"]) == (checkout.id, "requires_action")


def test_the_get_example_as_printed_is_the_documented_404(demo_shop: Shop) -> None:
    body = _json(run("sh", "-c", example(GET_BY_CURL, demo_shop.stack.url)))
    assert (body["code"], body["title"]) == (404, "Payments not found")


def test_the_list_example_is_empty_and_with_test_true_shows_the_payment(
    demo_shop: Shop, shopper: Shopper
) -> None:
    checkout = demo_shop.checkout()
    assert shopper.pay(checkout).status_code == 200
    as_printed = example(LIST_BY_CURL, demo_shop.stack.url)

    assert _json(run("sh", "-c", as_printed)) == []
    listed = _json(run("sh", "-c", as_printed.replace("test=false", "test=true")))
    (row,) = [row for row in listed if row["id"] == checkout.id]
    assert (row["status"], row["test"], row["amount"]) == ("succeeded", True, 500.0)


def _json(text: str) -> Any:
    return json.loads(text)


# ------------------------------------------------------------------------------------- live money


@pytest.fixture(scope="module")
def source() -> Any:
    return yaml_parse((PROJECT / "template.yaml").read_text())


def test_a_live_create_answers_503_for_want_of_an_acquirer(stack_for: StackFor) -> None:
    stack = stack_for(stage="prod")
    live = Shop(stack, LIVE_KEY)
    before = stack.row_counts()
    answer = live.create()
    envelope(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert stack.row_counts() == before
    assert live.list().json() == []


def test_what_is_wrong_with_a_live_create_is_said_all_the_same(stack: Stack) -> None:
    envelope(Shop(stack, LIVE_KEY).create(amount="0"), 400, "errors")


def test_there_is_no_live_acquirer_by_default(
    source: Any,
) -> None:
    live_acquirer = source["Parameters"]["LiveAcquirer"]
    assert live_acquirer["Default"] == "none"
    assert set(live_acquirer["AllowedValues"]) == {"none", "simulator"}


def test_with_the_simulator_live_and_test_money_stay_apart(stack_for: StackFor) -> None:
    stack = stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds="1")
    merchant, shopper = f"apart-{time.time_ns()}", Shopper(stack)
    shops = {mode: open_shop(stack, mode, merchant) for mode in Mode}
    paid = {mode: shop.checkout() for mode, shop in shops.items()}
    for checkout in paid.values():
        assert shopper.pay(checkout).status_code == 200

    for mode, shop in shops.items():
        view = shop.payment(paid[mode].id)
        assert (view["status"], view["test"]) == ("completed", mode is Mode.TEST)
        assert [row["id"] for row in shop.list().json()] == [paid[mode].id]
        assert [row["id"] for row in shop.list(status="succeeded").json()] == [paid[mode].id]
    assert shops[Mode.TEST].get(paid[Mode.LIVE].id).status_code == 404
    assert shops[Mode.LIVE].get(paid[Mode.TEST].id).status_code == 404


def test_a_live_secret_opens_no_test_payment(stack_for: StackFor) -> None:
    stack = stack_for(LiveAcquirer="simulator", AuthorizerCacheSeconds="1")
    merchant, shopper = f"apart-{time.time_ns()}", Shopper(stack)
    live, test = (open_shop(stack, mode, merchant).checkout() for mode in (Mode.LIVE, Mode.TEST))
    url = f"{stack.url}/checkout/{test.id}"
    answer = shopper.open(url, params={"client_secret": live.client_secret})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("environment", "live_acquirer", "accepted"),
    [
        ("dev", "none", True),
        ("dev", "simulator", True),
        ("prod", "none", True),
        ("prod", "simulator", False),
    ],
)
def test_the_template_refuses_the_simulator_in_production_and_nothing_else(
    source: Any, environment: str, live_acquirer: str, accepted: bool
) -> None:
    assert environment in source["Parameters"]["Environment"]["AllowedValues"]
    typed = {"Environment": environment, "LiveAcquirer": live_acquirer}
    refused = refusals(source, typed | {"AlarmEmail": "me@shop.example"})
    assert refused == ([] if accepted else ["NoSimulatorInProduction"])


# --------------------------------------------------------------------------------- many at a time


def test_ctrl_c_many_times_ends_it_as_well_as_once() -> None:
    stack = Stack()
    try:
        for _ in range(200):
            stack.interrupt()
        assert stack.stop() in {0, -signal.SIGINT}  # Python itself ends by one that comes late
    finally:
        stack.close()


def _client(stack: Stack) -> list[int]:
    """One merchant and one shopper at work; the statuses they got."""
    shop, shopper = open_shop(stack), Shopper(stack)
    statuses = []
    for _ in range(ROUNDS):
        checkout = shop.checkout()
        statuses += [
            shopper.open(checkout.redirect).status_code,
            shopper.pay(checkout).status_code,
            shop.get(checkout.id).status_code,
            shop.list().status_code,
        ]
        assert shop.payment(checkout.id)["status"] == "completed"
    shop.close()
    shopper.close()
    return statuses


def test_eight_clients_at_once_see_no_failed_request(stack: Stack) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        answered = list(pool.map(_client, [stack] * CLIENTS))
    assert answered == [[200] * 4 * ROUNDS] * CLIENTS


def _memory_mb(stack: Stack) -> float:
    pages = int(Path(f"/proc/{stack.process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: Linux alone tells it so easily")
def test_asking_again_and_again_takes_no_more_memory(stack: Stack, shop: Shop) -> None:
    for _ in range(100):
        shop.checkout()

    def ask() -> float:
        for _ in range(20):
            shop.list(limit=100)
        return _memory_mb(stack)

    warm = ask()
    assert ask() < warm + 5  # it was 11


def _connected(stack: Stack) -> socket.socket:
    address = urlsplit(stack.url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def test_connections_that_say_nothing_keep_nobody_waiting(stack: Stack, shop: Shop) -> None:
    with ExitStack() as silent:
        for _ in range(400):
            silent.enter_context(_connected(stack))
        started = time.monotonic()
        assert shop.create().status_code == 202
        assert time.monotonic() - started < 10


@pytest.mark.parametrize("body", [f"card_number={CANARY}\r\n", f"5\r\n{CANARY}\r\n0\r\n\r\n"])
def test_a_body_in_broken_chunks_is_refused_and_left_out_of_the_log(
    stack: Stack, shop: Shop, body: str
) -> None:
    path = urlsplit(f"{stack.url}/checkout/{shop.checkout().id}").path
    headers = (
        "Host: localhost",
        "Transfer-Encoding: chunked",
        "Content-Type: application/x-www-form-urlencoded",
        "Connection: close",
    )
    with _connected(stack) as connection:
        connection.sendall("\r\n".join((f"POST {path} HTTP/1.1", *headers, "", body)).encode())
        answer = connection.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert CANARY not in answer
    assert CANARY not in stack.log
