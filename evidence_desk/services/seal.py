"""Seal 存证: store originals, write statement and leaf, append to the log. Durable without any network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow, StoredObject
from evidence_desk.core.statement import FileEntry
from evidence_desk.errors import EvidenceDeskError, UnreadableError
from evidence_desk.services.annotate import refuse_archived
from evidence_desk.services.clock_offset import last_comparison
from evidence_desk.services.desk import Desk
from evidence_desk.services.register import Prepared, Registration, append_exhibits
from evidence_desk.services.sources import Source, find_sources, opened

BATCH: Final = 250
SECONDS: Final = 2.0
"""Exhibits, or seconds of reading, a transaction: each batch is durable before the next begins."""
_ASK_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest(Registration):
    """What a person says about a batch of paths; each path becomes one exhibit.

    Attributes:
        title: of the exhibit; the name of the path when empty.
        allow_duplicates: seal a path although an exhibit of the case has exactly these files already.
    """

    title: str = ""
    allow_duplicates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOutcome:
    """One path: the sealed exhibit, or why not.

    Attributes:
        position: of the path among those given.
        duplicate: exhibit of the same case that has the same files already; nothing was sealed.
        canceled: it was no longer wanted.
    """

    path: Path
    position: int = 0
    exhibit: ExhibitRow | None = None
    duplicate: ExhibitRow | None = None
    error: EvidenceDeskError | None = None
    canceled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SealHooks:
    """What a caller adds to sealing; positions are those among the paths given. All are called in the sealing thread.

    Attributes:
        started: a path begins.
        wanted: whether a path is still to be sealed; asked before it begins, while it is read, before it is appended.
        within: called inside the appending transaction with the outcomes of all its paths: what it writes is
            durable together with the exhibits, or not at all.
    """

    started: Callable[[int, Path], None] | None = None
    wanted: Callable[[int], bool] = lambda _position: True
    within: Callable[[Sequence[SealOutcome]], None] | None = None


Done = Callable[[SealOutcome], None]


def seal(
    desk: Desk,
    paths: Sequence[Path],
    request: SealRequest,
    *,
    job: Job,
    done: Done | None = None,
    hooks: SealHooks | None = None,
    elapsed: Callable[[], float] = time.monotonic,
) -> list[SealOutcome]:
    """Seal each path as one exhibit; a path that fails is told and the rest is done.

    Args:
        desk: the open desk.
        paths: files and folders.
        request: case and exhibit fields for all of them.
        job: progress in bytes of originals; canceling keeps what is already sealed.
        done: called for each path once it is durable (or has failed).
        hooks: more to be told, and to be asked.
        elapsed: seconds of a clock that only runs forward.

    Raises:
        CanceledError: after a whole number of batches.
        NotFoundError: ``vault.case_erased``. UsageError: ``annotate.archived``.
        HostError, IntegrityError: the vault itself is the matter.
    """
    refuse_archived(desk, request.case_number)
    sealing = _Sealing(desk, paths, request, job, hooks or SealHooks(), elapsed)
    outcomes: list[SealOutcome] = []
    while len(outcomes) < len(paths):
        batch = sealing.batch(len(outcomes))
        outcomes += batch
        for outcome in batch:
            if done is not None:
                done(outcome)
    return outcomes


class _UnwantedError(Exception):
    """A path is no longer wanted while it is read."""


class _Asking(Job):
    """The caller's job, and now and then the question whether the path in hand is still wanted."""

    def __init__(self, job: Job, wanted: Callable[[], bool], elapsed: Callable[[], float]) -> None:
        super().__init__()
        self._job = job
        self._wanted = wanted
        self._elapsed = elapsed
        self._asked = elapsed()

    def step(self, stage: str, done: int, total: int) -> None:
        """As the caller's job; _UnwantedError."""
        self._job.step(stage, done, total)
        if self._elapsed() - self._asked >= _ASK_SECONDS:
            self._asked = self._elapsed()
            if not self._wanted():
                raise _UnwantedError


