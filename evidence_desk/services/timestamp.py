"""Timestamp 盖时间戳: one token for every exhibit that still waits, and the leaf that attests it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.groups import group_hashes
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType, as_ranges
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.core.rows import ExhibitRow, TimeRecordRow, TimestampReply, TokenRow
from evidence_desk.core.time_record import build_batch
from evidence_desk.errors import BugError, RemoteError
from evidence_desk.services.clock_offset import note_offset
from evidence_desk.services.desk import Desk

MAX_RANGES: Final = 150
"""Ranges of seq that surely fit into one ``time.attested`` leaf (4 KiB); more scattered exhibits take another token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampOutcome:
    """What was timestamped, in log order; `authority` answered last. Nothing waited when `exhibits` is empty."""

    exhibits: tuple[ExhibitRow, ...]
    authority: str = ""


def timestamp(desk: Desk, authorities: Sequence[TimestampAuthority], *, job: Job) -> TimestampOutcome:
    """Get one token for everything that waits (formats.md, Time record).

    The authorities are tried in order; nothing is stored unless a token was strictly verified. Exhibits scattered
    over more than `MAX_RANGES` places of the log take a token each so many places.

    Raises:
        RemoteError: none of them answered rightly; the exhibits stay sealed and wait.
    """
    waiting = list(desk.store.exhibits.awaiting_timestamp())
    done: list[ExhibitRow] = []
    authority = ""
    while len(done) < len(waiting):
        job.step("timestamp", len(done), len(waiting))
        batch = _batch(desk, waiting[len(done) :])
        authority = _one_token(desk, authorities, batch)
        done += batch
    job.step("timestamp", len(done), len(waiting))
    return TimestampOutcome(exhibits=tuple(done), authority=authority)


def _batch(desk: Desk, waiting: Sequence[ExhibitRow]) -> Sequence[ExhibitRow]:
    """The longest beginning whose places in the active log make at most `MAX_RANGES` ranges."""
    ranges, previous = 0, -2
    for position, row in enumerate(waiting):
        if row.origin != desk.origin:
            continue
        ranges += row.seq != previous + 1
        previous = row.seq
        if ranges > MAX_RANGES:
            return waiting[:position]
    return waiting


def _one_token(desk: Desk, authorities: Sequence[TimestampAuthority], waiting: Sequence[ExhibitRow]) -> str:
    """Token over the exhibits and the newest checkpoint, stored; the name of who gave it."""
    groups, owners = _groups(waiting)
    checkpoint = desk.log.note
    batch = build_batch([*groups, (sha256(checkpoint),)])
    if sha256(batch.preimage) != batch.root:
        raise BugError("bug.preimage")
    reply = ask(authorities, batch.root)
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
    _store(desk, token, records, reply, [row.seq for row in waiting if row.origin == desk.origin])
    return reply.authority


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


def ask(authorities: Sequence[TimestampAuthority], digest: bytes) -> TimestampReply:
    """Reply of the first authority that answers rightly, tried in order.

    Raises:
        RemoteError: of the last one tried; ``client.no_authority`` when there is none.
    """
    failure: RemoteError | None = None
    for authority in authorities:
        try:
            return authority.timestamp(digest)
        except RemoteError as error:
            failure = error
    raise failure or RemoteError("client.no_authority")


def _store(
    desk: Desk, token: TokenRow, records: Sequence[TimeRecordRow], reply: TimestampReply, seqs: list[int]
) -> None:
    """Token, reduced trees and the leaf that attests them, in one transaction.

    Without `seqs` (every exhibit is of an earlier epoch) there is no leaf: it could name none of this log.
    """
    facts: dict[str, JSON] = {
        "token_sha256": token.token_sha256.hex(),
        "gen_time": format_moment(token.gen_time),
        "tsa": reply.tsa.hex(),
        "ranges": as_ranges(seqs),
    }

    def attested(seq: int, at: datetime) -> Leaf:
        return Leaf(log=desk.origin, seq=seq, type=LeafType.TIME_ATTESTED, at=at, facts=facts)

    with desk.appending() as appender:
        desk.store.exhibits.add_token(token, records)
        note_offset(desk, reply)
        if not seqs:
            return
        (leaf,) = appender.append([attested])
        desk.store.exhibits.set_attested(token.token_sha256, leaf.seq)
