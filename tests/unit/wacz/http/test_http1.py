import hashlib

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.exchange import Framing

IN, OUT = Direction.IN, Direction.OUT
GET = b"GET /a?b=1 HTTP/1.1\r\nHost: a.test\r\nX: 1\r\nX: 2\r\n\r\n"


def test_head_and_body_are_as_on_the_wire(desk):
    head = b"HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-A:  b \r\n\r\n"
    (found,) = desk.read([(OUT, GET), (IN, head + b"hello")]).exchanges
    assert found.request_head == GET
    assert found.response_head == head
    assert found.response_body.open().read() == b"hello"
    assert found.response_body.sha256 == hashlib.sha256(b"hello").digest()
    assert found.payload == found.response_body
    assert (found.method, found.url, found.status, found.protocol) == (
        "GET",
        "https://a.test/a?b=1",
        200,
        "http/1.1",
    )
    assert found.request_headers == [(b"Host", b"a.test"), (b"X", b"1"), (b"X", b"2")]
    assert found.response_headers == [(b"Content-Length", b"5"), (b"X-A", b"b")]
    assert (found.started_at, found.head_at, found.ended_at) == (0, 1000, 1000)
    assert found.framing is Framing.LENGTH
    assert found.complete
    assert found.fault is None


def test_chunked_body_is_kept_framed_and_plain(desk):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    framed = b'5;ext="1"\r\nhello\r\n6 \r\n world\r\n0\r\nX-Sum: abc\r\n\r\n'
    (found,) = desk.read([(OUT, GET), (IN, head + framed)]).exchanges
    assert found.response_body.open().read() == framed
    assert found.payload.open().read() == b"hello world"
    assert found.trailers == ((b"X-Sum", b"abc"),)
    assert found.framing is Framing.CHUNKED
    assert found.complete
