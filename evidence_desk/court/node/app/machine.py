"""The state machine as the engine drives it: checks, executes blocks, commits. All rules live in the rules' modules.

Nothing is stored before `commit`, and then everything at once with the height, so that a node killed at any point of a
block finds the state after some block, and the engine gives it the following ones again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Final

from evidence_desk.court.node.abci.application import (
    Block,
    BlockResult,
    Genesis,
    GenesisResult,
    Info,
    Proposal,
    Query,
    QueryResult,
    TxResult,
)
from evidence_desk.court.node.app.anchors import anchor_rows
from evidence_desk.court.node.app.commitments import Commitments
from evidence_desk.court.node.app.queries import answer
from evidence_desk.court.node.app.rules import BlockEnd, Moment, Rules
from evidence_desk.court.node.app.rules_v1 import RulesV1
from evidence_desk.court.node.app.store import META, Changes, Overlay, StateStore
from evidence_desk.court.protocol.state import APP_VERSION
from evidence_desk.errors import BugError, IntegrityError

RULES: Final[dict[int, Rules]] = {APP_VERSION: RulesV1()}
"""All versions of the rules that this program can follow."""
PROGRAM_VERSION: Final = "court-node/1"
_HEAD: Final = b"head"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of the newest committed block. `height` 0: genesis was not seen yet, or no block after it."""

    chain_id: str = ""
    height: int = 0
    app_hash: bytes = b""
    app_version: int = APP_VERSION

    def encode(self) -> bytes:
        """Stored form."""
        value = {
            "chain_id": self.chain_id,
            "height": self.height,
            "app_hash": self.app_hash.hex(),
            "app_version": self.app_version,
        }
        return json.dumps(value).encode()

    @classmethod
    def decode(cls, data: bytes) -> Head:
        """Read the stored form."""
        value = json.loads(data)
        return cls(
            chain_id=value["chain_id"],
            height=value["height"],
            app_hash=bytes.fromhex(value["app_hash"]),
            app_version=value["app_version"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A state that is not committed: rows to store, and the head that goes with them."""

    head: Head
    changes: Changes


class CourtMachine:
    """`Application` of the court network."""

    def __init__(self, store: StateStore) -> None:
        """Take up the committed state.

        Raises:
            IntegrityError: ``node.state_hash`` when the rows do not give the application hash stored with them.
            BugError: ``bug.court_rules`` when the state follows rules that this program does not have.
        """
        self._store = store
        data = store.get(META, _HEAD)
        self._head = Head() if data is None else Head.decode(data)
        self._commitments = Commitments(store)
        self._genesis: Overlay | None = None
        self._pending: _Pending | None = None
        if self._head.height and self._commitments.roots().app_hash != self._head.app_hash:
            raise IntegrityError("node.state_hash", height=self._head.height)
        self._rules(self._head.app_version)

    @property
    def head(self) -> Head:
        """Newest committed block."""
        return self._head

    def info(self) -> Info:
        """Where the engine has to go on."""
        head = self._head
        return Info(
            height=head.height,
            app_hash=head.app_hash if head.height else b"",
            app_version=head.app_version,
            version=PROGRAM_VERSION,
        )

    def init_chain(self, genesis: Genesis) -> GenesisResult:
        """State at genesis; kept in memory until the first block is committed, for the engine asks again before it."""
        self._take_back()
        if self._head.height:
            raise BugError("bug.court_genesis", height=self._head.height)
        rows = Overlay(self._store)
        self._rules(APP_VERSION).genesis(genesis, rows)
        self._commitments = Commitments(self._store)
        tiles = self._commitments.apply(rows.changes)
        rows.changes.update(tiles)
        roots = self._commitments.roots()
        self._commitments.take_back()
        self._head = Head(chain_id=genesis.chain_id, app_hash=roots.app_hash)
        self._genesis = rows
        return GenesisResult(app_hash=roots.app_hash, app_version=APP_VERSION)

    def check_tx(self, tx: bytes, *, recheck: bool) -> TxResult:  # noqa: ARG002 - both are judged alike
        """Judge a transaction against committed state, as if it came in the next block."""
        rows = self._genesis or self._store
        moment = Moment(chain_id=self._head.chain_id, height=self._head.height + 1)
        return self._rules(self._head.app_version).check(tx, rows, moment)

    def query(self, query: Query) -> QueryResult:
        """Answer from committed state."""
        pending = self._pending is not None
        return answer(query, self._store, self._commitments, self._head.height, pending=pending)

    def prepare_proposal(self, proposal: Proposal) -> tuple[bytes, ...]:
        """The transactions offered, urgent ones first, as long as they fit; they were checked on their way in."""
        rules, chain_id = self._rules(self._head.app_version), self._head.chain_id
        chosen: list[bytes] = []
        room = proposal.max_bytes
        for tx in sorted(proposal.txs, key=lambda tx: not rules.is_urgent(tx, chain_id)):
            room -= len(tx) + _framing(len(tx))
            if room < 0:
                break
            chosen.append(tx)
        return tuple(chosen)

    def process_proposal(self, proposal: Proposal) -> bool:  # noqa: ARG002
        """Accept: a refused transaction costs its block nothing but its place, and rejecting blocks risks standing still."""
        return True

    def finalize_block(self, block: Block) -> BlockResult:
        """Execute a block; asked again for the same height, it starts anew from committed state."""
        self._take_back()
        head = self._head
        if block.height != head.height + 1:
            raise BugError("bug.court_height", height=block.height, expected=head.height + 1)
        rows = Overlay(self._store)
        if self._genesis is not None:
            rows.merge(self._genesis)
        rules = self._rules(head.app_version)
        moment = Moment(chain_id=head.chain_id, height=block.height)
        results = tuple(self._execute(rules, tx, rows, moment) for tx in block.txs)
        end: BlockEnd = rules.end_block(rows, moment)
        changes = {**rows.changes, **self._commitments.apply(rows.changes)}
        changes.update(anchor_rows(rows.changes, self._commitments))
        app_hash = self._commitments.roots().app_hash
        version = head.app_version if end.app_version is None else end.app_version
        following = replace(head, height=block.height, app_hash=app_hash, app_version=version)
        changes[META, _HEAD] = following.encode()
        self._pending = _Pending(head=following, changes=changes)
        return BlockResult(
            app_hash=app_hash, results=results, validators=end.validators, app_version=end.app_version
        )

    def commit(self) -> int:
        """Store the finalized block; nothing is ever pruned."""
        if self._pending is None:
            raise BugError("bug.court_commit")
        self._store.commit(self._pending.changes)
        self._head = self._pending.head
        self._pending = self._genesis = None
        return 0

    def _execute(self, rules: Rules, tx: bytes, rows: Overlay, moment: Moment) -> TxResult:
        attempt = Overlay(rows)
        result = rules.execute(tx, attempt, moment)
        if result.code == 0:
            rows.merge(attempt)
        return result

    def _take_back(self) -> None:
        if self._pending is not None:
            self._commitments.take_back()
            self._pending = None

    def _rules(self, version: int) -> Rules:
        rules = RULES.get(version)
        if rules is None:
            raise BugError("bug.court_rules", version=version)
        return rules


def _framing(size: int) -> int:
    """Bytes the engine counts for a transaction beside its own: a field's tag and the length."""
    return 1 + max(1, (size.bit_length() + 6) // 7)
