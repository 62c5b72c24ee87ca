import hashlib

import pytest

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.exchange import Framing
from evidence_desk.wacz.http.limits import Limits
from tests.unit.wacz.http import frames2 as f
from tests.unit.wacz.http.frames2 import END_HEADERS, END_STREAM, PADDED, PREFACE, PRIORITY, Side

IN, OUT = Direction.IN, Direction.OUT
HELLO = PREFACE + f.settings((1, 65536))


def wire(body) -> bytes | None:
    return None if body is None else body.open().read()


@pytest.fixture
def browser() -> Side:
    return Side()


@pytest.fixture
def server() -> Side:
    return Side()


def test_heads_take_the_form_of_http_1_1(desk, browser, server):
    asked = browser.get(1, b"/x?y=1", (b"cookie", b"a=1"), (b"cookie", b"b=2"))
    replied = server.status(1, b"200", (b"content-length", b"5"), (b"x-a", b"b"))
    result = desk.read(
        [(OUT, HELLO + asked), (IN, f.settings() + replied), (IN, f.data(1, b"hello", END_STREAM))]
    )
    (found,) = result.exchanges
    assert found.request_head == (
        b"GET /x?y=1 HTTP/1.1\r\nhost: a.test\r\ncookie: a=1\r\ncookie: b=2\r\n\r\n"
    )
    assert found.response_head == b"HTTP/1.1 200 \r\ncontent-length: 5\r\nx-a: b\r\n\r\n"
    assert found.response_headers == [(b"content-length", b"5"), (b"x-a", b"b")]
    assert (found.stream, found.protocol, found.method, found.status) == (1, "h2", "GET", 200)
    assert found.url == "https://a.test/x?y=1"
    assert wire(found.response_body) == b"hello"
    assert found.payload is found.response_body
    assert found.framing is Framing.H2
    assert (found.started_at, found.head_at, found.ended_at) == (0, 1000, 2000)
    assert (found.complete, found.fault, result.faults) == (True, None, ())


def test_streams_are_told_apart_and_padding_is_no_data(desk, browser, server):
    one, three = b"1" * 100_000, b"3" * 100_000
    pieces = []
    for start in range(0, 100_000, 1000):
        pieces.append(f.data(1, b"\x07" + one[start : start + 1000] + bytes(7), PADDED))
        pieces.append(f.data(3, three[start : start + 1000]))
    turns = [
        (OUT, HELLO + browser.get(1, b"/1") + browser.get(3, b"/3")),
        (IN, server.status(3, b"200") + server.status(1, b"404") + b"".join(pieces)),
        (IN, f.data(3, b"", END_STREAM) + f.data(1, b"\x03" + bytes(3), PADDED | END_STREAM)),
    ]
    first, second = desk.read(turns).exchanges
    assert (first.url, first.status, first.response_body.sha256) == (
        "https://a.test/1",
        404,
        hashlib.sha256(one).digest(),
    )
    assert wire(second.response_body) == three
    assert first.complete
    assert second.complete


def test_informational_heads_and_trailers(desk, browser, server):
    turns = [
        (OUT, HELLO + browser.get(1)),
        (IN, server.status(1, b"103", (b"link", b"</a>")) + server.status(1, b"200")),
        (IN, f.data(1, b"x") + server.headers(1, [(b"x-sum", b"1")], END_STREAM)),
    ]
    (found,) = desk.read(turns).exchanges
    assert found.informational == (b"HTTP/1.1 103 \r\nlink: </a>\r\n\r\n",)
    assert found.trailers == ((b"x-sum", b"1"),)
    assert (found.status, found.complete, wire(found.response_body)) == (200, True, b"x")


def test_an_upload_with_trailers(desk, browser, server):
    post = [(b":method", b"POST"), *f.REQUEST[1:]]
    turns = [
        (OUT, HELLO + browser.headers(1, post) + f.data(1, b"abc")),
        (OUT, f.data(1, b"def") + browser.headers(1, [(b"t", b"1")], END_STREAM)),
        (IN, server.status(1, b"204", end=True)),
    ]
    (found,) = desk.read(turns).exchanges
    assert (wire(found.request_body), found.request_trailers) == (b"abcdef", ((b"t", b"1"),))
    assert (found.complete, found.status, wire(found.response_body)) == (True, 204, b"")


