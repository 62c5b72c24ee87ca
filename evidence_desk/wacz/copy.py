"""Writes a disclosure copy of a capture: its files without those that are withheld, its archive without some records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from evidence_desk.core.capture.manifest import MANIFEST, Manifest
from evidence_desk.core.capture.redaction import REDACTION, Redaction, encode_redaction
from evidence_desk.wacz.pack import About, Packed, pack_wacz
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.record import Bytes, Source
from evidence_desk.wacz.warc import Written
from evidence_desk.wacz.withhold import spans


def write_copy(
    out: BinaryIO,
    reader: WaczReader,
    manifest: Manifest,
    redaction: Redaction,
    *,
    kept: Sequence[Written],
    opened: Mapping[str, bytes],
) -> Packed:
    """Write a copy to a seekable `out`.

    Args:
        out: empty.
        reader: of the capture as it was sealed.
        manifest: of it.
        redaction: what the copy leaves out and opens.
        kept: the records that stay, as they lie in the archive.
        opened: content of the private files of `redaction.opened`.
    """
    left_out = {item.name for item in redaction.files}
    names = [
        item.name for item in manifest.files if item.name not in left_out and item.name in reader.evidence
    ]
    evidence: dict[str, Source] = {name: _Entry(reader, name) for name in (*names, MANIFEST)}
    evidence |= {name: Bytes(data) for name, data in opened.items()}
    evidence[REDACTION] = Bytes(encode_redaction(redaction))
    package = reader.package
    return pack_wacz(
        out,
        warc=_Records(reader, spans(kept)),
        records=_moved(kept),
        pages=reader.pages,
        evidence=evidence,
        about=About(
            title=package.title, created=package.created, software=package.software,
            main_url=package.main_url, main_at=package.main_at,
        ),
    )  # fmt: skip


def _moved(kept: Sequence[Written]) -> list[Written]:
    """Records at their places in the copy."""
    moved: list[Written] = []
    place = 0
    for item in kept:
        moved.append(replace(item, offset=place))
        place += item.length
    return moved


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of the capture as a source."""

    reader: WaczReader
    name: str

    @property
    def size(self) -> int:
        """Bytes."""
        return self.reader.evidence[self.name]

    def open(self) -> BinaryIO:
        """From the beginning."""
        return self.reader.open(self.name)


@dataclass(frozen=True, slots=True)
class _Records:
    """Kept records, one after the other; with all of them the archive itself."""

    reader: WaczReader
    spans: Sequence[tuple[int, int]]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(length for _, length in self.spans)

    def open(self) -> BinaryIO:
        """From the beginning."""
        return self.reader.members(self.spans)
