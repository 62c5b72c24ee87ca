"""Examine everything that was dropped at once: folders opened, each original put to the evidence that lists it.

A file belongs to evidence only by its size and both digests, never by its name or place. Files that nothing lists are
examined for themselves.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from evidence_desk.errors import EvidenceDeskError, UnreadableError
from evidence_desk.services.examination import Compared, Examination, Matching, Subject
from evidence_desk.services.examine import SCAN_LIMIT, Examiner, examine, listed_as, refused
from evidence_desk.verify.answer import Said
from evidence_desk.verify.files import InputKind, companion, hash_original
from evidence_desk.verify.listing import Listing, read_listing
from evidence_desk.verify.originals import GivenFile

MAX_FILES: Final = 5_000
MAX_DEPTH: Final = 32
_BESIDE: Final = 2_000
"""Entries of a folder that are looked at for originals beside evidence."""


@dataclass(slots=True)
class _Dropped:
    """What was dropped, sorted out; every file is hashed at most once."""

    by: Examiner
    evidence: list[tuple[Path, Listing]] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    failed: list[tuple[Path, EvidenceDeskError]] = field(default_factory=list)
    hashed: dict[Path, GivenFile] = field(default_factory=dict)

    def take(self, paths: Sequence[Path]) -> None:
        for number, path in enumerate(paths):
            self.by.job.step("recognize", number, len(paths))
            try:
                listing = read_listing(path)
            except EvidenceDeskError as error:
                self.failed.append((path, error))
                continue
            if listing is None:
                self.others.append(path)
            else:
                self.evidence.append((path, listing))
        parts = {
            companion(path, what)
            for path, listing in self.evidence
            if listing.kind is InputKind.PROOF
            for what in ("statement", "disclosures")
        }
        self.others = [path for path in self.others if path not in parts]

    def given(self, path: Path) -> GivenFile | None:
        """Hashed once; None when it cannot be read, which is told when the file's own turn comes."""
        if path not in self.hashed:
            try:
                self.hashed[path] = hash_original(path, self.by.job)
            except UnreadableError:
                return None
        return self.hashed[path]


def examine_all(
    paths: Sequence[Path], *, by: Examiner, originals: Sequence[Path] = ()
) -> tuple[Examination, ...]:
    """Examine files and folders together: evidence first, then files that belong to none of it, then what cannot be read.

    Args:
        paths: dropped at once; of a folder every file in it.
        by: trust, places to ask, moment, job.
        originals: files that the person says belong to the evidence: one that does not fails.

    Raises:
        CanceledError: nothing else.
    """
    dropped = _Dropped(by)
    files, failed = _files(paths)
    dropped.take(files)
    dropped.failed += failed
    results: list[Examination] = []
    belonging: set[Path] = set()
    lists = any(listing.files or listing.imprint for _, listing in dropped.evidence)
    for number, (path, listing) in enumerate(dropped.evidence):
        by.job.step("examine", number, len(dropped.evidence) + len(dropped.others))
        compared = [] if originals else _matched(path, listing, dropped)
        belonging |= {item.path for item in compared}
        done = examine(Subject(path=path), by=by, originals=originals, compared=compared)
        results.append(_with_notes(done, compared))
    for number, path in enumerate(item for item in dropped.others if item not in belonging):
        by.job.step("examine", len(dropped.evidence) + number, len(dropped.evidence) + len(dropped.others))
        done = examine(Subject(path=path), by=by)
        if lists and done.error is None and SCAN_LIMIT not in done.limits:
            done = replace(done, notes=(Said(code="examination.note.unlisted"), *done.notes))
        results.append(done)
    results += [refused(Subject(path=path), error, by) for path, error in dropped.failed]
    return tuple(results)


# --- originals ------------------------------------------------------------------------------------------------


