"""A log as the network holds it: leaves and envelopes, each piece under a checkpoint that the desk itself signed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.checkpoint import Checkpoint, check_origin, parse_checkpoint
from evidence_desk.core.court_ports import CourtGateway
from evidence_desk.core.envelope import MAX_ENVELOPE
from evidence_desk.core.leaf import MAX_LEAF, LeafType, parse_leaf
from evidence_desk.core.log import ed25519_checkpoint
from evidence_desk.core.merkle import CompactRange, TileTree, extend_tiles, leaf_hash
from evidence_desk.core.note import NoteKeys
from evidence_desk.core.ports import LogStore
from evidence_desk.core.rows import LeafRow, LogAppend
from evidence_desk.court.protocol.light_block import from_base64
from evidence_desk.court.protocol.registry import DeskEntry
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError, RemoteError
from evidence_desk.services.court_query import Court, GatewayFault, ask_desk, fault_of, log_path, unverified
from evidence_desk.services.log_keys import KeyedLog, key_generations

PIECE: Final = 2_000
"""Leaves after which the next accepted checkpoint ends a piece."""
MAX_LOGS: Final = 1_000
_PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
_PAGE: Final = 500
_ANSWER: Final = 64 * 1024
_PAGE_BYTES: Final = 1024 * 1024
"""Greatest answer with leaves: gateways end a page at 512 KiB, to which base64 adds a third."""
MAX_HELD: Final = 32 * 1024 * 1024
"""Bytes of leaves and envelopes that are held at once."""
RUN: Final = 100
"""Leaves that are within `MAX_HELD` whatever their envelopes have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Verified leaves up to an accepted checkpoint, and the envelopes the gateway gave, which prove themselves."""

    rows: tuple[LeafRow, ...]
    envelopes: tuple[bytes | None, ...]
    note: bytes


def family_logs(court: Court, origin: str, faults: list[GatewayFault]) -> tuple[DeskEntry, ...]:
    """Proven entries of all registered logs of a desk, oldest first; () when `origin` is not registered.

    Raises:
        RemoteError: ``network.unverified``.
    """
    entry = ask_desk(court, check_origin(origin), faults).entry
    if entry is None:
        return ()
    found = [entry]
    while found[-1].successor and len(found) < MAX_LOGS:
        following = ask_desk(court, found[-1].successor, faults).entry
        if following is None:
            break
        found.append(following)
    family, _, number = origin.rpartition("/")
    for epoch in range(int(number) - 1, -1, -1):
        before = ask_desk(court, f"{family}/{epoch}", faults, enough=1).entry
        if before is None:
            break
        found.insert(0, before)
    return tuple(found)


def missing_pieces(
    court: Court, log: LogStore, entry: DeskEntry, faults: list[GatewayFault]
) -> Iterator[Piece]:
    """What the network holds of a log beyond ours, piece by piece; each must be stored before the next is asked for.

    Raises:
        IntegrityError: ``restore.log_differs``: what we have is no beginning of the network's log.
        RemoteError: ``network.unverified``.
    """
    while log.size() < entry.size:
        yield _piece(court, log, entry, faults)
    if entry.size and TileTree(log, entry.size).root() != entry.root:
        raise IntegrityError("restore.log_differs", origin=entry.origin, size=entry.size)


def as_append(log: LogStore, piece: Piece) -> LogAppend:
    """What the store has to write for a piece."""
    old = log.size()
    hashes = [row.leaf_hash for row in piece.rows]
    return LogAppend(
        old_size=old, leaves=piece.rows, tiles=extend_tiles(log.tile, old, hashes), checkpoint=piece.note
    )


def _piece(court: Court, log: LogStore, entry: DeskEntry, faults: list[GatewayFault]) -> Piece:
    differs: IntegrityError | None = None
    for gateway in court.gateways:
        try:
            return _from(gateway, log, entry)
        except EvidenceDeskError as error:
            faults.append(fault_of(gateway, error))
            if error.code == "restore.log_differs" and isinstance(error, IntegrityError):
                differs = error
    raise differs or unverified(court, faults)


def _from(gateway: CourtGateway, log: LogStore, entry: DeskEntry) -> Piece:
    """The next piece; a smaller one, down to one accepted checkpoint, where it would be more than can be held."""
    for count in (PIECE, RUN):
        with suppress(_TooMuchError):
            return _up_to(gateway, log, entry, count)
    return _up_to(gateway, log, entry, 1)


def _up_to(gateway: CourtGateway, log: LogStore, entry: DeskEntry, count: int) -> Piece:
    start = log.size()
    size, note = ask_note(gateway, entry.origin, min(start + count, entry.size))
    if not start < size <= entry.size:
        raise MalformedError("malformed.court_state", reason="note")
    pairs = ask_leaves(gateway, entry.origin, start, size)
    rows = tuple(_row(entry.origin, start + at, leaf) for at, (leaf, _) in enumerate(pairs))
    edge = TileTree(log, start).edge() if start else CompactRange()
    for row in rows:
        edge.append(row.leaf_hash)
    checkpoint = signed_by_desk(note, _keys(log, rows, entry))
    right = entry.root if size == entry.size else checkpoint.root
    if checkpoint.size != size or checkpoint.root != right:
        raise IntegrityError("log.root_mismatch", size=size)
    if edge.root() != right:
        raise IntegrityError("restore.log_differs", origin=entry.origin, size=size)
    return Piece(rows=rows, envelopes=tuple(envelope for _, envelope in pairs), note=note)


def _row(origin: str, seq: int, data: bytes) -> LeafRow:
    leaf = parse_leaf(data)
    if leaf.log != origin or leaf.seq != seq or (seq == 0) is not (leaf.type is LeafType.LOG_OPENED):
        raise IntegrityError("log.leaf_wrong", seq=seq)
    return LeafRow(seq=seq, type=leaf.type, leaf_hash=leaf_hash(data), leaf=data)


def _keys(log: LogStore, rows: Sequence[LeafRow], entry: DeskEntry) -> tuple[NoteKeys, ...]:
    """Keys a checkpoint over `rows` may be signed with: those that the leaves name, and the registered ones."""
    return keys_of(_Longer(log, rows), entry)


def keys_of(log: KeyedLog, entry: DeskEntry) -> tuple[NoteKeys, ...]:
    """All keys that a log had, oldest first, and the registered ones."""
    own = [item.keys for item in key_generations(log, entry.origin)]
    return (*own, entry.keys.note_keys(entry.origin))


@dataclass(frozen=True, slots=True)
class _Longer:
    """A log with leaves that are not stored yet."""

    log: LogStore
    rows: Sequence[LeafRow]

    def leaf(self, seq: int) -> LeafRow:
        return self.log.leaf(seq) if seq < self.log.size() else self.rows[seq - self.log.size()]

    def rotations(self) -> Iterator[LeafRow]:
        yield from self.log.rotations()
        yield from (row for row in self.rows if row.type == LeafType.KEY_ROTATED)


def signed_by_desk(note: bytes, keys: Sequence[NoteKeys]) -> Checkpoint:
    """Checkpoint signed (Ed25519) with one of these keys.

    Raises:
        IntegrityError: ``log.checkpoint_signature``, ``log.checkpoint_origin``.
    """
    for candidate in keys[:-1]:
        try:
            return ed25519_checkpoint(note, candidate)
        except IntegrityError:
            continue
    return ed25519_checkpoint(note, keys[-1])


# --- questions ------------------------------------------------------------------------------------------------


def _ask(gateway: CourtGateway, path: str, parameters: dict[str, str] | None = None) -> bytes:
    """An answer; a gateway that is busy is given some time: a whole log is a great many questions."""
    for pause in _PAUSES:
        try:
            return gateway.get(path, parameters)
        except RemoteError as error:
            if error.code != "gateway.busy":
                raise
            time.sleep(pause)
    return gateway.get(path, parameters)


def ask_note(gateway: CourtGateway, origin: str, size: int) -> tuple[int, bytes]:
    """Smallest accepted checkpoint of at least `size` leaves, unproven: (size, note)."""
    value = decode(_ask(gateway, f"{log_path(origin)}/notes/{size}"), what="note", limit=_ANSWER)
    item = value if isinstance(value, dict) and value.get("v") == "note/1" else {}
    note = from_base64(item.get("note"))
    found = parse_checkpoint(note)[0]
    if found.origin != origin or found.size != item.get("size") or found.size < size:
        raise MalformedError("malformed.court_state", reason="note")
    return found.size, note


class _TooMuchError(MalformedError):
    """More bytes than are held at once."""


def ask_leaves(gateway: CourtGateway, origin: str, start: int, stop: int) -> list[tuple[bytes, bytes | None]]:
    """Leaves start ≤ seq < stop with their envelopes, unproven; at most `MAX_HELD` bytes of them.

    Raises:
        RemoteError: of the gateway. MalformedError: ``malformed.too_large``, ``malformed.court_state``.
    """
    found: list[tuple[bytes, bytes | None]] = []
    held = 0
    while (at := start + len(found)) < stop:
        asked = {"start": str(at), "count": str(min(_PAGE, stop - at))}
        value = decode(_ask(gateway, f"{log_path(origin)}/leaves", asked), what="leaves", limit=_PAGE_BYTES)
        item = value if isinstance(value, dict) and value.get("v") == "leaves/1" else {}
        page = item.get("leaves")
        if item.get("start") != at or not isinstance(page, list) or not 0 < len(page) <= stop - at:
            raise MalformedError("malformed.court_state", reason="leaves")
        pairs = [_pair(entry) for entry in page]
        held += sum(len(leaf) + len(envelope or b"") for leaf, envelope in pairs)
        if held > MAX_HELD:
            raise _TooMuchError("malformed.too_large", what="leaves", limit=MAX_HELD)
        found += pairs
    return found


def ask_envelopes(
    court: Court, origin: str, wanted: dict[int, bytes], faults: list[GatewayFault]
) -> Iterator[tuple[str, int, bytes | None]]:
    """What each gateway gives for leaves (seq → leaf bytes) that are closed: (gateway, seq, envelope or None)."""
    runs = [
        [seq for _, seq in run]
        for _, run in groupby(enumerate(sorted(wanted)), key=lambda item: item[1] - item[0])
    ]
    for gateway in court.gateways:
        try:
            for run in (part[at : at + RUN] for part in runs for at in range(0, len(part), RUN)):
                pairs = ask_leaves(gateway, origin, run[0], run[-1] + 1)
                for seq, (leaf, envelope) in zip(run, pairs, strict=True):
                    if leaf == wanted[seq]:
                        yield gateway.url, seq, envelope
        except EvidenceDeskError as error:
            faults.append(fault_of(gateway, error))


def _pair(entry: JSON) -> tuple[bytes, bytes | None]:
    if not isinstance(entry, list) or len(entry) != 2:
        raise MalformedError("malformed.court_state", reason="leaves")
    leaf, envelope = from_base64(entry[0]), None if entry[1] is None else from_base64(entry[1])
    if len(leaf) > MAX_LEAF:
        raise MalformedError("malformed.too_large", what="leaf", limit=MAX_LEAF)
    if envelope is not None and len(envelope) > MAX_ENVELOPE:
        raise MalformedError("malformed.too_large", what="envelope", limit=MAX_ENVELOPE)
    return leaf, envelope
