"""`sam local`, told where the running stack is."""

import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from local import PROJECT, REGION
from local.emulator import console
from local.sam.engine import ARCHITECTURE, HOST_GATEWAY, HOST_NAME, Engine

# SAM would look for real credentials, and ask a real STS whose they are.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
    "AWS_MAX_ATTEMPTS": "1",
    "SAM_CLI_TELEMETRY": "0",
}
_STOP_SECONDS = 30


class SamApi:
    """`sam local start-api`, started on entering, ended with its containers on leaving."""

    def __init__(
        self,
        containers: Engine,
        environments: Mapping[str, Mapping[str, str]],
        aws_port: int,
        port: int,
        folder: Path,
    ) -> None:
        self._containers = containers
        self._port = port
        self._endpoint = {"AWS_ENDPOINT_URL": f"http://{HOST_NAME}:{aws_port}"}
        variables = folder / "variables.json"
        variables.write_text(
            json.dumps({name: {**known, **self._endpoint} for name, known in environments.items()})
        )
        self._sam = str(Path(sys.executable).with_name("sam"))
        self._options = [
            *("--env-vars", str(variables), "--region", REGION, "--skip-pull-image"),
            *("--add-host", f"{HOST_NAME}:{HOST_GATEWAY}"),
            *("--parameter-overrides", f"Architecture={ARCHITECTURE}"),
        ]

    def __enter__(self) -> "SamApi":
        self._process = subprocess.Popen(
            [
                *(self._sam, "local", "start-api", *self._options, "--no-watch"),
                *("--host", console.HOST, "--port", str(self._port), "--warm-containers", "EAGER"),
            ],
            cwd=PROJECT,
            env=os.environ | ENVIRONMENT | self._containers.environment,
            start_new_session=True,  # Ctrl-C is for us: SAM is ended in its turn
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._containers.remove_containers(self._endpoint)

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    @property
    def listens(self) -> bool:
        """SAM listens once all its containers stand."""
        with socket.socket() as probe:
            return probe.connect_ex((console.HOST, self._port)) == 0

    def invoke_command(self, function: str, event: str) -> str:
        """What to type to run one function once, on what the running stack holds."""
        variables = [f"{name}={value}" for name, value in self._containers.environment.items()]
        invoke = [self._sam, "local", "invoke", *self._options, "--event", event, function]
        return shlex.join(["env", *variables, *invoke])
