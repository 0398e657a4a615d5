"""The whole product in one process: the gateway, the handlers, the workflow and AWS."""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from waitress.server import create_server

from local import template
from local.emulator.aws import LocalAws
from local.emulator.calls import CallLog
from local.emulator.containers import bridge_address
from local.emulator.demo import seed
from local.emulator.gateway import MAX_BODY_BYTES, Gateway
from local.emulator.schedule import Schedule
from payments.adapters.aws import AwsClient
from payments.adapters.store.api_keys import ApiKeyStore
from payments.adapters.store.merchants import MerchantStore
from payments.money.snapshot import DATE
from payments.use_cases.api_keys import ApiKeys

_SERVER = {
    "threads": 256,  # handlers at the same time: a shopper who waits for an outcome holds one
    "connection_limit": 1024,
    "asyncore_use_poll": True,  # for select() knows no more than as many files
    "max_request_header_size": 64 * 1024,
    "max_request_body_size": 4 * MAX_BODY_BYTES,  # up to here the gateway answers for itself
    "log_socket_errors": False,
    "ident": None,
}
_STOP_SECONDS = 1  # that requests under way get to end


class LocalStack:
    """Started on entering, stopped on leaving. Port 0 takes any free one."""

    def __init__(
        self,
        host: str,
        port: int,
        aws_port: int,
        stage: str,
        parameters: Sequence[tuple[str, str]],
        progress: Callable[[str], None],
        calls: Path | None = None,
    ) -> None:
        stage_prefix = f"/{stage}" if stage else ""
        progress("Translating template.yaml")
        self._server = create_server(self._answer, host=host, port=port, **_SERVER)
        self.url = f"http://{host}:{self._server.effective_port}{stage_prefix}"
        # Nothing is fetched from outside: without a feed the shipped snapshot serves.
        chosen = {"PublicBaseUrl": self.url, "RatesUrl": "", **dict(parameters)}
        self.rates_source = chosen["RatesUrl"] or f"the snapshot of {DATE}; nothing is fetched"
        loaded = template.load(chosen)
        progress("Creating tables, keys and the workflow; loading the functions")
        self._aws = LocalAws(loaded, chosen, CallLog(calls) if calls else None)
        dynamodb = AwsClient(boto3.client("dynamodb"))
        keys = ApiKeyStore(dynamodb, self._aws.resolve({"Ref": "KeysTable"}))
        seed(ApiKeys(keys), MerchantStore(dynamodb, self._aws.resolve({"Ref": "MerchantsTable"})))
        (api,) = loaded.of_type("AWS::ApiGateway::RestApi").values()
        (deployed,) = loaded.of_type("AWS::ApiGateway::Stage").values()
        self._gateway = Gateway(
            self._aws.resolve(api["Properties"]["Body"]),
            self._aws.handlers,
            stage or self._aws.resolve(deployed["Properties"]["StageName"]),
            stage_prefix,
        )
        rules = loaded.of_type("AWS::Events::Rule")
        self._schedule = Schedule(
            {name: self._aws.resolve(rule["Properties"]) for name, rule in rules.items()},
            self._aws.handlers,
        )
        self._aws_servers = [self._aws.serve(host, aws_port)]
        self.aws_port = self._aws_servers[0].port
        self.aws_url = f"http://{host}:{self.aws_port}"
        self._serve_containers(progress)
        threading.Thread(target=self._server.run, daemon=True).start()

    def _serve_containers(self, progress: Callable[[str], None]) -> None:
        """AWS for `sam local`, whose containers cannot come to 127.0.0.1 on Linux."""
        address = bridge_address()
        if address is None:
            return
        try:
            self._aws_servers.append(self._aws.serve(address, self.aws_port))
        except OSError as error:
            progress(f"sam local cannot reach the emulated AWS at {address}: {error}")

    def _answer(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return self._gateway(environ, start_response)

    def __enter__(self) -> "LocalStack":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._schedule.stop()
        # Its connections end with the process: whoever finishes an answer still needs them.
        self._server.task_dispatcher.shutdown(timeout=_STOP_SECONDS)
        for server in self._aws_servers:
            server.shutdown()
            server.server_close()
        self._aws.stop()
