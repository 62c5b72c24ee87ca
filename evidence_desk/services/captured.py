"""The capture that an exhibit holds, decrypted to where it can be read at any place, and its private files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from evidence_desk.core.capture.manifest import MANIFEST, MAX_MANIFEST, SECRETS, Manifest, parse_manifest
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import LeafType, parse_leaf
from evidence_desk.core.package.zip_reader import ZipReader
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.statement import parse_statement
from evidence_desk.errors import IntegrityError, NotFoundError, UsageError
from evidence_desk.services.decrypt import decrypt
from evidence_desk.services.desk import Desk
from evidence_desk.verify.captured import Bond
from evidence_desk.wacz.read import WaczReader

Spool = Callable[[], BinaryIO]
"""Makes an anonymous file ("w+b") on a disk with room; gone when closed."""
_PIECE: Final = 1 << 20
_MAX_PRIVATE: Final = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """An opened capture.

    Attributes:
        source: the WACZ, seekable.
        bond: what statement and leaf say of it.
    """

    exhibit: ExhibitRow
    source: BinaryIO
    reader: WaczReader
    manifest: Manifest
    digests: DigestPair
    bond: Bond


@contextmanager
def opened_capture(desk: Desk, exhibit: ExhibitRow, spool: Spool, job: Job) -> Iterator[Captured]:
    """Decrypt the WACZ of an exhibit into a file of `spool`, which is gone at the end of the block.

    Args:
        desk: the open desk.
        exhibit: one that holds a capture.
        spool: where the plain bytes lie meanwhile.
        job: stage ``capture.open`` in bytes.

    Raises:
        UsageError: ``capture_disclose.no_capture``. NotFoundError: ``vault.case_erased``.
        IntegrityError: ``vault.object_damaged`` when it is not what was sealed.
    """
    if exhibit.erased:
        raise NotFoundError("vault.case_erased")
    bond = _bond(desk, exhibit)
    item = exhibit.objects[0]
    with spool() as plain:
        decrypt(desk.store.objects, item.stored, exhibit.case_number, plain, job=job, stage="capture.open")
        reader = WaczReader(plain)
        with reader.open(MANIFEST) as stream:
            data = stream.read(MAX_MANIFEST + 1)
        yield Captured(
            exhibit=exhibit, source=plain, reader=reader, manifest=parse_manifest(data),
            digests=DigestPair.of(data), bond=bond,
        )  # fmt: skip


def _bond(desk: Desk, exhibit: ExhibitRow) -> Bond:
    """What statement and leaf say; the leaf may lie in an earlier log."""
    for origin in reversed(desk.store.origins):
        log = desk.store.log if origin == desk.origin else desk.store.archived_log(origin)
        found = log.leaf_by_hash(exhibit.leaf_hash)
        if found is None:
            continue
        leaf, statement = parse_leaf(found.leaf), parse_statement(exhibit.statement)
        if leaf.type is not LeafType.CAPTURE_SEALED or statement.capture is None:
            break
        return Bond(
            manifest=statement.capture,
            environment=statement.environment,
            started=leaf.ref,
            existed=exhibit.timestamped,
            log=leaf.log,
            seq=leaf.seq,
            files=tuple((item.path, item.stored.digests) for item in exhibit.objects),
        )
    raise UsageError("capture_disclose.no_capture", number=exhibit.number)


def secrets_of(desk: Desk, captured: Captured) -> bytes | None:
    """Content of ``secrets.age``, a stored ZIP; b"" when the keys of the case do not open it, None where there is none."""
    if SECRETS not in captured.reader.evidence:
        return None
    with captured.reader.open(SECRETS) as stream:
        wrapped = stream.read()
    try:
        return desk.store.objects.unwrap(wrapped, case_number=captured.exhibit.case_number)
    except IntegrityError:
        return b""


def private_files(desk: Desk, captured: Captured, names: Sequence[str]) -> dict[str, bytes]:
    """Private files of a capture by name, each held against the manifest; by the keys of the case.

    Raises:
        UsageError: ``capture_disclose.not_private`` for a name that is none of them.
        IntegrityError: ``vault.object_damaged``.
    """
    private = {item.name: item for item in captured.manifest.private}
    for name in names:
        if name not in private:
            raise UsageError("capture_disclose.not_private", name=name)
    if not names:
        return {}
    with captured.reader.open(SECRETS) as stream:
        wrapped = stream.read()
    inside = ZipReader(
        io.BytesIO(desk.store.objects.unwrap(wrapped, case_number=captured.exhibit.case_number))
    )
    found: dict[str, bytes] = {}
    for name in names:
        data = inside.read(name, _MAX_PRIVATE)
        if len(data) != private[name].size or not private[name].digests.matches(DigestPair.of(data)):
            raise IntegrityError("vault.object_damaged")
        found[name] = data
    return found
