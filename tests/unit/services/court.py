"""A court network for desks under test: the real state machine, real headers and votes, gateways that can misbehave.

Only consensus and HTTP are played by hand. A block is made when a gateway is asked something.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from evidence_desk.core.canonical import decode, encode
from evidence_desk.core.digests import sha256
from evidence_desk.core.rows import Submission
from evidence_desk.core.trust import NO_TRUST, Trust
from evidence_desk.court.node.abci.application import Query
from evidence_desk.court.node.app.logs import log_key
from evidence_desk.court.protocol.anchor import AnchorAnswer
from evidence_desk.court.protocol.block import LightBlock, Validator, ValidatorSet
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.desk_answer import DeskAnswer
from evidence_desk.court.protocol.header import Standing
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.light_block import from_base64
from evidence_desk.court.protocol.lookup import LookupAnswer
from evidence_desk.court.protocol.map_proof import decode_map_proof
from evidence_desk.court.protocol.part import LeafEvents, StateView, TimedBlock, read_events, read_roots
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, DESK_ENTRY
from evidence_desk.court.protocol.search import KINDS, SearchAnswer
from evidence_desk.court.protocol.state import ListRoot, LookupEntry, StateRoots, lookup_key
from evidence_desk.court.protocol.transactions import parse_transaction
from evidence_desk.errors import RemoteError
from evidence_desk.services.court_query import Court
from tests.unit.court.network import make_header, signed
from tests.unit.court_node.chain import CHAIN, Chain, public
from tests.unit.court_node.chain import signed as approved_by

GENESIS = BlockTime.of(datetime.now(UTC) - timedelta(hours=1))
"""Blocks have the machine's time, by which embedded authorities stamp."""


@dataclass
class HandMadeCourt:
    """The network behind all gateways: one machine, and a mempool."""

    chain: Chain = field(default_factory=Chain)
    mempool: list[bytes] = field(default_factory=list)
    executed: list[tuple[bytes, int]] = field(default_factory=list)
    """Transactions with their codes, in order."""

    def __post_init__(self) -> None:
        self.validators = ValidatorSet.of(
            [Validator(public_key=public(key), power=1) for key in self.chain.validators]
        )
        self.trust = NetworkTrust(chain_id=CHAIN, genesis=self.validators, genesis_time=GENESIS)
        self.times: dict[int, BlockTime] = {}
        self.blocks: dict[int, LightBlock] = {}
        self.block()

    @property
    def height(self) -> int:
        return self.chain.machine.head.height

    def block(self) -> None:
        """Execute what waits, and one more block whose header has the new application hash."""
        for txs in (tuple(self.mempool), ()):
            result = self.chain.block(*txs)
            self.times[self.height] = BlockTime.of(datetime.now(UTC))
            self.executed += [(tx, item.code) for tx, item in zip(txs, result.results, strict=True)]
        self.mempool.clear()

    def light_block(self, height: int) -> LightBlock:
        """Header `height` + 1."""
        if height not in self.blocks:
            header = make_header(
                height + 1, self.validators, app_hash=self.chain.hashes[height - 1], chain_id=CHAIN,
                time=self.times[height],
            )  # fmt: skip
            self.blocks[height] = signed(header, self.validators, keys=self.chain.validators)
        return self.blocks[height]

    def ask(self, path: str, data: bytes, height: int = 0) -> Any:
        result = self.chain.machine.query(Query(path=path, data=data, height=height))
        return None if result.code else json.loads(result.value)

    def approve(self, transaction: bytes) -> None:
        payload = parse_transaction(transaction, chain_id=CHAIN).payload
        self.mempool.append(approved_by(payload, *self.chain.governors).encode())
        self.block()


