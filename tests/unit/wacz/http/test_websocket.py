import base64
import zlib

import pytest
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.exchange import MessageKind
from evidence_desk.wacz.http.limits import Limits
from evidence_desk.wacz.http.websocket import unmask
from tests.unit.wacz.http import frames2 as f
from tests.unit.wacz.http.frames2 import PREFACE, Side

IN, OUT = Direction.IN, Direction.OUT
ASK = (
    b"GET /chat HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
PLAIN = [(OUT, ASK), (IN, SWITCH + b"\r\n")]
DEFLATE = [(OUT, ASK), (IN, SWITCH + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")]


def frame(first: int, payload: bytes, *, key: bytes = b"") -> bytes:
    size = len(payload)
    mark = 0x80 if key else 0
    if size < 126:
        head = bytes((first, mark | size))
    elif size < 1 << 16:
        head = bytes((first, mark | 126)) + size.to_bytes(2)
    else:
        head = bytes((first, mark | 127)) + size.to_bytes(8)
    return head + key + unmask(payload, key, 0)


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def said(result) -> list[tuple[Direction, MessageKind, bytes]]:
    return [(item.direction, item.kind, item.body.open().read()) for item in result.messages]


@pytest.mark.parametrize(
    "factory",
    [
        None,
        {},
        {"server_no_context_takeover": True, "client_no_context_takeover": True},
        {"server_max_window_bits": 9, "client_max_window_bits": 10},
    ],
)
def test_a_real_pair(desk, factory):
    client = ClientProtocol(
        parse_uri("wss://a.test/chat"),
        extensions=None if factory is None else [ClientPerMessageDeflateFactory(**factory)],
    )
    server = ServerProtocol(
        extensions=None if factory is None else [ServerPerMessageDeflateFactory(**factory)],
    )
    turns: list[tuple[Direction, bytes]] = []

    def carry() -> None:
        for _ in range(4):
            for direction, end, other in ((OUT, client, server), (IN, server, client)):
                for data in end.data_to_send():
                    if data:
                        turns.append((direction, data))
                        other.receive_data(data)

    client.send_request(client.connect())
    carry()
    asked = server.events_received()[0]
    assert isinstance(asked, Request)
    server.send_response(server.accept(asked))
    carry()
    long = b"long text " * 20_000
    client.send_text("你好".encode())
    client.send_binary(bytes(range(256)))
    server.send_text(long)
    carry()
    server.send_text(b"part one, ", fin=False)
    server.send_ping(b"between")
    server.send_continuation(b"part two", fin=True)
    client.send_text(b"")
    carry()
    server.send_text(long)
    client.send_close(1000, "bye")
    carry()
    result = desk.read(turns)
    (found,) = result.exchanges
    assert (found.upgraded, found.status, found.complete, found.fault) == ("websocket", 101, True, None)
    assert (found.response_body, result.faults) == (None, ())
    assert [item for item in said(result) if item[0] is OUT] == [
        (OUT, MessageKind.TEXT, "你好".encode()),
        (OUT, MessageKind.BINARY, bytes(range(256))),
        (OUT, MessageKind.TEXT, b""),
        (OUT, MessageKind.PONG, b"between"),
        (OUT, MessageKind.CLOSE, b"\x03\xe8bye"),
    ]
    assert [item for item in said(result) if item[0] is IN] == [
        (IN, MessageKind.TEXT, long),
        (IN, MessageKind.PING, b"between"),
        (IN, MessageKind.TEXT, b"part one, part two"),
        (IN, MessageKind.TEXT, long),
        (IN, MessageKind.CLOSE, b"\x03\xe8bye"),
    ]
    assert all(item.complete and item.fault is None for item in result.messages)
    assert {item.compressed for item in result.messages if item.kind is MessageKind.TEXT} == {
        factory is not None
    }
    assert next(item for item in result.messages if item.body.size == 18).frames == 2


def test_over_http_2(desk):
    browser, server = Side(), Side()
    ask = browser.headers(
        1,
        [
            (b":method", b"CONNECT"),
            (b":protocol", b"websocket"),
            (b":scheme", b"https"),
            (b":authority", b"a.test"),
            (b":path", b"/chat"),
            (b"sec-websocket-version", b"13"),
        ],
    )
    accepted = server.status(1, b"200", (b"sec-websocket-extensions", b"permessage-deflate"))
    hello = frame(0x81, b"hello", key=b"abcd")
    answer = frame(0xC1, deflated(b"compressed " * 100))
    turns = [
        (OUT, PREFACE + f.settings() + ask),
        (IN, accepted),
        (OUT, f.data(1, hello[:3]) + f.data(1, hello[3:])),
        (IN, f.data(1, answer, f.END_STREAM)),
        (OUT, f.data(1, b"", f.END_STREAM)),
    ]
    result = desk.read(turns)
    (found,) = result.exchanges
    assert (found.upgraded, found.complete, found.fault, found.response_body) == (
        "websocket",
        True,
        None,
        None,
    )
    assert found.request_head.startswith(b"CONNECT https://a.test/chat HTTP/1.1\r\nhost: a.test\r\n")
    assert found.url == "https://a.test/chat"
    assert said(result) == [
        (OUT, MessageKind.TEXT, b"hello"),
        (IN, MessageKind.TEXT, b"compressed " * 100),
    ]
    assert {item.stream for item in result.messages} == {1}


def test_another_protocol_over_http_2_is_kept_as_bytes(desk):
    browser, server = Side(), Side()
    fields = [
        (b":method", b"CONNECT"),
        (b":protocol", b"x"),
        *f.REQUEST[1:],
    ]
    turns = [
        (OUT, PREFACE + f.settings() + browser.headers(1, fields)),
        (IN, server.status(1, b"200") + f.data(1, b"abc", f.END_STREAM)),
        (OUT, f.data(1, b"def", f.END_STREAM)),
    ]
    (found,) = desk.read(turns).exchanges
    assert (found.upgraded, found.fault, found.request_body.open().read()) == (
        "x",
        "http.protocol_unknown",
        b"def",
    )
    assert found.response_body.open().read() == b"abc"


def test_a_cut_message_is_kept_as_such(desk):
    result = desk.read([*PLAIN, (IN, frame(0x01, b"first") + frame(0x80, b"second")[:4])])
    (message,) = result.messages
    assert (message.complete, message.fault, message.body.open().read()) == (
        False,
        "http.truncated",
        b"firstse",
    )


@pytest.mark.parametrize(
    "data",
    [
        frame(0x81, b"masked", key=b"abcd"),
        frame(0xC1, b"compressed without agreement"),
        frame(0xA1, b"reserved bit"),
        frame(0x83, b"reserved opcode"),
        frame(0x80, b"continues nothing"),
        frame(0x01, b"begun") + frame(0x81, b"begun again"),
        frame(0x09, b"fragmented ping"),
        frame(0x89, bytes(126)),
        b"\x81\x7e\x00\x05hello",
        b"\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff",
        b"\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00",
    ],
)
def test_malformed_frames_stop_the_reading(desk, data):
    result = desk.read([*PLAIN, (IN, frame(0x82, b"good") + data), (IN, frame(0x81, b"after"))])
    assert result.faults == ("websocket.malformed",)
    assert said(result)[0] == (IN, MessageKind.BINARY, b"good")
    assert all(item.fault == "http.truncated" for item in result.messages[1:])


def test_an_unmasked_browser_is_malformed(desk):
    assert desk.read([*PLAIN, (OUT, frame(0x81, b"bare"))]).faults == ("websocket.malformed",)


def test_bombs_are_cut_and_the_rest_goes_on(desk):
    bomb = frame(0xC2, deflated(bytes(5_000_000)))
    limits = Limits(message=1_000_000)
    result = desk.read(
        [*DEFLATE, (IN, bomb + frame(0xC1, deflated(b"later")) + frame(0x81, b"plain"))], limits=limits
    )
    first, second, third = result.messages
    assert (first.fault, first.complete) == ("websocket.too_large", False)
    assert first.body.size <= 1_000_000
    assert (second.fault, second.body.open().read()) == ("websocket.not_inflated", deflated(b"later"))
    assert (third.fault, third.body.open().read()) == (None, b"plain")


def test_many_bombs_run_into_the_bound_of_the_connection(desk):
    bomb = frame(0xC2, deflated(bytes(900_000)))
    result = desk.read([*DEFLATE, (IN, bomb * 20)], limits=Limits(message=1_000_000, inflated=4_000_000))
    assert sum(item.body.size for item in result.messages if item.fault is None) <= 4_000_000
    assert "websocket.too_large" in {item.fault for item in result.messages}


def test_garbage_instead_of_deflate(desk):
    result = desk.read([*DEFLATE, (IN, frame(0xC2, b"\xff\xff\xff\xff") + frame(0x82, b"plain"))])
    assert [item.fault for item in result.messages] == ["websocket.deflate_malformed", None]


def test_a_block_marked_last(desk):
    compressor = zlib.compressobj(9, wbits=-15)
    ended = compressor.compress(b"ended") + compressor.flush()
    result = desk.read([*DEFLATE, (IN, frame(0xC2, ended + b"\x00") + frame(0xC1, deflated(b"next")))])
    assert [item[2] for item in said(result)] == [b"ended", b"next"]


def test_messages_are_counted(desk):
    result = desk.read([*PLAIN, (IN, frame(0x81, b"x") * 10)], limits=Limits(messages=4))
    assert (len(result.messages), result.faults) == (4, ("websocket.too_many_messages",))
