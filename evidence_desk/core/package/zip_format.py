"""The canonical ZIP: every header byte is a function of name, size, CRC-32 and offset (APPNOTE 6.3.10).

Entries are stored, without comments, data descriptors or gaps; dates are 1980-01-01; the UTF-8 flag (bit 11) is set
exactly when a name is not ASCII; ZIP64 fields stand exactly where a value does not fit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_ENTRIES: Final = 100_000
MAX_SIZE: Final = 2**53 - 1
"""Greatest size of an entry in bytes: the greatest integer of index.json."""

M16: Final = 0xFFFF
M32: Final = 0xFFFFFFFF
LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")  # APPNOTE §4.3.7
CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")  # APPNOTE §4.3.12
END64: Final = struct.Struct("<4sQHHIIQQQQ")  # APPNOTE §4.3.14
LOCATOR: Final = struct.Struct("<4sIQI")  # APPNOTE §4.3.15
END: Final = struct.Struct("<4sHHHHIIH")  # APPNOTE §4.3.16
CRC_AT: Final = 14
"""Position of the CRC-32 in a local header."""

_DOS_DATE: Final = 0x21  # 1980-01-01
_MADE_BY: Final = 3 << 8 | 45  # Unix, so that unpacked files get the permissions below; version 4.5
_PERMISSIONS: Final = 0o100644 << 16
_UTF8: Final = 0x800


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One entry: `size` bytes with CRC-32 `crc`, its local header at `offset`."""

    name: str
    size: int
    crc: int
    offset: int

    @property
    def data_offset(self) -> int:
        """Where the content begins."""
        return self.offset + len(local_header(self))

    @property
    def end(self) -> int:
        """Where the next header begins."""
        return self.data_offset + self.size

    @property
    def large(self) -> bool:
        """Whether the size needs ZIP64 fields (APPNOTE §4.4.8)."""
        return self.size >= M32

    @property
    def version(self) -> int:
        """Version needed to extract: 4.5 with ZIP64 fields, else 1.0 (APPNOTE §4.4.3.2)."""
        return 45 if self.large or self.offset >= M32 else 10

    @property
    def flags(self) -> int:
        """General purpose bits (APPNOTE §4.4.4)."""
        return 0 if self.name.isascii() else _UTF8


def local_header(member: Member) -> bytes:
    """Local file header (APPNOTE §4.3.7) with ZIP64 sizes (§4.5.3) when the size does not fit."""
    name = member.name.encode()
    extra = struct.pack("<HHQQ", 1, 16, member.size, member.size) if member.large else b""
    shown = min(member.size, M32)
    head = LOCAL.pack(
        b"PK\x03\x04",
        member.version,
        member.flags,
        0,
        0,
        _DOS_DATE,
        member.crc,
        shown,
        shown,
        len(name),
        len(extra),
    )
    return head + name + extra


def central_header(member: Member) -> bytes:
    """Central directory header (APPNOTE §4.3.12); the ZIP64 field holds only what does not fit (§4.5.3)."""
    name = member.name.encode()
    fields = [member.size, member.size] if member.large else []
    if member.offset >= M32:
        fields.append(member.offset)
    extra = struct.pack(f"<HH{len(fields)}Q", 1, 8 * len(fields), *fields) if fields else b""
    shown = min(member.size, M32)
    head = CENTRAL.pack(
        b"PK\x01\x02",
        _MADE_BY,
        member.version,
        member.flags,
        0,
        0,
        _DOS_DATE,
        member.crc,
        shown,
        shown,
        len(name),
        len(extra),
        0,
        0,
        0,
        _PERMISSIONS,
        min(member.offset, M32),
    )
    return head + name + extra


def tail(*, count: int, size: int, offset: int) -> bytes:
    """End of central directory, preceded by the ZIP64 records exactly when a value does not fit (APPNOTE §4.3.14).

    Args:
        count: number of entries.
        size: bytes of the central directory.
        offset: where it begins.
    """
    records = b""
    if count >= M16 or size >= M32 or offset >= M32:
        records = END64.pack(b"PK\x06\x06", END64.size - 12, _MADE_BY, 45, 0, 0, count, count, size, offset)
        records += LOCATOR.pack(b"PK\x06\x07", 0, offset + size, 1)
    shown = min(count, M16)
    return records + END.pack(b"PK\x05\x06", 0, 0, shown, shown, min(size, M32), min(offset, M32), 0)


def directory(members: Iterable[Member]) -> bytes:
    """The whole central directory."""
    return b"".join(central_header(member) for member in members)