@dataclass
class HandMadeGateway:
    """One gateway; `mend` may change what it answers, a `deaf` one is silent, `withholds` loses transactions."""

    court: HandMadeCourt
    url: str = "http://one.example"
    deaf: bool = False
    withholds: bool = False
    automatic: bool = True
    refuses: int = 0
    """Code for transactions of more than `refuses_from` bytes."""
    refuses_from: int = 0
    mend: Callable[[str, bytes], bytes] = lambda _path, data: data
    asked: list[str] = field(default_factory=list)
    frozen: int = 0
    """Height it does not get beyond."""

    def submit(self, transaction: bytes) -> Submission:
        self._heard("POST /v1/transactions")
        if self.refuses and len(transaction) > self.refuses_from:
            return Submission(id="", code=self.refuses, reason="test")
        result = self.court.chain.check(transaction)
        if result.code not in {0, 3}:
            return Submission(id="", code=result.code, reason=result.log)
        if not self.withholds and result.code == 0 and transaction not in self.court.mempool:
            self.court.mempool.append(transaction)
        return Submission(id=sha256(transaction).hex(), code=result.code)

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes:
        assert not parameters
        self._heard(f"GET {path}")
        self.court.block()
        return self.mend(path, self._get(path))

    def post(self, path: str, body: bytes) -> bytes:
        self._heard(f"POST {path}")
        self.court.block()
        if path == "/v1/registrations":
            if self.automatic:
                self.court.approve(body)
            status = "approved" if self.automatic else "pending"
            return encode({"status": status, "id": sha256(body).hex(), "demo": True})
        return self.mend(path, self._proof(path, body))

    def keybag(self, method: str, family: str, *, authorization: str, body: bytes = b"") -> bytes:
        assert authorization
        self._heard(f"{method} /v1/keybags/{family} {len(body)}")
        raise RemoteError("gateway.not_found", gateway=self.url)

    def _heard(self, what: str) -> None:
        self.asked.append(what)
        if self.deaf:
            raise RemoteError("gateway.silent", gateway=self.url)

    @property
    def height(self) -> int:
        return self.frozen or self.court.height - 1

    def _get(self, path: str) -> bytes:
        if path == "/v1/network":
            return encode(
                {"v": "gateway/1", "chain_id": CHAIN, "demo": True, "height": self.height,
                 "registration": "automatic" if self.automatic else "vote"}
            )  # fmt: skip
        if path.startswith("/v1/lookup/"):
            return self._lookup(bytes.fromhex(path.removeprefix("/v1/lookup/")))
        assert path.startswith("/v1/logs/"), path
        rest = path.removeprefix("/v1/logs/")
        origin, _, tail = rest.partition("/notes/")
        if tail:
            value = self.court.ask("/note", log_key(origin, int(tail)))
            if value is None:
                raise RemoteError("gateway.not_found", gateway=self.url)
            return encode({"v": "note/1", "size": value["size"], "note": value["note"]})
        value = self.court.ask("/desk", origin.encode(), self.height)
        standing = Standing(
            chain_id=CHAIN, roots=_roots(value["roots"]), block=self.court.light_block(self.height)
        )
        entry = None if value["entry"] is None else DESK_ENTRY.decode(from_base64(value["entry"]))
        proof = decode_map_proof(from_base64(value["proof"]))
        return DeskAnswer(origin=origin, entry=entry, proof=proof, standing=standing).encode()

    def _lookup(self, digest: bytes) -> bytes:
        values = {kind: self.court.ask("/lookup", lookup_key(kind, digest), self.height) for kind in KINDS}
        roots = _roots(next(iter(values.values()))["roots"])
        standing = Standing(chain_id=CHAIN, roots=roots, block=self.court.light_block(self.height))
        lookups = tuple(
            LookupAnswer(
                key=lookup_key(kind, digest),
                entries=tuple(_entry(from_base64(item)) for item in value["entries"]),
                proof=decode_map_proof(from_base64(value["proof"])),
                standing=standing,
            )
            for kind, value in values.items()
        )
        return SearchAnswer(digest=digest, lookups=lookups, found=(), standing=standing).encode()

    def _proof(self, path: str, body: bytes) -> bytes:
        plain, _, query = path.partition("?")
        origin, _, size = plain.removeprefix("/v1/proofs/").rpartition("/")
        value = self.court.ask("/anchor", log_key(origin, int(size)))
        if value is None:
            raise RemoteError("gateway.not_found", gateway=self.url)
        asked = decode(body, what="leaves", limit=1 << 20)
        assert isinstance(asked, dict)
        assert isinstance(asked["leaves"], list)
        leaves = [bytes.fromhex(str(item)) for item in asked["leaves"]]
        record = CHECKPOINT_RECORD.decode(from_base64(value["record"]))
        events = None if query else self._events(origin, leaves, record.height)
        current = None
        if events is None:
            current = self._view(origin, self.height)
            events = self._events(origin, leaves, self.height)
        return AnchorAnswer(
            chain_id=CHAIN,
            record=record,
            index=value["index"],
            path=tuple(from_base64(node) for node in value["path"]),
            anchor=StateView(
                header=TimedBlock(block=self.court.light_block(record.height)),
                roots=read_roots(value["roots"]),
                desk=DESK_ENTRY.decode(from_base64(value["entry"])),
                desk_proof=decode_map_proof(from_base64(value["proof"])),
            ),
            leaves=events or {},
            current=current,
        ).encode()

    def _view(self, origin: str, height: int) -> StateView:
        value = self.court.ask("/desk", origin.encode(), height)
        return StateView(
            header=TimedBlock(block=self.court.light_block(height)),
            roots=_roots(value["roots"]),
            desk=DESK_ENTRY.decode(from_base64(value["entry"])),
            desk_proof=decode_map_proof(from_base64(value["proof"])),
        )

    def _events(self, origin: str, leaves: list[bytes], height: int) -> dict[bytes, LeafEvents] | None:
        value = self.court.ask("/events", origin.encode() + b"\n" + b"".join(leaves), height)
        if value is None:
            return None
        found = [read_events(item) for item in value["events"]]
        return dict(zip(leaves, found, strict=True))


def _entry(data: bytes) -> LookupEntry:
    return LookupEntry(leaf_hash=data[:32], height=int.from_bytes(data[32:], "big"))


def _roots(value: Any) -> StateRoots:
    checkpoints = value["checkpoints"]
    return StateRoots(
        checkpoints=ListRoot(size=checkpoints["size"], root=bytes.fromhex(checkpoints["root"])),
        desks=bytes.fromhex(value["desks"]),
        governance=bytes.fromhex(value["governance"]),
        lookup=bytes.fromhex(value["lookup"]),
    )


@dataclass
class CourtClock:
    """The machine's clock: a little after the network's newest block."""

    court: HandMadeCourt

    def now(self) -> datetime:
        return datetime.now(UTC)


def court_of(network: HandMadeCourt, *gateways: HandMadeGateway, roots: Trust = NO_TRUST) -> Court:
    return Court(trust=network.trust, roots=roots, gateways=gateways, clock=CourtClock(network))


def forged(path_part: str) -> Callable[[str, bytes], bytes]:
    """Changes one signature of a vote in answers whose path contains `path_part`."""

    def mend(path: str, data: bytes) -> bytes:
        if path_part not in path:
            return data
        value: Any = json.loads(data)
        block = value["block"] if "block" in value else value["anchor"]["header"]["block"]
        vote = next(item for item in block["commit"]["votes"] if item)
        raw = bytearray(base64.b64decode(vote[2]))
        raw[5] ^= 1
        vote[2] = base64.b64encode(bytes(raw)).decode()
        return encode(value)

    return mend
