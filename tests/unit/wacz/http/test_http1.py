import hashlib

import pytest

from evidence_desk.core.capture.stream import Direction
from evidence_desk.errors import BugError
from evidence_desk.wacz.http.exchange import Framing
from evidence_desk.wacz.http.ledger import End
from evidence_desk.wacz.http.limits import Limits

IN, OUT = Direction.IN, Direction.OUT
GET = b"GET /a?b=1 HTTP/1.1\r\nHost: a.test\r\nX: 1\r\nX: 2\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def answered(desk, response: bytes, *, request: bytes = GET, **options):
    (found,) = desk.read([(OUT, request), (IN, response)], **options).exchanges
    return found


def wire(body) -> bytes | None:
    return None if body is None else body.open().read()


def test_head_and_body_are_as_on_the_wire(desk):
    head = b"HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-A:  b \r\n\r\n"
    found = answered(desk, head + b"hello")
    assert found.request_head == GET
    assert found.response_head == head
    assert wire(found.response_body) == b"hello"
    assert found.response_body.sha256 == hashlib.sha256(b"hello").digest()
    assert found.payload == found.response_body
    assert (found.method, found.url, found.status) == ("GET", "https://a.test/a?b=1", 200)
    assert (found.connection, found.stream, found.protocol) == (7, None, "http/1.1")
    assert found.request_headers == [(b"Host", b"a.test"), (b"X", b"1"), (b"X", b"2")]
    assert found.response_headers == [(b"Content-Length", b"5"), (b"X-A", b"b")]
    assert (found.started_at, found.head_at, found.ended_at) == (0, 1000, 1000)
    assert found.framing is Framing.LENGTH
    assert found.complete
    assert found.fault is None
    assert wire(found.request_body) == b""


def test_chunked_body_is_kept_framed_and_plain(desk):
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    framed = b'5;ext="1"\r\nhello\r\n6 \r\n world\r\n0\r\nX-Sum: abc\r\n\r\n'
    found = answered(desk, head + framed)
    assert wire(found.response_body) == framed
    assert wire(found.payload) == b"hello world"
    assert found.payload.sha256 == hashlib.sha256(b"hello world").digest()
    assert found.trailers == ((b"X-Sum", b"abc"),)
    assert found.framing is Framing.CHUNKED
    assert found.complete


