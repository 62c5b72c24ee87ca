"""Records: gzip members, headers, writer and strict reader."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.errors import BugError, MalformedError, UnreadableError
from evidence_desk.wacz.members import FAST, HEADER, STORED, USUAL, MemberReader, MemberWriter
from evidence_desk.wacz.record import (
    END,
    HTTP,
    MAX_LENGTH,
    Bytes,
    Header,
    Record,
    RecordType,
    archive_uri,
    format_date,
    parse_header,
    refuse,
)
from evidence_desk.wacz.stored import StoredRecord, read_record, read_records
from evidence_desk.wacz.warc import WarcWriter, Written
from tests.unit.wacz.samples import NOISE, PAGE, sample

AT = 1_770_000_000_123_456


def member(data: bytes, level: int, sizes: list[int] | None = None) -> bytes:
    out = io.BytesIO()
    writer = MemberWriter(out, level)
    position = 0
    for size in sizes or []:
        writer.write(data[position : position + size])
        position += size
    writer.write(data[position:])
    writer.finish()
    assert writer.length == len(out.getvalue())
    return out.getvalue()


def unpacked(data: bytes, limit: int = MAX_LENGTH) -> bytes:
    return io.BufferedReader(MemberReader(io.BytesIO(data), refuse, limit)).read()


@pytest.mark.parametrize("level", [STORED, FAST, USUAL])
@given(
    data=st.binary(max_size=300) | st.just(NOISE) | st.just(PAGE * 30),
    sizes=st.lists(st.integers(0, 70_000), max_size=5),
)
def test_members_do_not_depend_on_how_the_data_came(level: int, data: bytes, sizes: list[int]) -> None:
    whole = member(data, level)
    assert member(data, level, sizes) == whole
    assert gzip.decompress(whole) == data
    assert unpacked(whole) == data


@pytest.mark.parametrize("level", [STORED, USUAL])
@given(st.data())
def test_members_with_a_flipped_byte_are_refused_or_the_same(level: int, data: st.DataObject) -> None:
    whole = member(PAGE, level)
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    with suppress(MalformedError):
        assert unpacked(broken) == PAGE  # unused bits of the last deflate byte are the container's affair


def test_a_member_does_not_give_more_than_allowed() -> None:
    bomb = member(bytes(10_000_000), USUAL)
    with pytest.raises(MalformedError):
        unpacked(bomb, limit=100_000)
    assert len(unpacked(bomb, limit=10_000_000)) == 10_000_000


@given(st.binary(max_size=300))
def test_members_never_crash(data: bytes) -> None:
    for start in (b"", HEADER):
        try:
            unpacked(start + data)
        except MalformedError:
            continue


def written(*records: Record) -> tuple[bytes, list[Written]]:
    out = io.BytesIO()
    writer = WarcWriter(out)
    done = [writer.write_info(software="x", filename="data.warc.gz", at=AT, about={"operator": "王\n小明"})]
    done += [writer.write(record) for record in records]
    return out.getvalue(), done


def response(content: bytes = b"hello", **changes: object) -> Record:
    record = Record(
        type=RecordType.RESPONSE, at=AT, uri="https://site.test/", content_type=f"{HTTP}; msgtype=response",
        head=b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\n\r\n", body=Bytes(content),
        address="2001:db8::7", protocols=("h2", "tls/1.3"), cipher_suite="TLS_AES_128_GCM_SHA256",
    )  # fmt: skip
    return replace(record, **changes)  # type: ignore[arg-type]


def test_a_record_by_hand() -> None:
    data, (_, one) = written(response())
    text = gzip.decompress(data[one.offset : one.offset + one.length]).decode()
    expected = """WARC/1.1
WARC-Type: response
WARC-Record-ID: <urn:uuid:ID>
WARC-Date: 2026-02-02T02:40:00.123456Z
WARC-Target-URI: https://site.test/
WARC-IP-Address: 2001:db8::7
WARC-Protocol: h2
WARC-Protocol: tls/1.3
WARC-Cipher-Suite: TLS_AES_128_GCM_SHA256
WARC-Warcinfo-ID: <urn:uuid:ID>
WARC-Block-Digest: sha256:DIGEST
Content-Type: application/http; msgtype=response
Content-Length: 64

HTTP/1.1 200 OK
Content-Type: Text/HTML; charset=utf-8

hello

