"""Seal 存证: store originals, write statement and leaf, append to the log. Durable without any network."""

from __future__ import annotations

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
from evidence_desk.errors import EvidenceDeskError, UnreadableError
from evidence_desk.services.clock_offset import Comparison, clock_state, last_comparison
from evidence_desk.services.desk import Desk, LeafMaker
from evidence_desk.services.sources import Source, find_sources, opened

BATCH: Final = 250
"""Exhibits a transaction: each batch is durable before the next begins."""
DEFAULT_CASE: Final = "未分案"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """What a person says about a batch of paths; each path becomes one exhibit.

    Attributes:
        title: of the exhibit; the name of the path when empty.
        source: how obtained, from whom, medium, is_original… (personal, salted).
        blinded: 盲化, digests cannot be looked up by strangers.
        leaves_only: 仅哈希, from now on nothing but leaves of this case goes to the network.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOutcome:
    """One path: the sealed exhibit, or why not."""

    path: Path
    exhibit: ExhibitRow | None = None
    error: EvidenceDeskError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """An exhibit whose originals are stored and whose leaf is not yet appended."""

    path: Path
    exhibit_no: str
    title: str
    registered: datetime
    entries: tuple[FileEntry, ...]
    stored: tuple[StoredObject, ...]


Done = Callable[[SealOutcome], None]


def seal(
    desk: Desk,
    paths: Sequence[Path],
    request: SealRequest,
    *,
    job: Job,
    done: Done | None = None,
) -> list[SealOutcome]:
    """Seal each path as one exhibit; a path that fails is told and the rest is done.

    Args:
        desk: the open desk.
        paths: files and folders.
        request: case and exhibit fields for all of them.
        job: progress in bytes of originals; canceling keeps what is already sealed.
        done: called for each path once it is durable (or has failed).

    Raises:
        CanceledError: after a whole number of batches.
        HostError, IntegrityError: the vault itself is the matter.
    """
    outcomes: list[SealOutcome] = []
    for start in range(0, len(paths), BATCH):
        batch = _seal_batch(desk, paths[start : start + BATCH], request, job)
        outcomes += batch
        for outcome in batch:
            if done is not None:
                done(outcome)
    return outcomes


def _seal_batch(desk: Desk, paths: Sequence[Path], request: SealRequest, job: Job) -> list[SealOutcome]:
    outcomes: dict[int, SealOutcome] = {}
    prepared: dict[int, _Prepared] = {}
    first = desk.store.exhibits.next_exhibit_index(request.case_number)
    with desk.store.objects.batch():
        for position, path in enumerate(paths):
            try:
                prepared[position] = _prepare(desk, path, request, first + len(prepared), job)
            except UnreadableError as error:  # about this path alone; anything else is about the vault
                outcomes[position] = SealOutcome(path=path, error=error)
    if prepared:
        rows = _commit(desk, list(prepared.values()), request)
        for position, row in zip(prepared, rows, strict=True):
            outcomes[position] = SealOutcome(path=paths[position], exhibit=row)
    return [outcomes[position] for position in sorted(outcomes)]


def _prepare(desk: Desk, path: Path, request: SealRequest, index: int, job: Job) -> _Prepared:
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
        exhibit_no=f"证据{index}",
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


def _commit(desk: Desk, prepared: Sequence[_Prepared], request: SealRequest) -> list[ExhibitRow]:
    comparison = last_comparison(desk)
    statements = [_statement(desk, item, request, comparison) for item in prepared]
    makers = [
        _leaf_maker(desk, item, DigestPair.of(statement), salt if request.blinded else None)
        for item, (statement, _, salt) in zip(prepared, statements, strict=True)
    ]
    with desk.appending() as appender:
        details: JSON = {
            "court": request.court,
            "cause": request.cause,
            "parties": list[JSON](request.parties),
        }
        desk.store.exhibits.add_case(
            CaseRow(number=request.case_number, details=encode(details), created=desk.clock.now())
        )
        if request.leaves_only:
            desk.store.exhibits.set_leaves_only(request.case_number)
        logged = desk.clock.now()
        leaves = appender.append(makers)
        rows: list[ExhibitRow] = []
        for item, leaf, (statement, disclosures, _) in zip(prepared, leaves, statements, strict=True):
            row = ExhibitRow(
                leaf_hash=leaf.leaf_hash, seq=leaf.seq,
                number=format_number(Prefix.EVIDENCE, leaf.leaf_hash),
                case_number=request.case_number, exhibit_no=item.exhibit_no, title=item.title,
                kind=request.kind, statement=statement, disclosures=disclosures,
                objects=tuple(
                    ObjectRow(position=at, path=entry.name, media_type=entry.media_type, stored=stored)
                    for at, (entry, stored) in enumerate(zip(item.entries, item.stored, strict=True))
                ),
                registered=item.registered, logged=logged, origin=desk.origin,
            )  # fmt: skip
            desk.store.exhibits.add_exhibit(row)
            rows.append(row)
    return rows


def _statement(
    desk: Desk, item: _Prepared, request: SealRequest, comparison: Comparison | None
) -> tuple[bytes, bytes, bytes]:
    draft = StatementDraft(
        case_number=request.case_number, court=request.court, cause=request.cause, parties=request.parties,
        exhibit_no=item.exhibit_no, title=item.title, kind=request.kind, purpose=request.purpose,
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
