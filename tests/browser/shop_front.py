"""The shop the shopper comes from and goes back to: a page on a port of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

_PAGE = (
    '<!doctype html><html lang="en"><link rel="icon" href="data:,">'
    "<title>Corner Shop</title><h1>Thank you</h1>"
)


@contextmanager
def shop_front(moved_to: str = "") -> Iterator[str]:
    """Its address, which is where payments return to. A shop that has moved redirects."""

    @Request.application
    def answer(request: Request) -> Response:
        if moved_to:
            location = f"{moved_to}?{request.query_string.decode()}"
            return Response(status=301, headers={"Location": location})
        return Response(_PAGE, content_type="text/html")

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/thanks"
    server.shutdown()
    server.server_close()
