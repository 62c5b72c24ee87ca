"""Strict reading of a package. Structure faults raise; content that differs from the index is reported as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO

from evidence_desk.core.digests import DigestPair, PairHasher
from evidence_desk.core.job import Job
from evidence_desk.core.note import MAX_NOTE, Note, parse_note
from evidence_desk.core.package.index import (
    INDEX,
    MAX_INDEX,
    NOTE,
    IndexEntry,
    IndexNote,
    parse_index,
    parse_index_note,
)
from evidence_desk.core.package.layout import (
    DISCLOSURES,
    LIMITS,
    MAX_PART,
    MIMETYPE,
    PROOF,
    STATEMENT,
    check_coverage,
    check_layout,
)
from evidence_desk.core.package.manifest import (
    MAX_MANIFEST,
    EvidenceManifest,
    manifest_name,
    parse_manifest,
    record_name,
)
from evidence_desk.core.package.names import refuse
from evidence_desk.core.package.zip_reader import MemberStream, ZipReader
from evidence_desk.core.package.zip_writer import CHUNK
from evidence_desk.core.time_record import MAX_RECORD_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPart:
    """One evidence record (DER, unchecked) and the manifest that says what it covers."""

    der: bytes
    manifest: EvidenceManifest


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDigest:
    """Size in bytes and digests of an entry as found."""

    size: int
    digests: DigestPair


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One content fault; `code` is a key of ``texts``, `name` the entry."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What hashing a whole package found.

    Attributes:
        entries: size and digests of every entry as found, by name; use these instead of hashing again.
        problems: ``package.entry.crc``, ``package.entry.size``, ``package.entry.digest`` (against index.json),
            ``package.manifest.digest`` (against a record's manifest), ``package.index.digest`` (index against note).
    """

    entries: Mapping[str, EntryDigest]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package whose structure is canonical. Nothing in it is trusted yet: `verify_index`, then the note's signature.

    Attributes:
        names: every entry, in order; `files` the originals, ``files/0001.ext``…
        note: the desk's signed note over the index; `index_note` is its text.
    """

    reader: ZipReader
    names: tuple[str, ...]
    files: tuple[str, ...]
    statement: bytes
    disclosures: bytes
    proof: bytes
    index: tuple[IndexEntry, ...]
    note: Note
    index_note: IndexNote
    records: tuple[RecordPart, ...]

    def has(self, name: str) -> bool:
        """Whether there is such an entry."""
        return name in self.reader

    def size(self, name: str) -> int:
        """Size of an entry in bytes; MalformedError when there is none."""
        return self.reader.member(name).size

    def open(self, name: str) -> BinaryIO:
        """Content of an entry as a forward-only stream; a wrong CRC-32 raises MalformedError at its end."""
        return self.reader.open(name)

    def read(self, name: str, limit: int = MAX_PART) -> bytes:
        """Whole content of an entry of at most `limit` bytes; MalformedError when larger, missing or CRC wrong."""
        return self.reader.read(name, limit)

    def verify_index(self, job: Job | None = None) -> IndexReport:
        """Hash every entry once and compare with the index, the manifests, and the index with its note.

        Raises:
            CanceledError: when `job` (told stage ``verify`` in bytes) was canceled.
            MalformedError: when the source became shorter meanwhile.
        """
        return _verify(self, job or Job())


def read_package(source: BinaryIO) -> Package:
    """Open a package over a seekable `source`, which must stay open.

    Raises:
        MalformedError: ``malformed.package`` and the parsers' codes, for anything that `write_package` does not write.
    """
    reader = ZipReader(source)
    layout = check_layout(reader.names)
    if reader.read("mimetype", len(MIMETYPE)) != MIMETYPE:
        raise refuse("mimetype", "mimetype")
    index = parse_index(reader.read(INDEX, MAX_INDEX))
    if tuple(item.name for item in index) != layout.indexed:
        raise refuse("index", INDEX)
    records = tuple(
        RecordPart(
            der=reader.read(record_name(number), MAX_RECORD_SIZE),
            manifest=parse_manifest(reader.read(manifest_name(number), MAX_MANIFEST), number),
        )
        for number in range(1, layout.records + 1)
    )
    check_coverage([[item.name for item in part.manifest.objects] for part in records], layout.files)
    note = parse_note(reader.read(NOTE, MAX_NOTE))
    return Package(
        reader=reader,
        names=reader.names,
        files=layout.files,
        statement=reader.read(STATEMENT, LIMITS[STATEMENT]),
        disclosures=reader.read(DISCLOSURES, LIMITS[DISCLOSURES]),
        proof=reader.read(PROOF, LIMITS[PROOF]),
        index=index,
        note=note,
        index_note=parse_index_note(note.text),
        records=records,
    )


def _verify(package: Package, job: Job) -> IndexReport:
    entries: dict[str, EntryDigest] = {}
    problems: list[Problem] = []
    total = sum(package.size(name) for name in package.names)
    done = 0
    for name in package.names:
        found, crc_matches = _hash(package, name, job, done, total)
        done += found.size
        entries[name] = found
        if not crc_matches:
            problems.append(Problem(code="package.entry.crc", name=name))
    for item in package.index:
        found = entries[item.name]
        if found.size != item.size:
            problems.append(Problem(code="package.entry.size", name=item.name))
        elif not found.digests.matches(item.digests):
            problems.append(Problem(code="package.entry.digest", name=item.name))
    problems += [
        Problem(code="package.manifest.digest", name=item.name)
        for part in package.records
        for item in part.manifest.objects
        if entries[item.name].digests.sha256 != item.sha256
    ]
    if not entries[INDEX].digests.matches(package.index_note.digests):
        problems.append(Problem(code="package.index.digest", name=INDEX))
    return IndexReport(entries=MappingProxyType(entries), problems=tuple(problems))


def _hash(package: Package, name: str, job: Job, done: int, total: int) -> tuple[EntryDigest, bool]:
    """Digests of one entry, and whether its CRC-32 is right; wrong content must not end the check of the others."""
    stream = MemberStream(package.reader.source, package.reader.member(name), check_crc=False)
    hasher = PairHasher()
    job.step("verify", done, total)
    while chunk := stream.read(CHUNK):
        hasher.update(chunk)
        job.step("verify", done + hasher.size, total)
    return EntryDigest(size=hasher.size, digests=hasher.digest()), stream.crc_matches
