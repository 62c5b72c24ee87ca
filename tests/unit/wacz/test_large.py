"""Records, entries and counters beyond 4 GiB; bodies of zeros on a file with holes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

import pytest

from evidence_desk.wacz.archive import Resource, write_warc
from evidence_desk.wacz.members import STORED, MemberReader, MemberWriter
from evidence_desk.wacz.pack import About, pack_wacz
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.record import MAX_LENGTH, refuse
from tests.unit.wacz.samples import NOISE

SIZE = 2**32 + 12_345
_ZEROS = bytes(1 << 20)


class Zeros(io.RawIOBase):
    """Many zeros."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        given = min(self._left, len(_ZEROS), size if size >= 0 else self._left)
        self._left -= given
        return _ZEROS[:given]


class Blank:
    """A source of zeros."""

    def __init__(self, size: int) -> None:
        self.size = size

    def open(self) -> BinaryIO:
        return cast("BinaryIO", Zeros(self.size))


class Holes(io.RawIOBase):
    """A file that leaves out what is zero."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        if data == _ZEROS[: len(data)] and len(data) > 4096:
            self._file.seek(len(data), io.SEEK_CUR)
        else:
            self._file.write(data)
        return len(data)

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_records_and_entries_beyond_4_gib(tmp_path: Path) -> None:
    warc, wacz = tmp_path / "data.warc.gz", tmp_path / "capture.wacz"
    film = Resource(uri="https://site.test/film", content_type="video/mp4", at=1, source=Blank(SIZE))
    with warc.open("xb") as out:
        records = write_warc(out, (), [film], software="x", at=0)
    about = About(title="", created="2026-02-02T02:45:00Z", software="x")

    class Stored:
        size = warc.stat().st_size
        open: Callable[[], BinaryIO] = staticmethod(lambda: warc.open("rb"))

    with wacz.open("x+b") as file:
        packed = pack_wacz(
            cast("BinaryIO", Holes(file)), warc=Stored(), records=records, pages=(),
            evidence={"stream-000001.bin": Blank(SIZE), "z.txt": Blank(3)}, about=about,
        )  # fmt: skip
        file.flush()
        assert packed.size == wacz.stat().st_size > SIZE
        reader = WaczReader(file)
        assert reader.evidence["stream-000001.bin"] == SIZE
        assert reader.check() == 2
        assert reader.open("z.txt").read() == bytes(3)
        assert reader.find("https://site.test/film") is not None


@pytest.mark.full
@pytest.mark.timeout(900)
def test_stored_members_beyond_4_gib() -> None:
    """The trailer counts modulo 2^32 (RFC 1952 §2.3.1)."""
    times = SIZE // len(NOISE) + 1
    with TemporaryFile("w+b") as file:
        writer = MemberWriter(file, STORED)
        for _ in range(times):
            writer.write(NOISE)
        writer.finish()
        file.seek(0)
        stream = io.BufferedReader(MemberReader(file, refuse, MAX_LENGTH), 1 << 20)
        for _ in range(times):
            assert stream.read(len(NOISE)) == NOISE
        assert stream.read() == b""
