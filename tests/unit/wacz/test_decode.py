"""Connections from end to end: real TLS recorded in memory, decrypted and read."""

import io
import ssl
from contextlib import contextmanager

import pytest

from evidence_desk.core.capture.connection import Ending
from evidence_desk.core.capture.stream import Chunk, Direction, StreamReader, encode_chunk
from evidence_desk.errors import MalformedError
from evidence_desk.wacz.decode import Decoded, decode_connection
from evidence_desk.wacz.http.limits import Limits
from evidence_desk.wacz.tls import KeyLog
from tests.unit.wacz.http import frames2 as f
from tests.unit.wacz.http.frames2 import END_STREAM, PREFACE, Side
from tests.unit.wacz.tls_recording import connection, record

IN, OUT = Direction.IN, Direction.OUT
GET = b"GET /%d HTTP/1.1\r\nHost: site.test\r\n\r\n"
BODY = bytes(range(256)) * 2000


@contextmanager
def reading(chunks, keylog=b"", **changes):
    made: list[io.BytesIO] = []

    def spool():
        made.append(io.BytesIO())
        return made[-1]

    kept = tuple(chunks) if not isinstance(chunks, StreamReader) else chunks
    line = connection(9, kept if isinstance(kept, tuple) else (), **changes)
    decoded = decode_connection(line, kept, KeyLog.parse(keylog), spool)
    try:
        yield decoded
    finally:
        decoded.close()
        assert all(file.closed for file in made)
        assert len(made) <= 1


def answer(request: bytes) -> bytes:
    path = request.split(b" ")[1]
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Path: %s\r\n\r\n%s" % (len(BODY), path, BODY)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_http_1_over_tls(version):
    requests = [GET % number for number in range(3)]
    recording = record(requests, answer, version)
    with reading(recording.chunks, recording.keylog) as decoded:
        assert [item.request_head for item in decoded.exchanges] == requests
        for number, item in enumerate(decoded.exchanges):
            assert item.url == f"https://site.test/{number}"
            assert item.response_head + item.response_body.open().read() == answer(requests[number])
            assert item.complete
            assert item.connection == 9
        moments = [chunk.at for chunk in recording.chunks]
        assert decoded.exchanges[0].started_at in moments
        assert decoded.exchanges[0].started_at < decoded.exchanges[0].ended_at <= moments[-1]
        assert decoded.tls is not None
        assert (decoded.tls.ended, decoded.tls.alpn, decoded.faults) == ("close_notify", "http/1.1", ())
        assert decoded.recorded
        assert not decoded.torn


def test_what_alpn_agreed_counts():
    browser, server = Side(), Side()
    asked = PREFACE + f.settings() + browser.get(1, b"/h2")
    replied = f.settings() + server.status(1, b"200") + f.data(1, BODY[:9000], END_STREAM)
    recording = record([asked], lambda _: replied)
    with reading(recording.chunks, recording.keylog) as decoded:
        assert decoded.tls is not None
        assert decoded.tls.alpn == "http/1.1"
        assert "http1.request_malformed" in decoded.faults


def test_without_secrets_nothing_is_read_and_nothing_is_lost():
    recording = record([GET % 1], answer)
    with reading(recording.chunks) as decoded:
        assert (decoded.exchanges, decoded.faults) == ((), ())
        assert decoded.tls is not None
        assert "tls.secret.missing" in decoded.tls.faults
        assert decoded.recorded


def plain(*turns: tuple[Direction, bytes]) -> list[Chunk]:
    return [Chunk(direction=way, at=index, data=data) for index, (way, data) in enumerate(turns)]


def test_plain_http():
    chunks = plain((OUT, GET % 1), (IN, answer(GET % 1)))
    with reading(chunks, port=80) as decoded:
        (found,) = decoded.exchanges
        assert decoded.tls is None
        assert found.url == "http://site.test/1"
        assert found.response_body.open().read() == BODY
    with reading([c for b in (GET % 1) for c in plain((OUT, bytes((b,))))], port=81) as decoded:
        assert decoded.exchanges[0].url == "http://site.test/1"


def test_plain_http_2_with_prior_knowledge():
    browser, server = Side(), Side()
    chunks = plain(
        (OUT, PREFACE + f.settings() + browser.get(1)),
        (IN, f.settings() + server.status(1, b"204", end=True)),
    )
    with reading(chunks, port=80) as decoded:
        assert [(item.protocol, item.complete) for item in decoded.exchanges] == [("h2", True)]


@pytest.mark.parametrize(
    ("ending", "drop", "complete", "fault"),
    [
        (Ending.CLOSED, 0, True, None),
        (Ending.CLOSED, 2, True, "http1.end_unproven"),
        (Ending.RESET, 0, False, "http.truncated"),
        (Ending.STOPPED, 2, False, "http.truncated"),
    ],
)
def test_a_body_up_to_the_end(ending, drop, complete, fault):
    reply = b"HTTP/1.1 200 OK\r\n\r\nwhole?"
    recording = record([GET % 1], lambda _: reply)
    chunks = recording.chunks[: len(recording.chunks) - drop]
    with reading(chunks, recording.keylog, ending=ending) as decoded:
        (found,) = decoded.exchanges
        assert (found.complete, found.fault) == (complete, fault)
        assert found.response_body.open().read() == b"whole?"


def test_a_torn_stream_is_told():
    chunks = plain((OUT, GET % 1), (IN, b"HTTP/1.1 200 OK\r\n\r\nab"))
    sizes = {"sent": len(chunks[0].data), "received": len(chunks[1].data)}
    data = b"".join(map(encode_chunk, chunks))
    for cut, torn in ((0, False), (1, True)):
        with reading(StreamReader(io.BytesIO(data[: len(data) - cut])), **sizes) as decoded:
            assert decoded.torn is torn
            assert decoded.recorded is not torn
            assert [item.complete for item in decoded.exchanges] == [not torn]


def test_a_stream_shorter_than_its_index_line_ends_nothing():
    chunks = plain((OUT, GET % 1), (IN, b"HTTP/1.1 200 OK\r\n\r\nab"))
    with reading(chunks, received=1000) as decoded:
        assert (decoded.recorded, decoded.torn) == (False, False)
        assert [item.fault for item in decoded.exchanges] == ["http.truncated"]


def test_a_malformed_stream_gives_its_spool_back():
    good = b"".join(map(encode_chunk, plain((OUT, GET % 1), (IN, answer(GET % 1)))))
    made: list[io.BytesIO] = []

    def spool():
        made.append(io.BytesIO())
        return made[-1]

    with pytest.raises(MalformedError, match=r"malformed\.stream"):
        decode_connection(
            connection(1),
            StreamReader(io.BytesIO(good + b"?" * 20)),
            KeyLog.parse(b""),
            spool,
            limits=Limits(),
        )
    assert [file.closed for file in made] == [True]


def test_nothing_said():
    with reading([]) as decoded:
        assert (decoded.tls, decoded.exchanges, decoded.faults) == (None, (), ())
    with reading(plain((OUT, b"\x16\x03"))) as decoded:
        assert isinstance(decoded, Decoded)
        assert decoded.exchanges == ()
    with reading(plain((IN, b"220 mail.test ready\r\n"), (OUT, b"QUIT\r\n"))) as decoded:
        assert (decoded.tls, decoded.exchanges) == (None, ())
        assert "http.surplus" in decoded.faults
