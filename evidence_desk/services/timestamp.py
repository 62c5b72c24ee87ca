"""Timestamp 盖时间戳: one token for every exhibit that still waits, and the leaf that attests it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.groups import group_hashes
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType, as_ranges
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import ExhibitRow, TimeRecordRow, TimestampAuthority, TimestampReply, TokenRow
from evidence_desk.core.time_record import build_batch
from evidence_desk.errors import BugError, RemoteError
from evidence_desk.services.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampOutcome:
    """One token over a batch; `exhibits` is empty when nothing waited."""

    exhibits: tuple[ExhibitRow, ...]
    gen_time: datetime | None = None
    authority: str = ""
    token_sha256: bytes = b""


def timestamp(desk: Desk, authorities: Sequence[TimestampAuthority], *, job: Job) -> TimestampOutcome:
    """Get one token for everything that waits (formats.md, Time record).

    The authorities are tried in order; nothing is stored unless a token was strictly verified.

    Raises:
        RemoteError: none of them answered rightly; the exhibits stay sealed and wait.
    """
    waiting = tuple(desk.store.exhibits.awaiting_timestamp())
    if not waiting:
        return TimestampOutcome(exhibits=())
    job.step("timestamp", 0, len(waiting))
    groups, owners = _groups(waiting)
    checkpoint = desk.log.note
    batch = build_batch([*groups, (sha256(checkpoint),)])
    if sha256(batch.preimage) != batch.root:
        raise BugError("bug.preimage")
    reply = _ask(authorities, batch.root)
    job.step("timestamp", len(waiting), len(waiting))
    token = TokenRow(
        token_sha256=sha256(reply.token), token=reply.token, request=reply.request, response=reply.response,
        transport=encode(dict(reply.transport)), authority=reply.authority, gen_time=reply.gen_time,
        preimage=batch.preimage, crls=reply.crls,
    )  # fmt: skip
    records = [
        TimeRecordRow(token_sha256=token.token_sha256, leaf_hash=leaf_hash, group=group, tree=tree)
        for (leaf_hash, group), tree in zip(owners, batch.trees, strict=False)
    ]
    records.append(
        TimeRecordRow(
            token_sha256=token.token_sha256, leaf_hash=None, group=0, tree=batch.trees[-1], data=checkpoint
        )
    )
    _store(desk, token, records, reply.tsa, [row.seq for row in waiting if row.origin == desk.origin])
    return TimestampOutcome(
        exhibits=waiting, gen_time=reply.gen_time, authority=reply.authority, token_sha256=token.token_sha256
    )


def _groups(waiting: Sequence[ExhibitRow]) -> tuple[list[tuple[bytes, ...]], list[tuple[bytes, int]]]:
    """All data-object groups of the batch, and beside each its exhibit's leaf hash and group number."""
    groups: list[tuple[bytes, ...]] = []
    owners: list[tuple[bytes, int]] = []
    for exhibit in waiting:
        own = group_hashes(
            sha256(exhibit.statement), [item.stored.digests.sha256 for item in exhibit.objects]
        )
        groups += own
        owners += [(exhibit.leaf_hash, number) for number in range(len(own))]
    return groups, owners


def _ask(authorities: Sequence[TimestampAuthority], digest: bytes) -> TimestampReply:
    failure: RemoteError | None = None
    for authority in authorities:
        try:
            return authority.timestamp(digest)
        except RemoteError as error:
            failure = error
    raise failure or RemoteError("client.no_authority")


def _store(
    desk: Desk, token: TokenRow, records: Sequence[TimeRecordRow], tsa: bytes, seqs: list[int]
) -> None:
    """Token, reduced trees and the leaf that attests them, in one transaction."""
    facts: dict[str, JSON] = {
        "token_sha256": token.token_sha256.hex(),
        "gen_time": format_moment(token.gen_time),
        "tsa": tsa.hex(),
        "ranges": as_ranges(seqs),
    }

    def attested(seq: int, at: datetime) -> Leaf:
        return Leaf(log=desk.origin, seq=seq, type=LeafType.TIME_ATTESTED, at=at, facts=facts)

    with desk.appending() as appender:
        desk.store.exhibits.add_token(token, records)
        (leaf,) = appender.append([attested])
        desk.store.exhibits.set_attested(token.token_sha256, leaf.seq)
