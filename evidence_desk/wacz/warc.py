"""Writer of WARC/1.1 (ISO 28500:2017): byte-verbatim blocks, one gzip member a record, SHA-256 throughout.

The same records give the same bytes: ids follow from content, gzip members carry no time.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from evidence_desk.errors import BugError, MalformedError, UnreadableError
from evidence_desk.wacz.members import FAST, STORED, USUAL, MemberWriter
from evidence_desk.wacz.record import (
    EMPTY,
    END,
    MAX_HEADER,
    Bytes,
    Header,
    Record,
    RecordType,
    Source,
    format_date,
    parse_header,
)

CONFORMS_TO: Final = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
_CHUNK: Final = 1 << 20
_SAMPLE: Final = 1 << 16
_LARGE: Final = 4 << 20
"""From this size on speed counts for more than the last percent."""
_STATUS: Final = re.compile(rb"HTTP/[0-9](?:\.[0-9])? ([0-9]{3})(?![0-9])")
_METHOD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) ")
_CONTENT_TYPE: Final = re.compile(
    rb"^content-type:[ \t]*([!-:<-~]{1,127})[;, \t\r\n]", re.IGNORECASE | re.MULTILINE
)
_PLACEHOLDER: Final = "<urn:uuid:00000000-0000-0000-0000-000000000000>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where a record lies: `offset` and `length` of its gzip member in bytes, the member's SHA-256, and its header.

    Attributes:
        status, mime: of a response; `mime` of a resource too.
        method: of a request.
    """

    offset: int
    length: int
    sha256: bytes
    header: Header
    status: int | None = None
    mime: str | None = None
    method: str | None = None

    @property
    def id(self) -> str:
        """Record id, with angle brackets."""
        return self.header.id


class WarcWriter:
    """Writes records to `out`, which must stand at the beginning of the file."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._offset = 0
        self._count = 0
        self._warcinfo: str | None = None

    def write_info(self, *, software: str, filename: str, at: int, about: dict[str, str]) -> Written:
        """Write the warcinfo record, which must come first; `about` are more fields of it (ISO 28500 §6.2)."""
        fields = {"software": software, "format": "WARC File Format 1.1", "conformsTo": CONFORMS_TO, **about}
        text = "".join(f"{name}: {' '.join(value.split())}\r\n" for name, value in fields.items())
        written = self.write(
            Record(
                type=RecordType.WARCINFO, at=at, content_type="application/warc-fields",
                filename=filename, body=Bytes(text.encode()),
            )
        )  # fmt: skip
        self._warcinfo = written.id
        return written

    def write(self, record: Record) -> Written:
        """Write a record; its body is read twice.

        Raises:
            UnreadableError: ``package.source_changed`` when the body is not as long as it says.
            BugError: ``bug.warc`` for fields that no record can have.
        """
        header = self._header(record)
        head = header.encode()
        writer = MemberWriter(self._out, _level(record))
        writer.write(head + record.head)
        for chunk in _chunks(record.body, record):
            writer.write(chunk)
        writer.write(END)
        sha256 = writer.finish()
        written = describe(self._offset, writer.length, sha256, header, record.head)
        self._offset += writer.length
        self._count += 1
        return written

    def _header(self, record: Record) -> Header:
        if (record.type is RecordType.WARCINFO) != (self._warcinfo is None) or (
            record.type is RecordType.WARCINFO and self._count
        ):
            raise BugError("bug.warc", reason="warcinfo comes first, once")
        block = hashlib.sha256(record.head)
        for chunk in _chunks(record.body, record):
            block.update(chunk)
        blank = Header(
            type=record.type, id=_PLACEHOLDER, date=format_date(record.at), uri=record.uri, address=record.address,
            protocols=tuple(record.protocols), cipher_suite=record.cipher_suite, concurrent=tuple(record.concurrent),
            warcinfo=self._warcinfo, truncated=record.truncated, filename=record.filename,
            payload_digest=None if record.payload is None else f"sha256:{record.payload.hex()}",
            block_digest=f"sha256:{block.hexdigest()}", content_type=record.content_type,
            content_length=len(record.head) + record.body.size,
        )  # fmt: skip
        header = replace(blank, id=blank.derived_id(self._count))
        _check(header)
        return header


def describe(offset: int, length: int, sha256: bytes, header: Header, head: bytes) -> Written:
    """What the index tells of a record, from the record alone: the writer and the reader come to the same."""
    status = mime = method = None
    match header.type:
        case RecordType.RESPONSE:
            code, kind = _STATUS.match(head), _CONTENT_TYPE.search(head)
            status = int(code[1]) if code else None
            mime = kind[1].decode().lower() if kind else None
        case RecordType.REQUEST:
            named = _METHOD.match(head)
            method = named[1].decode() if named else None
        case RecordType.RESOURCE:
            mime = header.content_type.partition(";")[0].strip().lower()
        case _:
            pass
    return Written(
        offset=offset, length=length, sha256=sha256, header=header, status=status, mime=mime, method=method
    )


def _check(header: Header) -> None:
    """What the strict reader would refuse is not written."""
    try:
        encoded = header.encode()
        if len(encoded) <= MAX_HEADER and parse_header(encoded) == header:
            return
    except (UnicodeEncodeError, MalformedError) as error:
        raise BugError("bug.warc", reason=str(error)[:80]) from error
    raise BugError("bug.warc", reason="header")


def _chunks(source: Source, record: Record) -> Iterator[bytes]:
    """Exactly `source.size` bytes."""
    if source is EMPTY:
        return
    left = source.size
    with source.open() as stream:
        while chunk := stream.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    if left:
        raise UnreadableError("package.source_changed", name=record.uri or record.type.value)


def _level(record: Record) -> int:
    """Compression that pays: judged by the beginning of the body, so by nothing but content."""
    if record.body.size < _SAMPLE:
        return USUAL if record.body.size < 1024 else _judge(record, USUAL)
    return _judge(record, USUAL if record.body.size < _LARGE else FAST)


def _judge(record: Record, level: int) -> int:
    with record.body.open() as stream:
        sample = stream.read(_SAMPLE)
    return level if len(zlib.compress(sample, FAST)) < 0.9 * len(sample) else STORED
