"""A small capture with what the web has to offer, decoded from recorded bytes, and its archive."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from tempfile import TemporaryFile
from typing import Any

import brotli
from h2.config import H2Configuration
from h2.connection import H2Connection

from evidence_desk.core.capture.connection import Ending, Fate
from evidence_desk.core.capture.stream import Chunk, Direction
from evidence_desk.wacz.archive import Resource, write_warc
from evidence_desk.wacz.decode import Decoded, decode_connection
from evidence_desk.wacz.layout import Page
from evidence_desk.wacz.pack import About, pack_wacz
from evidence_desk.wacz.record import Bytes
from evidence_desk.wacz.tls import KeyLog
from evidence_desk.wacz.warc import Written
from tests.unit.wacz.tls_recording import AT, connection, record

NOISE = b"".join(hashlib.sha256(index.to_bytes(4)).digest() for index in range(6000))
"""192,000 bytes that do not shrink."""
PAGE = "<!doctype html><meta charset=utf-8><title>证据</title><p>网页取证，字节如实。</p>".encode() * 40
CHINESE = "/%E8%B7%AF%E5%BE%84?q=%E4%B8%AD%E6%96%87&a=1"


def get(path: str, method: str = "GET", *, body: bytes = b"", host: str = "site.test") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}\r\n".encode() + body


def plain(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = "".join(f"{line}\r\n" for line in (f"Content-Length: {len(body)}", *headers))
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-After\r\nContent-Type: text/plain\r\n\r\n"
    b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-After: yes\r\n\r\n"
)
ANSWERS: Mapping[tuple[str, str], bytes] = {
    ("GET", CHINESE): plain(PAGE, "Content-Type: text/html; charset=utf-8"),
    ("GET", "/noise.png"): plain(NOISE, "Content-Type: image/png"),
    ("GET", "/chunked"): CHUNKED,
    ("GET", "/gzip"): plain(
        gzip.compress(PAGE, mtime=0), "Content-Type: text/html", "Content-Encoding: gzip"
    ),
    ("GET", "/br"): plain(brotli.compress(PAGE), "Content-Type: text/html", "Content-Encoding: br"),
    ("GET", "/early"): b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    + plain(b"early", "Content-Type: text/css"),
    ("GET", "/none"): b"HTTP/1.1 204 No Content\r\n\r\n",
    ("GET", "/moved"): plain(b"", "Location: /none", status="302 Found"),
    ("HEAD", "/none"): b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n",
    ("POST", "/form"): plain("已收到".encode(), "Content-Type: text/plain; charset=utf-8"),
    (
        "GET",
        "/folded",
    ): b"HTTP/1.1 200 OK\r\nX-Long: a\r\n  b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
}
H2: Mapping[str, bytes] = {"/h2/page": PAGE, "/h2/noise": NOISE, "/h2/empty": b"", "/h2" + CHINESE: b"h2"}


def answer(request: bytes) -> bytes:
    method, path = request.split(b" ", 2)[:2]
    return ANSWERS[method.decode(), path.decode()]


def h2_turn() -> tuple[bytes, Callable[[bytes], bytes]]:
    """What a client sends for `H2`, and what a server answers."""
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    client.increment_flow_control_window(1 << 24)
    paths = {1 + 2 * index: path for index, path in enumerate(H2)}
    for stream, path in paths.items():
        headers = [(":method", "GET"), (":scheme", "https"), (":authority", "site.test"), (":path", path)]
        client.send_headers(stream, headers, end_stream=True)
        client.increment_flow_control_window(1 << 20, stream)

    def answered(asked: bytes) -> bytes:
        server = H2Connection(H2Configuration(client_side=False))
        server.initiate_connection()
        server.receive_data(asked)
        for stream, path in paths.items():
            server.send_headers(stream, [(":status", "200"), ("content-type", "text/html; charset=utf-8")])
            for start in range(0, len(H2[path]), 16_000):
                server.send_data(stream, H2[path][start : start + 16_000])
            server.send_headers(stream, [("x-after", "yes")], end_stream=True)
        return server.data_to_send()

    return client.data_to_send(), answered


def decode(number: int, chunks: tuple[Chunk, ...], keylog: bytes = b"", **changes: object) -> Decoded:
    return decode_connection(
        connection(number, chunks, **changes), chunks, KeyLog.parse(keylog), lambda: TemporaryFile("w+b")
    )


def turns(*pieces: tuple[Direction, bytes]) -> tuple[Chunk, ...]:
    return tuple(Chunk(direction=way, at=AT + index, data=data) for index, (way, data) in enumerate(pieces))


def decoded() -> list[Decoded]:
    """TLS with HTTP/1.1 and HTTP/2; plain HTTP cut short; nothing answered; refused; not resolved."""
    requests = [
        get(path, method, body=b"a=%E8%AF%81" if method == "POST" else b"") for method, path in ANSWERS
    ]
    first = record(requests, answer)
    asked, answered = h2_turn()
    second = record([asked], answered, alpn="h2")
    cut = turns(
        (Direction.OUT, get("/cut", host="plain.test")),
        (Direction.IN, plain(PAGE, "Content-Type: text/html; charset=utf-8")[:-100]),
    )
    silent = turns((Direction.OUT, get("/silent", host="plain.test")))
    plain_site: dict[str, Any] = {"host": "plain.test", "port": 80}
    nowhere: dict[str, Any] = {"address": None, "local": None, "closed_at": None, "ending": None}
    return [
        decode(1, first.chunks, first.keylog),
        decode(2, second.chunks, second.keylog),
        decode(3, cut, ending=Ending.RESET, **plain_site),
        decode(4, silent, ending=Ending.STOPPED, **plain_site),
        decode(5, (), fate=Fate.REFUSED, reason="private", answers=("10.0.0.1",), host="inner.test", **nowhere),
        decode(6, (), fate=Fate.UNRESOLVED, reason="EAI_NONAME", answers=(), host="nowhere.test", **nowhere),
    ]  # fmt: skip


RESOURCES = (
    Resource(
        uri="urn:view:https://site.test/路径", content_type="image/png", at=AT + 9,
        source=Bytes(b"\x89PNG\r\n\x1a\n" + NOISE[:5000]),
    ),
    Resource(uri="urn:text:https://site.test/", content_type="text/plain; charset=utf-8", at=AT, source=Bytes(PAGE)),
)  # fmt: skip
EVIDENCE = {
    "network.jsonl": b'{"event":"attached"}\n{"event":"body","n":[1,2]}\n', "page-001.txt": "网页取证".encode(),
    "stream-000001.bin": NOISE[:300], "exchanges.jsonl": b"", "cookies.json": b"[]", "page-001-dom.html": PAGE[:80],
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    warc: bytes
    records: tuple[Written, ...]
    wacz: bytes


def archive() -> tuple[bytes, tuple[Written, ...]]:
    out, items = io.BytesIO(), decoded()
    records = write_warc(
        out, items, RESOURCES, software="Evidence Desk 0.1.0", at=AT, about={"description": "取证 示例"}
    )
    for item in items:
        item.close()
    return out.getvalue(), records


def pack(warc: bytes, records: tuple[Written, ...], evidence: Mapping[str, bytes] = EVIDENCE) -> bytes:
    out = io.BytesIO()
    pack_wacz(
        out, warc=Bytes(warc), records=records,
        pages=[Page(id="page-001", url="https://site.test/", title="证据", at="2026-02-02T02:40:00.000Z", text="字节")],
        evidence={name: Bytes(data) for name, data in evidence.items()},
        about=About(
            title="网页取证 site.test", created="2026-02-02T02:45:00Z", software="Evidence Desk 0.1.0",
            main_url="https://site.test/", main_at="2026-02-02T02:40:00.000Z",
        ),
    )  # fmt: skip
    return out.getvalue()


@cache
def sample() -> Sample:
    warc, records = archive()
    return Sample(warc, records, pack(warc, records))