@pytest.mark.parametrize(
    ("framed", "payload"),
    [
        (b"5\nhello\n0\n\n", b"hello"),
        (b"00000005\r\nhello\r\n000\r\n\r\n", b"hello"),
        (b"A\r\n0123456789\r\n0;x\r\n\r\n", b"0123456789"),
        (b"0\r\n\r\n", b""),
        (b"0" * 30 + b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    ],
)
def test_chunked_as_chromium_reads_it(desk, framed, payload):
    found = answered(desk, OK + b"Transfer-Encoding: gzip, Chunked\r\n\r\n" + framed)
    assert (wire(found.response_body), wire(found.payload)) == (framed, payload)
    assert found.complete


@pytest.mark.parametrize(
    "framed",
    [
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"\r\nhello",
        b"10000000000000000\r\nhello",
        b"8000000000000000\r\nhello",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"5;" + b"x" * 20_000 + b"\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_malformed_chunks_end_the_response_and_every_byte_is_kept(desk, framed):
    found = answered(desk, OK + b"Transfer-Encoding: chunked\r\n\r\n" + framed)
    assert found.fault == "http1.chunk_malformed"
    assert not found.complete
    assert wire(found.response_body) == framed


@pytest.mark.parametrize(
    ("method", "status"), [(b"HEAD", b"200"), (b"GET", b"204"), (b"GET", b"205"), (b"GET", b"304")]
)
def test_responses_without_body_whatever_their_length_says(desk, method, status):
    request = method + b" / HTTP/1.1\r\nHost: a.test\r\n\r\n"
    response = b"HTTP/1.1 " + status + b" x\r\nContent-Length: 9\r\n\r\n"
    following = OK + b"Content-Length: 2\r\n\r\nok"
    first, second = desk.read([(OUT, request), (IN, response), (OUT, GET), (IN, following)]).exchanges
    assert (first.status, wire(first.response_body), first.framing) == (int(status), b"", Framing.NONE)
    assert first.complete
    assert wire(second.response_body) == b"ok"


def test_a_body_to_the_end_of_the_connection(desk):
    response = OK + b"Connection: close\r\n\r\nall of it"
    orderly = answered(desk, response)
    assert (wire(orderly.response_body), orderly.framing) == (b"all of it", Framing.CLOSE)
    assert (orderly.complete, orderly.fault) == (True, None)
    unproven = answered(desk, response, end=End.UNPROVEN)
    assert (unproven.complete, unproven.fault) == (True, "http1.end_unproven")
    broken = answered(desk, response, end=End.BROKEN)
    assert (broken.complete, broken.fault) == (False, "http.truncated")
    assert wire(broken.response_body) == b"all of it"


def test_folded_and_malformed_lines(desk):
    head = OK + (
        b" ignored: 1\r\nX-Fold: one\r\n\t two \r\n three\r\nno colon\r\n folded: away\r\nBad Name: 1\r\n: 2\r\n"
        b"Trailing : blank\r\nbare: cr\rnext: line\nContent-Length: 0\r\n\r\n"
    )
    found = answered(desk, head)
    assert found.response_head == head
    assert found.response_headers == [
        (b"X-Fold", b"one two three"),
        (b"Trailing", b"blank"),
        (b"bare", b"cr"),
        (b"next", b"line"),
        (b"Content-Length", b"0"),
    ]


def test_informational_responses_are_kept(desk):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
    post = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    found = desk.read(
        [(OUT, post), (IN, go_on), (OUT, b"body"), (IN, hints + OK + b"Content-Length: 0\r\n\r\n")]
    ).exchanges[0]
    assert found.informational == (go_on, hints)
    assert found.status == 200
    assert wire(found.request_body) == b"body"
    assert found.complete


def test_pipelined_requests_pair_in_order(desk):
    one, two, three = (b"GET /%d HTTP/1.1\r\nHost: a.test\r\n\r\n" % number for number in (1, 2, 3))
    answers = [OK + b"Content-Length: 1\r\n\r\n" + digit for digit in (b"1", b"2")]
    found = desk.read([(OUT, one + two), (IN, answers[0]), (OUT, three), (IN, answers[1])]).exchanges
    assert [item.url[-1] for item in found] == ["1", "2", "3"]
    assert [wire(item.response_body) for item in found] == [b"1", b"2", None]
    assert [item.complete for item in found] == [True, True, False]
    assert found[2].fault == "http.no_response"


def test_a_chunked_request(desk):
    head = b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    found = answered(desk, OK + b"Content-Length: 0\r\n\r\n", request=head + b"3\r\nabc\r\n0\r\nT: 1\r\n\r\n")
    assert found.request_head == head
    assert wire(found.request_body) == b"3\r\nabc\r\n0\r\nT: 1\r\n\r\n"
    assert wire(found.request_payload) == b"abc"
    assert found.request_trailers == ((b"T", b"1"),)


@pytest.mark.parametrize(
    ("fields", "body", "fault", "complete", "framing"),
    [
        (
            b"Content-Length: 5\r\nContent-Length: 6\r\n",
            b"hello!",
            "http1.lengths_conflict",
            False,
            Framing.CLOSE,
        ),
        (b"Content-Length: 5, 6\r\n", b"hello!", "http1.lengths_conflict", False, Framing.CLOSE),
        (b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello", None, True, Framing.LENGTH),
        (b"Content-Length: 5\r\nTransfer-Encoding: foo\r\n", b"hello", "http1.coding_ignored", True, Framing.LENGTH),
        (b"Transfer-Encoding: identity\r\n", b"hello", "http1.coding_ignored", True, Framing.CLOSE),
        (b"Content-Length: +5\r\n", b"hello", None, True, Framing.CLOSE),
        (b"Content-Length: -5\r\n", b"hello", None, True, Framing.CLOSE),
    ],
)  # fmt: skip
def test_contradicting_lengths(desk, fields, body, fault, complete, framing):
    found = answered(desk, OK + fields + b"\r\n" + body)
    assert (found.fault, found.complete, found.framing) == (fault, complete, framing)
    assert wire(found.response_body) == body


def test_chunked_wins_over_length(desk):
    found = answered(
        desk, OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    assert (wire(found.payload), found.fault, found.complete) == (b"hello", "http1.length_and_chunked", True)


def test_chunked_means_nothing_in_1_0(desk):
    response = b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    found = answered(desk, response)
    assert found.protocol == "http/1.0"
    assert (wire(found.payload), found.framing) == (b"5\r\nhello\r\n0\r\n\r\n", Framing.CLOSE)
    assert found.fault == "http1.coding_ignored"


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (OK + b"Content-Length: 10\r\n\r\nhello", b"hello"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", b"5\r\nhel"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"5\r\nhello\r\n"),
        (OK + b"Content-Le", OK + b"Content-Le"),
    ],
)
def test_cut_responses_keep_what_came(desk, response, body):
    found = answered(desk, response)
    assert not found.complete
    assert wire(found.response_body) == body
    assert found.fault == "http.truncated"


def test_a_cut_request(desk):
    result = desk.read([(OUT, GET[:-1])])
    assert (result.exchanges, result.faults) == ((), ("http.request_truncated",))
    (found,) = desk.read([(OUT, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")]).exchanges
    assert (found.fault, found.complete, wire(found.request_body)) == ("http.no_response", False, b"half")


def test_an_early_answer_to_an_unfinished_request(desk):
    post = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nhalf"
    found = answered(desk, b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n", request=post)
    assert (found.status, found.complete, found.fault) == (413, False, "http.truncated")


def test_bytes_that_answer_nothing(desk):
    response = OK + b"Content-Length: 2\r\n\r\nok"
    result = desk.read([(OUT, GET), (IN, response + b"more"), (IN, b"!")])
    assert result.exchanges[0].complete
    assert result.faults == ("http.surplus",)
    assert wire(result.surplus) == b"more!"
    assert desk.read([(IN, response)]).exchanges == ()


def test_stray_bytes_before_a_status_line_are_skipped(desk):
    found = answered(desk, b"\r\n\r\nhttp/1.1 404\r\nContent-Length: 0\r\n\r\n")
    assert (found.status, found.fault, found.complete) == (404, "http1.stray_bytes", True)
    assert found.response_head == b"http/1.1 404\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("response", [b"<html>plain</html>", b"xxxxxHTTP/1.1 200 OK\r\n\r\n", b"hi"])
@pytest.mark.parametrize(("port", "complete"), [(443, True), (8443, False)])
def test_a_response_without_head(desk, response, port, complete):
    found = answered(desk, response, port=port)
    assert (found.protocol, found.status, found.response_head) == ("http/0.9", None, None)
    assert (found.fault, found.complete) == ("http1.no_status_line", complete)
    assert (wire(found.response_body), found.framing) == (response, Framing.CLOSE)


def test_no_status_line_after_one(desk):
    found = answered(desk, b"HTTP/1.1 103 x\r\n\r\n<html>plain</html>")
    assert (found.complete, wire(found.response_body)) == (False, b"<html>plain</html>")


def test_responses_that_chromium_refuses_are_told(desk):
    two = answered(desk, OK + b"Location: /a\r\nLocation: /b\r\nContent-Length: 2\r\n\r\nok")
    assert (two.fault, two.complete, wire(two.response_body)) == ("http1.fields_conflict", True, b"ok")
    same = answered(desk, OK + b"Location: /a\r\nLocation: /a\r\nContent-Length: 2\r\n\r\nok")
    assert (same.fault, same.complete) == (None, True)
    nul = answered(desk, OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok")
    assert (nul.fault, nul.complete, wire(nul.response_body)) == ("http1.head_malformed", False, b"ok")
    assert nul.response_head == OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("line", "status", "protocol"),
    [
        (b"HTTP/1.1\r\n", 200, "http/1.1"),
        (b"HTTP/1.1 \r\n", 200, "http/1.1"),
        (b"HTTP/1.1   404 x\r\n", 404, "http/1.1"),
        (b"HTTP/2.0 200 x\r\n", 200, "http/1.1"),
        (b"HTTP/0.9 200 x\r\n", 200, "http/1.0"),
        (b"HTTPS 200 x\r\n", 200, "http/1.0"),
        (b"HTTP/1.1 OK\r\n", 200, "http/1.1"),
        (b"HTTP/1.1 999 x\n", 999, "http/1.1"),
    ],
)
def test_status_lines_as_chromium_reads_them(desk, line, status, protocol):
    found = answered(desk, line + b"Content-Length: 0\r\n\r\n")
    assert (found.status, found.protocol) == (status, protocol)


def test_line_feeds_alone_end_a_head(desk):
    found = answered(desk, b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok")
    assert (found.response_head, wire(found.response_body)) == (
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n",
        b"ok",
    )


@pytest.mark.parametrize(
    ("target", "host", "url"),
    [
        (b"/", b"b.test:81", "https://b.test:81/"),
        (b"http://c.test/x", b"b.test", "http://c.test/x"),
        (b"*", b"b.test", "https://b.test/"),
        (b"/caf\xc3\xa9", b"b.test", "https://b.test/caf%C3%A9"),
        (b"/x", None, "https://a.test:8443/x"),
        (b"/go?to=http://d.test/", b"b.test", "https://b.test/go?to=http://d.test/"),
    ],
)
def test_urls(desk, target, host, url):
    named = b"" if host is None else b"Host: " + host + b"\r\n"
    result = desk.read([(OUT, b"GET " + target + b" HTTP/1.1\r\n" + named + b"\r\n")], port=8443)
    assert result.exchanges[0].url == url


def test_a_request_that_is_none(desk):
    result = desk.read([(OUT, b"\x00\x01\x02 not HTTP\r\n\r\n"), (IN, b"neither")])
    assert (result.exchanges, set(result.faults)) == ((), {"http1.request_malformed", "http.surplus"})


def test_another_protocol_is_kept_as_bytes(desk):
    request = b"GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: Foo\r\nConnection: upgrade\r\n\r\n"
    switch = b"HTTP/1.1 101 Switching\r\nUpgrade: Foo\r\n\r\n"
    (found,) = desk.read([(OUT, request), (IN, switch + b"abc"), (OUT, b"def"), (IN, b"ghi")]).exchanges
    assert (found.upgraded, found.fault) == ("foo", "http.protocol_unknown")
    assert (wire(found.response_body), wire(found.request_body)) == (b"abcghi", b"def")


def test_heads_are_bounded(desk):
    small = Limits(head=1000, heads=2300)
    assert (
        answered(desk, OK + b"X: " + b"y" * 2000 + b"\r\n\r\n", limits=small).fault == "http.head_too_large"
    )
    never = answered(desk, OK + b"X: " + b"y" * 2000, limits=small)
    assert never.fault == "http.head_too_large"
    many = desk.read(
        [(OUT, GET + GET), (IN, (OK + b"X: " + b"y" * 800 + b"\r\nContent-Length: 0\r\n\r\n") * 2)],
        limits=small,
    )
    assert [item.fault for item in many.exchanges] == [None, "http.heads_too_large"]
    assert desk.read([(OUT, GET * 3)], limits=Limits(exchanges=2)).faults == ("http.too_many_exchanges",)


def test_trailers_are_bounded(desk):
    lines = b"X: 1234567890\r\n" * 50_000
    found = answered(desk, OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + lines + b"\r\n")
    assert found.complete
    assert found.response_body.size == 3 + len(lines) + 2
    assert 0 < len(found.trailers) < 30_000


def test_small_things_kept_in_great_number_are_bounded(desk):
    hints = b"HTTP/1.1 103\n\n" * 1000
    limits = Limits(heads=100_000)
    assert answered(desk, hints, limits=limits).fault == "http.heads_too_large"
    trailers = b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a:\n" * 1000 + b"\r\n"
    assert answered(desk, OK + trailers, limits=limits).fault == "http.heads_too_large"


def test_bodies_are_read_anywhere_and_not_after_the_spool_is_gone(desk):
    body = bytes(range(256)) * 1000
    result = desk.read([(OUT, GET), (IN, OK + b"Content-Length: %d\r\n\r\n" % len(body)), (IN, body)])
    (found,) = result.exchanges
    reader = found.response_body.open()
    assert reader.seek(-300, 2) == len(body) - 300
    assert reader.read() == body[-300:]
    reader.seek(70_000)
    assert reader.read(10) == body[70_000:70_010]
    assert reader.seek(5, 1) == 70_015
    result.close()
    with pytest.raises(BugError, match=r"bug\.spool_closed"):
        found.response_body.open().read()
