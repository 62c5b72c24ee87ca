"""The browser's log against recorded exchanges: every kind of difference, none invented, none hidden."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.stream import Direction
from evidence_desk.errors import MalformedError
from evidence_desk.texts import Language, has
from evidence_desk.wacz import browser_log
from evidence_desk.wacz.browser_log import read_browser_log
from evidence_desk.wacz.compare import compare
from evidence_desk.wacz.differences import Comparison, Difference, Reason, parse_comparison
from evidence_desk.wacz.http.exchange import MessageKind, WebSocketMessage
from evidence_desk.wacz.http.ledger import End
from evidence_desk.wacz.http.reader import HttpReader
from evidence_desk.wacz.recorded import Recorded, recorded
from tests.unit.wacz.samples import ANSWERS, PAGE, decoded, get, plain

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


def test_the_same() -> None:
    result = Log().whole(b"hello").against(one())
    assert reasons(result) == []
    assert (result.requests, result.responses, result.exchanges, result.matched, result.equal) == (
        1,
        1,
        1,
        1,
        1,
    )


def test_every_answer_of_a_capture() -> None:
    """All codings and framings of the samples, as a browser would tell them."""
    bodies = {
        "/gzip": PAGE,
        "/br": PAGE,
        "/chunked": b"hello world",
        "/early": b"early",
        "/none": None,
        "/moved": None,
    }
    items, log = decoded(), Log()
    exchanges = [recorded(exchange) for exchange in items[0].exchanges]
    for index, ((method, path), answer) in enumerate(ANSWERS.items()):
        body = bodies.get(path, answer.partition(b"\r\n\r\n")[2])
        log.ask(str(index), f"https://site.test{path}", method)
        log.reply(str(index), exchanges[index].status or 0)
        if body is not None and method != "HEAD":
            log.end(str(index), len(body)).body(body, str(index))
    for item in items:
        item.close()
    result = log.against(exchanges)
    assert reasons(result) == [Reason.UNFINISHED] * 2  # 204 and HEAD were given no end here
    assert result.matched == len(ANSWERS)
    assert result.equal == len(ANSWERS) - 3


def test_other_bytes() -> None:
    result = Log().whole(b"jello").against(one())
    assert reasons(result) == [Reason.BODY]
    (found,) = result.contradictions
    assert found.ours == hashlib.sha256(b"hello").hexdigest()
    assert found.theirs == hashlib.sha256(b"jello").hexdigest()
    assert (found.connection, found.stream, found.request) == (3, None, "1")


def test_what_workers_fetch_is_not_told() -> None:
    """The browser says that it was empty, though as many bytes came; or it has no body at all."""
    told = Log().ask().reply().add("loadingFinished", "1", size=0, encoded=105).body(b"", form="text")
    assert (reasons(told.against(one())), told.against(one()).unchecked) == ([], 1)
    fewer = Log().ask().reply().add("loadingFinished", "1", size=0, encoded=4).body(b"", form="text")
    assert reasons(fewer.against(one())) == [Reason.BODY]
    none = Log().ask().reply().end().add("body", "1", sha256=None, size=None, form="unavailable")
    assert (reasons(none.against(one())), none.against(one()).unchecked) == ([], 1)


def test_without_digest_the_length_is_compared() -> None:
    same = Log().ask().reply().end(size=5)
    assert reasons(same.against(one())) == []
    assert same.against(one()).unchecked == 1
    assert reasons(Log().ask().reply().end(size=6).against(one())) == [Reason.LENGTH]
    unavailable = Log().ask().reply().end(size=5).add("body", "1", sha256=None, size=None, form="unavailable")
    assert unavailable.against(one()).unchecked == 1


def test_another_status() -> None:
    assert reasons(Log().ask().reply(status=404).end().against(one())) == [Reason.STATUS]
    wire = Log().ask().reply(status=200).add("responseReceivedExtraInfo", "1", status=404, headers={})
    assert reasons(wire.end(size=5).against(one(status="404 Not Found"))) == []


@pytest.mark.parametrize(
    ("charset", "codec", "prefix"),
    [("utf-8", "utf-8", b""), ("gb2312", "gb18030", b""), ("big5", "big5", b""), ("utf-8", "utf-8", b"\xef\xbb\xbf"),
     ("", "utf-16-le", b"\xff\xfe"), ("", "utf-8", b""), ("iso-8859-1", "cp1252", b"")],
)  # fmt: skip
def test_text_is_compared_by_its_characters(charset: str, codec: str, prefix: bytes) -> None:
    text = "café – 100 €" if codec == "cp1252" else "證據如實"
    data = prefix + text.encode(codec)
    kind = f"Content-Type: text/html{'; charset=' + charset if charset else ''}"
    result = Log().whole(text.encode(), form="text").against(one(data, kind))
    assert reasons(result) == []
    assert result.equal + result.text == 1
    changed = (
        Log().whole(text.replace("é", "e").replace("實", "虛").encode(), form="text").against(one(data, kind))
    )
    assert reasons(changed) == [Reason.BODY]
    as_bytes = Log().whole(text.encode()).against(one(data, kind))
    assert (reasons(as_bytes) == []) is (data == text.encode())


def test_text_whose_encoding_nobody_names() -> None:
    """The browser guesses: Chinese, or Western (events, for instance), each byte one character."""
    guessed = (
        Log()
        .whole("證據如實".encode(), form="text")
        .against(one("證據如實".encode("gb18030"), "Content-Type: text/html"))
    )
    assert (reasons(guessed), guessed.text) == ([], 1)
    data = "data: 第一件\n\n".encode()
    shown = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in data)
    result = Log().whole(shown.encode(), form="text").against(one(data, "Content-Type: text/event-stream"))
    assert (reasons(result), result.text) == ([], 1)


def test_encodings_named_in_the_page() -> None:
    data = '<meta charset="gbk"><p>证据</p>'.encode("gbk")
    text = '<meta charset="gbk"><p>证据</p>'.encode()
    assert Log().whole(text, form="text").against(one(data, "Content-Type: text/html")).text == 1


def test_text_in_an_encoding_we_do_not_know_is_not_called_different() -> None:
    data = "текст".encode("iso8859_5") + b"\x81"
    result = Log().whole("текст".encode(), form="text").against(one(data, "Content-Type: text/html"))
    assert reasons(result) == []
    assert result.unchecked == 1


def test_content_that_cannot_be_decoded_is_not_compared() -> None:
    result = Log().whole(b"x").against(one(b"no gzip", "Content-Encoding: gzip"))
    assert (reasons(result), result.unchecked) == ([], 1)


def test_redirects_are_hops() -> None:
    log = (
        Log()
        .ask()
        .reply(status=302, event="redirected")
        .ask(url="https://site.test/b")
        .reply()
        .end(size=2)
        .body(b"ok")
    )
    exchanges = answered(
        (get("/a"), plain(b"", "Location: /b", status="302 Found")), (get("/b"), plain(b"ok"))
    )
    result = log.against(exchanges)
    assert reasons(result) == []
    assert (result.matched, result.equal) == (2, 1)


def test_the_same_address_again_and_again() -> None:
    """In order; but the same status first."""
    log = Log().whole(b"1", "1").whole(b"2", "2").ask("3").reply("3", 500).end("3", 1).body(b"3", "3")
    exchanges = answered(
        (get("/a"), plain(b"3", status="500 Oops")), (get("/a"), plain(b"1")), (get("/a"), plain(b"2"))
    )
    assert reasons(log.against(exchanges)) == []


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (Log().whole(b"x", url="data:text/plain,x"), Reason.LOCAL),
        (Log().whole(b"x", url="blob:https://site.test/1"), Reason.LOCAL),
        (Log().ask().reply(cached=True).end(), Reason.CACHE),
        (Log().ask().add("requestServedFromCache", "1").reply().end(), Reason.CACHE),
        (Log().ask().reply(service_worker=True).end(), Reason.SERVICE_WORKER),
        (Log().ask().reply(status=307, event="redirected", headers={"Non-Authoritative-Reason": "HSTS"}), Reason.INTERNAL_REDIRECT),
        (Log().ask().fail(blocked="mixed-content"), Reason.BLOCKED),
        (Log().ask().fail(canceled=True), Reason.CANCELED),
        (Log().ask().fail(error="net::ERR_CERT_DATE_INVALID"), Reason.NOT_SENT),
        (Log().ask(), Reason.UNANSWERED),
        (Log().ask().reply().end(), Reason.ONLY_BROWSER),
        (Log().ask(method="POST").reply().end(), Reason.ONLY_BROWSER),
    ],
)  # fmt: skip
def test_what_only_the_browser_has(log: Log, reason: Reason) -> None:
    result = log.against([])
    assert reasons(result) == [reason]
    assert bool(result.contradictions) is (reason is Reason.ONLY_BROWSER)
    beside = log.against(one(path="/other"))
    assert reasons(beside) == [reason, Reason.ONLY_WIRE]


PREFLIGHT = b"OPTIONS /a HTTP/1.1\r\nHost: site.test\r\nAccess-Control-Request-Method: PUT\r\n\r\n"


@pytest.mark.parametrize(
    ("exchanges", "reason"),
    [
        (one(), Reason.ONLY_WIRE),
        (answered((PREFLIGHT, plain(b""))), Reason.PREFLIGHT),
        (one(path="/favicon.ico"), Reason.FAVICON),
        (one(b"x", "Content-Type: image/x-icon"), Reason.FAVICON),
    ],
)
def test_what_only_the_wire_has(exchanges: list[Recorded], reason: Reason) -> None:
    assert reasons(Log().against(exchanges)) == [reason]
    assert reasons(compare(None, exchanges)) == [reason]


def test_a_request_that_was_sent_again() -> None:
    exchanges = answered((get("/a"), b""), end=False) + one()
    assert reasons(Log().whole(b"hello").against(exchanges)) == [Reason.RETRIED]


def test_a_service_worker_that_lies() -> None:
    """Its answer has no partner; what it fetched has."""
    log = (
        Log()
        .ask("page")
        .reply("page", service_worker=True)
        .end("page", 3)
        .body(b"lie", "page")
        .whole(b"hello", "worker")
    )
    result = log.against(one())
    assert reasons(result) == [Reason.SERVICE_WORKER]
    assert result.equal == 1


def test_a_copy_that_was_asked_about_again() -> None:
    log = (
        Log()
        .ask()
        .reply(cached=True)
        .add("responseReceivedExtraInfo", "1", status=304, headers={})
        .end(size=9)
    )
    result = log.body(b"old bytes").against(answered((get("/a"), b"HTTP/1.1 304 Not Modified\r\n\r\n")))
    assert (reasons(result), result.matched) == ([], 1)


def test_ends_that_differ() -> None:
    cut = answered((get("/a"), plain(b"hello")[:-2]), end=False)
    assert reasons(Log().ask().reply().fail(error="net::ERR_CONTENT_LENGTH_MISMATCH").against(cut)) == [
        Reason.BOTH_FAILED
    ]
    assert reasons(Log().ask().reply().end(size=3).body(b"hel").against(cut)) == [Reason.INCOMPLETE]
    assert reasons(Log().ask().reply().against(cut)) == [Reason.UNFINISHED]
    assert reasons(Log().ask().fail(canceled=True).against(one())) == [Reason.FAILED_IN_BROWSER]


def test_long_addresses_are_matched_as_far_as_the_log_has_them() -> None:
    path = "/" + "x" * 20_000
    log = Log().whole(b"hello", url=f"https://site.test{path}"[:16_384])
    assert reasons(log.against(one(path=path))) == []


def test_users_and_fragments_are_no_part_of_the_address() -> None:
    assert reasons(Log().whole(b"hello", url="https://me:secret@site.test/a#x").against(one())) == []


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
                log.against(one())


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
