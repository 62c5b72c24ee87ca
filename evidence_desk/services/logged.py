"""Whether the log bears out what rows of the vault say: a row can be changed by whoever opens the vault, a leaf cannot."""

from __future__ import annotations

from collections.abc import Iterator

from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import Leaf, LeafType, PlainObject, parse_leaf
from evidence_desk.core.merkle import TileTree, leaf_hash, root_from_inclusion
from evidence_desk.core.ports import LogStore
from evidence_desk.core.rows import CertificateRow, ExhibitRow
from evidence_desk.core.statement import match_disclosures, parse_disclosures, parse_statement
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services.desk import Desk


def logged_leaf(desk: Desk, digest: bytes) -> Leaf | None:
    """The leaf with this hash under a signed checkpoint of this desk's logs; None when there is none."""
    for log, note in _logs(desk):
        try:
            row = log.leaf_by_hash(digest)
            if row is None:
                continue
            checkpoint = parse_checkpoint(note)[0]
            path = TileTree(log, checkpoint.size).inclusion(row.seq)
            found = leaf_hash(row.leaf)
            root = root_from_inclusion(index=row.seq, size=checkpoint.size, digest=found, path=path)
            if found == digest and root == checkpoint.root:
                return parse_leaf(row.leaf)
        except (EvidenceDeskError, ValueError):
            continue
    return None


def certificate_logged(desk: Desk, row: CertificateRow) -> bool:
    """Whether the log says of this certificate that it was issued with these digests."""
    leaf = logged_leaf(desk, row.leaf_hash)
    return (
        leaf is not None
        and leaf.type is LeafType.CERTIFICATE_ISSUED
        and leaf.facts.get("certificate") == row.digests.to_json()
    )


def file_logged(desk: Desk, row: ExhibitRow, digest: bytes) -> bool:
    """Whether the exhibit, as it was logged, has a file with this digest (either algorithm), or this leaf hash."""
    leaf = logged_leaf(desk, row.leaf_hash)
    if leaf is None:
        return False
    if digest == row.leaf_hash:
        return True
    plain = (item.digests for item in leaf.objects if isinstance(item, PlainObject))
    return any(digest in {pair.sha256, pair.sm3} for pair in (*plain, *_stated(leaf, row)))


def _stated(leaf: Leaf, row: ExhibitRow) -> Iterator[DigestPair]:
    """Digests of the files in the statement that the leaf commits to."""
    if leaf.statement is None or not leaf.statement.matches(DigestPair.of(row.statement)):
        return
    try:
        found = match_disclosures(parse_statement(row.statement), parse_disclosures(row.disclosures))
    except EvidenceDeskError:
        return
    yield from (entry.digests for entry in found.files.values())


def _logs(desk: Desk) -> Iterator[tuple[LogStore, bytes]]:
    yield desk.store.log, desk.log.note
    for origin in desk.store.origins:
        if origin != desk.origin:
            log = desk.store.archived_log(origin)
            yield log, log.checkpoint()