def test_blocks_over_several_frames(desk, browser, server):
    block = browser.block([*f.REQUEST, (b"x-long", b"y" * 5000)])
    begun = f.frame(
        1, END_STREAM | PADDED | PRIORITY, 1, b"\x04" + b"\x80\x00\x00\x00\x10" + block[:10] + bytes(4)
    )
    rest = f.frame(9, 0, 1, block[10:200]) + f.frame(9, 0, 1) + f.frame(9, END_HEADERS, 1, block[200:])
    turns = [(OUT, HELLO + begun), (OUT, rest), (IN, server.status(1, b"200", end=True))]
    (found,) = desk.read(turns).exchanges
    assert found.request_headers[-1] == (b"x-long", b"y" * 5000)
    assert found.complete
    assert found.started_at == 0


@pytest.mark.parametrize("code", [8, 0xFFFF])
def test_resets_by_either_side(desk, browser, server, code):
    turns = [
        (OUT, HELLO + browser.get(1) + browser.get(3) + browser.get(5)),
        (IN, server.status(1, b"200") + f.data(1, b"half") + f.reset(1, code)),
        (OUT, f.reset(3, 8)),
        (IN, server.status(3, b"200") + f.data(3, b"late", END_STREAM) + server.status(5, b"200", end=True)),
    ]
    one, three, five = desk.read(turns).exchanges
    assert (one.fault, one.reset, one.complete) == (
        "http2.reset_by_server",
        {8: "CANCEL"}.get(code, "65535"),
        False,
    )
    assert wire(one.response_body) == b"half"
    assert (three.fault, three.reset, three.status) == ("http2.reset_by_browser", "CANCEL", None)
    assert five.complete


def test_a_server_that_answered_may_stop_the_upload(desk, browser, server):
    post = [(b":method", b"POST"), *f.REQUEST[1:]]
    turns = [
        (OUT, HELLO + browser.headers(1, post) + f.data(1, b"abc")),
        (IN, server.status(1, b"413", end=True) + f.reset(1, 0)),
    ]
    (found,) = desk.read(turns).exchanges
    assert (found.complete, found.fault, found.reset, found.status) == (True, None, "NO_ERROR", 413)


def test_goaway_tells_what_was_refused(desk, browser, server):
    turns = [
        (OUT, HELLO + browser.get(1) + browser.get(3)),
        (IN, server.status(1, b"200") + f.data(1, b"half") + f.goaway(1, 11, b"why")),
    ]
    result = desk.read(turns)
    assert [item.fault for item in result.exchanges] == ["http.truncated", "http2.refused"]
    assert result.faults == ("http2.goaway_by_server",)
    assert desk.read([(OUT, HELLO), (IN, f.goaway(0)), (OUT, f.goaway(0, 1))]).faults == (
        "http2.goaway_by_browser",
    )


def test_pushed_responses(desk, browser, server):
    promise = (2).to_bytes(4) + server.block([*f.REQUEST[:3], (b":path", b"/pushed")])
    turns = [
        (OUT, HELLO + browser.get(1)),
        (IN, f.frame(5, END_HEADERS, 1, promise) + server.status(1, b"200", end=True)),
        (IN, server.status(2, b"200") + f.data(2, b"p", END_STREAM)),
    ]
    first, pushed = desk.read(turns).exchanges
    assert (first.pushed, first.complete) == (False, True)
    assert (pushed.pushed, pushed.complete, pushed.url, wire(pushed.response_body)) == (
        True,
        True,
        "https://a.test/pushed",
        b"p",
    )


def test_the_table_may_grow_to_what_the_browser_allows(desk, browser, server):
    server.encoder.header_table_size = 65536
    large = (b"x-large", b"v" * 15_000)
    turns = [
        (OUT, HELLO + browser.get(1) + browser.get(3)),
        (IN, f.settings() + server.status(1, b"200", large, end=True)),
        (IN, again := server.status(3, b"200", large, end=True)),
    ]
    assert len(again) < 20
    assert [item.response_headers for item in desk.read(turns).exchanges] == [[large], [large]]


