"""Answers put together from the engine's and the application's, each checked as its reader will check it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import parse_hex
from evidence_desk.court.node.abci.messages import validator_address
from evidence_desk.court.node.app.queries import QueryCode
from evidence_desk.court.node.gateway.chain import Chain
from evidence_desk.court.node.gateway.engine_client import EngineClient
from evidence_desk.court.node.gateway.tokens import Tokens
from evidence_desk.court.protocol.anchor import AnchorAnswer
from evidence_desk.court.protocol.block import LightBlock, ValidatorSet
from evidence_desk.court.protocol.desk_answer import DeskAnswer
from evidence_desk.court.protocol.header import Standing
from evidence_desk.court.protocol.light_block import from_base64, items, number
from evidence_desk.court.protocol.map_proof import MapProof, decode_map_proof
from evidence_desk.court.protocol.part import LeafEvents, StateView, TimedBlock, read_events, read_roots
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, DESK_ENTRY, CheckpointRecord, DeskEntry
from evidence_desk.court.protocol.state import (
    ListRoot,
    StateRoots,
    check_desk,
    check_lookup,
    check_record,
    events_key,
)
from evidence_desk.errors import IntegrityError, MalformedError, NotFoundError, RemoteError

T = TypeVar("T")
TOO_MANY: Final = "api.too_many_events"
_log = structlog.get_logger()
_ANCHORS: Final = 1_024
"""Checked anchors kept in memory: desks ask again and again for their newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state of the application, checked against the header that has its hash.

    Attributes:
        height: at which the application is asked for it.
        block: header H+1 of the first height H with these roots or, while blocks change nothing, a later one.
    """

    height: int
    roots: StateRoots
    block: LightBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """An accepted checkpoint with its state, checked; `note` as the desk signed it."""

    record: CheckpointRecord
    index: int
    path: tuple[bytes, ...]
    state: State
    desk: DeskEntry
    view: StateView
    note: bytes


class Answers:
    """Puts answers together.

    Raises:
        NotFoundError: what was asked for is not on chain.
        RemoteError: the engine is silent, wrong, or not that far yet.
    """

    def __init__(self, engine: EngineClient, chain: Chain, tokens: Tokens) -> None:
        self._engine = engine
        self._chain = chain
        self._tokens = tokens
        self._anchors: OrderedDict[tuple[str, int], Anchored] = OrderedDict()

    # --- what stands under the newest header ------------------------------------------------------------------

    async def newest(self, path: str, data: bytes) -> tuple[State, dict[str, JSON]]:
        """A provable answer of the application under the newest header."""
        tip = await self._chain.tip()
        before = tip.header.height - 1
        value = await self._engine.query(path, data, before) if before else QueryCode.HEIGHT
        if value is QueryCode.HEIGHT:
            # An application that has just started knows its last state only, whose own header is not there yet. The
            # newest header has the same hash unless its block changed something.
            found = _present(await self._engine.query(path, data))
            roots = checked(lambda: _roots(found))
            if roots.app_hash == tip.header.app_hash:
                height = checked(lambda: number(found["height"]))
                return State(height=height, roots=roots, block=tip), found
            return await self._state(found), found
        found = _present(value)
        return await self._state(found), found

    async def at(self, state: State, path: str, data: bytes) -> dict[str, JSON]:
        """A provable answer in a state shown before."""
        found = _present(await self._engine.query(path, data, state.height))
        if checked(lambda: _roots(found)) != state.roots:
            raise _wrong("roots")
        return found

    async def standing(self, state: State, since: int = 0) -> Standing:
        """The head of an answer about a state."""
        return Standing(
            chain_id=self._chain.chain_id,
            roots=state.roots,
            block=state.block,
            history=await self.history([state.block], since),
        )

    async def history(self, targets: Sequence[LightBlock], since: int) -> tuple[TimedBlock, ...]:
        """Blocks that lead to the targets, with their tokens."""
        return tuple(self.timed(block) for block in self._chain.history(targets, since))

    def timed(self, block: LightBlock) -> TimedBlock:
        """A block with the token that is at hand."""
        return TimedBlock(block=block, token=self._tokens.known(block.header.hash))

    async def desk(self, origin: str, since: int = 0) -> DeskAnswer:
        """``desk/1``: a desk's entry, or that there is none."""
        state, found = await self.newest("/desk", origin.encode())
        entry, proof = checked(lambda: _desk(found))
        checked(lambda: check_desk(state.roots, origin, entry, proof))
        standing = await self.standing(state, since)
        return DeskAnswer(origin=origin, entry=entry, proof=proof, standing=standing)

    # --- checkpoints --------------------------------------------------------------------------------------------

    async def anchor(
        self, origin: str, size: int, leaves: Sequence[bytes], *, since: int = 0, fresh: bool = False
    ) -> AnchorAnswer:
        """``anchor/1``: an accepted checkpoint with the events of some of its leaves.

        Args:
            origin: of the log.
            size: of the checkpoint.
            leaves: hashes of leaves.
            since: height of the asker's newest trusted header, 0 for none.
            fresh: show the newest state too, although the events could be proven in the checkpoint's own.
        """
        anchored = await self.anchored(origin, size)
        leaves = list(dict.fromkeys(leaves))
        events = None if fresh else await self._events(anchored.state, origin, leaves)
        current = None
        if events is None:
            current, events = await self._present_events(anchored, leaves)
        blocks = [anchored.state.block, *([] if current is None else [current.header.block])]
        return AnchorAnswer(
            chain_id=self._chain.chain_id,
            record=anchored.record,
            index=anchored.index,
            path=anchored.path,
            anchor=anchored.view,
            leaves=events,
            history=await self.history(blocks, since),
            current=current,
        )

    async def anchored(self, origin: str, size: int) -> Anchored:
        """An accepted checkpoint."""
        known = self._anchors.get((origin, size))
        if known is None:
            value = await self._engine.query("/anchor", origin.encode() + b"\n" + size.to_bytes(8, "big"))
            known = await self._read_anchor(_present(value), origin, size)
            self._anchors[origin, size] = known
            if len(self._anchors) > _ANCHORS:
                self._anchors.popitem(last=False)
        return known

    async def _read_anchor(self, found: dict[str, JSON], origin: str, size: int) -> Anchored:
        state = await self._state(found, lambda: read_roots(found["roots"]))

        def read() -> Anchored:
            record = CHECKPOINT_RECORD.decode(from_base64(found["record"]))
            index, path = (
                number(found["index"]),
                tuple(from_base64(node) for node in items(found["path"], 64)),
            )
            check_record(state.roots, record, index=index, path=path)
            entry, proof = _desk(found)
            if entry is None or (record.origin, record.size, record.height) != (origin, size, state.height):
                raise MalformedError("malformed.court_state", reason="record")
            check_desk(state.roots, origin, entry, proof)
            view = StateView(
                header=TimedBlock(block=state.block), roots=state.roots, desk=entry, desk_proof=proof
            )
            return Anchored(
                record=record, index=index, path=path, state=state, desk=entry, view=view,
                note=from_base64(found["note"]),
            )  # fmt: skip

        return checked(read)

    async def _present_events(
        self, anchored: Anchored, leaves: Sequence[bytes]
    ) -> tuple[StateView | None, Mapping[bytes, LeafEvents]]:
        """Events in the newest state, which is shown too unless it is the checkpoint's own."""
        origin = anchored.record.origin
        state, found = await self.newest("/desk", origin.encode())
        events = await self._events(state, origin, leaves)
        if events is None:
            raise RemoteError("api.state_gone")
        if state.block.header.height <= anchored.state.block.header.height:
            return None, events
        entry, proof = checked(lambda: _desk(found))
        if entry is None:
            raise _wrong("desk")
        checked(lambda: check_desk(state.roots, origin, entry, proof))
        header = TimedBlock(block=state.block)
        return StateView(header=header, roots=state.roots, desk=entry, desk_proof=proof), events

    async def _events(
        self, state: State, origin: str, leaves: Sequence[bytes]
    ) -> Mapping[bytes, LeafEvents] | None:
        """Events about leaves in a state; None when it can't be proven any more."""
        if not leaves:
            return {}
        data = origin.encode() + b"\n" + b"".join(leaves)
        value = await self._engine.query("/events", data, state.height)
        if value is QueryCode.HEIGHT:
            return None
        if value is QueryCode.KEY:
            raise RemoteError(TOO_MANY)  # that a leaf has more events than fit is not that it is not there
        found = _present(value)

        def read() -> Mapping[bytes, LeafEvents]:
            if _roots(found) != state.roots:
                raise MalformedError("malformed.court_state", reason="roots")
            listed = [read_events(item) for item in items(found["events"], len(leaves))]
            told = dict(zip(leaves, listed, strict=True))
            for leaf, events in told.items():
                entries = [event.entry for event in events.events]
                check_lookup(state.roots, events_key(origin, leaf), entries, events.proof)
            return told

        return checked(read)

    async def _state(self, found: dict[str, JSON], read: Callable[[], StateRoots] | None = None) -> State:
        """State that an answer stands in, with its header."""
        height = checked(lambda: number(found["height"]))
        roots = checked(read or (lambda: _roots(found)))
        block = await self._chain.awaited(height + 1)
        if roots.app_hash != block.header.app_hash:
            _log.error("gateway.engine_wrong", what="state", height=height)
            raise _wrong("state")
        return State(height=height, roots=roots, block=block)

    # --- what proves itself by the log's own root ---------------------------------------------------------------

    async def row(self, path: str, data: bytes) -> dict[str, JSON]:
        """An answer of the application without proof; NotFoundError."""
        return _present(await self._engine.query(path, data))

    async def executed(self, identity: bytes) -> int | None:
        """Height at which a transaction was executed, as our node says; None when it was not."""
        value = await self._engine.query("/transaction", identity)
        if value is QueryCode.KEY:
            return None
        found = _present(value)
        return checked(lambda: number(found["executed"]))

    async def institutions(self, known: Mapping[bytes, str], members: ValidatorSet) -> Mapping[bytes, str]:
        """Names by validator address for display; those the network file doesn't name have their institution's code."""
        if all(item.address in known for item in members.validators):
            return known
        found = await self.row("/governance", b"")

        def read() -> Mapping[bytes, str]:
            names: dict[bytes, str] = {}
            for member in items(found["institutions"], 300):
                if not isinstance(member, dict):
                    raise MalformedError("malformed.court_state", reason="institution")
                key = parse_hex(member["consensus_key"], what="consensus_key")
                names[validator_address(key)] = str(member["institution"])
            return names | dict(known)

        return checked(read)


