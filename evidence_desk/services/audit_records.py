"""The part of an audit that compares exhibits, custody, tokens and certificates with the leaves that commit to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType, parse_leaf
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.core.rows import CustodyRow, ExhibitRow
from evidence_desk.errors import MalformedError, NotFoundError
from evidence_desk.services.custody import custody_entry
from evidence_desk.services.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing found wrong: code of ``texts`` and where."""

    code: str
    seq: int


def check_records(desk: Desk, size: int, events: Mapping[int, Leaf], faults: list[Fault], job: Job) -> int:
    """Compare every record of the active log with its leaf; the number of exhibits looked at.

    Args:
        desk: the desk.
        size: leaves that were gone through; what was appended since is left out.
        events: parsed leaves of types time.attested, custody.event and certificate.issued, by seq.
        faults: what is found wrong is added.
        job: progress in exhibits.
    """
    custody: dict[int, list[CustodyRow]] = defaultdict(list)
    count = 0
    for exhibit in desk.store.exhibits.exhibits():
        if count % 1000 == 0:
            job.step("audit.exhibits", count, 0)
        for row in desk.store.exhibits.custody(exhibit.leaf_hash):
            if (
                row.leaf_seq is not None
                and row.leaf_origin == desk.origin
                and not _since(desk, size, row.leaf_seq)
            ):
                custody[row.leaf_seq].append(row)
        if exhibit.origin == desk.origin:
            count += 1
            _exhibit(desk, exhibit, faults)
    by_type: dict[LeafType, dict[int, Leaf]] = defaultdict(dict)
    for seq, leaf in events.items():
        by_type[leaf.type][seq] = leaf
    _custody(by_type[LeafType.CUSTODY_EVENT], custody, faults)
    _tokens(desk, size, by_type[LeafType.TIME_ATTESTED], faults)
    _certificates(desk, by_type[LeafType.CERTIFICATE_ISSUED], faults)
    return count


def _exhibit(desk: Desk, exhibit: ExhibitRow, faults: list[Fault]) -> None:
    """The exhibit's statement is the one its leaf commits to."""
    try:
        row = desk.store.log.leaf(exhibit.seq)
        leaf = parse_leaf(row.leaf)
    except NotFoundError:
        faults.append(Fault(code="audit.exhibit", seq=exhibit.seq))
        return
    except MalformedError:
        return  # told as a fault of the leaf
    if row.leaf_hash != exhibit.leaf_hash or leaf.statement is None:
        faults.append(Fault(code="audit.exhibit", seq=exhibit.seq))
    elif not exhibit.erased and not leaf.statement.matches(DigestPair.of(exhibit.statement)):
        faults.append(Fault(code="audit.statement", seq=exhibit.seq))


def _custody(
    leaves: Mapping[int, Leaf], custody: Mapping[int, list[CustodyRow]], faults: list[Fault]
) -> None:
    """The root in each custody leaf is that of its events, none missing, none added."""
    for seq in sorted({*leaves, *custody}):
        leaf = leaves.get(seq)
        rows = sorted(custody.get(seq, ()), key=lambda row: row.id)
        root = root_of(leaf_hash(custody_entry(row)) for row in rows)
        if leaf is None or leaf.facts["events"] != {"count": len(rows), "root": root.hex()}:
            faults.append(Fault(code="audit.custody", seq=seq))


def _since(desk: Desk, size: int, seq: int) -> bool:
    """Whether a leaf was appended while the log was gone through."""
    return size <= seq < desk.store.log.size()


def _tokens(desk: Desk, size: int, leaves: Mapping[int, Leaf], faults: list[Fault]) -> None:
    """Each attesting leaf names a token that is kept, and the kept one is unchanged."""
    attested = {
        row.attested_seq: sha256(row.token)
        for row in desk.store.exhibits.tokens()
        if row.attested_seq is not None
        and row.attested_origin == desk.origin
        and not _since(desk, size, row.attested_seq)
    }
    for seq in sorted({*leaves, *attested}):
        leaf, digest = leaves.get(seq), attested.get(seq)
        if leaf is None or digest is None or leaf.facts["token_sha256"] != digest.hex():
            faults.append(Fault(code="audit.token", seq=seq))


def _certificates(desk: Desk, leaves: Mapping[int, Leaf], faults: list[Fault]) -> None:
    """Each issued certificate is kept, and the kept PDF is the one whose digests are in the log."""
    kept = {row.leaf_hash: row for row in desk.store.exhibits.certificates()}
    for seq, leaf in leaves.items():
        row = kept.get(leaf_hash(leaf.encode()))
        digests = None if row is None else DigestPair.of(row.pdf) if row.pdf else row.digests
        if digests is None or leaf.facts["certificate"] != digests.to_json():
            faults.append(Fault(code="audit.certificate", seq=seq))
