"""Store verified answers of the network: anchors, events about exhibits, wanted tokens. Nothing unverified gets here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.core.rows import AnchorRow, ExhibitAnchor, HeaderRow
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.anchor import MAX_LEAVES, AnchorAnswer, parse_anchor_answer
from evidence_desk.court.protocol.part import (
    MAX_PART,
    CourtPart,
    TimedBlock,
    events_json,
    read_events,
)
from evidence_desk.court.protocol.tokens import TOKEN_DELAY
from evidence_desk.court.protocol.verdict import TokenCheck
from evidence_desk.errors import IntegrityError, MalformedError, RemoteError
from evidence_desk.services.anchor_batches import sign_beginning
from evidence_desk.services.court_query import (
    LAGGING,
    Court,
    GatewayFault,
    ask_anchor,
    ask_newest,
    check_anchor,
)
from evidence_desk.services.desk import Desk
from evidence_desk.services.timestamp import ask

CHUNK: Final = MAX_LEAVES
_LATE: Final = TOKEN_DELAY - timedelta(hours=1)
"""A header older than this is not timestamped any more: the token would come too late to mean anything."""


def keep(desk: Desk, court: Court, answer: AnchorAnswer, exhibits: Sequence[bytes]) -> AnchorRow:
    """Store an answer that `check_anchor` let through, and the events about those of its leaves that are exhibits."""
    token = court.tokens()
    settled = _settled(answer, token)
    header = answer.anchor.header.block.header
    row = AnchorRow(
        chain_id=answer.chain_id,
        size=answer.record.size,
        height=answer.record.height,
        header_time=header.time.moment(),
        answer=replace(settled, leaves={}).encode(),
        stored=desk.clock.now(),
        origin=answer.record.origin,
    )
    events = {leaf: encode(events_json(answer.leaves[leaf])) for leaf in exhibits}
    with desk.store.transaction():
        desk.store.court.add_anchor(row, events)
        if events:
            desk.store.court.want_tokens(_wanted(settled, court))
    return row


def court_part(desk: Desk, found: ExhibitAnchor) -> CourtPart:
    """Court part of an exhibit with all tokens there are.

    Raises:
        IntegrityError: ``vault.damaged`` when what is stored cannot be read.
    """
    try:
        answer = parse_anchor_answer(found.anchor.answer)
        events = read_events(decode(found.events, what="court events", limit=MAX_PART))
    except MalformedError as error:
        raise IntegrityError("vault.damaged", what="court_anchors") from error
    hashes = [timed.block.header.hash for timed in answer.headers]
    stamped = answer.with_tokens(desk.store.court.header_tokens(hashes))
    return CourtPart.of(stamped, events)


def own_checkpoint(desk: Desk, size: int) -> Checkpoint:
    """Our checkpoint of a size; signed and stored now when none was stored (a crash between sending and storing)."""
    note = desk.store.log.checkpoint_at(size) or sign_beginning(desk, size)
    return parse_checkpoint(note)[0]


# --- proofs of exhibits ---------------------------------------------------------------------------------------


def fetch_proofs(
    desk: Desk, court: Court, faults: list[GatewayFault], pause: Callable[[float], None] = time.sleep
) -> int:
    """Get and store the answers that exhibits still lack, 256 at a time; how many exhibits got one.

    What is not had stays wanted.
    """
    done, pauses = 0, iter(LAGGING)
    newest = desk.store.court.anchored_size(court.chain_id)
    least = max((row.height for row in desk.store.court.anchors(court.chain_id)), default=0)
    for size, leaves in wanted_proofs(desk, court.chain_id):
        checkpoint = own_checkpoint(desk, size)
        if size < newest:
            answer = ask_newest(court, checkpoint, leaves, faults, least=least, pauses=pauses, pause=pause)
        else:
            answer = ask_anchor(court, checkpoint, leaves, faults)
        if answer is None:
            continue
        keep(desk, court, answer, leaves)
        done += len(leaves)
    return done


def wanted_proofs(desk: Desk, chain_id: str, planned: Sequence[int] = ()) -> list[tuple[int, list[bytes]]]:
    """(size, at most 256 leaf hashes) of the answers that exhibits still lack, `planned` sizes counted as anchored."""
    groups: list[tuple[int, list[bytes]]] = []
    for leaf, size in desk.store.court.unproven(chain_id, planned):
        if not groups or groups[-1][0] != size or len(groups[-1][1]) == CHUNK:
            groups.append((size, []))
        groups[-1][1].append(leaf)
    return groups


def take_proof(desk: Desk, court: Court, answer: AnchorAnswer) -> AnchorRow:
    """Verify and store an answer that came by file.

    Raises:
        IntegrityError, MalformedError: it does not hold, or is not about our log.
    """
    if answer.record.origin != desk.origin:
        raise IntegrityError("anchor.other_log", origin=answer.record.origin)
    if answer.record.size > desk.log.size:
        raise IntegrityError("anchor.ahead", size=answer.record.size, ours=desk.log.size)
    checkpoint = own_checkpoint(desk, answer.record.size)
    leaves = list(answer.leaves)
    check_anchor(answer, checkpoint, leaves, court)
    return keep(desk, court, answer, [item for item in leaves if desk.store.exhibits.exhibit(item)])


def mark_events(desk: Desk, start: int, stop: int) -> None:
    """Exhibits that leaves of a batch speak of (corrections) want newer events in their proof."""
    about = [
        bytes.fromhex(reference)
        for row in desk.store.log.leaves(start, stop)
        if (reference := _reference(row.leaf))
    ]
    if about:
        with desk.store.transaction():
            desk.store.court.mark_stale(about)


def _reference(leaf: bytes) -> str:
    value: JSON = decode(leaf, what="leaf", limit=len(leaf))
    reference = value.get("ref") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) else ""


# --- tokens over headers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOutcome:
    """Tokens over headers: how many came, how many are still wanted, and why the last one was not had."""

    stored: int
    missing: int
    error: RemoteError | None = None


def fetch_tokens(desk: Desk, authorities: Sequence[TimestampAuthority]) -> TokenOutcome:
    """RFC 3161 tokens over the hashes of the headers in stored answers; missing ones are asked for again next time."""
    now = desk.clock.now()
    wanted = [item for item in desk.store.court.wanted_tokens() if now - item.header_time < _LATE]
    for done, header in enumerate(wanted):
        try:
            reply = ask(authorities, header.header_hash)
        except RemoteError as error:
            return TokenOutcome(stored=done, missing=len(wanted) - done, error=error)
        with desk.store.transaction():
            desk.store.court.set_token(header.header_hash, reply)
    return TokenOutcome(stored=len(wanted), missing=0)


def _settled(answer: AnchorAnswer, token: TokenCheck) -> AnchorAnswer:
    """Only tokens that passed are kept: one of an unknown authority would stand in the way of ours."""

    def seen(timed: TimedBlock) -> TimedBlock:
        good = timed.token and token(timed.token, timed.block.header.hash).status is Status.PASSED
        return timed if good else replace(timed, token=b"")

    return answer.with_headers(seen)


def _wanted(answer: AnchorAnswer, court: Court) -> list[HeaderRow]:
    return [
        HeaderRow(
            header_hash=header.hash, chain_id=header.chain_id, height=header.height,
            header_time=header.time.moment(),
        )
        for timed in answer.headers
        if not timed.token
        and court.trust.trusted_hash((header := timed.block.header).height) != header.hash
    ]  # fmt: skip
