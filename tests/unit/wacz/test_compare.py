"""The browser's log against recorded exchanges: every kind of difference, none invented, none hidden."""

from __future__ import annotations

import hashlib
from dataclasses import fields

import pytest

from evidence_desk.wacz.compare import compare
from evidence_desk.wacz.differences import Reason
from evidence_desk.wacz.recorded import Recorded, recorded
from tests.unit.wacz.browser_lines import Log, answered, one, reasons
from tests.unit.wacz.samples import ANSWERS, PAGE, decoded, get, plain


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
    assert reasons(Log().ask().end().against(one())) == [Reason.STATUS]
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


def test_many_answers_whose_status_the_browser_never_heard() -> None:
    """A page may ask for one address without end and drop the answers: the work grows with their number, not its square."""
    (answer,) = one()
    looked = 0

    class Counted(Recorded):
        def __getattribute__(self, name: str) -> object:
            nonlocal looked
            looked += name == "status"
            return super().__getattribute__(name)

    many: list[Recorded] = [
        Counted(**{item.name: getattr(answer, item.name) for item in fields(answer)}) for _ in range(300)
    ]
    log = Log()
    for number in range(300):
        log.ask(str(number)).fail(str(number), canceled=True)
    assert log.against(many).matched == 300
    assert looked < 300 * 20


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
    assert reasons(Log().ask().against(one())) == [Reason.UNFINISHED]  # the browser died before it told of it
    assert reasons(Log().ask().fail(canceled=True).against(one())) == [Reason.FAILED_IN_BROWSER]


def test_long_addresses_are_matched_as_far_as_the_log_has_them() -> None:
    path = "/" + "x" * 20_000
    log = Log().whole(b"hello", url=f"https://site.test{path}"[:16_384])
    assert reasons(log.against(one(path=path))) == []


def test_users_and_fragments_are_no_part_of_the_address() -> None:
    assert reasons(Log().whole(b"hello", url="https://me:secret@site.test/a#x").against(one())) == []
