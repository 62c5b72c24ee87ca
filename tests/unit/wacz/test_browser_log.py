"""The browser's log read strictly; WebSockets; the bytes of the result."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON
from evidence_desk.core.capture.stream import Direction
from evidence_desk.errors import MalformedError
from evidence_desk.texts import Language, has
from evidence_desk.wacz import browser_log
from evidence_desk.wacz.browser_log import read_browser_log
from evidence_desk.wacz.compare import compare
from evidence_desk.wacz.differences import Difference, Reason, parse_comparison
from evidence_desk.wacz.http.exchange import MessageKind, WebSocketMessage
from tests.unit.wacz.browser_lines import URL, Log, answered, one, reasons
from tests.unit.wacz.samples import decoded


def message(way: Direction, data: bytes, kind: MessageKind = MessageKind.TEXT) -> WebSocketMessage:
    items = decoded()
    body = items[0].exchanges[0].request_body
    for item in items:
        item.close()
    body = replace(body, size=len(data), sha256=hashlib.sha256(data).digest())
    return WebSocketMessage(
        connection=3, stream=None, direction=way, at=1, ended_at=2, kind=kind, body=body, compressed=False, frames=1,
        complete=True, fault=None,
    )  # fmt: skip


UPGRADE = (
    b"GET /a HTTP/1.1\r\nHost: site.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def socket_log(status: int = 101) -> Log:
    log = Log().add("webSocketCreated", "1", url="wss://site.test/a")
    log.add("webSocketHandshakeResponseReceived", "1", status=status, headers={})
    for event, opcode, data in (
        ("Sent", 1, "问"),
        ("Received", 1, "答"),
        ("Received", 2, "x"),
        ("Received", 9, ""),
    ):
        digest = hashlib.sha256(data.encode()).hexdigest()
        log.add(f"webSocketFrame{event}", "1", opcode=opcode, size=len(data), sha256=digest)
    return log


def test_a_socket_that_was_refused() -> None:
    log = (
        Log()
        .add("webSocketCreated", "1", url="ws://127.0.0.1/")
        .add("webSocketFrameError", "1", error="refused")
    )
    assert reasons(log.against([])) == [Reason.NOT_SENT]


def test_messages_of_sockets() -> None:
    exchanges = answered((UPGRADE, SWITCHED))
    assert exchanges[0].socket
    out, first, second = (
        message(Direction.OUT, "问".encode()), message(Direction.IN, "答".encode()),
        message(Direction.IN, b"x", MessageKind.BINARY),
    )  # fmt: skip
    assert reasons(socket_log().against(exchanges, [out, first, second])) == []
    assert (
        reasons(socket_log().against(exchanges, [out, first, second, message(Direction.IN, b"later")])) == []
    )
    assert reasons(socket_log().against(exchanges, [out, second, first])) == [Reason.MESSAGES]
    assert reasons(socket_log().against(exchanges, [first, second])) == [Reason.MESSAGES]
    assert reasons(socket_log(403).against(exchanges, [out, first, second])) == [Reason.STATUS]
    assert reasons(socket_log().against([])) == [Reason.ONLY_BROWSER]


def test_a_torn_log_is_read_as_far_as_it_goes() -> None:
    lines = b"".join(Log().whole(b"hello").lines)
    result = compare(io.BytesIO(lines + b'{"event":"requ'), one())
    assert (reasons(result), result.torn, result.equal) == ([], True, 1)


@pytest.mark.parametrize(
    "line",
    [
        b"[]\n",
        b"{ }\n",
        b'{"event":1}\n',
        b'{"at":1,"event":"requestWillBeSent","requestId":1}\n',
        b'{"at":-1,"event":"requestWillBeSent","requestId":"1"}\n',
        b'{"at":1.5,"event":"requestWillBeSent"}\n',
        b"\xff\n",
    ],
)
def test_lines_that_are_not_ours_are_refused(line: bytes) -> None:
    with pytest.raises(MalformedError):
        read_browser_log(io.BytesIO(line))


def test_a_log_that_begins_in_the_middle_is_read() -> None:
    log = Log().reply("9").end("9").body(b"", "9").fail("9").add("requestServedFromCache", "9")
    log.add("webSocketHandshakeResponseReceived", "9", status=101, headers={})
    log.add("webSocketFrameSent", "9", opcode=1, size=0, sha256="0" * 64).add(
        "webSocketFrameError", "9", error=""
    )
    result = log.whole(b"hello").against(one())
    assert (reasons(result), result.requests, result.equal) == ([], 1, 1)


def test_logs_beyond_bounds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_REQUESTS", "MAX_FRAMES", "MAX_LINE"):
        with monkeypatch.context() as patch:
            patch.setattr(browser_log, name, 1)
            log = socket_log().whole(b"hello", "2")
            with pytest.raises(MalformedError):
                read_browser_log(io.BytesIO(b"".join(log.lines)))


def test_a_log_that_a_page_made_too_long_is_compared_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browser_log, "MAX_REQUESTS", 1)
    log = Log().whole(b"hello").whole(b"more", "2", url="data:,more")
    result = log.against(one())
    assert (result.torn, result.requests, result.equal, reasons(result)) == (True, 1, 1, [])
    log.lines.insert(4, b"[]\n")
    assert log.against(one()).equal == 1


EVENTS = [
    "requestWillBeSent", "redirected", "responseReceived", "responseReceivedExtraInfo", "requestServedFromCache",
    "loadingFinished", "loadingFailed", "body", "webSocketCreated", "webSocketFrameSent", "other",
]  # fmt: skip
values = st.none() | st.booleans() | st.integers(0, 600) | st.sampled_from(["", "1", "a" * 64, URL])
members = st.dictionaries(
    st.sampled_from(["url", "method", "status", "headers", "sha256", "size", "cached"]), values
)


@given(st.lists(st.tuples(st.sampled_from(EVENTS), members), max_size=6))
def test_any_lines_are_read_or_refused(lines: list[tuple[str, dict[str, JSON]]]) -> None:
    log = Log()
    for event, facts in lines:
        log.add(event, "1", **facts)
    try:
        result = log.against(one())
    except MalformedError:
        return
    assert parse_comparison(result.encode()) == result
    assert result.exchanges == 1


@given(st.binary(max_size=120))
def test_results_never_crash(data: bytes) -> None:
    for piece in (data, compare(None, []).encode()[:-1] + data):
        with pytest.raises(MalformedError):
            parse_comparison(piece)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"reason":"only_wire"', b'"reason":"other"'),
        (b'"v":1', b'"v":2'),
        (b'"torn":false', b'"torn":0'),
        (b'"matched":0', b'"matched":-1'),
        (b'"connection":3', b'"connection":"3"'),
        (b'"url":', b'"more":1,"url":'),
    ],
)
def test_results_that_are_not_ours_are_refused(old: bytes, new: bytes) -> None:
    data = compare(None, one()).encode()
    assert old in data
    with pytest.raises(MalformedError):
        parse_comparison(data.replace(old, new, 1))


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_its_sentence(reason: Reason) -> None:
    assert all(has(f"difference.{reason}", language) for language in Language)
    assert Difference(reason=reason, url="", method="").reason is reason
