"""Writes a WACZ 1.1.1: a canonical stored ZIP whose every entry is listed with its SHA-256 in ``datapackage.json``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.package.zip_writer import ZipWriter
from evidence_desk.errors import BugError, MalformedError
from evidence_desk.wacz.cdx import encode_index
from evidence_desk.wacz.layout import (
    CDX,
    DIGEST,
    EVIDENCE,
    IDX,
    PACKAGE,
    PAGES,
    WARC,
    Package,
    Page,
    Resource,
    encode_digest,
    encode_pages,
    evidence_names,
)
from evidence_desk.wacz.record import Bytes, Source
from evidence_desk.wacz.warc import Written


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a WACZ says of itself: `created` with seconds (``2026-11-22T09:00:00Z``), `main_at` by `format_moment`."""

    title: str
    created: str
    software: str
    main_url: str | None = None
    main_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Size in bytes, and the digests of each entry by its path."""

    size: int
    entries: Mapping[str, DigestPair]


def pack_wacz(
    out: BinaryIO,
    *,
    warc: Source,
    records: Iterable[Written],
    pages: Sequence[Page],
    evidence: Mapping[str, Source],
    about: About,
    progress: Callable[[int], None] | None = None,
) -> Packed:
    """Write a WACZ to `out`, which must be seekable; `evidence` by names of a workspace, `progress` gets bytes.

    Raises:
        UnreadableError: ``package.source_changed`` when a file is not as long as it says.
        BugError: ``bug.package`` or ``bug.wacz`` for names that can't be.
    """
    idx, cdx = encode_index(records)
    sources: dict[str, Source] = {
        WARC: warc,
        CDX: Bytes(cdx),
        IDX: Bytes(idx),
        PAGES: Bytes(encode_pages(pages)),
    }
    sources |= {EVIDENCE + name: evidence[name] for name in sorted(evidence)}
    try:
        evidence_names([*sources, PACKAGE, DIGEST])
    except MalformedError as error:
        raise BugError("bug.wacz", reason=str(error)[:80]) from error
    writer = ZipWriter(out)
    entries: dict[str, DigestPair] = {}
    listed: list[Resource] = []
    for path, source in sources.items():
        with source.open() as stream:
            entries[path] = writer.add(path, stream, source.size, progress=progress)
        listed.append(Resource(path=path, size=source.size, sha256=entries[path].sha256))
    package = Package(
        title=about.title, created=about.created, software=about.software,
        main_url=about.main_url, main_at=about.main_at, resources=tuple(listed),
    ).encode()  # fmt: skip
    for path, data in ((PACKAGE, package), (DIGEST, encode_digest(package))):
        entries[path] = writer.add(path, BytesIO(data), len(data))
    return Packed(size=writer.finish(), entries=entries)
