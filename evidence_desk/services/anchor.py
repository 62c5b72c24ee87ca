"""Anchor 上链: submit what the court network lacks, batch by batch, and store what it then proves.

Final is only what a light-verified answer shows. One batch is under way at a time: several would be reordered. The
network's state is never overwritten: where it contradicts our log, it is kept and shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.job import Job
from evidence_desk.core.merkle import TileTree
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.core.rows import AnchorRow, ConflictRow, Submission
from evidence_desk.court.protocol.anchor import AnchorAnswer
from evidence_desk.court.protocol.registry import DeskEntry, DeskStatus
from evidence_desk.errors import ConfigurationError, EvidenceDeskError, IntegrityError, RemoteError
from evidence_desk.services.anchor_batches import MAX_LEAVES, Batch, Envelopes, next_batch, no_envelopes
from evidence_desk.services.anchor_records import (
    TokenOutcome,
    fetch_proofs,
    fetch_tokens,
    keep,
    mark_events,
    own_checkpoint,
)
from evidence_desk.services.court_query import (
    Court,
    DeskState,
    GatewayFault,
    ask_anchor,
    ask_desk,
    fault_of,
    log_path,
)
from evidence_desk.services.desk import Desk

LIFETIME: Final = 500
"""Blocks for which a transaction counts; after that it is made anew."""
PATIENCE: Final = 5.0
"""Seconds a batch is waited for without `wait`: a block takes less than one."""
LONG_PATIENCE: Final = 120.0
"""The same with `wait`."""
RESUBMIT: Final = 5.0
"""Seconds after which an unseen transaction is sent again."""
BROADCAST: Final = 3
"""Gateways that are given each transaction."""
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0
_RETRY: Final = timedelta(seconds=30)
_OK: Final = 0
_EXPIRED: Final = 2
_KNOWN: Final = 3
_FORK: Final = 9
_QUOTA: Final = 11
_MAX_ANSWER: Final = 8 * 1024 * 1024


@dataclass(slots=True)
class AnchorOutcome:
    """What a run came to.

    Attributes:
        before: size the network had; `size` it is proven to have now; `waiting`: leaves it still lacks.
        anchored: answers stored by this run, oldest first.
        proofs: exhibits whose proof was got or renewed.
        faults: gateways that were silent or lied, in the order it happened.
        unlisted: exhibits whose list of files was too large to go on chain.
    """

    chain_id: str
    before: int = 0
    size: int = 0
    waiting: int = 0
    anchored: list[AnchorRow] = field(default_factory=list)
    proofs: int = 0
    tokens: TokenOutcome = field(default_factory=lambda: TokenOutcome(stored=0, missing=0))
    faults: list[GatewayFault] = field(default_factory=list)
    unlisted: int = 0


@dataclass(slots=True)
class _Run:
    desk: Desk
    court: Court
    outcome: AnchorOutcome
    job: Job
    patience: float
    pause: Callable[[float], None]
    envelopes: Envelopes
    most: int = MAX_LEAVES

    @property
    def faults(self) -> list[GatewayFault]:
        return self.outcome.faults


def anchor(
    desk: Desk,
    court: Court,
    authorities: Sequence[TimestampAuthority],
    *,
    wait: bool,
    job: Job,
    envelopes: Envelopes = no_envelopes,
    pause: Callable[[float], None] = time.sleep,
) -> AnchorOutcome:
    """Bring the network up to our log, then get the proofs and tokens that exhibits lack.

    Args:
        desk: ours.
        court: the network joined, its gateways in order.
        authorities: for tokens over headers.
        wait: wait long for each batch.
        job: progress in leaves.
        envelopes: encrypted statements to send along.
        pause: sleeps so many seconds.

    Raises:
        RemoteError: ``network.unverified``, ``network.no_gateways``, ``anchor.refused``.
        ConfigurationError: ``anchor.not_registered``, ``anchor.other_keys``, ``anchor.closed``.
        IntegrityError: ``anchor.ahead``, ``anchor.conflict``: the network holds another log; kept for the report.
    """
    outcome = AnchorOutcome(chain_id=court.chain_id)
    state = ask_desk(court, desk.origin, outcome.faults)
    run = _Run(desk, court, outcome, job, LONG_PATIENCE if wait else PATIENCE, pause, envelopes)
    size = outcome.before = outcome.size = check_state(desk, court, state).size
    _catch_up(run, size)
    total = desk.log.size
    while size < total:
        job.step("anchor", size - outcome.before, total - outcome.before)
        row = _one_batch(run, size, state.height)
        if row is None:
            break
        size = outcome.size = row.size
        state = ask_desk(court, desk.origin, outcome.faults, enough=1) if size < total else state
    outcome.waiting = total - size
    outcome.proofs = fetch_proofs(desk, court, outcome.faults, pause)
    outcome.tokens = fetch_tokens(desk, authorities)
    job.step("anchor", size - outcome.before, total - outcome.before)
    return outcome


def check_state(desk: Desk, court: Court, state: DeskState) -> DeskEntry:
    """The entry of our log, when the network's log is a beginning of ours and we may write to it.

    Raises:
        ConfigurationError, IntegrityError: see `anchor`.
    """
    entry = state.entry
    if entry is None:
        raise ConfigurationError("anchor.not_registered", origin=desk.origin, chain=court.chain_id)
    if entry.size > desk.log.size:
        _conflict(desk, court, state, entry, "anchor.ahead")
        raise IntegrityError("anchor.ahead", size=entry.size, ours=desk.log.size)
    if entry.size and TileTree(desk.store.log, entry.size).root() != entry.root:
        _conflict(desk, court, state, entry, "anchor.conflict")
        raise IntegrityError("anchor.conflict", size=entry.size, root=entry.root.hex())
    if entry.status is not DeskStatus.ACTIVE:
        raise ConfigurationError(
            "anchor.closed", origin=desk.origin, height=entry.status_since, successor=entry.successor or "-"
        )
    if (entry.keys.ed25519, entry.keys.sm2) != (desk.keys.ed25519, desk.keys.sm2):
        raise ConfigurationError("anchor.other_keys", origin=desk.origin, height=entry.keys_since)
    return entry


def _conflict(desk: Desk, court: Court, state: DeskState, entry: DeskEntry, code: str) -> None:
    """Keep what the network proved, and the note it holds when a gateway gives it."""
    note: JSON = None
    for gateway in court.gateways:
        try:
            value = decode(
                gateway.get(f"{log_path(desk.origin)}/notes/{entry.size}"), what="note", limit=_MAX_ANSWER
            )
        except EvidenceDeskError:
            continue
        note = value.get("note") if isinstance(value, dict) else None
        break
    desk_answer = decode(state.answer, what="desk answer", limit=_MAX_ANSWER)
    kept = encode({"v": "conflict/1", "desk": desk_answer, "note": note})
    row = ConflictRow(found=desk.clock.now(), code=code, size=entry.size, root=entry.root, answer=kept)
    with desk.store.transaction():
        desk.store.court.add_conflict(row)


def _catch_up(run: _Run, size: int) -> None:
    """Store the anchor of a checkpoint that the network accepted while we did not hear of it."""
    known = run.desk.store.court.anchored_size(run.court.chain_id)
    if size <= known:
        return
    answer = ask_anchor(run.court, own_checkpoint(run.desk, size), [_last_leaf(run.desk, size)], run.faults)
    if answer is not None:
        run.outcome.anchored.append(keep(run.desk, run.court, answer, ()))
        mark_events(run.desk, known, size)


def _one_batch(run: _Run, start: int, height: int) -> AnchorRow | None:
    """Submit the next batch and wait for its proof; None when it is not final in time."""
    while True:
        batch = next_batch(
            run.desk, start, chain_id=run.court.chain_id, expires=height + LIFETIME,
            envelopes=run.envelopes, most=run.most,
        )  # fmt: skip
        with run.desk.store.transaction():
            run.desk.store.court.note_attempt(batch.checkpoint.size, run.desk.clock.now() + _RETRY)
        refused = _broadcast(run, batch)
        if refused is None:
            break
        if refused.code == _QUOTA and run.most > 1:
            run.most = max(1, min(run.most, batch.checkpoint.size - start) // 2)
            continue
        raise RemoteError("anchor.refused", number=refused.code, reason=refused.reason or "-")
    answer = _final(run, batch)
    if answer is None:
        return None
    row = keep(run.desk, run.court, answer, ())
    mark_events(run.desk, start, batch.checkpoint.size)
    run.outcome.anchored.append(row)
    run.outcome.unlisted += batch.unlisted
    return row


def _broadcast(run: _Run, batch: Batch) -> Submission | None:
    """Give the transaction to several gateways; a refusal only when none took it.

    Raises:
        RemoteError: the last fault, when no gateway answered at all.
    """
    data = batch.transaction.encode()
    refused: Submission | None = None
    failure: EvidenceDeskError | None = None
    taken = False
    for gateway in run.court.gateways[:BROADCAST]:
        try:
            answer = gateway.submit(data)
        except EvidenceDeskError as error:
            failure = error
            run.faults.append(fault_of(gateway, error))
            continue
        if answer.code in {_OK, _KNOWN}:
            taken = True
        else:
            refused = answer
    if taken:
        return None
    if refused is not None:
        return refused
    raise failure or RemoteError("network.no_gateways", chain=run.court.chain_id)


def _final(run: _Run, batch: Batch) -> AnchorAnswer | None:
    """Wait for the proof; what is not seen for a while is sent again, for a gateway may have withheld it."""
    waited, since, step = 0.0, 0.0, _FIRST_PAUSE
    leaves = [_last_leaf(run.desk, batch.checkpoint.size)]
    seen: set[tuple[str, str]] = set()
    while True:
        faults: list[GatewayFault] = []
        answer = ask_anchor(run.court, batch.checkpoint, leaves, faults)
        # The same fault in each round is told once.
        run.faults.extend(item for item in faults if (item.gateway, item.code) not in seen)
        seen |= {(item.gateway, item.code) for item in faults}
        if answer is not None:
            return answer
        if waited >= run.patience:
            return None
        run.job.step("anchor.wait", int(waited), int(run.patience))
        run.pause(step)
        waited, since, step = waited + step, since + step, min(2 * step, _LONGEST_PAUSE)
        if since >= RESUBMIT:
            since = 0.0
            refused = _broadcast(run, batch)
            if refused is not None and refused.code not in {_EXPIRED, _FORK}:
                continue
            if refused is not None:
                return None


def _last_leaf(desk: Desk, size: int) -> bytes:
    return desk.store.log.leaf(size - 1).leaf_hash
