"""Bundle 卷宗: print a case as one document for filing; originals are decrypted, hashed again, and only then printed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from evidence_desk.core.bundle import Bundle, BundleCertificate, BundleExhibit, BundlePrinter, PrintedBundle
from evidence_desk.core.canonical import JSON
from evidence_desk.core.certificate import Exhibit
from evidence_desk.core.digests import DigestPair, PairHasher
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow, ObjectRow
from evidence_desk.core.trust import Trust
from evidence_desk.errors import IntegrityError
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.decrypt import decrypt
from evidence_desk.services.desk import Desk
from evidence_desk.services.documents import catalog
from evidence_desk.services.logged import certificate_logged

_PIECE: Final = 1 << 20
_IN_MEMORY: Final = 32 << 20
"""Bytes of one original that are held in memory; a larger one lies in a nameless temporary file while it is printed."""


def bundle(
    desk: Desk,
    rows: Sequence[ExhibitRow],
    out: BinaryIO,
    *,
    trust: Trust,
    printer: BundlePrinter,
    job: Job,
    operator: str = "",
) -> PrintedBundle:
    """Print exhibits of one case to `out`, in the given order; discard `out` when an error is raised.

    Originals that are not printed are checked all the same. A large original lies unencrypted beside `out`, without a
    name, while it is printed; what `out` holds is unencrypted anyway.

    Raises:
        UsageError: ``documents.none``, ``documents.several_cases``, ``documents.repeated``, ``bundle.too_large``.
        IntegrityError: an original or certificate is not what was sealed. NotFoundError: ``vault.case_erased``.
        CanceledError.
    """
    listed = catalog(desk, rows, trust=trust, job=job)
    originals = [_originals(desk, row, out, job) for row in rows]
    exhibits = tuple(
        _exhibit(desk, row, entry.exhibit, files)
        for row, entry, files in zip(rows, listed.entries, originals, strict=True)
    )
    hashed = _HashedOut(out)
    printed = printer.print(Bundle(catalog=listed, exhibits=exhibits), cast("BinaryIO", hashed), job=job)
    for files in originals:
        for file in files:
            file.check()
    _record(desk, rows, printed, hashed.digest(), operator)
    return printed


def _exhibit(desk: Desk, row: ExhibitRow, exhibit: Exhibit, files: tuple[_Original, ...]) -> BundleExhibit:
    same = len(files) == len(exhibit.files) and all(
        file.item.stored.digests.matches(entry.digests)
        for file, entry in zip(files, exhibit.files, strict=True)
    )
    if not same:
        raise IntegrityError("certify.unsound", number=row.number, code="files")
    return BundleExhibit(exhibit=exhibit, originals=files, certificate=_certificate(desk, row))


def _certificate(desk: Desk, row: ExhibitRow) -> BundleCertificate | None:
    valid = [
        item for item in desk.store.exhibits.certificates(row.leaf_hash) if item.revoked is None and item.pdf
    ]
    if not valid:
        return None
    newest = valid[-1]
    if not (DigestPair.of(newest.pdf).matches(newest.digests) and certificate_logged(desk, newest)):
        raise IntegrityError("bundle.certificate_damaged", number=newest.number)
    return BundleCertificate(number=newest.number, pdf=newest.pdf)


def _record(
    desk: Desk, rows: Sequence[ExhibitRow], printed: PrintedBundle, digests: DigestPair, operator: str
) -> None:
    notes = []
    for row, (first, last) in zip(rows, printed.ranges, strict=True):
        facts: dict[str, JSON] = {
            "bundle": digests.sha256.hex(), "bundle_sm3": digests.sm3.hex(), "pages": printed.pages,
            "first": first, "last": last,
        }  # fmt: skip
        notes.append(CustodyNote(exhibit=row.leaf_hash, action="exported", operator=operator, details=facts))
    record(desk, notes)


def _originals(desk: Desk, row: ExhibitRow, out: BinaryIO, job: Job) -> tuple[_Original, ...]:
    return tuple(
        _Original(desk=desk, item=item, case_number=row.case_number, folder=_folder(out), job=job)
        for item in row.objects
    )


def _folder(out: BinaryIO) -> str | None:
    """Where `out` lies; None for the system's place for temporary files."""
    name = getattr(out, "name", None)
    return str(Path(name).absolute().parent) if isinstance(name, str | os.PathLike) else None


@dataclass(slots=True, kw_only=True)
class _Original:
    """`core.bundle.BundleOriginal` over the vault."""

    desk: Desk
    item: ObjectRow
    case_number: str
    folder: str | None
    job: Job
    _sound: bool = field(default=False, init=False)

    def head(self, size: int) -> bytes:
        """First bytes, unchecked."""
        with self._open() as stream:
            return stream.read(size)

    @contextmanager
    def checked(self) -> Iterator[BinaryIO]:
        """The whole file, decrypted, compared with both digests."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=self.folder) as spool:
            self._read(spool)
            spool.seek(0)
            yield cast("BinaryIO", spool)

    def check(self) -> None:
        """Compare with both digests unless that was done."""
        if not self._sound:
            self._read(None)

    def _open(self) -> BinaryIO:
        return self.desk.store.objects.open(self.item.stored, case_number=self.case_number)

    def _read(self, copy: IO[bytes] | None) -> None:
        decrypt(
            self.desk.store.objects,
            self.item.stored,
            self.case_number,
            copy,
            job=self.job,
            stage="bundle.read",
        )
        self._sound = True


class _HashedOut:
    """Passes on what is written and hashes it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hasher = PairHasher()

    def write(self, data: bytes) -> int:
        """Pass on."""
        self._hasher.update(data)
        return self._out.write(data)

    def digest(self) -> DigestPair:
        """Of everything written."""
        return self._hasher.digest()
