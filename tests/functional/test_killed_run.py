"""A test run that is killed leaves no server behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.stack import PROJECT

SMALL_RUN = """
import os
import time
from pathlib import Path

def test_that_does_not_end(stack):
    started = Path(os.environ["STARTED"])
    started.with_suffix(".new").write_text(f"{os.getpid()} {stack.url}")
    started.with_suffix(".new").rename(started)
    time.sleep(3600)
"""


@pytest.mark.parametrize("killed", ["the run", "its worker"])
def test_a_killed_test_run_leaves_no_local_stack_behind(killed: str, tmp_path: Path) -> None:
    started = tmp_path / "started"
    (tmp_path / "test_small_run.py").write_text(SMALL_RUN)
    options = ("--numprocesses=1", "--max-worker-restart=0", "-p", "tests.conftest")
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, "--confcutdir=.", str(tmp_path)],
        cwd=PROJECT,
        env=os.environ | {"STARTED": str(started), "PYTHONPATH": ".:layers/payments"},
        stdout=subprocess.DEVNULL,
    )
    try:
        while not started.exists():
            assert run.poll() is None, "the small run ended"
            time.sleep(0.1)
        worker, url = started.read_text().split()
        assert _is_served(url)
        if killed == "the run":
            run.terminate()
        else:
            os.kill(int(worker), signal.SIGKILL)
        run.wait()
        while _is_served(url):
            time.sleep(0.1)
    finally:
        run.kill()


def _is_served(url: str) -> bool:
    address = urlsplit(url)
    with socket.socket() as client:
        return client.connect_ex((address.hostname, address.port)) == 0
