"""Register exhibits whose originals are stored: statement, leaf and row. Shared by sealing files and captures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import MAX_OBJECTS, Leaf, LeafType, PlainObject, blind, objects_root
from evidence_desk.core.rows import CaseRow, ExhibitRow, ObjectRow, StoredObject
from evidence_desk.core.statement import ExhibitKind, FileEntry, StatementDraft, make_statement
from evidence_desk.errors import NotFoundError
from evidence_desk.services.clock_offset import Comparison, clock_state
from evidence_desk.services.desk import Appender, Desk, LeafMaker

DEFAULT_CASE: Final = "未分案"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a person says about exhibits: the case, and what is common to them.

    Attributes:
        source: how obtained, from whom, medium, is_original… (personal, salted).
        blinded: 盲化, digests cannot be looked up by strangers.
        leaves_only: 仅哈希, from now on nothing but leaves of this case goes to the network.
    """

    case_number: str = DEFAULT_CASE
    court: str = ""
    cause: str = ""
    parties: tuple[str, ...] = ()
    kind: ExhibitKind = ExhibitKind.FILE
    purpose: str = ""
    source: Mapping[str, JSON] = field(default_factory=dict)
    operator: Mapping[str, JSON] = field(default_factory=dict)
    witness: Mapping[str, JSON] | None = None
    interest: str = ""
    blinded: bool = False
    leaves_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureBond:
    """What binds an exhibit to the capture it came from.

    Attributes:
        started: leaf hash of its ``capture.started``.
        manifest, environment: digests of manifest and cleanliness report, for the statement.
    """

    started: bytes
    manifest: DigestPair
    environment: DigestPair | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An exhibit whose originals are stored and whose leaf is not yet appended."""

    title: str
    registered: datetime
    entries: tuple[FileEntry, ...]
    stored: tuple[StoredObject, ...]
    capture: CaptureBond | None = None

    @property
    def files(self) -> tuple[DigestPair, ...]:
        """Digests of all files, in an order that does not depend on their names."""
        digests = (item.digests for item in self.stored)
        return tuple(sorted(digests, key=lambda pair: (pair.sha256, pair.sm3)))


def add_case(desk: Desk, request: Registration) -> None:
    """The case of a registration, unless its number is known; within a transaction.

    Raises:
        NotFoundError: ``vault.case_erased``.
    """
    exhibits = desk.store.exhibits
    case = exhibits.case(request.case_number)
    if case is not None and case.erased is not None:
        raise NotFoundError("vault.case_erased")
    details: JSON = {"court": request.court, "cause": request.cause, "parties": list[JSON](request.parties)}
    exhibits.add_case(CaseRow(number=request.case_number, details=encode(details), created=desk.clock.now()))
    if request.leaves_only:
        exhibits.set_leaves_only(request.case_number)


def append_exhibits(
    desk: Desk,
    appender: Appender,
    prepared: Sequence[Prepared],
    request: Registration,
    comparison: Comparison | None,
) -> list[ExhibitRow]:
    """Case, leaves and rows, inside the transaction; exhibit numbers follow those that other threads gave meanwhile."""
    if not prepared:
        return []
    exhibits = desk.store.exhibits
    add_case(desk, request)
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
    desk: Desk, item: Prepared, exhibit_no: str, request: Registration, comparison: Comparison | None
) -> tuple[bytes, bytes, bytes]:
    draft = StatementDraft(
        case_number=request.case_number, court=request.court, cause=request.cause, parties=request.parties,
        exhibit_no=exhibit_no, title=item.title, kind=request.kind, purpose=request.purpose,
        files=item.entries, source=request.source, operator=request.operator, witness=request.witness,
        interest=request.interest,
        environment=None if item.capture is None else item.capture.environment,
        capture=None if item.capture is None else item.capture.manifest,
        tools=desk.tools,
        clock=clock_state(item.registered, zone=desk.zone, comparison=comparison),
    )  # fmt: skip
    return make_statement(draft, desk.random)


def _leaf_maker(desk: Desk, item: Prepared, statement: DigestPair, salt: bytes | None) -> LeafMaker:
    objects = tuple(
        PlainObject(digests=entry.digests, size=entry.size) if salt is None else blind(entry.digests, salt)
        for entry in item.entries
    )
    many = len(objects) > MAX_OBJECTS

    def make(seq: int, at: datetime) -> Leaf:
        return Leaf(
            log=desk.origin, seq=seq, at=at, statement=statement,
            type=LeafType.EXHIBIT_SEALED if item.capture is None else LeafType.CAPTURE_SEALED,
            ref=None if item.capture is None else item.capture.started,
            objects=() if many else objects,
            root=objects_root(objects) if many else None,
            count=len(objects) if many else 0,
        )  # fmt: skip

    return make
