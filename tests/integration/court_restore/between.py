"""A gateway in between, over HTTP: hands on what is asked, and withholds envelopes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from evidence_desk.core.canonical import decode, encode


def without_envelopes(body: bytes) -> bytes:
    value = decode(body, what="leaves", limit=1 << 25)
    assert isinstance(value, dict)
    leaves = value["leaves"]
    assert isinstance(leaves, list)
    return encode({**value, "leaves": [[pair[0], None] for pair in leaves if isinstance(pair, list)]})


@contextmanager
def withholding(honest: str) -> Iterator[str]:
    """Address of a gateway that gives no envelopes."""
    http = httpx.Client(trust_env=False, timeout=30)

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {
                name: value
                for name, value in self.headers.items()
                if name.lower() in {"authorization", "content-type"}
            }
            answer = http.request(self.command, honest + self.path, content=body, headers=kept)
            content = answer.content
            if "/leaves" in self.path and answer.status_code == httpx.codes.OK:
                content = without_envelopes(content)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        http.close()
