"""However the bytes are cut, the exchanges are the same; whatever the bytes are, nothing is raised."""

import zlib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.ledger import End
from tests.unit.wacz.http import frames2 as f
from tests.unit.wacz.http.conftest import Desk
from tests.unit.wacz.http.frames2 import END_STREAM, PADDED, PREFACE, Side
from tests.unit.wacz.http.test_websocket import DEFLATE, deflated, frame

IN, OUT = Direction.IN, Direction.OUT
Turns = list[tuple[Direction, bytes]]
LONG = zlib.compress(bytes(range(256)) * 40, 0)

HTTP1: Turns = [
    (OUT, b"GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a.test\r\n\r\n"),
    (IN, b"HTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (IN, b"5;x\r\nhello\r\n%x\r\n%s\r\n0\r\nT: 1\r\n two\r\n\r\n" % (len(LONG), LONG)),
    (IN, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
    (OUT, b"POST /3 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    (IN, b"\r\nHTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: %d\r\n\r\n%s" % (len(LONG), LONG)),
    (OUT, b"GET /4 HTTP/1.1\r\nHost: a.test\r\n\r\n"),
    (IN, b"HTTP/1.1 200 OK\n\nto the end"),
]


def http2() -> Turns:
    browser, server = Side(), Side()
    block = server.block([(b":status", b"200"), (b"x", b"y" * 300)])
    return [
        (OUT, PREFACE + f.settings((1, 65536)) + browser.get(1) + browser.get(3) + browser.get(5)),
        (IN, f.settings() + server.status(3, b"200") + f.data(3, b"\x09" + LONG + bytes(9), PADDED)),
        (IN, f.frame(1, 0, 1, block[:50]) + f.frame(9, 4, 1, block[50:]) + f.data(1, LONG, END_STREAM)),
        (IN, server.status(5, b"103") + server.status(5, b"200") + f.data(5, b"half") + f.reset(5, 2)),
        (IN, f.data(3, LONG) + server.headers(3, [(b"t", b"1")], END_STREAM) + f.goaway(5)),
    ]


SOCKET: Turns = [
    *DEFLATE,
    (OUT, frame(0x81, b"hello", key=b"abcd") + frame(0xC2, deflated(LONG), key=b"zyxw")),
    (IN, frame(0x41, deflated(LONG)[:100]) + frame(0x89, b"ping") + frame(0x80, deflated(LONG)[100:])),
    (IN, frame(0x82, LONG) + frame(0x88, b"\x03\xe8")),
]
CASES = {"http1": HTTP1, "http2": http2(), "websocket": SOCKET}


def told(turns: Turns, *, cuts: list[int] | None = None, end: End = End.ORDERLY):
    """What is read; bodies compare by size and digest."""
    desk = Desk()
    try:
        return desk.read_cut(turns, cuts or [], end=end)
    finally:
        desk.close()


@st.composite
def cuttings(draw):
    name = draw(st.sampled_from(sorted(CASES)))
    total = sum(len(data) for _, data in CASES[name])
    if draw(st.booleans()):
        step = draw(st.integers(1, 40))
        return name, list(range(0, total, step))
    return name, sorted(draw(st.lists(st.integers(0, total), max_size=30)))


@given(cuttings())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_split_gives_the_same(case):
    name, cuts = case
    whole = told(CASES[name])
    assert whole.exchanges or whole.messages
    assert told(CASES[name], cuts=cuts) == whole


def test_the_cases_are_sound():
    """So that equal failures cannot pass for equal results."""
    one, two, three = told(HTTP1), told(CASES["http2"]), told(SOCKET)
    assert [item.complete for item in one.exchanges] == [True] * 4
    assert [item.complete for item in two.exchanges] == [True, True, False]
    assert [item.complete for item in three.messages] == [True] * 6
    assert (one.faults, two.faults, three.faults) == ((), (), ())


@st.composite
def hostile(draw):
    """A good connection with bytes changed, dropped or put in, cut anywhere."""
    name = draw(st.sampled_from(sorted(CASES)))
    turns: Turns = []
    for direction, data in CASES[name]:
        changed = bytearray(data)
        for _ in range(draw(st.integers(0, 3))):
            place = draw(st.integers(0, max(0, len(changed) - 1)))
            match draw(st.integers(0, 2)):
                case 0:
                    changed[place : place + 1] = draw(st.binary(min_size=1, max_size=9))
                case 1:
                    del changed[place : place + draw(st.integers(1, 50))]
                case _:
                    changed[place:place] = draw(st.binary(max_size=40))
        turns.append((direction, bytes(changed)))
    return turns[: draw(st.integers(0, len(turns)))]


@given(hostile(), st.sampled_from(End), st.sampled_from([None, "h2", "http/1.1", "spdy"]))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_is_raised_on_damaged_bytes(turns, end, alpn):
    desk = Desk()
    try:
        result = desk.read(turns, end=end, alpn=alpn)
        for item in result.exchanges:
            assert item.complete or item.fault
            assert item.request_headers is not None
            assert item.response_headers is not None
            if item.response_body is not None:
                assert len(item.response_body.open().read()) == item.response_body.size
    finally:
        desk.close()


@given(
    st.lists(st.tuples(st.sampled_from(Direction), st.binary(max_size=200)), max_size=8),
    st.sampled_from([b"", PREFACE, b"GET / HTTP/1.1\r\n\r\n"]),
)
@settings(max_examples=300, deadline=None)
def test_nothing_is_raised_on_any_bytes(turns, first):
    desk = Desk()
    try:
        desk.read([(OUT, first), *turns])
    finally:
        desk.close()


STREAMS = st.sampled_from([0, 1, 2, 3, 5])
FIELDS = st.lists(
    st.sampled_from(
        [
            *f.REQUEST,
            (b":status", b"200"),
            (b":status", b"103"),
            (b":method", b"CONNECT"),
            (b":protocol", b"websocket"),
            (b"content-length", b"3"),
            (b"x", b"y"),
        ]
    ),
    max_size=7,
)
FLAGS = st.integers(0, 255)
FRAMES = st.one_of(
    st.tuples(st.just("block"), STREAMS, FLAGS, FIELDS),
    st.tuples(st.integers(0, 11), STREAMS, FLAGS, st.binary(max_size=12)),
    st.tuples(st.just(0), STREAMS, FLAGS, st.sampled_from([b"abc", frame(0x81, b"hi", key=b"abcd")])),
)


@given(st.lists(st.tuples(st.sampled_from(Direction), FRAMES), max_size=25))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_frames_in_any_order(steps):
    """Every stream's exchange is told once, however frames follow each other."""
    sides = {IN: Side(), OUT: Side()}
    turns: Turns = [(OUT, PREFACE)]
    for direction, (kind, stream, flags, content) in steps:
        if kind == "block":
            block = sides[direction].block(content)
            turns.append((direction, f.frame(1, (flags & END_STREAM) | f.END_HEADERS, stream, block)))
        else:
            turns.append((direction, f.frame(kind, flags, stream, content)))
    desk = Desk()
    try:
        result = desk.read(turns, alpn="h2")
    finally:
        desk.close()
    streams = [item.stream for item in result.exchanges]
    assert len(streams) == len(set(streams))
    assert all(item.complete or item.fault for item in result.exchanges)
    assert all(item.started_at <= item.ended_at for item in result.exchanges)
