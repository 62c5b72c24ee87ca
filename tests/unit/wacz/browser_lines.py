"""Lines as the capture browser writes them, and exchanges to hold them against."""

from __future__ import annotations

import hashlib
import io

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.compare import compare
from evidence_desk.wacz.differences import Comparison, Reason, parse_comparison
from evidence_desk.wacz.http.exchange import WebSocketMessage
from evidence_desk.wacz.http.ledger import End
from evidence_desk.wacz.http.reader import HttpReader
from evidence_desk.wacz.recorded import Recorded, recorded
from tests.unit.wacz.samples import get, plain

URL = "https://site.test/a"


def answered(*pairs: tuple[bytes, bytes], end: bool = True) -> list[Recorded]:
    """Exchanges read from wire bytes."""
    reader = HttpReader(number=3, scheme="https", host="site.test", port=443, spool=io.BytesIO)
    for index, (request, response) in enumerate(pairs):
        reader.feed(Direction.OUT, 10 * index, request)
        reader.feed(Direction.IN, 10 * index + 5, response)
    result = reader.finish(End.ORDERLY if end else End.BROKEN)
    found = [recorded(exchange) for exchange in result.exchanges]
    result.close()
    return found


class Log:
    """Lines as the capture browser writes them."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.at = 0

    def add(self, event: str, request: str, **members: JSON) -> Log:
        self.at += 1
        line: dict[str, JSON] = {"event": event, "requestId": request, "session": "S", "at": self.at}
        self.lines.append(encode(line | members) + b"\n")
        return self

    def ask(self, request: str = "1", url: str = URL, method: str = "GET", kind: str = "Fetch") -> Log:
        return self.add(
            "requestWillBeSent", request, url=url, method=method, type=kind, headers={}, post=False
        )

    def reply(
        self, request: str = "1", status: int = 200, event: str = "responseReceived", **members: JSON
    ) -> Log:
        facts: dict[str, JSON] = {"cached": False, "service_worker": False, "headers": {}}
        return self.add(event, request, status=status, **(facts | members))

    def end(self, request: str = "1", size: int = 0) -> Log:
        return self.add("loadingFinished", request, size=size, encoded=size)

    def fail(
        self, request: str = "1", error: str = "net::ERR_FAILED", *, canceled: bool = False, blocked: str = ""
    ) -> Log:
        return self.add("loadingFailed", request, error=error, canceled=canceled, blocked=blocked, size=0)

    def body(self, data: bytes, request: str = "1", form: str = "bytes") -> Log:
        digest = hashlib.sha256(data).hexdigest()
        return self.add("body", request, sha256=digest, size=len(data), form=form)

    def whole(self, data: bytes, request: str = "1", url: str = URL, form: str = "bytes") -> Log:
        return self.ask(request, url).reply(request).end(request, len(data)).body(data, request, form)

    def against(
        self, exchanges: list[Recorded], messages: list[WebSocketMessage] | None = None
    ) -> Comparison:
        return compare(io.BytesIO(b"".join(self.lines)), exchanges, messages or [])


def one(body: bytes = b"hello", *headers: str, status: str = "200 OK", path: str = "/a") -> list[Recorded]:
    return answered((get(path), plain(body, *headers, status=status)))


def reasons(result: Comparison) -> list[Reason]:
    assert parse_comparison(result.encode()) == result
    return [item.reason for item in result.differences]
