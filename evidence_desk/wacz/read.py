"""Strict reader of our WACZ: canonical container, every digest, every record, the index against the records.

The source is hostile until `check` has passed. Nothing is unpacked; bodies are streams. Not safe from several threads.
"""

from __future__ import annotations

import hashlib
import io
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from evidence_desk.core.capture.redaction import RECORDS, REDACTION
from evidence_desk.core.job import Job
from evidence_desk.core.package.zip_reader import ZipReader
from evidence_desk.errors import MalformedError
from evidence_desk.wacz.cdx import MAX_LINES, Entry, index_lines, parse_index, parse_line, url_key
from evidence_desk.wacz.layout import (
    CDX,
    DIGEST,
    EVIDENCE,
    IDX,
    MAX_DIGEST,
    MAX_PACKAGE,
    MAX_PAGES,
    PACKAGE,
    PAGES,
    WARC,
    encode_digest,
    evidence_names,
    parse_package,
    parse_pages,
    refuse,
)
from evidence_desk.wacz.listing import MAX_LISTING, Listed, parse_listing
from evidence_desk.wacz.record import archive_uri
from evidence_desk.wacz.stored import Section, Sections, StoredRecord, read_record, read_records
from evidence_desk.wacz.warc import Written

MAX_IDX: Final = 32 << 20
MAX_RECORDS: Final = 4 * MAX_LINES
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A stored answer to a URL: the index entry, HTTP head (empty for resources) and body as stored (framing included)."""

    entry: Entry
    record: StoredRecord

    @property
    def head(self) -> bytes:
        """HTTP head with its blank line."""
        return self.record.head

    @property
    def body(self) -> BinaryIO:
        """Body as a forward stream; its end means that CRC-32 and digests were right."""
        return self.record.body


class WaczReader:
    """An opened WACZ: container, lists and index were checked; contents are as they are read, or all by `check`.

    Raises:
        MalformedError: ``malformed.wacz``, ``malformed.cdx``, ``malformed.json…``; the reasons stand in docs/spec/capture-archive.md.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        try:
            self._zip = ZipReader(source)
        except MalformedError as error:
            raise _container(error) from error
        self._evidence = evidence_names(self._zip.names)
        data = self._read(PACKAGE, MAX_PACKAGE)
        if self._read(DIGEST, MAX_DIGEST) != encode_digest(data):
            raise refuse("digest", PACKAGE)
        self.package = parse_package(data)
        listed = [(item.path, item.size) for item in self.package.resources]
        if listed != [(name, self._zip.member(name).size) for name in self._zip.names[:-2]]:
            raise refuse("listed", PACKAGE)
        self._digests = {item.path: item.sha256 for item in self.package.resources}
        self.pages = parse_pages(self._checked(PAGES, MAX_PAGES))
        with self._zip.open(CDX) as blocks:
            self._lines = self._index(blocks)
        self._listing: tuple[Listed, ...] | None = None
        self.kept: tuple[str, ...] = ()
        """Ids of the records that a disclosure copy holds, known after `check`."""

    @property
    def redacted(self) -> bool:
        """Whether this says of itself that it is a disclosure copy, from which records may be left out."""
        return REDACTION in self._evidence

    def listing(self) -> tuple[Listed, ...]:
        """Records of the whole archive, also of those that a disclosure copy leaves out.

        Raises:
            MalformedError: ``malformed.records``; ``malformed.wacz`` with reason ``missing``.
        """
        if self._listing is None:
            if self.evidence.get(RECORDS, 0) > MAX_LISTING:
                raise MalformedError("malformed.too_large", what=RECORDS, limit=MAX_LISTING)
            with self.open(RECORDS) as stream:
                self._listing = parse_listing(stream.read())
        return self._listing

    @property
    def evidence(self) -> Mapping[str, int]:
        """Names of the other files, with their sizes in bytes."""
        return {name: self._zip.member(EVIDENCE + name).size for name in self._evidence}

    def open(self, name: str) -> BinaryIO:
        """One of the other files as a forward stream; its end means that CRC-32 and SHA-256 were right.

        Raises:
            MalformedError: ``malformed.wacz``, also from ``read``.
        """
        if name not in self._evidence:
            raise refuse("missing", name)
        return self._open(EVIDENCE + name)

    def open_archive(self) -> BinaryIO:
        """The whole WARC file, as `open`."""
        return self._open(WARC)

    def _open(self, path: str) -> BinaryIO:
        return io.BufferedReader(_Digested(self._zip, path, self._digests[path]), _CHUNK)

    def entries(self) -> Iterator[Entry]:
        """The index, in its order."""
        return map(parse_line, self._lines)

    def find(self, url: str, at: str | None = None, method: str | None = None) -> Found | None:
        """The stored answer to `url` that is nearest to `at` (17 digits; the latest for None), of GET or `method`.

        Raises:
            MalformedError: of a broken record.
        """
        wanted = archive_uri(url)
        key = url_key(wanted, method).encode("ascii") + b" "
        start = bisect_left(self._lines, key)
        entries: list[Entry] = []
        for line in self._lines[start:]:
            if not line.startswith(key):
                break
            entry = parse_line(line)
            if entry.url == wanted and entry.method == method:
                entries.append(entry)
        if not entries:
            return None
        if at is None:
            return self.fetch(entries[-1])
        return self.fetch(min(entries, key=lambda entry: abs(int(entry.at) - int(at))))

    def fetch(self, entry: Entry) -> Found:
        """The record of an index entry.

        Raises:
            MalformedError: ``malformed.warc``.
        """
        record = self.record_at(entry.offset, entry.length)
        if record.header.uri != entry.url:
            raise refuse("index", WARC)
        return Found(entry=entry, record=record)

    def record_at(self, offset: int, length: int) -> StoredRecord:
        """The record whose gzip member lies there, as ``records.jsonl`` lists it.

        Raises:
            MalformedError: ``malformed.wacz``, ``malformed.warc``.
        """
        member = self._zip.member(WARC)
        if offset < 0 or length < 0 or offset + length > member.size:
            raise refuse("index", WARC)
        section = Section(self._source, member.data_offset + offset, length)
        return read_record(io.BufferedReader(section, 1 << 16))

    def records(self) -> Iterator[StoredRecord]:
        """All records in their order; read a body before asking for the next.

        Raises:
            MalformedError: ``malformed.warc``.
        """
        yield from (record for record, written in self.walk() if written is None)

    def walk(self) -> Iterator[tuple[StoredRecord, Written | None]]:
        """All records as `read_records` gives them, in a disclosure copy held against its listing.

        Raises:
            MalformedError: ``malformed.warc``, ``malformed.records``.
        """
        with self._zip.open(WARC) as stream:
            yield from read_records(stream, self.listing() if self.redacted else None)

    def members(self, spans: Sequence[tuple[int, int]]) -> BinaryIO:
        """Bytes of the WARC file at these (offset, length), one after the other, as a forward stream."""
        member = self._zip.member(WARC)
        if any(offset + length > member.size for offset, length in spans):
            raise refuse("index", WARC)
        moved = [(member.data_offset + offset, length) for offset, length in spans]
        return io.BufferedReader(Sections(self._source, moved), _CHUNK)

    def check(self, job: Job | None = None) -> int:
        """Read everything: digests of all entries, all records, the index against the records. Number of records.

        Raises:
            MalformedError: at the first byte that is not as it should be.
            CanceledError: by `job`, whose steps are bytes.
        """
        progress = _Progress(job or Job(), sum(item.size for item in self.package.resources))
        count = 0
        for path, digest in self._digests.items():
            with io.BufferedReader(_Digested(self._zip, path, digest, progress), _CHUNK) as stream:
                if path == WARC:
                    count = self._check_records(stream)
                while stream.read(_CHUNK):
                    pass
        return count

    def _check_records(self, stream: BinaryIO) -> int:
        count = 0
        kept: list[str] = []

        def counted() -> Iterator[Written]:
            nonlocal count
            for _, done in read_records(stream, self.listing() if self.redacted else None):
                if done is not None:
                    count += 1
                    if self.redacted:
                        kept.append(done.id)
                    yield done
                if count > MAX_RECORDS:
                    raise refuse("too_many", WARC)

        if index_lines(counted()) != self._lines:
            raise refuse("index", WARC)
        self.kept = tuple(kept)
        return count

    def _index(self, blocks: BinaryIO) -> list[bytes]:
        return parse_index(self._checked(IDX, MAX_IDX), blocks, self._zip.member(CDX).size)

    def _checked(self, path: str, limit: int) -> bytes:
        data = self._read(path, limit)
        if hashlib.sha256(data).digest() != self._digests[path]:
            raise refuse("digest", path)
        return data

    def _read(self, path: str, limit: int) -> bytes:
        try:
            return self._zip.read(path, limit)
        except MalformedError as error:
            raise _container(error) from error


class _Progress:
    def __init__(self, job: Job, total: int) -> None:
        self._job = job
        self._done = 0
        self._total = total

    def add(self, size: int) -> None:
        self._done += size
        self._job.step("capture.check", self._done, self._total)


class _Digested(io.RawIOBase):
    """Content of an entry whose end means that its SHA-256 was right."""

    def __init__(
        self, container: ZipReader, path: str, digest: bytes, progress: _Progress | None = None
    ) -> None:
        super().__init__()
        self._stream = container.open(path)
        self._path = path
        self._digest = digest
        self._hash = hashlib.sha256()
        self._progress = progress

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Next bytes; 0 at the end. MalformedError ``malformed.wacz``."""
        try:
            data = self._stream.read(len(buffer))
        except MalformedError as error:
            raise _container(error) from error
        buffer[: len(data)] = data
        self._hash.update(data)
        if self._progress is not None:
            self._progress.add(len(data))
        if not data and self._hash.digest() != self._digest:
            raise refuse("digest", self._path)
        return len(data)


def _container(error: MalformedError) -> MalformedError:
    """A fault of the ZIP, said as one of the WACZ."""
    if error.code != "malformed.package":
        return error
    return refuse(str(error.parameters["reason"]), str(error.parameters["name"]))
