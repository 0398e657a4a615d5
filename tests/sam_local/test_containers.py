"""`.ci/containers.py` gives a command a Docker engine, and leaves nothing of it behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.built import python_3_13
from tests.sam_local import engine
from tests.sam_local.conftest import skip
from tests.support.stack import PROJECT

SECONDS = 120
# Starts a container from the base image, prints the host's process ids of the container and of
# the engine, and ends with 7 when it is asked to end.
_USE_THE_ENGINE = f"""
import json, os, pathlib, signal, sys
import docker

client = docker.from_env()
sleep = ["-c", "import time; time.sleep(600)"]
container = client.containers.run({engine.IMAGE!r}, sleep, entrypoint={engine.PYTHON!r},
    detach=True)
container.reload()
folder = pathlib.Path(os.environ["DOCKER_HOST"].removeprefix("unix://")).parent
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(json.dumps([container.attrs["State"]["Pid"], int((folder / "pid").read_text())]), flush=True)
signal.pause()
"""


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """This test sees no engine, even if the whole run has been given one."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if client := engine.connect():
        client.close()
        pytest.skip("A Docker engine runs on this machine, so none would be started.")


@pytest.fixture
def temporary(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary files go. pytest's own folders are too deep for the name of a socket."""
    if not shutil.which("dockerd") or os.geteuid() != 0 or not python_3_13():
        skip("A private engine needs root, dockerd and Python 3.13.")
    with tempfile.TemporaryDirectory(prefix="payments-test-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def start(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, ".ci/containers.py", *command],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*command: str) -> tuple[int, str, str]:
    process = start(*command)
    output, errors = process.communicate(timeout=SECONDS)
    return process.returncode, output, errors


def exists(process_id: int) -> bool:
    return Path(f"/proc/{process_id}").exists()


def test_a_command_that_is_interrupted_and_fails_leaves_no_engine_behind(temporary: Path) -> None:
    with start(sys.executable, "-c", _USE_THE_ENGINE) as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        assert line, process.stderr.read()
        processes = json.loads(line)
        alive = [exists(process_id) for process_id in processes]
        process.terminate()

    assert alive == [True, True]
    assert process.returncode == 7, "the command's own"
    assert [exists(process_id) for process_id in processes] == [False, False]
    assert list(temporary.iterdir()) == []


def test_a_command_interrupted_before_its_engine_runs_is_not_run(temporary: Path) -> None:
    process = start("echo", "it ran")
    while not list(temporary.iterdir()) and process.poll() is None:
        time.sleep(0.01)
    process.terminate()
    output, errors = process.communicate(timeout=SECONDS)

    assert (process.returncode, output) == (128 + signal.SIGTERM, ""), errors
    assert list(temporary.iterdir()) == []


def test_an_engine_that_is_named_already_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///somewhere/docker.sock")

    assert run("sh", "-c", "echo $DOCKER_HOST; exit 3") == (
        3,
        "unix:///somewhere/docker.sock\n",
        "",
    )


def test_without_an_engine_the_command_runs_and_the_reason_is_told(
    no_engine: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    status, output, errors = run("/bin/sh", "-c", "echo engine: $DOCKER_HOST; exit 3")

    assert (status, output) == (3, "engine:\n")
    assert "dockerd is not installed" in errors
