"""Strict reader of the canonical ZIP: whatever `ZipWriter` would not have written byte for byte is refused.

Headers are derived again from name, size, CRC-32 and offset and compared; entries touch each other and the central
directory, so no byte of the container is free. Nothing is ever decompressed.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO, Final

from evidence_desk.core.package.names import MAX_NAME_BYTES, check_distinct, check_name, refuse
from evidence_desk.core.package.zip_format import (
    CENTRAL,
    END,
    END64,
    LOCATOR,
    M16,
    M32,
    MAX_ENTRIES,
    MAX_SIZE,
    Member,
    central_header,
    local_header,
    tail,
)
from evidence_desk.errors import MalformedError

_EXTRA_MAX: Final = 28


class ZipReader:
    """A container whose structure has been checked whole; contents are checked as they are read.

    Raises:
        MalformedError: ``malformed.package``; the reasons are listed in docs/spec/package.md.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._size = source.seek(0, io.SEEK_END)
        count, size, offset = self._end()
        self._members = self._directory(count, size, offset)
        check_distinct(self._members)
        self._check_locals(offset)

    @property
    def source(self) -> BinaryIO:
        """The stream under the container."""
        return self._source

    @property
    def names(self) -> tuple[str, ...]:
        """All names in the order of the container."""
        return tuple(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def member(self, name: str) -> Member:
        """One entry.

        Raises:
            MalformedError: ``malformed.package`` with reason ``missing``.
        """
        try:
            return self._members[name]
        except KeyError as error:
            raise refuse("missing", name) from error

    def open(self, name: str) -> BinaryIO:
        """Content of an entry as a forward-only stream; a wrong CRC-32 shows in the read that reaches the end.

        Raises:
            MalformedError: ``malformed.package`` with reason ``missing``, from ``read`` also ``crc`` or ``truncated``.
        """
        return io.BufferedReader(MemberStream(self._source, self.member(name)), 1 << 16)

    def window(self, name: str) -> BinaryIO:
        """Content of an entry as a seekable stream; CRC-32 is not looked at.

        Raises:
            MalformedError: ``malformed.package`` with reason ``missing``.
        """
        member = self.member(name)
        return io.BufferedReader(_Window(self._source, member.data_offset, member.size), 1 << 16)

    def read(self, name: str, limit: int) -> bytes:
        """Whole content of an entry of at most `limit` bytes.

        Raises:
            MalformedError: ``malformed.too_large``, or ``malformed.package``.
        """
        member = self.member(name)
        if member.size > limit:
            raise MalformedError("malformed.too_large", what=name, limit=limit)
        with self.open(name) as stream:
            return stream.read()

    def _bytes(self, offset: int, size: int) -> bytes:
        self._source.seek(offset)
        data = self._source.read(size)
        if len(data) != size:
            raise refuse("truncated")
        return data

    def _end(self) -> tuple[int, int, int]:
        """(count, size, offset) of the central directory from the very end of the file."""
        if self._size < END.size:
            raise refuse("truncated")
        end = self._bytes(self._size - END.size, END.size)
        if end[:4] != b"PK\x05\x06":
            raise refuse("end_record")
        _, _, _, _, count, size, offset, _ = END.unpack(end)
        if count == M16 or M32 in (size, offset):
            whole = END64.size + LOCATOR.size + END.size
            if self._size < whole:
                raise refuse("truncated")
            _, _, _, _, _, _, _, count, size, offset = END64.unpack(
                self._bytes(self._size - whole, END64.size)
            )
        if count > MAX_ENTRIES or size > count * (CENTRAL.size + MAX_NAME_BYTES + _EXTRA_MAX):
            raise refuse("too_many")
        expected = tail(count=count, size=size, offset=offset) if offset <= MAX_SIZE else b""
        if not expected or offset + size + len(expected) != self._size:
            raise refuse("end_record")
        if self._bytes(offset + size, len(expected)) != expected:
            raise refuse("end_record")
        return count, size, offset

    def _directory(self, count: int, size: int, offset: int) -> dict[str, Member]:
        data = self._bytes(offset, size)
        members: dict[str, Member] = {}
        position = 0
        for _ in range(count):
            member, position = _central(data, position)
            if member.name in members:
                raise refuse("duplicate", member.name)
            members[member.name] = member
        if position != size:
            raise refuse("directory")
        return members

    def _check_locals(self, directory_offset: int) -> None:
        position = 0
        for member in self._members.values():
            if member.offset != position or member.end > directory_offset:
                raise refuse("gap_or_overlap", member.name)
            header = local_header(member)
            if self._bytes(position, len(header)) != header:
                raise refuse("local_header", member.name)
            position = member.end
        if position != directory_offset:
            raise refuse("gap_or_overlap")


def _central(data: bytes, position: int) -> tuple[Member, int]:
    """The entry whose central header begins at `position`, and where the next one begins."""
    if len(data) - position < CENTRAL.size:
        raise refuse("directory")
    fields = CENTRAL.unpack_from(data, position)
    crc, size, name_size, extra_size, offset = fields[7], fields[9], fields[10], fields[11], fields[16]
    start = position + CENTRAL.size
    end = start + name_size + extra_size
    if fields[0] != b"PK\x01\x02" or end > len(data):
        raise refuse("directory")
    try:
        name = check_name(data[start : start + name_size].decode("utf-8"))
    except UnicodeDecodeError as error:
        raise refuse("name") from error
    size, offset = _zip64(data[start + name_size : end], size, offset, name)
    member = Member(name=name, size=size, crc=crc, offset=offset)
    if size > MAX_SIZE or offset > MAX_SIZE or central_header(member) != data[position:end]:
        raise refuse("directory", name)
    return member, end


def _zip64(extra: bytes, size: int, offset: int, name: str) -> tuple[int, int]:
    """Size and offset, taken from the ZIP64 field where the header says they do not fit (APPNOTE §4.5.3)."""
    wanted = 2 * (size == M32) + (offset == M32)
    if len(extra) != (4 + 8 * wanted if wanted else 0):
        raise refuse("directory", name)
    if not wanted:
        return size, offset
    values = list(struct.unpack_from(f"<{wanted}Q", extra, 4))
    return values[0] if size == M32 else size, values[-1] if offset == M32 else offset


class MemberStream(io.RawIOBase):
    """Content of one entry, read through a source shared with others; not seekable."""

    def __init__(self, source: BinaryIO, member: Member, *, check_crc: bool = True) -> None:
        super().__init__()
        self._source = source
        self._member = member
        self._start = member.data_offset
        self._done = 0
        self._crc = 0
        self._check_crc = check_crc

    @property
    def crc_matches(self) -> bool:
        """Whether everything was read and has the CRC-32 of the header."""
        return self._done == self._member.size and self._crc == self._member.crc

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes; 0 at the end.

        Raises:
            MalformedError: ``malformed.package`` with reason ``truncated`` or ``crc``.
        """
        wanted = min(len(buffer), self._member.size - self._done)
        if wanted:
            self._source.seek(self._start + self._done)
            chunk = self._source.read(wanted)
            if not chunk:
                raise refuse("truncated", self._member.name)
            buffer[: len(chunk)] = chunk
            self._done += len(chunk)
            self._crc = zlib.crc32(chunk, self._crc)
            wanted = len(chunk)
        if self._check_crc and self._done == self._member.size and self._crc != self._member.crc:
            raise refuse("crc", self._member.name)
        return wanted


class _Window(io.RawIOBase):
    """`size` bytes of a shared stream from `start`, seekable; each read finds its place again."""

    def __init__(self, source: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._source = source
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Place in the window."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; before the beginning is an error of the caller, beyond the end reads nothing."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Next bytes; 0 at the end."""
        wanted = min(len(buffer), max(self._size - self._at, 0))
        self._source.seek(self._start + self._at)
        data = self._source.read(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
