"""Runs a command with a Docker engine, also on a machine that has none and reaches no registry.

    .venv/bin/python .ci/containers.py make test

If an engine runs already, or DOCKER_HOST is set, the command uses that one. Otherwise a private
dockerd runs as long as the command, which needs root and Debian's docker.io; its base image is made
from this machine's files. If that engine cannot be started, this program says why and runs the
command without one. The exit status is the command's.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from docker.errors import APIError, DockerException

sys.path.insert(0, str(Path(__file__).parent.parent))

from base_image import NoBaseImageError, import_image
from tests.sam_local.engine import connect

_PACKAGES = "docker.io containerd runc iptables"
_START_SECONDS = 30
_STOP_SECONDS = 30


class NoPrivateEngineError(Exception):
    """dockerd does not run here. The text says why."""


def main() -> int:
    arguments = sys.argv[1:]
    if not arguments:
        print("Name a command: python .ci/containers.py COMMAND …", file=sys.stderr)
        return 2
    command = Command()
    with contextlib.ExitStack() as clean_up:
        environment = dict(os.environ)
        if not environment.get("DOCKER_HOST") and not _an_engine_runs():
            try:
                host, client = clean_up.enter_context(_private_engine())
                if not command.is_ended:
                    import_image(client)
                environment["DOCKER_HOST"] = host
            except (NoPrivateEngineError, NoBaseImageError, DockerException) as reason:
                print(f"The command runs without containers: {reason}", file=sys.stderr)
        return command.run(arguments, environment)


class Command:
    """Passes on what asks this program to end, so that the command ends before its engine."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._ended_by = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._ended_by = number
        self._pass_on()

    def _pass_on(self) -> None:
        if self._process and self.is_ended:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.killpg(self._process.pid, self._ended_by)

    @property
    def is_ended(self) -> bool:
        return self._ended_by != 0

    def run(self, arguments: list[str], environment: Mapping[str, str]) -> int:
        """Its exit status, or as shells say it, 128 and the signal that ended it."""
        if self.is_ended:  # while the engine started
            return 128 + self._ended_by
        # In a session of its own, Ctrl-C reaches it through this program alone, and once.
        self._process = subprocess.Popen(arguments, env=environment, start_new_session=True)
        self._pass_on()  # a signal that came before there was a process
        status = self._process.wait()
        _wait_for_group(self._process.pid)
        return status if status >= 0 else 128 - status


def _wait_for_group(group: int) -> None:
    """Waits for the processes that a killed command leaves: they may still remove containers.

    It kills them after a while, because the engine stops next.
    """
    deadline = time.monotonic() + _STOP_SECONDS
    with contextlib.suppress(ProcessLookupError):  # none is left
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.1)
        os.killpg(group, signal.SIGKILL)


def _an_engine_runs() -> bool:
    if client := connect():
        client.close()
    return client is not None


@contextlib.contextmanager
def _private_engine() -> Iterator[tuple[str, Any]]:
    """Where it listens, and a client. It leaves the machine's firewall alone."""
    if shutil.which("dockerd") is None:
        raise NoPrivateEngineError(f"dockerd is not installed. Debian has it in {_PACKAGES}.")
    if os.geteuid() != 0:
        raise NoPrivateEngineError("only root can start dockerd.")
    with tempfile.TemporaryDirectory(prefix="payments-engine-") as name:
        folder = Path(name)
        host, log = f"unix://{folder}/docker.sock", folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *("dockerd", "--host", host, "--pidfile", folder / "pid"),
                    *("--data-root", folder / "data", "--exec-root", folder / "exec"),
                    *("--iptables=false", "--ip6tables=false", "--ip-masq=false"),
                    *("--ip-forward=false", "--shutdown-timeout=5"),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C must not end it before the command
            )
        try:
            with contextlib.closing(_wait_for(process, host, log)) as client:
                yield host, client
                # The engine would give each container ten seconds to end by itself.
                for container in client.containers.list(ignore_removed=True):
                    with contextlib.suppress(APIError):  # it has just ended
                        container.kill()
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(process: subprocess.Popen[bytes], host: str, log: Path) -> Any:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if client := connect(host):
            return client
        time.sleep(0.1)
    last_words = log.read_text("utf-8", "replace").splitlines()[-3:]
    raise NoPrivateEngineError("\n".join(["dockerd does not start:", *last_words]))


if __name__ == "__main__":
    sys.exit(main())
