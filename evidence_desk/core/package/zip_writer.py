"""Streaming writer of the canonical ZIP. The output must be seekable: a CRC-32 stands before the data it covers."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import BinaryIO, Final

from evidence_desk.core.digests import DigestPair, PairHasher
from evidence_desk.core.package.names import check_distinct, check_name
from evidence_desk.core.package.zip_format import (
    CRC_AT,
    MAX_ENTRIES,
    MAX_SIZE,
    Member,
    directory,
    local_header,
    tail,
)
from evidence_desk.errors import BugError, MalformedError, UnreadableError

CHUNK: Final = 1 << 20
"""Bytes read at once."""


class ZipWriter:
    """Writes entries in the order given; `finish` ends the container. An abandoned output is not a container."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._start = out.tell()
        self._position = 0
        self._members: list[Member] = []

    def add(
        self, name: str, source: BinaryIO, size: int, *, progress: Callable[[int], None] | None = None
    ) -> DigestPair:
        """Copy exactly `size` bytes of `source` and return their digests; `progress` gets bytes per chunk.

        Raises:
            UnreadableError: ``package.source_changed`` when the source holds more or less than `size` bytes.
            BugError: ``bug.package`` for a name or number of entries that the format does not allow.
        """
        self._check(name, size)
        blank = Member(name=name, size=size, crc=0, offset=self._position)
        self._out.write(local_header(blank))
        hasher = PairHasher()
        crc = 0
        while hasher.size <= size and (chunk := source.read(min(CHUNK, size - hasher.size + 1))):
            if hasher.size + len(chunk) > size:
                raise UnreadableError("package.source_changed", name=name)
            self._out.write(chunk)
            hasher.update(chunk)
            crc = zlib.crc32(chunk, crc)
            if progress is not None:
                progress(len(chunk))
        if hasher.size != size:
            raise UnreadableError("package.source_changed", name=name)
        member = Member(name=name, size=size, crc=crc, offset=self._position)
        self._patch_crc(member)
        self._members.append(member)
        self._position = member.end
        return hasher.digest()

    def finish(self) -> int:
        """Write the central directory and return the size of the container in bytes.

        Raises:
            BugError: ``bug.package`` when two names are one file on some system.
        """
        try:
            check_distinct(member.name for member in self._members)
        except MalformedError as error:
            raise BugError("bug.package", reason=str(error)) from error
        central = directory(self._members)
        end = tail(count=len(self._members), size=len(central), offset=self._position)
        self._out.write(central + end)
        return self._position + len(central) + len(end)

    def _check(self, name: str, size: int) -> None:
        try:
            check_name(name)
        except MalformedError as error:
            raise BugError("bug.package", reason=str(error)) from error
        if len(self._members) >= MAX_ENTRIES or not 0 <= size <= MAX_SIZE:
            raise BugError("bug.package", reason="too many entries, or a size that no entry can have")

    def _patch_crc(self, member: Member) -> None:
        if member.crc:
            self._out.seek(self._start + member.offset + CRC_AT)
            self._out.write(member.crc.to_bytes(4, "little"))
            self._out.seek(self._start + member.end)
