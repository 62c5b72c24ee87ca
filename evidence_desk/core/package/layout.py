"""Which entries a package holds and in what order; `write_package` makes one, `check_layout` judges one's names."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from types import MappingProxyType
from typing import BinaryIO, Final

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.package.index import INDEX, NOTE, IndexEntry, encode_index, index_note_body
from evidence_desk.core.package.manifest import ObjectReference, build_manifest, manifest_name, record_name
from evidence_desk.core.package.names import refuse
from evidence_desk.core.package.zip_format import MAX_ENTRIES
from evidence_desk.core.package.zip_writer import ZipWriter
from evidence_desk.core.proof import MAX_PROOF_FILE
from evidence_desk.core.statement import MAX_DISCLOSURES, MAX_STATEMENT
from evidence_desk.core.time_record import MAX_RECORD_SIZE
from evidence_desk.errors import BugError, MalformedError, UsageError

MIMETYPE: Final = b"application/vnd.etsi.asic-e+zip"
"""Content of the first entry (ETSI EN 319 162-1 §A.1)."""

STATEMENT: Final = "statement.json"
DISCLOSURES: Final = "disclosures.json"
PROOF: Final = "proof.json"
CERTIFICATE: Final = "certificate.pdf"
MAX_PART: Final = 64 << 20
"""Greatest size in bytes of an entry that is read whole and has no limit of its own."""
LIMITS: Final = MappingProxyType(
    {STATEMENT: MAX_STATEMENT, DISCLOSURES: MAX_DISCLOSURES, PROOF: MAX_PROOF_FILE}
)
"""Greatest sizes in bytes."""
_EXTENSION: Final = re.compile(r"[a-z0-9]{1,16}")
_EXTRA: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE: Final = re.compile(r"files/([0-9]{4,6})(?:\.[a-z0-9]{1,16})?")
_RECORD: Final = re.compile(r"META-INF/evidencerecord([0-9]{3,6})\.ers")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageEntry:
    """One original: package name (`file_name`), a factory of a fresh stream over it, its size in bytes."""

    name: str
    source: Callable[[], BinaryIO]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRecord:
    """One SHA-256 evidence record (RFC 4998, DER) and the names of the objects it covers, all of one group."""

    der: bytes
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageContent:
    """Everything that goes into a package of one exhibit.

    Attributes:
        origin: origin line of the desk's log, first line of the index note.
        sign_index: makes the signed note from its text (`index_note_body`).
        certificate: certificate.pdf, None before one was issued.
        verify: files for the check by hand, by name without folder (``timestamp.tsr``, ``ca.pem``, ``README.txt``…).
        national: SM2/SM3 parts, by name without folder; kept out of META-INF, where EU DSS would refuse them.
        records: none for an exhibit still waiting for its timestamp; else together they cover statement and files.
    """

    origin: str
    files: Sequence[PackageEntry]
    statement: bytes
    disclosures: bytes
    proof: bytes
    sign_index: Callable[[bytes], bytes]
    records: Sequence[PackageRecord] = ()
    certificate: bytes | None = None
    verify: Mapping[str, bytes] = field(default_factory=dict)
    national: Mapping[str, bytes] = field(default_factory=dict)


def file_name(number: int, display_name: str) -> str:
    """Package name of file `number` (from 1): ``files/0001.ext``; an unusual extension is left out."""
    _, dot, extension = display_name.rpartition(".")
    lowered = extension.lower()
    return f"files/{number:04d}" + (f".{lowered}" if dot and _EXTENSION.fullmatch(lowered) else "")


def write_package(out: BinaryIO, content: PackageContent, job: Job | None = None) -> Mapping[str, DigestPair]:
    """Write a package to a seekable `out`; digests of every entry come back, so that nobody reads it again.

    Args:
        out: seekable and empty; discard it when an error is raised.
        content: parts of the package.
        job: told stage ``package`` in bytes of originals.

    Raises:
        UnreadableError: ``package.source_changed`` when an original is not as long as announced.
        CanceledError: when `job` was canceled.
        UsageError: ``package.too_many`` entries, ``package.part_too_large``.
        BugError: ``bug.package`` when the content contradicts the layout.
    """
    parts = _parts(content)
    _check_sizes(content)
    meta = [name for pair in _record_names(content) for name in pair]
    try:
        check_layout(["mimetype", *(item.name for item in content.files), *parts, *meta, INDEX, NOTE])
        check_coverage([item.objects for item in content.records], [item.name for item in content.files])
    except MalformedError as error:
        raise BugError("bug.package", reason=str(error)) from error
    writer = ZipWriter(out)
    digests = {"mimetype": _add(writer, "mimetype", MIMETYPE)}
    indexed = _write_files(writer, content.files, job or Job())
    indexed += [
        IndexEntry(name=name, size=len(data), digests=_add(writer, name, data))
        for name, data in parts.items()
    ]
    digests |= {item.name: item.digests for item in indexed}
    _write_records(writer, content, digests)
    digests[INDEX] = _add(writer, INDEX, encode_index(indexed))
    digests[NOTE] = _add(writer, NOTE, content.sign_index(index_note_body(content.origin, digests[INDEX])))
    writer.finish()
    return digests


def _check_sizes(content: PackageContent) -> None:
    """Refuse to write what `read_package` would refuse to read."""
    others = 8 + len(content.verify) + len(content.national) + 2 * len(content.records)
    if len(content.files) + others > MAX_ENTRIES:
        raise UsageError("package.too_many", limit=MAX_ENTRIES)
    parts = [(STATEMENT, content.statement), (DISCLOSURES, content.disclosures), (PROOF, content.proof)]
    for number, item in enumerate(content.records, start=1):
        parts.append((record_name(number), item.der))
    for name, data in parts:
        limit = LIMITS.get(name, MAX_RECORD_SIZE)
        if len(data) > limit:
            raise UsageError("package.part_too_large", name=name, limit=limit)


def _parts(content: PackageContent) -> dict[str, bytes]:
    """Small indexed entries in their order."""
    parts = {STATEMENT: content.statement, DISCLOSURES: content.disclosures, PROOF: content.proof}
    if content.certificate is not None:
        parts[CERTIFICATE] = content.certificate
    for folder, extras in (("verify", content.verify), ("national", content.national)):
        parts |= {f"{folder}/{name}": extras[name] for name in sorted(extras)}
    return parts


def _record_names(content: PackageContent) -> list[tuple[str, str]]:
    return [(manifest_name(number + 1), record_name(number + 1)) for number in range(len(content.records))]


def _add(writer: ZipWriter, name: str, data: bytes) -> DigestPair:
    return writer.add(name, io.BytesIO(data), len(data))


def _write_files(writer: ZipWriter, files: Sequence[PackageEntry], job: Job) -> list[IndexEntry]:
    total = sum(item.size for item in files)
    done = 0

    def progress(step: int) -> None:
        nonlocal done
        done += step
        job.step("package", done, total)

    entries = []
    for item in files:
        job.step("package", done, total)
        with item.source() as source:
            digests = writer.add(item.name, source, item.size, progress=progress)
        entries.append(IndexEntry(name=item.name, size=item.size, digests=digests))
    return entries


def _write_records(writer: ZipWriter, content: PackageContent, digests: dict[str, DigestPair]) -> None:
    for position, (record, names) in enumerate(zip(content.records, _record_names(content), strict=True)):
        objects = (ObjectReference(name=name, sha256=digests[name].sha256) for name in record.objects)
        manifest = build_manifest(position + 1, objects).encode()
        for name, data in zip(names, (manifest, record.der), strict=True):
            digests[name] = _add(writer, name, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Names of a package that passed `check_layout`: the originals, and how many records it has."""

    files: tuple[str, ...]
    records: int
    indexed: tuple[str, ...]


