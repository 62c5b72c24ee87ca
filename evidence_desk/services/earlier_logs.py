"""Earlier logs of a restored desk: what the network holds of them beyond a backup, and the proofs of their exhibits.

A log from before a restore is not continued, but it is completed: leaves that were lost with the disk are fetched, the
rows behind them opened from their envelopes, and the network's answers about them stored again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.digests import sha256
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType, parse_leaf
from evidence_desk.core.merkle import TileTree
from evidence_desk.core.ports import Store
from evidence_desk.core.rows import LeafRow
from evidence_desk.court.protocol.registry import DeskEntry, DeskStatus
from evidence_desk.errors import EvidenceDeskError, IntegrityError
from evidence_desk.services.anchor_records import fetch_proofs, keep
from evidence_desk.services.court_query import Court, GatewayFault, ask_anchor, ask_desk, fault_of
from evidence_desk.services.desk import Desk
from evidence_desk.services.earlier_marks import Mark, read_marks, remember
from evidence_desk.services.fetch_log import (
    RUN,
    as_append,
    ask_envelopes,
    ask_leaves,
    ask_note,
    keys_of,
    missing_pieces,
    signed_by_desk,
)
from evidence_desk.services.keybag_copy import Requester, fetch_copies, requester
from evidence_desk.services.open_envelopes import PRIVATE, open_envelope, refill
from evidence_desk.services.refill import Opened, Refill

_AGREEING: Final = 2
"""Gateways that must give the same before an envelope that is absent, or does not open, counts as the only one."""

TakeCopies = Callable[[Sequence[bytes]], bool]
"""Opens copies of the keybag and takes over what they know; whether that was anything new."""


@dataclass(slots=True)
class EarlierOutcome:
    """What became of the earlier logs.

    Attributes:
        leaves: fetched now.
        logs: what was opened, by origin.
        anchors: accepted checkpoints whose proof is stored now; `proofs`: exhibits that got one.
        erased: cases erased here because a tombstone on chain says so.
    """

    leaves: int = 0
    logs: dict[str, Refill] = field(default_factory=dict)
    anchors: int = 0
    proofs: int = 0
    erased: list[str] = field(default_factory=list)
    faults: list[GatewayFault] = field(default_factory=list)

    def count(self, origin: str, state: Refill) -> None:
        """Count in what was opened of a log."""
        if origin in self.logs:
            self.logs[origin].add(state)
        else:
            self.logs[origin] = state

    @property
    def closed(self) -> int:
        """Leaves with private rows that no key opened."""
        return sum(item.closed for item in self.logs.values())

    @property
    def withheld(self) -> int:
        """Those of them that another gateway might still open: no two have given the same."""
        return sum(item.withheld for item in self.logs.values())


# --- leaves and rows ------------------------------------------------------------------------------------------


def fill_log(
    court: Court,
    stores: Sequence[Store],
    store: Store,
    entry: DeskEntry,
    *,
    faults: list[GatewayFault],
    job: Job,
) -> Refill:
    """Fetch what the network holds of one log beyond ours, and write leaves and rows; each piece is durable.

    Args:
        court: the network.
        stores: all earlier logs, `store` among them.
        store: the log.
        entry: its proven entry.
        faults: what gateways did wrong is added.
        job: progress in leaves.

    Raises:
        IntegrityError: ``restore.log_differs``. RemoteError: ``network.unverified``.
    """
    state = Refill(store=store, stores=stores)
    for piece in missing_pieces(court, store.log, entry, faults):
        job.step("fetch", store.log.size(), entry.size)
        opened = _opened(court, state, entry.origin, piece.rows, piece.envelopes, faults)
        with store.transaction():
            store.log.write(as_append(store.log, piece))
            for row, contents in zip(piece.rows, opened, strict=True):
                refill(state, row, contents)
    job.step("fetch", entry.size, entry.size)
    return state


def reopen(
    court: Court, state: Refill, origin: str, start: int, stop: int, faults: list[GatewayFault]
) -> None:
    """Fetch the envelopes of leaves that are here already, and write the rows that are missing behind them."""
    log = state.store.log
    for at in range(start, stop, RUN):
        rows = tuple(log.leaves(at, min(at + RUN, stop)))
        envelopes = _known_leaves(court, origin, rows, faults)
        opened = _opened(court, state, origin, rows, envelopes, faults)
        with state.store.transaction():
            for row, contents in zip(rows, opened, strict=True):
                refill(state, row, contents)


def _known_leaves(
    court: Court, origin: str, rows: Sequence[LeafRow], faults: list[GatewayFault]
) -> tuple[bytes | None, ...]:
    for gateway in court.gateways:
        try:
            pairs = ask_leaves(gateway, origin, rows[0].seq, rows[-1].seq + 1)
        except EvidenceDeskError as error:
            faults.append(fault_of(gateway, error))
        else:
            return tuple(
                envelope if leaf == row.leaf else None
                for row, (leaf, envelope) in zip(rows, pairs, strict=True)
            )
    return (None,) * len(rows)


def _opened(
    court: Court,
    state: Refill,
    origin: str,
    rows: Sequence[LeafRow],
    envelopes: Sequence[bytes | None],
    faults: list[GatewayFault],
) -> list[Opened]:
    """Contents of the envelopes; where one gateway gave nothing that opens whole, all are asked."""
    store = state.store
    found = [
        open_envelope(store, row.leaf_hash, envelope) for row, envelope in zip(rows, envelopes, strict=True)
    ]
    wanting = {
        row.seq: row.leaf
        for row, contents in zip(rows, found, strict=True)
        if not contents.whole and LeafType(row.type) in PRIVATE
    }
    given: dict[int, dict[str, bytes | None]] = {seq: {} for seq in wanting}  # gateway → digest or None
    others = len({gateway.url for gateway in court.gateways}) > 1
    for url, seq, envelope in ask_envelopes(court, origin, wanting, faults) if wanting and others else ():
        place = seq - rows[0].seq
        given[seq][url] = None if envelope is None else sha256(envelope)
        opened = open_envelope(store, rows[place].leaf_hash, envelope)
        if (len(opened.contents), opened.whole) > (len(found[place].contents), found[place].whole):
            found[place] = opened
    for seq, answers in given.items():
        place = seq - rows[0].seq
        if not found[place].whole:
            state.locked += any((envelopes[place], *answers.values()))
            state.withheld += not _agreed(list(answers.values()))
    return found


def _agreed(answers: Sequence[bytes | None]) -> bool:
    """Whether enough gateways gave the same: then it is what the network holds."""
    return any(answers.count(item) >= _AGREEING for item in answers)


def honor_tombstones(store: Store, states: Sequence[Refill]) -> list[str]:
    """Erase cases whose tombstone is on chain: a key that an old copy brought back does not bring the case back."""
    present = {item.number for item in store.exhibits.cases()} - store.erased_cases()
    named = sorted({number for state in states for number in state.erased})
    kept = [number for number in named if number not in store.erased_cases()]
    for number in kept:
        store.erase_case(number)
    return [number for number in kept if number in present]


# --- anchors --------------------------------------------------------------------------------------------------


def refetch_anchors(
    court: Court, store: Store, entry: DeskEntry, *, faults: list[GatewayFault], job: Job
) -> tuple[int, int]:
    """Store the network's answers about an earlier log again: (checkpoints, exhibits).

    Every accepted checkpoint is asked for, so that an exhibit is proven by the first one that covers it.
    """
    desk = Desk(store=store, clock=court.clock, origin=entry.origin)
    known = {item.size for item in store.court.anchors(court.chain_id)}
    count, size = 0, 0
    while size < entry.size:
        job.step("anchors", size, entry.size)
        note = _next_note(court, store, entry, size + 1, faults)
        if note is None:
            break
        checkpoint = parse_checkpoint(note)[0]
        size = checkpoint.size
        if size in known:
            continue
        last = store.log.leaf(size - 1).leaf_hash
        answer = ask_anchor(court, checkpoint, [last], faults)
        if answer is None:
            break
        with store.transaction():
            store.log.add_checkpoint(size, note)
        keep(desk, court, answer, ())
        count += 1
    job.step("anchors", entry.size, entry.size)
    return count, fetch_proofs(desk, court, faults)


def _next_note(
    court: Court, store: Store, entry: DeskEntry, least: int, faults: list[GatewayFault]
) -> bytes | None:
    """Smallest accepted checkpoint of at least `least` leaves that is one of our own log."""
    keys = keys_of(store.log, entry)
    for gateway in court.gateways:
        try:
            size, note = ask_note(gateway, entry.origin, least)
            checkpoint = signed_by_desk(note, keys)
            if size > entry.size or TileTree(store.log, size).root() != checkpoint.root:
                raise IntegrityError("log.root_mismatch", size=size)
        except EvidenceDeskError as error:
            faults.append(fault_of(gateway, error))
        else:
            return note
    return None


# --- all of it ------------------------------------------------------------------------------------------------


def complete_earlier(
    desk: Desk,
    court: Court,
    *,
    take_copies: TakeCopies | None,
    job: Job,
    anchors: bool = True,
    who: Requester | None = None,
) -> EarlierOutcome:
    """Complete every earlier log from the network; what is done is remembered and not asked for again.

    Args:
        desk: the restored desk.
        court: the network.
        take_copies: opens the keybag copies of gateways when envelopes stay closed; None when no secret is at hand.
        job: progress.
        anchors: fetch the proofs of exhibits too, which takes longest.
        who: asks for the copies; the desk's own key by default, which the network must know.

    Raises:
        IntegrityError: ``restore.log_differs``. RemoteError: ``network.unverified``.
    """
    outcome = EarlierOutcome()
    marks = read_marks(desk)
    todo = [
        origin for origin in desk.store.origins if origin != desk.origin and not _mark(marks, origin).done
    ]
    stores = {origin: desk.store.rebuilding(origin) for origin in desk.store.origins if origin != desk.origin}
    entries: dict[str, DeskEntry] = {}
    for origin in todo:
        entry = ask_desk(court, origin, outcome.faults).entry
        if entry is not None:
            entries[origin] = entry
            _fill(court, list(stores.values()), stores[origin], entry, outcome, marks, job)
    if take_copies is not None:
        _open_closed(court, who or requester(desk), stores, marks, outcome, take_copies)
    outcome.erased = honor_tombstones(desk.store, list(outcome.logs.values()))
    for origin, entry in entries.items():
        mark = _mark(marks, origin)
        if anchors:
            count, proofs = refetch_anchors(court, stores[origin], entry, faults=outcome.faults, job=job)
            outcome.anchors += count
            outcome.proofs += proofs
        wanting = bool(stores[origin].court.unproven(court.chain_id)) or not anchors
        mark.done = entry.status is DeskStatus.CLOSED and mark.closed is None and not wanting
    remember(desk, marks)
    return outcome


def _fill(
    court: Court,
    stores: list[Store],
    store: Store,
    entry: DeskEntry,
    outcome: EarlierOutcome,
    marks: dict[str, Mark],
    job: Job,
) -> None:
    before = store.log.size()
    state = fill_log(court, stores, store, entry, faults=outcome.faults, job=job)
    outcome.leaves += store.log.size() - before
    outcome.count(entry.origin, state)
    if state.closed:
        mark = _mark(marks, entry.origin)
        mark.wait(before, store.log.size())
        mark.left += state.closed


def _open_closed(
    court: Court,
    who: Requester,
    stores: dict[str, Store],
    marks: dict[str, Mark],
    outcome: EarlierOutcome,
    take_copies: TakeCopies,
) -> None:
    """Envelopes that stayed closed, once more: as gateways give them now, then with the keys of the keybag copies.

    A log is settled when nothing stays closed, or what does is closed as at least two gateways have it.
    """
    waiting = {origin: mark for origin, mark in marks.items() if mark.closed is not None and origin in stores}
    if not waiting:
        return
    states = _reopen_all(court, stores, waiting, outcome)
    locked = [mark for origin, mark in waiting.items() if states[origin].locked]
    copies = fetch_copies(court, who, outcome.faults) if locked else ()
    digest = sha256(b"".join(sorted(sha256(copy) for copy in copies))).hex() if copies else ""
    if copies and any(mark.tried != digest for mark in locked) and take_copies(copies):
        states = _reopen_all(court, stores, waiting, outcome)
    for origin, mark in waiting.items():
        state = states[origin]
        mark.left, mark.tried = state.closed, digest
        if not state.withheld and (copies or not state.locked):
            mark.closed = None


def _reopen_all(
    court: Court, stores: dict[str, Store], waiting: dict[str, Mark], outcome: EarlierOutcome
) -> dict[str, Refill]:
    states: dict[str, Refill] = {}
    for origin, mark in waiting.items():
        start, stop = mark.closed or (0, 0)
        states[origin] = state = Refill(store=stores[origin], stores=list(stores.values()), again=True)
        reopen(court, state, origin, start, stop, outcome.faults)
        outcome.count(origin, state)
    return states


def note_predecessor(desk: Desk) -> bool:
    """Say in a further ``log.succeeds`` how long the log before really was, when it was completed after the opening."""
    earlier = [origin for origin in desk.store.origins if origin != desk.origin]
    log = desk.store.archived_log(earlier[-1]) if earlier else None
    if log is None or not log.checkpoint():
        return False
    head = parse_checkpoint(log.checkpoint())[0]
    value: JSON = {"origin": head.origin, "size": head.size, "root": head.root.hex()}
    told = [
        parse_leaf(row.leaf).facts.get("predecessor")
        for row in desk.store.log.leaves(0, desk.store.log.size())
        if row.type == LeafType.LOG_SUCCEEDS
    ]
    if not told or value in told:
        return False
    with desk.appending() as appender:
        appender.append(
            [
                lambda seq, at: Leaf(
                    log=desk.origin, seq=seq, type=LeafType.LOG_SUCCEEDS, at=at, facts={"predecessor": value}
                )
            ]
        )
    return True


def _mark(marks: dict[str, Mark], origin: str) -> Mark:
    return marks.setdefault(origin, Mark())