def _matched(path: Path, listing: Listing, dropped: _Dropped) -> list[Compared]:
    """Originals among what was dropped, then beside the evidence for what is still missing; a package has its own."""
    found = _among(listing, dropped.others, Matching.TOGETHER, dropped)
    if listing.kind is InputKind.PACKAGE or not (listing.files or listing.imprint):
        return found
    have = {(item.file.size, item.file.sha256) for item in found}
    missing = {item.size for item in listing.files if (item.size, item.digests.sha256) not in have}
    if not missing:
        return found
    known = {item.path for item in found} | {other for other, _ in dropped.evidence} | set(dropped.others)
    near = [item for item in _neighbors(path, missing) if item not in known]
    return found + _among(listing, near, Matching.BESIDE, dropped)


def _among(listing: Listing, candidates: Sequence[Path], how: Matching, dropped: _Dropped) -> list[Compared]:
    sizes = {item.size for item in listing.files}
    found: list[Compared] = []
    for path in candidates:
        if not listing.imprint and _size(path) not in sizes:
            continue
        file = dropped.given(path)
        if file is None:
            continue
        if _is_listed(listing, file):
            named = listed_as(listing, file)
            found.append(Compared(path=path, file=file, how=how, listed_as=named))
    return found[:1] if listing.imprint else found


def _is_listed(listing: Listing, file: GivenFile) -> bool:
    if listing.imprint:
        return listing.imprint in {file.sha256, file.sm3}
    return any(
        (item.size, item.digests.sha256, item.digests.sm3) == (file.size, file.sha256, file.sm3)
        for item in listing.files
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _neighbors(path: Path, sizes: set[int]) -> Iterator[Path]:
    """Regular files in the same folder of a size that is wanted; no folder is entered, no link followed."""
    try:
        with os.scandir(path.parent) as entries:
            for number, entry in enumerate(entries):
                if number == _BESIDE:
                    return
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(info.st_mode) and info.st_size in sizes:
                    yield Path(entry.path)
    except OSError:
        return


def _with_notes(done: Examination, compared: Sequence[Compared]) -> Examination:
    """Say how originals were found: they were not named by the person."""
    notes = []
    for how, code in (
        (Matching.TOGETHER, "examination.note.together"),
        (Matching.BESIDE, "examination.note.beside"),
    ):
        names = [item.path.name for item in compared if item.how is how]
        if names:
            facts: dict[str, str | int] = {"count": len(names), "names": "、".join(names[:5])}
            notes.append(Said(code=code, parameters=facts))
    return replace(done, notes=(*done.notes, *notes))


# --- folders --------------------------------------------------------------------------------------------------


def _files(paths: Sequence[Path]) -> tuple[list[Path], list[tuple[Path, EvidenceDeskError]]]:
    """Every file among and below the paths, each once, and what cannot be read."""
    found: dict[Path, None] = {}
    failed: list[tuple[Path, EvidenceDeskError]] = []
    for path in paths:
        try:
            if path.is_dir():
                _walk(path, 0, found, failed)
            else:
                found[path] = None
        except OSError as error:
            failed.append((path, _unreadable(path, error)))
        if len(found) > MAX_FILES:
            failed.append((path, UnreadableError("examination.too_many", path=path.name, limit=MAX_FILES)))
            break
    return list(found)[:MAX_FILES], failed


def _walk(
    folder: Path, depth: int, found: dict[Path, None], failed: list[tuple[Path, EvidenceDeskError]]
) -> None:
    if depth > MAX_DEPTH:
        failed.append((folder, UnreadableError("examination.too_deep", path=folder.name, limit=MAX_DEPTH)))
        return
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        failed.append((folder, _unreadable(folder, error)))
        return
    for entry in ordered:
        path = Path(entry.path)
        if len(found) > MAX_FILES:
            return
        if entry.is_symlink():
            failed.append((path, UnreadableError("examination.symlink", path=path.name)))
        elif entry.is_dir():
            _walk(path, depth + 1, found, failed)
        else:
            found[path] = None


def _unreadable(path: Path, error: OSError) -> UnreadableError:
    code = "input.missing" if isinstance(error, FileNotFoundError) else "input.unreadable"
    return UnreadableError(code, path=path.name, reason=error.strerror or type(error).__name__)
