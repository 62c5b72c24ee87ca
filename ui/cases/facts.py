"""All that the vault knows of one exhibit, read at once in a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.browse_ports import LinkRow, Note
from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.derivation import Derivation, derivation_of
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.job import Job
from evidence_desk.core.rows import CaseRow, CertificateRow, CustodyRow, ExhibitRow
from evidence_desk.core.search_text import members_of
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.errors import EvidenceDeskError, MalformedError, NotFoundError
from evidence_desk.services.derive import links_of
from tsa.policy import is_demo
from tsa.response import parse_token

_MAX_CUSTODY: Final = 1 << 20
_PRESENCE: Final = 2_000
"""Originals whose presence on the disk is looked at; the re-check looks at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The first timestamp: who gave it, when, and whether that is a demonstration."""

    tsa: str
    at: datetime
    demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """What accepted the checkpoint, where and when."""

    chain: str
    height: int
    at: datetime
    demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A derivation seen from the exhibit shown.

    Attributes:
        forward: the other one was made from this one.
        other: leaf hash of the other exhibit; `here`: whether this vault has it.
        source: digests of the file that was the source, as the derived one's statement has them.
        made: digests of the derived exhibit's first file; None when it is not here.
    """

    relation: str
    forward: bool
    other: bytes
    number: str
    title: str
    here: bool
    position: int
    source: DigestPair | None
    made: DigestPair | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the life of an exhibit; `details` are names and values without salts, `seq` None until it is logged."""

    at: datetime
    action: str
    details: Mapping[str, str | int]
    operator: str = ""
    seq: int | None = None
    network: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """See the module. `missing`: positions of originals that are not on the disk; `case`: its own."""

    row: ExhibitRow
    case: CaseRow | None
    tags: Sequence[str]
    notes: Sequence[Note]
    certificates: Sequence[CertificateRow]
    events: Sequence[Event]
    links: Sequence[Link]
    missing: frozenset[int]
    stated: Mapping[str, str]
    stamp: Stamp | None
    anchoring: Anchoring | None


def facts_of(session: Session, leaf_hash: bytes, job: Job) -> Facts:
    """Read them.

    Raises:
        NotFoundError: ``find.exhibit``.
    """
    row = session.vault.exhibits.exhibit(leaf_hash)
    if row is None:
        raise NotFoundError("find.exhibit", number=leaf_hash.hex())
    job.step("browse", 0, 0)
    store = session.vault
    stamp, anchoring = _stamp(session, row), _anchoring(session, row)
    return Facts(
        row=row,
        case=store.exhibits.case(row.case_number),
        tags=store.browse.tags(leaf_hash),
        notes=store.browse.notes(leaf_hash),
        certificates=store.exhibits.certificates(leaf_hash),
        events=_events(row, store.exhibits.custody(leaf_hash), stamp, anchoring),
        links=_links(session, row),
        missing=_missing(session, row),
        stated=_stated(row),
        stamp=stamp,
        anchoring=anchoring,
    )


def _missing(session: Session, row: ExhibitRow) -> frozenset[int]:
    if row.erased:
        return frozenset()
    objects = session.vault.objects
    return frozenset(item.position for item in row.objects[:_PRESENCE] if not objects.present(item.stored))


def _stamp(session: Session, row: ExhibitRow) -> Stamp | None:
    records = session.vault.exhibits.time_records(row.leaf_hash)
    if not records:
        return None
    token = session.vault.exhibits.token(records[0].token_sha256)
    try:
        facts = parse_token(token.token)
    except EvidenceDeskError:  # the verdict says what is wrong with it, not this list
        return Stamp(tsa=token.authority, at=token.gen_time, demo=False)
    name = facts.tsa_name.rpartition("CN=")[2]
    return Stamp(tsa=name or token.authority, at=token.gen_time, demo=is_demo(facts.policy))


def _anchoring(session: Session, row: ExhibitRow) -> Anchoring | None:
    found = session.vault.court.exhibit_anchor(row.leaf_hash)
    if found is None:
        return None
    anchor = found.anchor
    return Anchoring(
        chain=anchor.chain_id, height=anchor.height, at=anchor.header_time, demo=anchor.chain_id.startswith(DEMO_PREFIX)
    )  # fmt: skip


def _events(
    row: ExhibitRow, custody: Sequence[CustodyRow], stamp: Stamp | None, anchoring: Anchoring | None
) -> list[Event]:
    """Newest first."""
    events = [Event(at=row.logged, action="sealed", details={}, seq=row.seq)]
    if stamp is not None:
        events.append(Event(at=stamp.at, action="timestamped", details={"tsa": stamp.tsa}))
    if anchoring is not None:
        details: dict[str, str | int] = {"chain": anchoring.chain, "height": anchoring.height}
        events.append(Event(at=anchoring.at, action="anchored", details=details, network=True))
    events += [
        Event(
            at=item.at,
            action=item.action,
            operator=item.operator,
            details=_details(item.details),
            seq=item.leaf_seq,
        )
        for item in custody
    ]
    return sorted(events, key=lambda event: event.at, reverse=True)


def _details(data: bytes) -> dict[str, str | int]:
    try:
        value = decode(data, what="custody", limit=_MAX_CUSTODY)
    except MalformedError:
        return {}
    facts: dict[str, str | int] = {}
    for name, item in value.items() if isinstance(value, dict) else ():
        if "salt" in name or isinstance(item, bool):
            continue
        if isinstance(item, list):
            facts[name] = len(item)
        elif isinstance(item, str | int):
            facts[name] = item
    return facts


def _stated(row: ExhibitRow) -> dict[str, str]:
    """What people said about it, by the name of the sentence that introduces it."""
    members = {member.path: member.value for member in members_of(row)}
    source, operator = members.get("/source"), members.get("/operator")
    found = {
        "purpose": _text(members.get("/exhibit/purpose")),
        "operator": _member(operator, "name"),
        **{name: _member(source, name) for name in ("obtained", "from_whom", "medium")},
    }
    return {name: text for name, text in found.items() if text}


def _links(session: Session, row: ExhibitRow) -> list[Link]:
    links = links_of(session.desk, row.leaf_hash)
    found = [] if links.source is None else [_link(session, links.source, row, forward=False)]
    return [*found, *(_link(session, item, row, forward=True) for item in links.derived)]


def _link(session: Session, link: LinkRow, row: ExhibitRow, *, forward: bool) -> Link:
    other = session.vault.exhibits.exhibit(link.derived if forward else link.source)
    derived = other if forward else row
    leaf = link.derived if forward else link.source
    said = None if derived is None else _derivation(derived)
    return Link(
        relation=link.relation, forward=forward, other=leaf, number=format_number(Prefix.EVIDENCE, leaf),
        title="" if other is None else other.title, here=other is not None, position=link.position,
        source=None if said is None else said.digests,
        made=derived.objects[0].stored.digests if derived is not None and derived.objects else None,
    )  # fmt: skip


def _derivation(row: ExhibitRow) -> Derivation | None:
    source = next((member.value for member in members_of(row) if member.path == "/source"), None)
    return derivation_of(source)


def _text(value: JSON | None) -> str:
    return value if isinstance(value, str) else ""


def _member(value: JSON | None, name: str) -> str:
    return _text(value.get(name)) if isinstance(value, dict) else ""
