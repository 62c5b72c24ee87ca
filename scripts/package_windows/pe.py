"""Which DLLs a Windows program or library loads, read from its import tables (PE/COFF specification §6.4, §5.8)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from scripts.package_windows.inputs import BuildError

_PE32_PLUS: Final = 0x20B
_DIRECTORIES: Final = 112
_IMPORTS: Final = (1, 20, 12)
"""Number of the directory, size of an entry, offset of the name's address in it."""
_DELAYED: Final = (13, 32, 4)


def imported(path: Path) -> frozenset[str]:
    """Names of the DLLs that the file loads, at its start or at first use, in lower case.

    Raises:
        BuildError: not a 64-bit PE file.
    """
    data = path.read_bytes()
    try:
        return frozenset(_names(data))
    except (struct.error, ValueError, IndexError) as error:
        raise BuildError(f"{path.name}: not a 64-bit PE file") from error


def _names(data: bytes) -> list[str]:
    (header,) = struct.unpack_from("<I", data, 0x3C)
    if data[:2] != b"MZ" or data[header : header + 4] != b"PE\0\0":
        raise ValueError
    sections, optional_size = struct.unpack_from("<2xH12xH", data, header + 4)
    optional = header + 24
    if struct.unpack_from("<H", data, optional)[0] != _PE32_PLUS:
        raise ValueError
    table = [
        struct.unpack_from("<8xIIII", data, optional + optional_size + 40 * at) for at in range(sections)
    ]

    def place(address: int) -> int:
        for virtual_size, start, raw_size, raw in table:
            if start <= address < start + max(virtual_size, raw_size):
                return int(raw + address - start)
        raise ValueError

    names = []
    for number, size, offset in (_IMPORTS, _DELAYED):
        (address,) = struct.unpack_from("<I", data, optional + _DIRECTORIES + 8 * number)
        at = place(address) if address else 0
        while at and any(data[at : at + size]):
            start = place(struct.unpack_from("<I", data, at + offset)[0])
            names.append(data[start : data.index(b"\0", start)].decode("ascii").lower())
            at += size
    return names
