"""The Docker engine that SAM uses, and Lambda's base image in it."""

import contextlib
import os
import platform
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound

from local.emulator import console

VERSION = "3.13"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
# The name under which SAM itself looks for the base image.
IMAGE = f"public.ecr.aws/lambda/python:{VERSION}-{ARCHITECTURE}"
PYTHON = f"/var/lang/bin/python{VERSION}"
HOST_NAME = "host.docker.internal"
HOST_GATEWAY = "host-gateway"
_USUAL_HOST = "unix:///var/run/docker.sock"


class NoEngineError(Exception):
    """Containers cannot be run here. The text says what to do about it."""


@dataclass(frozen=True)
class Engine:
    """An engine that has Lambda's base image. `host` is its address, as DOCKER_HOST states it."""

    host: str
    client: Any

    def host_address(self) -> str | None:
        """Where a service must listen for containers to find it under HOST_NAME.

        None if 127.0.0.1 will do: Docker Desktop's containers live in a virtual machine, and the
        address they are given leads there.
        """
        script = f"import socket; print(socket.gethostbyname({HOST_NAME!r}))"
        printed: bytes = self.client.containers.run(
            IMAGE,
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
def connected() -> Iterator[Engine]:
    """The engine of this machine. Raises NoEngineError."""
    host = os.environ.get("DOCKER_HOST") or _USUAL_HOST
    client = connect(host)
    if client is None:
        raise NoEngineError(
            f"No Docker engine answers at {host}. Install Docker and start it, or set DOCKER_HOST"
            " to the address of an engine that runs."
        )
    with contextlib.closing(client):
        _ensure_image(client)
        yield Engine(host, client)


def _ensure_image(client: Any) -> None:
    try:
        client.images.get(IMAGE)
    except ImageNotFound:
        console.step(f"Pulling {IMAGE} (once)")
        try:
            client.images.pull(IMAGE)
        except DockerException as error:
            raise NoEngineError(
                f"Docker cannot pull {IMAGE}, which SAM runs the functions in: {error}"
            ) from error


def connect(host: str = _USUAL_HOST) -> Any:
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
