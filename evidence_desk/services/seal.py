"""Seal 存证: store originals, write statement and leaf, append to the log. Durable without any network."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import MAX_OBJECTS, Leaf, LeafType, PlainObject, blind, objects_root
from evidence_desk.core.rows import CaseRow, ExhibitRow, ObjectRow, StoredObject
from evidence_desk.core.statement import ExhibitKind, FileEntry, StatementDraft, make_statement
from evidence_desk.errors import EvidenceDeskError, NotFoundError, UnreadableError
from evidence_desk.services.annotate import refuse_archived
from evidence_desk.services.clock_offset import Comparison, clock_state, last_comparison
from evidence_desk.services.desk import Appender, Desk, LeafMaker
from evidence_desk.services.sources import Source, find_sources, opened

BATCH: Final = 250
SECONDS: Final = 2.0
"""Exhibits, or seconds of reading, a transaction: each batch is durable before the next begins."""
_ASK_SECONDS: Final = 0.25
DEFAULT_CASE: Final = "未分案"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """What a person says about a batch of paths; each path becomes one exhibit.

    Attributes:
        title: of the exhibit; the name of the path when empty.
        source: how obtained, from whom, medium, is_original… (personal, salted).
        blinded: 盲化, digests cannot be looked up by strangers.
        leaves_only: 仅哈希, from now on nothing but leaves of this case goes to the network.
        allow_duplicates: seal a path although an exhibit of the case has exactly these files already.
    """

    case_number: str = DEFAULT_CASE
    court: str = ""
    cause: str = ""
    parties: tuple[str, ...] = ()
    title: str = ""
    kind: ExhibitKind = ExhibitKind.FILE
    purpose: str = ""
    source: Mapping[str, JSON] = field(default_factory=dict)
    operator: Mapping[str, JSON] = field(default_factory=dict)
    witness: Mapping[str, JSON] | None = None
    interest: str = ""
    blinded: bool = False
    leaves_only: bool = False
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """An exhibit whose originals are stored and whose leaf is not yet appended."""

    path: Path
    title: str
    registered: datetime
    entries: tuple[FileEntry, ...]
    stored: tuple[StoredObject, ...]

    @property
    def files(self) -> tuple[DigestPair, ...]:
        """Digests of all files, in an order that does not depend on their names."""
        digests = (item.digests for item in self.stored)
        return tuple(sorted(digests, key=lambda pair: (pair.sha256, pair.sm3)))


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
        prepared: dict[int, _Prepared] = {}
        began, stop = self.elapsed(), min(len(self.paths), start + BATCH)
        with self.desk.store.objects.batch() as originals:
            for position in range(start, stop):
                if position > start and (self.elapsed() - began >= SECONDS or self.job.paused):
                    break
                made = self._one(position)
                if isinstance(made, _Prepared):
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

    def _one(self, position: int) -> _Prepared | SealOutcome:
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

    def _commit(self, prepared: Mapping[int, _Prepared], outcomes: dict[int, SealOutcome]) -> None:
        """Append what is new, and tell `within`; outcomes are added once they are written."""
        comparison = last_comparison(self.desk)
        with self.desk.appending() as appender:
            case = self.desk.store.exhibits.case(self.request.case_number)
            if prepared and case is not None and case.erased is not None:
                raise NotFoundError("vault.case_erased")
            still = {at: item for at, item in prepared.items() if self.hooks.wanted(at)}
            fresh, twins, repeats = self._apart(still)
            rows = _append(self.desk, appender, list(fresh.values()), self.request, comparison)
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
        self, prepared: Mapping[int, _Prepared]
    ) -> tuple[dict[int, _Prepared], dict[int, ExhibitRow], dict[int, int]]:
        """(what is new, exhibits that have the same files already, positions of earlier ones of this batch that have)."""
        fresh: dict[int, _Prepared] = {}
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


def _prepare(desk: Desk, path: Path, request: SealRequest, job: Job) -> _Prepared:
    registered = desk.clock.now()
    sources = find_sources(path)
    entries: list[FileEntry] = []
    stored: list[StoredObject] = []
    for source in sources:
        entry, item = _store(desk, source, request, job)
        entries.append(entry)
        stored.append(item)
    return _Prepared(
        path=path,
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


def _append(
    desk: Desk,
    appender: Appender,
    prepared: Sequence[_Prepared],
    request: SealRequest,
    comparison: Comparison | None,
) -> list[ExhibitRow]:
    """Case, leaves and rows, inside the transaction; exhibit numbers follow those that other threads gave meanwhile."""
    if not prepared:
        return []
    exhibits = desk.store.exhibits
    details: JSON = {"court": request.court, "cause": request.cause, "parties": list[JSON](request.parties)}
    exhibits.add_case(CaseRow(number=request.case_number, details=encode(details), created=desk.clock.now()))
    if request.leaves_only:
        exhibits.set_leaves_only(request.case_number)
    first = exhibits.next_exhibit_index(request.case_number)
    numbers = [f"证据{index}" for index in range(first, first + len(prepared))]
    statements = [
        _statement(desk, item, exhibit_no, request, comparison)
        for item, exhibit_no in zip(prepared, numbers, strict=True)
    ]
    makers = [
        _leaf_maker(desk, item, DigestPair.of(statement), salt if request.blinded else None)
        for item, (statement, _, salt) in zip(prepared, statements, strict=True)
    ]
    logged = desk.clock.now()
    leaves = appender.append(makers)
    rows: list[ExhibitRow] = []
    for item, exhibit_no, leaf, (statement, disclosures, _) in zip(
        prepared, numbers, leaves, statements, strict=True
    ):
        row = ExhibitRow(
            leaf_hash=leaf.leaf_hash, seq=leaf.seq,
            number=format_number(Prefix.EVIDENCE, leaf.leaf_hash),
            case_number=request.case_number, exhibit_no=exhibit_no, title=item.title,
            kind=request.kind, statement=statement, disclosures=disclosures,
            objects=tuple(
                ObjectRow(position=at, path=entry.name, media_type=entry.media_type, stored=stored)
                for at, (entry, stored) in enumerate(zip(item.entries, item.stored, strict=True))
            ),
            registered=item.registered, logged=logged, origin=desk.origin,
        )  # fmt: skip
        exhibits.add_exhibit(row)
        rows.append(row)
    return rows


def _statement(
    desk: Desk, item: _Prepared, exhibit_no: str, request: SealRequest, comparison: Comparison | None
) -> tuple[bytes, bytes, bytes]:
    draft = StatementDraft(
        case_number=request.case_number, court=request.court, cause=request.cause, parties=request.parties,
        exhibit_no=exhibit_no, title=item.title, kind=request.kind, purpose=request.purpose,
        files=item.entries, source=request.source, operator=request.operator, witness=request.witness,
        interest=request.interest,
        tools=desk.tools,
        clock=clock_state(item.registered, zone=desk.zone, comparison=comparison),
    )  # fmt: skip
    return make_statement(draft, desk.random)


def _leaf_maker(desk: Desk, item: _Prepared, statement: DigestPair, salt: bytes | None) -> LeafMaker:
    objects = tuple(
        PlainObject(digests=entry.digests, size=entry.size) if salt is None else blind(entry.digests, salt)
        for entry in item.entries
    )
    many = len(objects) > MAX_OBJECTS

    def make(seq: int, at: datetime) -> Leaf:
        return Leaf(
            log=desk.origin, seq=seq, type=LeafType.EXHIBIT_SEALED, at=at, statement=statement,
            objects=() if many else objects,
            root=objects_root(objects) if many else None,
            count=len(objects) if many else 0,
        )  # fmt: skip

    return make