def test_a_table_beyond_what_was_allowed_stops_the_reading(desk, browser, server):
    server.encoder.header_table_size = 65537
    result = desk.read([(OUT, HELLO + browser.get(1)), (IN, server.status(1, b"200", end=True))])
    assert result.faults == ("http2.hpack",)
    assert result.exchanges[0].fault == "http.no_response"


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        (f.data(1, b"\x05abc", PADDED), "http2.frame_malformed"),
        (f.data(1, b"", PADDED), "http2.frame_malformed"),
        (f.data(0, b"abc"), "http2.frame_malformed"),
        (f.frame(3, 0, 1, b"abc"), "http2.frame_malformed"),
        (f.frame(4, 0, 0, b"abc"), "http2.frame_malformed"),
        (f.frame(4, 0, 1), "http2.frame_malformed"),
        (f.frame(7, 0, 0, b"abc"), "http2.frame_malformed"),
        (f.frame(9, END_HEADERS, 1, b"\x88"), "http2.continuation"),
        (f.frame(1, 0, 1, b"\x88") + f.data(1, b"x"), "http2.continuation"),
        (f.frame(1, 0, 1, b"\x88") + f.frame(9, 4, 3, b"\x88"), "http2.continuation"),
        (f.frame(1, END_HEADERS, 0, b"\x88"), "http2.frame_malformed"),
        (f.frame(1, END_HEADERS | PADDED, 1, b""), "http2.frame_malformed"),
        (f.frame(1, END_HEADERS | PRIORITY, 1, b"\x00"), "http2.frame_malformed"),
        (f.frame(1, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff\xff"), "http2.hpack"),
        (f.frame(1, END_HEADERS, 1, b"\xfe"), "http2.hpack"),
        (f.frame(5, END_HEADERS, 1, b"\x00"), "http2.frame_malformed"),
        (f.frame(5, END_HEADERS, 1, b"\x00\x00\x00\x03\x88"), "http2.frame_malformed"),
        (f.data(1, bytes(16_385)), "http2.frame_too_large"),
    ],
)
def test_protocol_errors_stop_the_reading_of_a_direction(desk, browser, server, sent, fault):
    result = desk.read([(OUT, HELLO + browser.get(1)), (IN, sent), (IN, server.status(1, b"200", end=True))])
    assert result.faults == (fault,)
    assert [item.complete for item in result.exchanges] == [False]


def test_larger_frames_when_the_browser_allows_them(desk, browser, server):
    hello = PREFACE + f.settings((5, 100_000))
    turns = [
        (OUT, hello + browser.get(1)),
        (IN, server.status(1, b"200") + f.data(1, bytes(99_000), END_STREAM)),
    ]
    assert desk.read(turns).exchanges[0].response_body.size == 99_000


@pytest.mark.parametrize(
    ("fields", "fault", "complete"),
    [
        ([(b":status", b"200"), (b"x-a", b"1\r\nset-cookie: x")], "http2.field_malformed", True),
        ([(b":status", b"200"), (b"X-A", b"1")], "http2.field_malformed", True),
        ([(b":status", b"200"), (b":status", b"404")], "http2.pseudo_malformed", True),
        ([(b"x", b"1"), (b":status", b"200")], "http2.pseudo_malformed", True),
        ([(b"x", b"1")], "http2.pseudo_malformed", False),
        ([(b":status", b"2000")], "http2.pseudo_malformed", False),
        ([(b":status", b"200"), (b"content-length", b"7")], "http2.length_mismatch", True),
    ],
)
def test_malformed_heads_are_told(desk, browser, server, fields, fault, complete):
    turns = [(OUT, HELLO + browser.get(1)), (IN, server.headers(1, fields, END_STREAM))]
    (found,) = desk.read(turns).exchanges
    assert (found.fault, found.complete) == (fault, complete)
    assert found.response_head.count(b"\r\n\r\n") == 1
    assert b"\r\nset-cookie" not in found.response_head


