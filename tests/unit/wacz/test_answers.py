"""What an archive answers when it is asked again."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.wacz import answers as module
from evidence_desk.wacz.answers import Answer, Answers, Miss
from evidence_desk.wacz.read import WaczReader
from tests.integration.capture.stored import HOST, wacz_of
from tests.unit.wacz.samples import CHINESE, NOISE, PAGE, plain, sample

HERE = f"http://{HOST}"


def answers_of(*exchanges: tuple[str, bytes]) -> Answers:
    return Answers(WaczReader(io.BytesIO(wacz_of(exchanges))))


def body(found: Answer | Miss) -> bytes | str:
    return found.body if isinstance(found, Answer) else found.value


def bodies(given_by: Answers, method: str, url: str, times: int) -> Sequence[bytes | str]:
    return [body(given_by.answer(method, url)) for _ in range(times)]


def part(data: bytes, told: str, *more: str) -> bytes:
    return plain(data, f"Content-Range: {told}", *more, status="206 Partial Content")


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/gzip", PAGE), ("/br", PAGE), ("/chunked", b"hello world"), ("/none", b""), (CHINESE, PAGE), ("/h2/noise", NOISE)],
)  # fmt: skip
def test_bodies_come_without_framing_and_codings(path: str, shown: bytes) -> None:
    found = Answers(WaczReader(io.BytesIO(sample().wacz))).answer("GET", f"https://site.test{path}#place")
    assert isinstance(found, Answer)
    assert (found.body, found.fault) == (shown, None)
    names = {name.lower() for name, _ in found.fields}
    assert not names & {b"content-encoding", b"content-length", b"transfer-encoding"}


def test_other_fields_stay_as_they_were() -> None:
    found = Answers(WaczReader(io.BytesIO(sample().wacz))).answer("GET", "https://site.test/folded")
    assert isinstance(found, Answer)
    assert found.fields == ((b"X-Long", b"a b"), (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"))


def test_in_order_and_the_last_again_for_safe_methods_only() -> None:
    asked = answers_of(
        ("GET /a", plain(b"1")), ("POST /a", plain(b"3")), ("GET /a", plain(b"2")), ("POST /a", plain(b"4"))
    )
    assert bodies(asked, "GET", f"{HERE}/a", 3) == [b"1", b"2", b"2"]
    assert bodies(asked, "POST", f"{HERE}/a", 3) == [b"3", b"4", "spent"]
    assert body(asked.answer("GET", f"{HERE}/a", once=True)) == "spent"
    asked.begin("")
    assert bodies(asked, "POST", f"{HERE}/a", 1) == [b"3"]


def test_what_is_not_there() -> None:
    asked = answers_of(("GET /a", plain(b"1")))
    for method, url in (
        ("PUT", f"{HERE}/a"), ("GET", f"{HERE}/a?b"), ("GET", f"{HERE}/b"), ("GET", f"https://{HOST}/a"), ("HEAD", f"{HERE}/a"),
    ):  # fmt: skip
        assert asked.answer(method, url) is Miss.ABSENT


def test_not_modified_counts_only_alone() -> None:
    unchanged = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    asked = answers_of(("GET /a", unchanged), ("GET /a", plain(b"1")), ("GET /b", unchanged))
    assert body(asked.answer("GET", f"{HERE}/a")) == b"1"
    found = asked.answer("GET", f"{HERE}/b")
    assert isinstance(found, Answer)
    assert found.status == 304


def later(data: bytes) -> WaczReader:
    return WaczReader(io.BytesIO(data))


def test_from_a_moment_on() -> None:
    asked = Answers(later(sample().wacz))
    at = asked.moment("https://site.test/gzip")
    assert at is not None
    assert asked.moment("https://site.test/gzip", at) == at, "there is no later one"
    assert asked.moment("https://site.test/never") is None
    asked.begin("99990101000000000")
    assert body(asked.answer("GET", "https://site.test/gzip", page=True)) == PAGE


@pytest.mark.parametrize(
    ("wanted", "told", "data"),
    [
        ("bytes=0-3", b"bytes 0-3/1000", b"0123"),
        ("bytes=4-", b"bytes 4-9/1000", b"456789"),
        ("bytes=8-99", b"bytes 8-11/1000", b"89ab"),
        ("bytes=10-11", b"bytes 10-11/1000", b"ab"),
        ("bytes=500-", None, b"range"),
        ("bytes=5-4", None, b"range"),
    ],
)
def test_ranges(wanted: str, told: bytes | None, data: bytes) -> None:
    asked = answers_of(
        ("GET /v", part(b"0123456789", "bytes 0-9/1000", "X-Kind: film")),
        ("GET /v", part(b"89ab", "bytes 8-11/1000")),
    )
    found = asked.answer("GET", f"{HERE}/v", part=wanted)
    if told is None:
        assert body(found) == data.decode()
    else:
        assert isinstance(found, Answer)
        assert (found.status, dict(found.fields)[b"Content-Range"], found.body) == (206, told, data)


def test_a_whole_answer_serves_for_a_range_but_not_the_other_way() -> None:
    asked = answers_of(("GET /whole", plain(b"0123")), ("GET /part", part(b"01", "bytes 0-1/*")))
    found = asked.answer("GET", f"{HERE}/whole", part="bytes=1-2")
    assert isinstance(found, Answer)
    assert (found.status, found.body) == (200, b"0123")
    assert asked.answer("GET", f"{HERE}/part") is Miss.RANGE
    assert body(asked.answer("GET", f"{HERE}/part", part="bytes=0-0")) == b"0"


def test_parts_that_cannot_be_cut_are_given_as_they_are() -> None:
    packed = gzip.compress(b"0123")
    asked = answers_of(("GET /v", part(packed, "bytes 0-9/10", "Content-Encoding: gzip")))
    found = asked.answer("GET", f"{HERE}/v", part="bytes=0-1")
    assert isinstance(found, Answer)
    assert (found.status, found.body) == (206, b"0123")


def test_limits_and_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers_of(
        ("GET /big", plain(b"x" * 101)),
        ("GET /bomb", plain(gzip.compress(b"x" * 101), "Content-Encoding: gzip")),
        ("GET /torn", plain(gzip.compress(b"x" * 50)[:-12], "Content-Encoding: gzip")),
        ("GET /v", part(b"x" * 101, "bytes 0-100/101")),
    )
    monkeypatch.setattr(module, "MAX_BODY", 100)
    monkeypatch.setattr(module, "MAX_PART", 10)
    assert asked.answer("GET", f"{HERE}/big") is Miss.TOO_LARGE
    assert asked.answer("GET", f"{HERE}/bomb") is Miss.TOO_LARGE
    torn = asked.answer("GET", f"{HERE}/torn")
    assert isinstance(torn, Answer)
    assert torn.fault is not None
    cut = Answers(WaczReader(io.BytesIO(sample().wacz))).answer("GET", "http://plain.test/cut")
    assert cut is Miss.TOO_LARGE or isinstance(cut, Answer)
    found = asked.answer("GET", f"{HERE}/v", part="bytes=5-")
    assert isinstance(found, Answer)
    assert dict(found.fields)[b"Content-Range"] == b"bytes 5-14/101"


def test_what_was_cut_short_says_so() -> None:
    found = Answers(WaczReader(io.BytesIO(sample().wacz))).answer("GET", "http://plain.test/cut")
    assert isinstance(found, Answer)
    assert (found.body, found.fault) == (PAGE[:-100], "http.truncated")


def test_damage_is_no_answer() -> None:
    data = bytearray(sample().wacz)
    reader = WaczReader(io.BytesIO(bytes(data)))
    found = reader.find("https://site.test/noise.png")
    assert found is not None
    at = bytes(data).index(sample().warc) + found.entry.offset + found.entry.length // 2
    data[at] ^= 1
    asked = Answers(WaczReader(io.BytesIO(bytes(data))))
    assert asked.answer("GET", "https://site.test/noise.png") is Miss.BROKEN
    assert body(asked.answer("GET", "https://site.test/gzip")) == PAGE


@settings(max_examples=200)
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "x"]) | st.text(max_size=8),
    path=st.sampled_from(["gzip", "none", "h2/page", "noise.png"]) | st.text(max_size=20),
    wanted=st.none() | st.from_regex(r"bytes=[0-9]{0,17}-[0-9]{0,17}", fullmatch=True) | st.text(max_size=20),
)
def test_whatever_is_asked(method: str, path: str, wanted: str | None) -> None:
    found = _SHARED.answer(method, f"https://site.test/{path}", part=wanted)
    assert isinstance(found, Answer | Miss)


_SHARED = Answers(WaczReader(io.BytesIO(sample().wacz)))
