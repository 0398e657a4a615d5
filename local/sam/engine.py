"""The container engine that SAM uses: the machine's own, or a private one for as long as needed."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound

from local.sam.base_image import (
    ARCHITECTURE,
    IMAGE,
    PYTHON,
    VERSION,
    NoBaseImageError,
    import_image,
)

HOST_NAME = "host.docker.internal"
HOST_GATEWAY = "host-gateway"
_AWS_IMAGE = f"public.ecr.aws/lambda/python:{VERSION}-{ARCHITECTURE}"
_USUAL_HOST = "unix:///var/run/docker.sock"
_START_SECONDS = 30
_STOP_SECONDS = 30
_PACKAGES = "docker.io containerd runc iptables"


class NoEngineError(Exception):
    """There is nothing to run containers with. The text says what to do about it."""


@dataclass(frozen=True)
class Engine:
    """`host` is what DOCKER_HOST has to say; `image` is Lambda's base image, or one made here."""

    host: str
    client: Any
    image: str

    def host_address(self) -> str | None:
        """Where a service must listen for containers to find it under HOST_NAME.

        None if 127.0.0.1 will do: Docker Desktop's containers live in a virtual machine, and the
        address they are given leads there.
        """
        script = f"import socket; print(socket.gethostbyname({HOST_NAME!r}))"
        printed: bytes = self.client.containers.run(
            self.image,
            ["-c", script],
            entrypoint=PYTHON,
            extra_hosts={HOST_NAME: HOST_GATEWAY},
            remove=True,
        )
        address = printed.decode().strip()
        with socket.socket() as probe:
            try:
                probe.bind((address, 0))
            except OSError:
                return None
        return address

    @property
    def environment(self) -> dict[str, str]:
        """What leads a command to this engine."""
        return {"DOCKER_HOST": self.host}

    def remove_containers(self, variables: Mapping[str, str]) -> None:
        """Removes those that were given these variables: SAM may leave some behind."""
        wanted = {f"{name}={value}" for name, value in variables.items()}
        for container in self.client.containers.list(all=True, ignore_removed=True):
            if wanted <= set(container.attrs["Config"]["Env"] or ()):
                container.remove(force=True)


@contextlib.contextmanager
def running() -> Iterator[Engine]:
    """The machine's engine, or else a private one. Raises NoEngineError."""
    host = os.environ.get("DOCKER_HOST") or _USUAL_HOST
    with contextlib.ExitStack() as clean_up:
        if client := _connect(host):
            clean_up.callback(client.close)
            image = _present(client, _AWS_IMAGE) or _present(client, IMAGE) or _pulled(client)
        elif shutil.which("dockerd") and os.geteuid() == 0:
            host, client = clean_up.enter_context(_private_engine())
            image = None
        else:
            raise NoEngineError(
                f"No Docker engine is running. Start one; or, as root, install {_PACKAGES}."
            )
        yield Engine(host, client, image or clean_up.enter_context(_image_of_our_own(client)))


def _present(client: Any, image: str) -> str | None:
    try:
        client.images.get(image)
    except ImageNotFound:
        return None
    return image


def _pulled(client: Any) -> str | None:
    try:
        client.images.pull(_AWS_IMAGE)
    except DockerException:  # no registry is reached from here
        return None
    return _AWS_IMAGE


@contextlib.contextmanager
def _image_of_our_own(client: Any) -> Iterator[str]:
    try:
        import_image(client)
    except NoBaseImageError as error:
        raise NoEngineError(str(error)) from error
    try:
        yield IMAGE
    finally:
        client.images.remove(IMAGE, force=True)


def _connect(host: str) -> Any:
    """A client of the engine that listens there, or None."""
    if not _is_listening(host):
        return None
    try:
        client: Any = docker.from_env(environment={**os.environ, "DOCKER_HOST": host})
    except DockerException:  # it asks the engine for its version at once
        return None
    return client


def _is_listening(host: str) -> bool:
    """Asked first, because a client that cannot connect leaves an open socket behind."""
    if not host.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(host.removeprefix("unix://")) == 0


@contextlib.contextmanager
def _private_engine() -> Iterator[tuple[str, Any]]:
    """Where it listens, and a client. It leaves the machine's firewall alone."""
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
                start_new_session=True,  # Ctrl-C is for us: SAM needs the engine to clean up
            )
        try:
            with contextlib.closing(_wait_for(process, host, log)) as client:
                yield host, client
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
        if client := _connect(host):
            return client
        time.sleep(0.1)
    last_words = log.read_text("utf-8", "replace").splitlines()[-3:]
    raise NoEngineError("\n".join(["dockerd does not start:", *last_words]))
