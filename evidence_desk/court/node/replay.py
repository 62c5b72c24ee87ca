"""A chain executed again from genesis: the same blocks must give the same hashes, on any machine and in any decade.

The file ``chain/1`` has one canonical JSON object a line: the genesis document, then each block with its transactions
and what the next header says of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.court.node.abci.application import Block, TxResult
from evidence_desk.court.node.app.machine import CourtMachine
from evidence_desk.court.node.app.store import MemoryStore, StateStore
from evidence_desk.court.node.ceremony import GenesisFile, read_genesis
from evidence_desk.court.protocol.light_block import from_base64, items, members, number, to_base64
from evidence_desk.court.protocol.wire import bytes_field, uint_field
from evidence_desk.errors import IntegrityError, MalformedError, UnreadableError

VERSION: Final = "chain/1"
_MAX_LINE: Final = 16 << 20
_MAX_TXS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A block and what the header after it says: application hash, and hash over the results of its transactions."""

    height: int
    txs: tuple[bytes, ...]
    app_hash: bytes
    results_hash: bytes

    def encode(self) -> bytes:
        """One line of a chain file."""
        return encode(
            {
                "height": self.height,
                "txs": [to_base64(tx) for tx in self.txs],
                "app_hash": self.app_hash.hex(),
                "results_hash": self.results_hash.hex(),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How far a chain was executed, with which outcome."""

    chain_id: str
    height: int
    transactions: int
    app_hash: bytes


def replay(genesis: GenesisFile, blocks: Iterable[Executed], store: StateStore | None = None) -> Replayed:
    """Execute blocks 1, 2, … and compare each hash.

    Raises:
        IntegrityError: ``replay.differs`` at the first block with another outcome; ``replay.order``.
    """
    machine = CourtMachine(store or MemoryStore())
    app_hash = machine.init_chain(genesis.machine).app_hash
    height = count = 0
    for block in blocks:
        if block.height != height + 1:
            raise IntegrityError("replay.order", height=block.height)
        height = block.height
        result = machine.finalize_block(Block(height=height, time_ns=0, txs=block.txs))
        machine.commit()
        app_hash = result.app_hash
        if (app_hash, results_hash(result.results)) != (block.app_hash, block.results_hash):
            raise IntegrityError(
                "replay.differs", height=height, found=app_hash.hex(), expected=block.app_hash.hex()
            )
        count += len(block.txs)
    return Replayed(chain_id=genesis.chain_id, height=height, transactions=count, app_hash=app_hash)


def results_hash(results: Iterable[TxResult]) -> bytes:
    """LastResultsHash of CometBFT v0.38: RFC 6962 root over code and data of each result (gas is always 0)."""
    leaves = [leaf_hash(uint_field(1, item.code) + bytes_field(2, item.data)) for item in results]
    return root_of(leaves) if leaves else sha256(b"")


def write_chain(stream: IO[bytes], genesis: bytes, blocks: Iterable[Executed]) -> int:
    """Write a chain file; the number of blocks."""
    stream.write(encode({"v": VERSION, "genesis": to_base64(genesis)}) + b"\n")
    count = 0
    for block in blocks:
        stream.write(block.encode() + b"\n")
        count += 1
    return count


def read_chain(path: Path) -> tuple[GenesisFile, Iterator[Executed]]:
    """Genesis and blocks of a chain file, read as they are asked for.

    Raises:
        UnreadableError: ``operation.unreadable``.
        MalformedError: ``malformed.chain`` and codes of `read_genesis`.
    """
    lines = _lines(path)
    head = members(decode(next(lines, b""), what="chain", limit=_MAX_LINE), {"v", "genesis"})
    if head["v"] != VERSION:
        raise MalformedError("malformed.chain", reason="version")
    return read_genesis(from_base64(head["genesis"])), map(_block, lines)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while line := stream.readline(_MAX_LINE):
                if not line.endswith(b"\n"):
                    raise MalformedError("malformed.chain", reason="line")
                yield line[:-1]
    except OSError as error:
        raise UnreadableError("operation.unreadable", path=str(path)) from error


def _block(line: bytes) -> Executed:
    value = members(
        decode(line, what="chain", limit=_MAX_LINE), {"height", "txs", "app_hash", "results_hash"}
    )
    return Executed(
        height=number(value["height"]),
        txs=tuple(from_base64(tx) for tx in items(value["txs"], _MAX_TXS)),
        app_hash=_hash(value["app_hash"]),
        results_hash=_hash(value["results_hash"]),
    )


def _hash(value: JSON) -> bytes:
    try:
        digest = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise MalformedError("malformed.chain", reason="hash") from error
    if len(digest) != 32:
        raise MalformedError("malformed.chain", reason="hash")
    return digest
