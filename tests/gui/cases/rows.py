"""Many exhibits written as rows: for lists, not for proofs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.rows import CaseRow, ExhibitRow, ObjectRow, StoredObject
from evidence_desk.core.statement import ExhibitKind

START = datetime(2026, 1, 1, tzinfo=UTC)
_BATCH = 5_000


def fill(session: Session, size: int, *, case: str = "大案") -> list[bytes]:
    """`size` exhibits of one case, one a second; leaf hashes, oldest first."""
    add_case(session, case, {"court": "某法院"})
    leaves: list[bytes] = []
    for start in range(0, size, _BATCH):
        indexes = range(start, min(start + _BATCH, size))
        leaves += insert(
            session, [exhibit(index, 1 + index, session.vault.origin, case=case) for index in indexes]
        )
    return leaves


def add_case(session: Session, number: str, details: JSON) -> None:
    """A case with these details."""
    with session.vault.transaction():
        session.vault.exhibits.add_case(CaseRow(number=number, details=encode(details), created=START))


def insert(session: Session, rows: Sequence[ExhibitRow]) -> list[bytes]:
    """Write rows with leaves that no log commits to; their leaf hashes."""
    vault = session.vault
    log_id = vault.database.rows("SELECT max(id) FROM logs")[0][0]
    with vault.transaction():
        for row in rows:
            vault.database.write(
                "INSERT INTO leaves (log_id, seq, type, leaf_hash, leaf) VALUES (?, ?, 'exhibit.sealed', ?, x'')",
                (log_id, row.seq, row.leaf_hash),
            )
            vault.exhibits.add_exhibit(row)
    return [row.leaf_hash for row in rows]


def exhibit(index: int, seq: int, origin: str, *, case: str, title: str = "", path: str = "") -> ExhibitRow:
    """One row; names may be anything."""
    leaf = sha256(b"many %d" % index)
    digests = DigestPair(sha256=leaf, sm3=leaf)
    at = START + timedelta(seconds=index)
    stored = StoredObject(name=leaf.hex(), size=1_000 + index, digests=digests)
    return ExhibitRow(
        leaf_hash=leaf, seq=seq, number=format_number(Prefix.EVIDENCE, leaf), case_number=case,
        exhibit_no=f"证据{index + 1}", title=title or ("合同" if index % 100 == 0 else f"材料{index:06d}"),
        kind=ExhibitKind.FILE, statement=b"{}", disclosures=b"",
        objects=(ObjectRow(position=0, path=path or f"{index}.pdf", media_type="application/pdf", stored=stored),),
        registered=at, logged=at, origin=origin, timestamped=at if index % 2 else None,
    )  # fmt: skip
