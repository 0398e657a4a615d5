"""The house rules that a machine can hold: imports point inward, importing does nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from local import PROJECT

PACKAGE = PROJECT / "layers/payments/payments"
# The rooms from the ground up: each may import itself and what stands before it. Of the modules
# beside them `errors` is the ground, `wiring` builds everything, `entry` is where Lambda comes in.
ROOMS = (
    "errors",
    "money",
    "model",
    "risk",
    "inputs",
    "adapters",
    "acquirers",
    "use_cases",
    "web",
    "settings",
    "telemetry",
    "wiring",
    "entry",
)
MAX_FUNCTION_LINES = 50


def _modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
        if path.parent != PACKAGE or path.name != "__init__.py"
    }


def _room(module: str) -> int:
    return ROOMS.index(module.partition(".")[0])


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "payments":
                found |= {alias.name for alias in node.names}
            elif node.module.startswith("payments."):
                found.add(node.module.removeprefix("payments."))
    return found


@pytest.mark.parametrize("module", sorted(_modules()))
def test_no_import_points_upward(module: str) -> None:
    upward = {
        imported for imported in _imports(_modules()[module]) if _room(imported) > _room(module)
    }
    assert upward == set()


def test_every_folder_is_a_room_and_every_room_is_there() -> None:
    assert {name.partition(".")[0] for name in _modules()} == set(ROOMS)


def test_only_the_composition_root_reads_the_environment() -> None:
    readers = {
        name
        for name, path in _modules().items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    # entry asks only whether it runs inside Lambda.
    assert readers == {"wiring.stores", "entry"}


def test_importing_any_module_touches_neither_environment_nor_network() -> None:
    names = [f"payments.{name}" for name in _modules()]
    handlers = [str(path) for path in (PROJECT / "functions").rglob("app.py")]
    assert len(handlers) >= 9
    script = f"""
import importlib, importlib.util, os, socket, sys
sys.path.insert(0, {str(PACKAGE.parent)!r})
asked = set()
class Watched(dict):
    def __getitem__(self, key):
        frame = sys._getframe(1)
        while frame.f_code.co_filename.startswith("<frozen") or frame.f_code.co_name == "get":
            frame = frame.f_back
        if frame.f_code.co_filename.startswith({str(PROJECT / "layers")!r}) or (
            frame.f_code.co_filename.startswith({str(PROJECT / "functions")!r})
        ):
            asked.add(key.decode())
        return super().__getitem__(key)
def refuse(*_):
    raise AssertionError("the network was touched")
os.environ._data = Watched(os.environ._data)
socket.socket.connect = refuse
for name in {names!r}:
    importlib.import_module(name)
for number, path in enumerate({handlers!r}):
    spec = importlib.util.spec_from_file_location(f"handler_{{number}}", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(sorted(asked))
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin"},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    # Whether it runs in Lambda is all that entry asks; the watch is seen to work by that.
    assert ran.stdout.strip() == "['AWS_LAMBDA_RUNTIME_API']"


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(PROJECT)}:{node.lineno} {node.name}"
        for folder in ("functions", "layers/payments", "local")
        for path in (PROJECT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert long == []


def test_lock_files_name_no_registry() -> None:
    folders = ("layers", "local", "tests")
    locks = [path for name in folders for path in (PROJECT / name).rglob("requirements.txt")]
    assert len(locks) == 6
    for lock in (*locks, PROJECT / "tests/openapi_lint/package-lock.json"):
        assert "://" not in lock.read_text()
