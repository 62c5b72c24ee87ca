"""Real HTTP servers on the loopback that answer a timestamp client in any way a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REPLY = "application/timestamp-reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to send back; Content-Length is added unless `headers` say otherwise."""

    body: bytes = b""
    status: int = 200
    content_type: str = REPLY
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Heard:
    """Requests that arrived: (method, path, headers, body)."""

    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def http_server(answer: Callable[[str, bytes], Answer]) -> Iterator[tuple[str, Heard]]:
    """URL of a server that calls ``answer(path, body)`` for each request."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            self._answer(self.rfile.read(size))

        def do_GET(self) -> None:
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            heard.requests.append((self.command, self.path, dict(self.headers), body))
            reply = answer(self.path, body)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            headers = {"Content-Length": str(len(reply.body)), **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the library's names
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/tsa", heard
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def raw_server(talk: Callable[[socket.socket, threading.Event], None]) -> Iterator[tuple[str, list[int]]]:
    """URL of a server that hands each connection to `talk`; the list counts connections."""
    over = threading.Event()
    count: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def work() -> None:
            while not over.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                count.append(1)
                connection.settimeout(5)
                with connection:
                    try:
                        talk(connection, over)
                    except OSError:
                        continue

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/", count
        finally:
            over.set()
            thread.join()