def check_layout(names: Sequence[str]) -> Layout:
    """Judge the names of a container: exactly the entries of a package, in their one order.

    Raises:
        MalformedError: ``malformed.package`` with reason ``layout``.
    """
    files = tuple(name for name in names if _FILE.fullmatch(name))
    for number, name in enumerate(files, start=1):
        if name.partition(".")[0] != f"files/{number:04d}":
            raise refuse("layout", name)
    middle = [STATEMENT, DISCLOSURES, PROOF] + [CERTIFICATE] * (CERTIFICATE in names)
    for folder in ("verify", "national"):
        middle += sorted(name for name in names if name.startswith(f"{folder}/") and _extra_ok(name))
    records = sum(_RECORD.fullmatch(name) is not None for name in names)
    meta = [pick(number) for number in range(1, records + 1) for pick in (manifest_name, record_name)]
    expected = ["mimetype", *files, *middle, *meta, INDEX, NOTE]
    for found, wanted in zip_longest(names, expected):
        if found != wanted:
            raise refuse("layout", found or wanted or "—")
    if not files:
        raise refuse("layout", "files/")
    return Layout(files=files, records=records, indexed=(*files, *middle))


def _extra_ok(name: str) -> bool:
    return _EXTRA.fullmatch(name.partition("/")[2]) is not None


def check_coverage(records: Sequence[Sequence[str]], files: Sequence[str]) -> None:
    """Refuse records that name anything but the statement and the files, or that leave one of them out.

    Raises:
        MalformedError: ``malformed.package`` with reason ``coverage``.
    """
    covered: set[str] = set()
    for names in records:
        if not names or len(set(names)) != len(names):
            raise refuse("coverage", names[0] if names else "—")
        covered.update(names)
    wrong = covered ^ {STATEMENT, *files} if records else set()
    if wrong:
        raise refuse("coverage", min(wrong))
