"""The Docker engine that SAM uses, and Lambda's base image in it."""

import os
import socket
from typing import Any

import docker
from docker.errors import DockerException

VERSION = "3.13"
ARCHITECTURE = "x86_64"  # what template.yaml builds for, unless it is told otherwise
# The name under which SAM itself looks for the base image.
IMAGE = f"public.ecr.aws/lambda/python:{VERSION}-{ARCHITECTURE}"
PYTHON = f"/var/lang/bin/python{VERSION}"
_USUAL_HOST = "unix:///var/run/docker.sock"


def connect(host: str = _USUAL_HOST) -> Any:
    """A client of the engine that listens there, or None."""
    if not _is_listening(host):
        return None
    try:
        client: Any = docker.from_env(environment={**os.environ, "DOCKER_HOST": host})
    except DockerException:  # it asks the engine for its version at once
        return None
    return client


def connect_as_sam_does() -> Any:
    """A client of the engine that SAM will use, or None."""
    return connect(os.environ.get("DOCKER_HOST") or _USUAL_HOST)


def remove_containers(client: Any, variable: str, value: str) -> None:
    """Removes those that were given this variable: SAM may leave some behind."""
    for container in client.containers.list(all=True, ignore_removed=True):
        if f"{variable}={value}" in (container.attrs["Config"]["Env"] or ()):
            container.remove(force=True)


def _is_listening(host: str) -> bool:
    """Asked first, because a client that cannot connect leaves an open socket behind."""
    if not host.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(host.removeprefix("unix://")) == 0