@dataclass(slots=True)
class _Sealing:
    """One call of `seal`."""

    desk: Desk
    paths: Sequence[Path]
    request: SealRequest
    job: Job
    hooks: SealHooks
    elapsed: Callable[[], float]

    def batch(self, start: int) -> list[SealOutcome]:
        """Outcomes from `start` on, up to the end of a batch: so many paths or seconds, or until the job is paused.

        The rows are committed while the batch of originals is open: until then no failure of another thread's batch
        may take an original away.
        """
        outcomes: dict[int, SealOutcome] = {}
        prepared: dict[int, Prepared] = {}
        began, stop = self.elapsed(), min(len(self.paths), start + BATCH)
        with self.desk.store.objects.batch() as originals:
            for position in range(start, stop):
                if position > start and (self.elapsed() - began >= SECONDS or self.job.paused):
                    break
                made = self._one(position)
                if isinstance(made, Prepared):
                    prepared[position] = made
                else:
                    outcomes[position] = made
            for position in [position for position in prepared if not self.hooks.wanted(position)]:
                outcomes[position] = self._canceled(position)
                del prepared[position]
            originals.settle(stored for item in prepared.values() for stored in item.stored)
            if prepared or self.hooks.within is not None:
                self._commit(prepared, outcomes)
        return [outcomes[position] for position in sorted(outcomes)]

    def _one(self, position: int) -> Prepared | SealOutcome:
        path = self.paths[position]
        if not self.hooks.wanted(position):
            return self._canceled(position)
        if self.hooks.started is not None:
            self.hooks.started(position, path)
        job = _Asking(self.job, lambda: self.hooks.wanted(position), self.elapsed)
        try:
            return _prepare(self.desk, path, self.request, job)
        except UnreadableError as error:  # about this path alone; anything else is about the vault
            return SealOutcome(path=path, position=position, error=error)
        except _UnwantedError:
            return self._canceled(position)

    def _canceled(self, position: int) -> SealOutcome:
        return SealOutcome(path=self.paths[position], position=position, canceled=True)

    def _commit(self, prepared: Mapping[int, Prepared], outcomes: dict[int, SealOutcome]) -> None:
        """Append what is new, and tell `within`; outcomes are added once they are written."""
        comparison = last_comparison(self.desk)
        with self.desk.appending() as appender:
            still = {at: item for at, item in prepared.items() if self.hooks.wanted(at)}
            fresh, twins, repeats = self._apart(still)
            rows = append_exhibits(self.desk, appender, list(fresh.values()), self.request, comparison)
            made = dict(zip(fresh, rows, strict=True))
            for position in prepared:
                outcomes[position] = SealOutcome(
                    path=self.paths[position],
                    position=position,
                    exhibit=made.get(position),
                    duplicate=twins.get(position) or made.get(repeats.get(position, -1)),
                    canceled=position not in still,
                )
            if self.hooks.within is not None:
                self.hooks.within([outcomes[position] for position in sorted(outcomes)])

    def _apart(
        self, prepared: Mapping[int, Prepared]
    ) -> tuple[dict[int, Prepared], dict[int, ExhibitRow], dict[int, int]]:
        """(what is new, exhibits that have the same files already, positions of earlier ones of this batch that have)."""
        fresh: dict[int, Prepared] = {}
        twins: dict[int, ExhibitRow] = {}
        repeats: dict[int, int] = {}
        first: dict[tuple[DigestPair, ...], int] = {}
        for position, item in prepared.items():
            if self.request.allow_duplicates:
                fresh[position] = item
            elif item.files in first:
                repeats[position] = first[item.files]
            elif twin := self.desk.store.exhibits.with_files(self.request.case_number, item.files):
                twins[position] = twin
            else:
                fresh[position] = item
                first[item.files] = position
        return fresh, twins, repeats


def _prepare(desk: Desk, path: Path, request: SealRequest, job: Job) -> Prepared:
    registered = desk.clock.now()
    sources = find_sources(path)
    entries: list[FileEntry] = []
    stored: list[StoredObject] = []
    for source in sources:
        entry, item = _store(desk, source, request, job)
        entries.append(entry)
        stored.append(item)
    return Prepared(
        title=request.title or _name(path, sources),
        registered=registered,
        entries=tuple(entries),
        stored=tuple(stored),
    )


def _name(path: Path, sources: Sequence[Source]) -> str:
    return sources[0].name if len(sources) == 1 and not path.is_dir() else path.resolve().name


def _store(desk: Desk, source: Source, request: SealRequest, job: Job) -> tuple[FileEntry, StoredObject]:
    with opened(source) as (stream, modified):
        item = desk.store.objects.put(stream, case_number=request.case_number, size=source.size, job=job)
    entry = FileEntry(
        name=source.name,
        raw_name=source.raw_name,
        size=item.size,
        media_type=source.media_type,
        digests=item.digests,
        modified=modified,
    )
    return entry, item
