"""A measurement that cannot fail measures nothing: each mistake turns its own row red."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local import PROJECT
from local.emulator.functions import Context, load_handler
from tests.benchmarks import cold, data, waiting, warm
from tests.benchmarks.built import BASELINES, BUILD, LAYERS, Layout
from tests.benchmarks.lives import Scene
from tests.benchmarks.rows import Row
from tests.benchmarks.units import run_together
from tests.reliability.world import one_after_another

SLOW = """
_handle = handler
def handler(event, context):
    sum(range(200_000))
    return _handle(event, context)
"""

LOOKING = """
import json
def create_and_look(request, services):
    answer = create_payment(request, services)
    payment_id = json.loads(answer.body)["data"]["id_payment"]
    services.get_payment(request.caller.account, payment_id, test=None)
    return answer
handler = merchant_function(create_and_look)
"""


def red(rows: list[Row]) -> set[str]:
    return {f"{row.name} {row.what}" for row in rows if row.passes is False}


def writable_copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for path in [target, *target.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    return target


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("counting")
def test_a_slowed_handler_turns_warm_calls_red(
    layout: Layout, scene: Scene, tmp_path: Path
) -> None:
    (create, *_) = warm.COMPARISONS
    item = data.stored_items(scene)[0]
    task = writable_copy(layout.task("CreatePaymentFunction"), tmp_path / "task")
    bare = warm.count_bare(create, item)
    app = task / "app.py"
    shutil.rmtree(task / "__pycache__")
    sound = warm.count_in([task, layout.packages], create, item)
    app.write_text(app.read_text("utf-8") + SLOW, "utf-8")
    slowed = warm.count_in([task, layout.packages], create, item)

    assert sound / bare <= create.goal < slowed / bare


def test_an_added_call_turns_creates_red(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "CreatePaymentFunction"
    task = writable_copy(PROJECT / "functions/create_payment", tmp_path / "task")
    app = task / "app.py"
    app.write_text(app.read_text("utf-8") + LOOKING, "utf-8")
    looking = load_handler(name, task, scene.stage.aws.environments[name])

    assert red(data.create_rows(scene)) == set()
    monkeypatch.setitem(scene.stage.handlers, name, looking)
    scene.stage.restart(name)

    assert red(data.create_rows(scene)) == {
        "D1 create: calls",
        "D1 create with key: calls",
        "D1 replay: calls",
    }


@pytest.mark.parametrize("name", ["CheckoutFunction", "AuthenticateFunction", "AuthorizeFunction"])
def test_an_added_call_turns_the_shoppers_wait_red(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    handler = scene.stage.handlers[name]
    dynamodb: Any = scene.stage.session.client("dynamodb")
    key = {"id": {"S": "nobody's attempt"}}

    def look_first(event: Mapping[str, Any], context: Context) -> Any:
        # A read that each of them may make: the permissions are judged by all calls of the tests.
        table = scene.stage.aws.environments[name]["ATTEMPTS_TABLE"]
        dynamodb.get_item(TableName=table, Key=key)
        return handler(event, context)

    assert red(waiting.rows(scene)) == set()
    monkeypatch.setitem(scene.stage.handlers, name, look_first)

    (row,) = waiting.rows(scene)
    assert (row.value, row.passes) == (16, False)


def test_counters_read_one_after_another_turn_the_shoppers_wait_red(scene: Scene) -> None:
    scene.stage.run_together = one_after_another
    scene.stage.restart("AuthenticateFunction")
    try:
        assert len(red(waiting.rows(scene))) == 1
    finally:
        scene.stage.run_together = run_together
        scene.stage.restart("AuthenticateFunction")


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("counting")
def test_an_unpruned_layer_turns_size_and_cold_starts_red(layout: Layout, tmp_path: Path) -> None:
    build = tmp_path / "build"
    for name in (*LAYERS, "CreatePaymentFunction"):
        writable_copy(BUILD / name, build / name)
    packages = build / "DependenciesLayer/python"
    shutil.rmtree(packages / "botocore/data")
    shutil.copytree(BASELINES / "botocore/data", packages / "botocore/data")
    unpruned = Layout(tmp_path / "unpruned")
    shutil.copytree(packages, unpruned.packages)
    shutil.copytree(layout.packages / "payments", unpruned.packages / "payments")
    shutil.copytree(layout.task("CreatePaymentFunction"), unpruned.task("CreatePaymentFunction"))

    counted = cold.count_ready(unpruned, *cold.MERCHANT["create"]) / cold.base()

    assert {name[:2] for name in red(cold.size(build))} == {"C6"}
    assert "C6 botocore services that nobody calls" in red(cold.size(build))
    assert counted > cold.READY_GOAL


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("counting")
def test_bytecode_checked_by_its_date_turns_cold_starts_red(layout: Layout, tmp_path: Path) -> None:
    stale = Layout(tmp_path / "stale")
    shutil.copytree(layout.root, stale.root, copy_function=shutil.copyfile)
    for bytecode in list(stale.root.rglob("__pycache__")):
        shutil.rmtree(bytecode)

    without_bytecode = cold.count_ready(stale, *cold.MERCHANT["create"])

    assert without_bytecode / cold.count_ready(layout, *cold.MERCHANT["create"]) > 1.03