def test_data_where_none_belongs(desk, browser, server):
    turns = [
        (OUT, HELLO + browser.get(1)),
        (IN, f.data(9, b"to nobody") + f.data(1, b"before the head")),
        (IN, server.status(1, b"200") + f.data(1, b"x", END_STREAM) + f.data(1, b"after the end")),
        (IN, server.status(1, b"500", end=True) + server.status(9, b"200", end=True)),
    ]
    result = desk.read(turns)
    assert (result.exchanges[0].fault, wire(result.exchanges[0].response_body)) == ("http2.stray_data", b"x")
    assert result.faults == ("http2.stray_headers",)


def test_an_end_without_head(desk, browser):
    (found,) = desk.read([(OUT, HELLO + browser.get(1)), (IN, f.data(1, b"", END_STREAM))]).exchanges
    assert (found.fault, found.complete, found.status) == ("http2.no_head", False, None)


def test_floods_are_bounded(desk, browser, server):
    ask = (OUT, HELLO + b"".join(browser.get(number) for number in range(1, 9, 2)))
    assert desk.read([ask], limits=Limits(streams=2)).faults == ("http2.too_many_streams",)
    pings = (IN, f.frame(6, 0, 0, bytes(8)) * 100 + f.settings() * 100 + f.frame(0, 0, 1) * 100)
    result = desk.read([ask, pings, (IN, server.status(1, b"200", end=True))], limits=Limits(controls=300))
    assert result.faults == ("http2.flood",)
    assert result.exchanges[0].complete
    drip = (IN, f.frame(1, 0, 1, b"\x88") + f.frame(9, 0, 1) * 300)
    assert desk.read([ask, drip]).faults == ("http2.flood",)
    long = (IN, f.frame(1, 0, 1, b"\x88") + f.frame(9, 0, 1, bytes(16_000)) * 17)
    assert desk.read([ask, long]).faults == ("http.head_too_large",)


def test_a_small_block_that_unfolds_is_bounded(desk, browser, server):
    server.encoder.header_table_size = 65536
    seed = server.status(1, b"200", (b"x", b"v" * 15_000), end=True)
    bomb = f.frame(1, END_HEADERS | END_STREAM, 3, b"\x88" + b"\xbe" * 1000)
    turns = [(OUT, HELLO + browser.get(1) + browser.get(3)), (IN, seed), (IN, bomb)]
    assert desk.read(turns).faults == ("http2.hpack",)
    small = f.frame(1, END_HEADERS | END_STREAM, 3, b"\x88" + b"\xbe" * 10)
    result = desk.read([*turns[:2], (IN, small)], limits=Limits(heads=100_000))
    assert (result.faults, [item.complete for item in result.exchanges]) == (
        ("http.heads_too_large",),
        [True, False],
    )


def test_rapid_resets_cost_an_exchange_each_and_no_more(desk, browser):
    storm = b"".join(browser.get(number) + f.reset(number, 8) for number in range(1, 2001, 2))
    result = desk.read([(OUT, HELLO + storm)], limits=Limits(exchanges=500))
    assert len(result.exchanges) == 500
    assert result.faults == ("http.too_many_exchanges",)


def test_the_preface_decides_without_alpn_and_is_required_with_it(desk, browser, server):
    turns = [(OUT, HELLO + browser.get(1)), (IN, server.status(1, b"200", end=True))]
    assert desk.read(turns, scheme="http").exchanges[0].protocol == "h2"
    assert desk.read([(OUT, b"GET / HTTP/1.1\r\n" + bytes(30))], alpn="h2").faults == ("http2.preface",)


def test_connect_and_urls(desk, browser):
    tunnel = browser.headers(1, [(b":method", b"CONNECT"), (b":authority", b"b.test:443")])
    bare = browser.headers(3, [(b":method", b"GET"), (b":path", b"/a b")], END_STREAM)
    one, three = desk.read([(OUT, HELLO + tunnel + bare)]).exchanges
    assert (one.request_head.split(b"\r\n")[0], one.url) == (
        b"CONNECT b.test:443 HTTP/1.1",
        "https://b.test:443",
    )
    assert (three.request_head, three.url) == (b"GET /a%20b HTTP/1.1\r\n\r\n", "https://a.test/a%20b")
