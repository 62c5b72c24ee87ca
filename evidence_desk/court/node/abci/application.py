"""The port of the state machine: what the engine asks (ABCI 2.0) and what is answered, without protobuf.

Snapshots and vote extensions have no place here: the server declines them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

OK: Final = 0
"""Code of an accepted transaction or an answered query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """A validator's Ed25519 consensus key (32 bytes) and its power; power 0 removes it."""

    public_key: bytes
    power: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """Where the application stands.

    Attributes:
        height: last committed height, 0 before the first block.
        app_hash: application hash after that block; b"" before genesis.
        app_version: version of the rules, written into headers as version.app.
    """

    height: int
    app_hash: bytes
    app_version: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """What the network starts from. `time_ns` is UTC, nanoseconds since 1970; `app_state` the genesis file's member."""

    chain_id: str
    time_ns: int
    validators: tuple[Validator, ...]
    app_state: bytes
    initial_height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisResult:
    """State after genesis; an empty `validators` keeps those of the genesis file."""

    app_hash: bytes
    app_version: int
    validators: tuple[Validator, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An indexed event of a transaction: digests and numbers only, every node can read it."""

    type: str
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TxResult:
    """Outcome of one transaction. `code` and `data` enter the next header (last_results_hash); `log` does not."""

    code: int = OK
    data: bytes = b""
    log: str = ""
    codespace: str = ""
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question about committed state; height 0 means the newest."""

    path: str
    data: bytes
    height: int = 0
    prove: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """Answer with the height whose state it speaks of; proofs travel inside `value` in the court protocol's form."""

    code: int = OK
    key: bytes = b""
    value: bytes = b""
    height: int = 0
    log: str = ""
    codespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A block being proposed; `max_bytes` bounds what we may put in (0 when judging another's proposal)."""

    height: int
    time_ns: int
    txs: tuple[bytes, ...]
    max_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A decided block.

    Attributes:
        time_ns: BFT time of the header, UTC, nanoseconds since 1970.
        block_hash: hash of the header.
        misbehaving: addresses (20 bytes) of validators whose double signing the block proves.
    """

    height: int
    time_ns: int
    txs: tuple[bytes, ...]
    block_hash: bytes = b""
    misbehaving: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockResult:
    """What a block did: one result a transaction, and the application hash that stands in the next header.

    Attributes:
        validators: changes of the validator set, effective at height + 2.
        app_version: new version of the rules, None when unchanged.
    """

    app_hash: bytes
    results: tuple[TxResult, ...] = ()
    validators: tuple[Validator, ...] = ()
    app_version: int | None = None
    events: tuple[Event, ...] = field(default=())


class Application(Protocol):
    """The state machine as the engine drives it; called from one thread, one call at a time."""

    def info(self) -> Info:
        """Last committed state."""
        ...

    def init_chain(self, genesis: Genesis) -> GenesisResult:
        """State at genesis; called once, nothing is stored before the first commit."""
        ...

    def check_tx(self, tx: bytes, *, recheck: bool) -> TxResult:
        """Whether a transaction may wait for a block; judged against committed state."""
        ...

    def query(self, query: Query) -> QueryResult:
        """Read committed state."""
        ...

    def prepare_proposal(self, proposal: Proposal) -> tuple[bytes, ...]:
        """Transactions of a block that we propose, within `max_bytes` in the engine's count."""
        ...

    def process_proposal(self, proposal: Proposal) -> bool:
        """Whether to vote for a proposed block."""
        ...

    def finalize_block(self, block: Block) -> BlockResult:
        """Execute a decided block; a pure function of (state, block). Nothing is stored."""
        ...

    def commit(self) -> int:
        """Store state and height of the finalized block durably; returns the height below which blocks may go (0: none)."""
        ...