"""
    text = re.sub(
        r"urn:uuid:[0-9a-f-]{36}", "urn:uuid:ID", re.sub(r"sha256:[0-9a-f]{64}", "sha256:DIGEST", text)
    )
    assert text == expected.replace("\n", "\r\n")
    assert (one.status, one.mime, one.method) == (200, "text/html", None)


def test_records_with_the_same_content_have_ids_of_their_own() -> None:
    _, done = written(response(), response())
    assert len({one.id for one in done}) == 3


def parts(data: bytes) -> list[tuple[StoredRecord, bytes]]:
    return [(record, record.body.read()) for record, done in read_records(io.BytesIO(data)) if done is None]


def test_written_records_are_read_again() -> None:
    data, done = written(response(), response(b""), response(NOISE * 3), response(PAGE * 100))
    assert [record.header for record, _ in parts(data)] == [one.header for one in done]
    assert [body for _, body in parts(data)][1:] == [b"hello", b"", NOISE * 3, PAGE * 100]
    assert [item for _, item in read_records(io.BytesIO(data)) if item is not None] == done
    assert done[3].length > len(NOISE * 3)
    assert done[4].length < len(PAGE)


def test_bodies_that_are_left_unread_are_checked_all_the_same() -> None:
    data, done = written(response(NOISE), response())
    assert len(list(read_records(io.BytesIO(data)))) == 2 * len(done)
    broken = bytearray(data)
    broken[done[1].offset + 50_000] ^= 1
    with pytest.raises(MalformedError):
        list(read_records(io.BytesIO(broken)))


@given(st.data())
def test_any_change_of_a_record_is_noticed(data: st.DataObject) -> None:
    """What a forger can do who packs the record again: one byte of the unpacked record."""
    whole, (_, one) = written(response())
    plain = gzip.decompress(whole[one.offset :])
    at = data.draw(st.integers(0, len(plain) - 1))
    changed = plain[:at] + bytes([plain[at] ^ data.draw(st.integers(1, 255))]) + plain[at + 1 :]
    with pytest.raises(MalformedError):
        list(read_records(io.BytesIO(whole[: one.offset] + member(changed, USUAL))))


@given(st.binary(max_size=300))
def test_records_never_crash(data: bytes) -> None:
    for start in (b"", b"WARC/1.1\r\n", b"WARC/1.1\r\nWARC-Type: response\r\n"):
        with pytest.raises(MalformedError):
            read_record(io.BytesIO(member(start + data, USUAL)))
        with pytest.raises(MalformedError):
            read_record(io.BytesIO(start + data))


HEADER_TEXT = sample().records[1].header.encode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"WARC/1.1", b"WARC/1.0"),
        (b"WARC-Type: resource", b"WARC-Type: revisit"),
        (b"WARC-Type: resource\r\n", b""),
        (b"WARC-Date: 2026-02-02", b"WARC-Date: 2026-02-30"),
        (b".000000Z", b".000Z"),
        (b"WARC-Target-URI: ", b"WARC-Target-URI:  "),
        (b"WARC-Target-URI: dns:site.test\r\n", b""),
        (b"dns:site.test", b"dns:site test"),
        (b"dns:site.test", "dns:证据.test".encode()),
        (b"Content-Length: ", b"Content-Length: 0"),
        (b"Content-Length: ", b"Content-Length: -"),
        (b"Content-Length: ", b"Content-Length: 9999999999999999"),
        (b"Content-Type: text/dns", b"Content-Type: text/dns\r\nContent-Type: text/dns"),
        (b"Content-Type: text/dns", b"X-Other: 1\r\nContent-Type: text/dns"),
        (b"sha256:", b"SHA256:"),
        (b"<urn:uuid:", b"<urn:uuid:0"),
        (b"\r\nWARC-Date", b"\nWARC-Date"),
    ],
)
def test_headers_that_are_not_ours_are_refused(old: bytes, new: bytes) -> None:
    assert parse_header(HEADER_TEXT) == sample().records[1].header
    assert old in HEADER_TEXT
    with pytest.raises(MalformedError):
        parse_header(HEADER_TEXT.replace(old, new, 1))


@given(st.binary(max_size=200))
def test_headers_never_crash(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_header(b"WARC/1.1\r\n" + data + b"\r\n\r\n")


class Longer(Bytes):
    @property
    def size(self) -> int:
        return len(self.data) - 1


class Shorter(Bytes):
    @property
    def size(self) -> int:
        return len(self.data) + 1


@pytest.mark.parametrize("source", [Longer(b"abc"), Shorter(b"abc")])
def test_sources_of_another_size_are_told(source: Bytes) -> None:
    with pytest.raises(UnreadableError):
        written(response(b"", body=source))


@pytest.mark.parametrize(
    "record",
    [
        response(uri=None),
        response(uri="https://site.test/ "),
        response(address="1.2.3.4\r\nX: y"),
        response(content_type="text/plain\n"),
        response(at=2**62),
        response(type=RecordType.WARCINFO, uri=None),
    ],
)
def test_records_that_no_reader_would_take_are_not_written(record: Record) -> None:
    with pytest.raises(BugError):
        written(record)


def test_warcinfo_comes_first() -> None:
    with pytest.raises(BugError):
        WarcWriter(io.BytesIO()).write(response())


def test_links_lead_to_records_before() -> None:
    data, done = written(
        response(), response(concurrent=("<urn:uuid:00000000-0000-0000-0000-000000000000>",))
    )
    with pytest.raises(MalformedError) as raised:
        list(read_records(io.BytesIO(data)))
    assert raised.value.parameters["reason"] == "links"
    data, done = written(response())
    second = data[done[1].offset :]
    for pieces in (second, data[: done[1].offset] * 2, data + second):
        with pytest.raises(MalformedError):
            list(read_records(io.BytesIO(pieces)))


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://例子.测试/路径?q=中 文#部分", "https://%E4%BE%8B%E5%AD%90.%E6%B5%8B%E8%AF%95/%E8%B7%AF%E5%BE%84?q=%E4%B8%AD%20%E6%96%87"),
        ("https://a.test/%E8%B7?a=[1]|{2}^'\"<>", "https://a.test/%E8%B7?a=[1]|{2}^'%22%3C%3E"),
        ("urn:view:https://a.test/#x", "urn:view:https://a.test/#x"),
        ("https://a.test/\ud800\r\n", "https://a.test/%ED%A0%80%0D%0A"),
    ],
)  # fmt: skip
def test_target_addresses(url: str, uri: str) -> None:
    assert archive_uri(url) == uri
    assert archive_uri(uri) == uri


def test_dates_have_microseconds() -> None:
    assert format_date(AT) == "2026-02-02T02:40:00.123456Z"
    assert format_date(0) == "1970-01-01T00:00:00.000000Z"
    _, (_, one) = written(response())
    assert one.header.at == AT


def forged(header: Header, block: bytes, *, end: bytes = END, index: int = 1) -> bytes:
    """A record whose id fits its fields, whatever its block is."""
    return member(replace(header, id=header.derived_id(index)).encode() + block + end, USUAL)


BLOCK = b"HTTP/1.1 200 OK\r\n\r\nhello"
DIGEST = f"sha256:{hashlib.sha256(BLOCK).hexdigest()}"


@pytest.mark.parametrize(
    ("changes", "block", "end", "reason"),
    [
        ({}, BLOCK, END, None),
        ({}, BLOCK[:-1] + b"0", END, "block_digest"),
        ({"payload_digest": DIGEST}, BLOCK, END, "payload_digest"),
        ({"content_length": len(BLOCK) + 9}, BLOCK, END, "truncated"),
        ({"content_length": len(BLOCK) + 4}, BLOCK, END, "record_end"),
        ({"content_length": len(BLOCK) - 1}, BLOCK, END, "record_end"),
        ({}, BLOCK, b"", "record_end"),
        ({}, BLOCK, END + b"more", "record_end"),
        ({"content_length": 9}, BLOCK, END, "http_head"),
        ({"type": RecordType.WARCINFO, "uri": None, "warcinfo": None}, BLOCK, END, "warcinfo"),
        ({"content_length": 10**15}, b"HTTP/1.1 200 OK\r\n" + b"x" * (5 << 20), END, "too_large"),
        ({"content_type": "x" * (3 << 20)}, BLOCK, END, "too_large"),
    ],
)
def test_records_that_do_not_fit_themselves(
    changes: dict[str, object], block: bytes, end: bytes, reason: str | None
) -> None:
    data, (info, one) = written(response())
    usual = replace(one.header, content_length=len(BLOCK), block_digest=DIGEST)
    header = replace(usual, **changes)  # type: ignore[arg-type]
    pieces = io.BytesIO(data[: info.length] + forged(header, block, end=end))
    if reason is None:
        assert len(list(read_records(pieces))) == 4
        return
    with pytest.raises(MalformedError) as raised:
        list(read_records(pieces))
    assert raised.value.parameters["reason"] == reason