def checked(reader: Callable[[], T]) -> T:
    """What the application said, read and checked; what doesn't hold is our engine's fault, and not served."""
    try:
        return reader()
    except (MalformedError, IntegrityError, ValueError, KeyError, TypeError) as error:
        raise _wrong(str(error)[:80]) from error


def _present(value: dict[str, JSON] | QueryCode) -> dict[str, JSON]:
    match value:
        case QueryCode.KEY:
            raise NotFoundError("api.not_found")
        case QueryCode.HEIGHT:
            raise RemoteError("api.state_gone")
        case QueryCode():
            raise _wrong(value.name)
    return value


def _desk(found: dict[str, JSON]) -> tuple[DeskEntry | None, MapProof]:
    entry = found["entry"]
    proof = decode_map_proof(from_base64(found["proof"]))
    return None if entry is None else DESK_ENTRY.decode(from_base64(entry)), proof


def _roots(found: dict[str, JSON]) -> StateRoots:
    """Sub-roots as the application writes them, in hex."""
    value = found["roots"]
    listed = value["checkpoints"] if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(listed, dict):
        raise MalformedError("malformed.court_state", reason="roots")
    return StateRoots(
        checkpoints=ListRoot(size=number(listed["size"]), root=parse_hex(listed["root"], what="root")),
        desks=parse_hex(value["desks"], what="root"),
        governance=parse_hex(value["governance"], what="root"),
        lookup=parse_hex(value["lookup"], what="root"),
    )


def _wrong(what: str) -> RemoteError:
    _log.error("gateway.engine_wrong", what=what)
    return RemoteError("api.engine_wrong")
