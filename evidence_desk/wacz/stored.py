"""Records of a WARC file, read strictly and one after the other or one alone; bodies are streams."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from evidence_desk.wacz.listing import Listed
from evidence_desk.wacz.members import MemberReader
from evidence_desk.wacz.record import (
    END,
    HTTP,
    MAX_HEADER,
    MAX_LENGTH,
    Header,
    RecordType,
    parse_header,
    refuse,
)
from evidence_desk.wacz.warc import Written, describe

MAX_HEAD: Final = 4 << 20
"""Bytes of an HTTP head."""
_PIECE: Final = 1 << 16
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_HTTP: Final = frozenset((RecordType.REQUEST, RecordType.RESPONSE))


class Section(io.RawIOBase):
    """`size` bytes of a shared stream from `start`."""

    def __init__(self, source: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._source = source
        self._position = start
        self._left = size

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Next bytes; 0 at the end."""
        self._source.seek(self._position)
        data = self._source.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._position += len(data)
        self._left -= len(data)
        return len(data)


class Sections(io.RawIOBase):
    """Several pieces (start, size) of a shared stream, one after the other."""

    def __init__(self, source: BinaryIO, pieces: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self._source = source
        self._pieces = iter(pieces)
        self._section = Section(source, 0, 0)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Next bytes; 0 at the end."""
        while not (size := self._section.readinto(buffer)):
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._section = Section(self._source, *piece)
        return size


class BodyStream(io.RawIOBase):
    """Rest of a block after its head. The end means that digests, framing and CRC-32 were right."""

    def __init__(self, member: MemberReader, ahead: bytes, header: Header, head: bytes) -> None:
        super().__init__()
        self._member = member
        self._ahead = ahead
        self._header = header
        self._left = header.content_length - len(head)
        self._block = hashlib.sha256(head)
        self._payload = hashlib.sha256() if header.payload_digest else None
        self._done = False

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Next bytes; 0 at the end.

        Raises:
            MalformedError: ``malformed.warc``.
        """
        if not self._left:
            self._finish()
            return 0
        data = self._next(min(len(buffer), self._left))
        if not data:
            raise refuse("truncated")
        buffer[: len(data)] = data
        self._left -= len(data)
        self._block.update(data)
        if self._payload is not None:
            self._payload.update(data)
        if not self._left:
            self._finish()
        return len(data)

    def _next(self, size: int) -> bytes:
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        buffer = bytearray(min(size, _PIECE))
        return bytes(buffer[: self._member.readinto(memoryview(buffer))])

    def _finish(self) -> None:
        if self._done:
            return
        rest = b""
        while data := self._next(len(END) + 1):
            rest += data
            if len(rest) > len(END):
                break
        if rest != END or not self._member.ended:
            raise refuse("record_end")
        if f"sha256:{self._block.hexdigest()}" != self._header.block_digest:
            raise refuse("block_digest")
        if self._payload is not None and f"sha256:{self._payload.hexdigest()}" != self._header.payload_digest:
            raise refuse("payload_digest")
        self._done = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """One record; `head` is the HTTP head of requests and responses, else empty. Read `body` before the next record."""

    header: Header
    head: bytes
    body: BinaryIO
    member: MemberReader = field(repr=False)


def read_record(source: BinaryIO, ahead: bytes = b"") -> StoredRecord:
    """The record whose gzip member begins at the present position of `source`, after `ahead`.

    Raises:
        MalformedError: ``malformed.warc``.
    """
    member = MemberReader(source, refuse, MAX_LENGTH, ahead)
    data = b""
    while (end := data.find(END)) < 0:
        data += _more(member, data, MAX_HEADER)
    header = parse_header(data[: end + len(END)])
    data = data[end + len(END) :]
    head = b""
    if header.type in _HTTP and header.content_type.startswith(HTTP):
        while (blank := _BLANK.search(data, 0, header.content_length)) is None:
            if len(data) >= header.content_length:
                raise refuse("http_head")
            data += _more(member, data, MAX_HEAD)
        head, data = data[: blank.end()], data[blank.end() :]
    body = BodyStream(member, data, header, head)
    return StoredRecord(header=header, head=head, body=io.BufferedReader(body, _PIECE), member=member)


def _more(member: MemberReader, data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise refuse("too_large")
    buffer = bytearray(_PIECE)
    size = member.readinto(memoryview(buffer))
    if not size:
        raise refuse("truncated")
    return bytes(buffer[:size])


def read_records(
    source: BinaryIO, listing: Sequence[Listed] | None = None
) -> Iterator[tuple[StoredRecord, Written | None]]:
    """All records of a file, each twice: first to read its body, then, with the whole record checked, as `Written`.

    What is left of a body when the next is asked for is read and checked.

    Args:
        source: the file from its beginning.
        listing: of the archive that this file is a part of, for disclosure copies: each record must be one of these,
            unchanged, in their order.

    Raises:
        MalformedError: ``malformed.warc``.
    """
    meter = _Meter(source)
    ahead, offset = b"", 0
    places = _Places() if listing is None else _Parts(listing)
    while ahead or (ahead := meter.read(_PIECE)):
        meter.begin(ahead)
        record = read_record(meter, ahead)  # type: ignore[arg-type]
        yield record, None
        while record.body.read(1 << 20):
            pass
        ahead = record.member.rest
        length = record.member.length
        written = describe(offset, length, meter.end(ahead), record.header, record.head)
        places.check(written)
        yield record, written
        offset += length


class _Meter:
    """Passes bytes on and takes the SHA-256 of each member."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self._last = b""

    def begin(self, ahead: bytes) -> None:
        self._hash = hashlib.sha256()
        self._last = ahead

    def read(self, size: int) -> bytes:
        self._hash.update(self._last)
        self._last = self._source.read(size)
        return self._last

    def end(self, rest: bytes) -> bytes:
        self._hash.update(self._last[: len(self._last) - len(rest)])
        return self._hash.digest()


class _Places:
    """Ids and links of the records of a whole archive."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def check(self, written: Written) -> None:
        """The next record."""
        _check_links(written.header, len(self._known), self._known)
        self._known.add(written.id)


class _Parts(_Places):
    """Those of an archive of which some records are left out: all are known by its listing."""

    def __init__(self, listing: Sequence[Listed]) -> None:
        super().__init__()
        self._listing = iter(enumerate(listing))

    def check(self, written: Written) -> None:
        """The next record that was kept."""
        for index, item in self._listing:
            if item.id == written.id:
                if (item.length, item.sha256) != (written.length, written.sha256):
                    raise refuse("listed")
                _check_links(written.header, index, self._known)
                self._known.add(item.id)
                return
            self._known.add(item.id)
        raise refuse("unlisted")


def _check_links(header: Header, index: int, known: set[str]) -> None:
    if header.derived_id(index) != header.id:
        raise refuse("id")
    if header.type is RecordType.WARCINFO:
        if index:
            raise refuse("warcinfo")
    elif header.warcinfo not in known or not set(header.concurrent) <= known:
        raise refuse("links")
