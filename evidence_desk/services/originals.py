"""Take missing originals back into the vault from files at hand: a file counts by its digests, not by its name."""

from __future__ import annotations

from pathlib import Path

from evidence_desk.core.digests import DigestPair, PairHasher
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow, ObjectRow
from evidence_desk.errors import IntegrityError
from evidence_desk.services.desk import Desk
from evidence_desk.services.sources import Source, find_sources, opened

_PIECE = 1024 * 1024


def fill_from_folder(desk: Desk, path: Path, *, job: Job) -> int:
    """Store every file under `path` that is a missing original; returns how many originals came.

    Raises:
        UnreadableError: ``input.…``. HostError: disk full.
    """
    came = 0
    sources = find_sources(path)
    for done, source in enumerate(sources):
        job.step("restore", done, len(sources))
        digests = _digests(source)
        for exhibit, item in _wanted(desk, digests, source.size):
            with opened(source) as (stream, _):
                stored = desk.store.objects.put(
                    stream, case_number=exhibit.case_number, size=source.size, job=Job()
                )
            if stored != item.stored:
                raise IntegrityError("vault.object_damaged")
            came += 1
    job.step("restore", len(sources), len(sources))
    return came


def _wanted(desk: Desk, digests: DigestPair, size: int) -> list[tuple[ExhibitRow, ObjectRow]]:
    """One exhibit for each missing object with these digests: exhibits of a case share it."""
    found: dict[str, tuple[ExhibitRow, ObjectRow]] = {}
    for exhibit in desk.store.exhibits.by_digest(digests.sha256):
        for item in exhibit.objects:
            same = item.stored.digests.matches(digests) and item.stored.size == size
            if same and not desk.store.objects.present(item.stored):
                found[item.stored.name] = (exhibit, item)
    return list(found.values())


def _digests(source: Source) -> DigestPair:
    hasher = PairHasher()
    with opened(source) as (stream, _):
        while piece := stream.read(_PIECE):
            hasher.update(piece)
    return hasher.digest()
