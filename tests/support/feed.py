"""A feed of exchange rates on this machine, which answers as a test wants it to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]
RATES: dict[str, Any] = {"USD": 1, "EUR": 0.86, "CRC": 501.25, "MXN": 18.5, "AED": 3.6725}


def feed_body(at: int, rates: object = None, **changes: Any) -> bytes:
    """An answer in the format of open.er-api.com, with changes; `...` leaves a key out."""
    body = {
        "result": "success",
        "time_last_update_unix": at,
        "base_code": "USD",
        "rates": RATES if rates is None else rates,
    }
    kept = {name: value for name, value in (body | changes).items() if value is not ...}
    return json.dumps(kept).encode()


def saying(body: bytes, status: int = 200, **headers: str) -> Answer:
    """An answer of this body; its length is what it is unless `headers` say otherwise."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


class Feed:
    """`answer` may be set at any time; `asked` counts the requests."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{server.server_port}/v6/latest/USD"
        self.answer: Answer = saying(b"")
        self.asked = 0


@contextmanager
def serve_feed(tls: SSLContext | None = None) -> Iterator[Feed]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feed.asked += 1
            try:
                feed.answer(self)
            except OSError:  # the client has hung up, as it should on some answers
                return

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Nothing: a test says what it saw."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that does not like our certificate is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        feed = Feed(server, "https" if tls else "http")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield feed
        server.shutdown()
        thread.join()
