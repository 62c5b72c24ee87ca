"""A small court network made by hand: real keys, real votes, real state, no engine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.log import note_keys
from evidence_desk.core.merkle import leaf_hash, node_hash, root_of
from evidence_desk.core.note import sign_note
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.block import (
    ABSENT,
    NO_BLOCK,
    BlockId,
    Commit,
    CommitSignature,
    Header,
    LightBlock,
    Validator,
    ValidatorSet,
    VoteFlag,
)
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.part import CourtEvent, CourtPart, LeafEvents, StateView, TimedBlock
from evidence_desk.court.protocol.registry import (
    CHECKPOINT_RECORD,
    DESK_ENTRY,
    CheckpointRecord,
    DeskEntry,
    DeskKeys,
    DeskStatus,
)
from evidence_desk.court.protocol.sparse_map import SparseMap
from evidence_desk.court.protocol.state import (
    APP_VERSION,
    SENTINEL_KEY,
    SENTINEL_VALUE,
    ListRoot,
    LookupEntry,
    LookupKind,
    StateRoots,
    desk_key,
    events_key,
    lookup_key,
    lookup_value,
)
from evidence_desk.court.protocol.verdict import CourtVerdict, TokenTime
from evidence_desk.court.protocol.verify import verify_court
from tests.fixed import AT, ORIGIN, SIGNER

CHAIN = "demo-court-7f3a"
GENESIS = BlockTime.of(datetime(2026, 3, 1, tzinfo=UTC))
NOW = datetime(2027, 3, 1, tzinfo=UTC)


def digest(name: object) -> bytes:
    return hashlib.sha256(repr(name).encode()).digest()


@cache
def node_key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(digest(("node", number)))


def validator(number: int, power: int = 1) -> Validator:
    return Validator(public_key=node_key(number).public_key().public_bytes_raw(), power=power)


def nodes(*numbers: int) -> ValidatorSet:
    return ValidatorSet.of([validator(number) for number in numbers])


def _private(item: Validator, others: Sequence[Ed25519PrivateKey]) -> Ed25519PrivateKey:
    for key in (*others, *(node_key(number) for number in range(100))):
        if key.public_key().public_bytes_raw() == item.public_key:
            return key
    raise LookupError


def make_header(
    height: int,
    validators: ValidatorSet,
    *,
    following: ValidatorSet | None = None,
    app_hash: bytes = b"",
    app_version: int = APP_VERSION,
    chain_id: str = CHAIN,
    time: BlockTime | None = None,
) -> Header:
    last = BlockId(
        hash=digest(("block", chain_id, height - 1)), parts=1, parts_hash=digest(("parts", height - 1))
    )
    return Header(
        block_version=11,
        app_version=app_version,
        chain_id=chain_id,
        height=height,
        time=time or BlockTime(GENESIS.seconds + 60 * (height - 1), height % 1000),
        last_block_id=last if height > 1 else NO_BLOCK,
        last_commit_hash=digest(("commit", height)),
        data_hash=digest(("data", height)),
        validators_hash=validators.hash,
        next_validators_hash=(following or validators).hash,
        consensus_hash=digest("consensus"),
        app_hash=app_hash or digest(("app", height)),
        last_results_hash=digest(("results", height)),
        evidence_hash=digest("evidence"),
        proposer_address=validators.validators[0].address,
    )


def signed(
    header: Header,
    validators: ValidatorSet,
    *,
    absent: Sequence[int] = (),
    nil: Sequence[int] = (),
    round_: int = 0,
    keys: Sequence[Ed25519PrivateKey] = (),
) -> LightBlock:
    """Commit for a header; `absent` and `nil` are places in the set, `keys` those of other validators than ours."""
    commit = Commit(
        height=header.height,
        round=round_,
        block_id=BlockId(hash=header.hash, parts=1, parts_hash=digest(("parts", header.height))),
        signatures=(ABSENT,) * len(validators.validators),
    )
    votes: list[CommitSignature] = []
    for place, item in enumerate(validators.validators):
        if place in absent:
            votes.append(ABSENT)
            continue
        vote = CommitSignature(
            flag=VoteFlag.NIL if place in nil else VoteFlag.COMMIT,
            address=item.address,
            time=BlockTime(header.time.seconds + 1, 1000 * place + 7),
            signature=bytes(64),
        )
        signature = _private(item, keys).sign(commit.sign_bytes(vote, header.chain_id))
        votes.append(replace(vote, signature=signature))
    return LightBlock(header=header, commit=replace(commit, signatures=tuple(votes)), validators=validators)


def path_in(digests: list[bytes], index: int) -> tuple[bytes, ...]:
    """Inclusion path by the definition of RFC 6962 §2.1.1."""
    if len(digests) == 1:
        return ()
    half = 1 << ((len(digests) - 1).bit_length() - 1)
    if index < half:
        return (*path_in(digests[:half], index), root_of(digests[half:]))
    return (*path_in(digests[half:], index - half), root_of(digests[:half]))


assert node_hash(b"a", b"b") != node_hash(b"b", b"a")

KEYS = DeskKeys(
    ed25519=SIGNER.ed25519_public,
    sm2=SIGNER.sm2_public,
    next_ed25519=digest(1) + digest(2),
    next_sm2=digest(3) + digest(4),
)
LEAVES = [Leaf(log=ORIGIN, seq=seq, type=LeafType.HEARTBEAT, at=AT).encode() for seq in range(12)]
LEAF = LEAVES[5]
LEAF_HASH = leaf_hash(LEAF)
CHECKPOINT = Checkpoint(origin=ORIGIN, size=12, root=root_of(leaf_hash(leaf) for leaf in LEAVES))
NOTE = sign_note(
    CHECKPOINT.text(), note_keys(ORIGIN, SIGNER), ed25519=SIGNER.sign_ed25519, sm2=SIGNER.sign_sm2
).encode()


def event_leaf(kind: LeafType, *, ref: bytes = LEAF_HASH, log: str = ORIGIN, seq: int = 9) -> bytes:
    name = "commitment" if kind is LeafType.CORRECTION_NOTED else "certificate"
    facts = {name: {**DigestPair.of(b"private note").to_json()}}
    return Leaf(log=log, seq=seq, type=kind, at=AT, ref=ref, facts=facts).encode()  # type: ignore[arg-type]


@dataclass
class World:
    """State of the network after one block, and proofs from it."""

    height: int = 40
    size: int = 50
    index: int = 33
    lookups: int = 200
    entry: DeskEntry = field(
        default_factory=lambda: DeskEntry(
            origin=ORIGIN,
            office="example",
            keys=KEYS,
            registered=3,
            keys_since=3,
            status=DeskStatus.ACTIVE,
            status_since=3,
            size=CHECKPOINT.size,
            root=CHECKPOINT.root,
        )
    )
    events: tuple[CourtEvent, ...] = ()
    chain_id: str = CHAIN
    validators: ValidatorSet = field(default_factory=lambda: nodes(*range(7)))
    following: ValidatorSet | None = None
    app_version: int = APP_VERSION
    time: BlockTime | None = None

    def __post_init__(self) -> None:
        self.record = CheckpointRecord(
            origin=CHECKPOINT.origin, size=CHECKPOINT.size, root=CHECKPOINT.root, height=self.height
        )
        records = [
            CHECKPOINT_RECORD.encode(
                self.record
                if number == self.index
                else CheckpointRecord(origin=ORIGIN, size=number + 1, root=digest(number), height=number + 1)
            )
            for number in range(self.size)
        ]
        self.digests = [leaf_hash(record) for record in records]
        self.desks = SparseMap()
        others = {desk_key(f"{ORIGIN[:-1]}{number}"): digest(number) for number in range(100, 140)}
        self.desks.update({**others, desk_key(ORIGIN): DESK_ENTRY.encode(self.entry)})
        self.lookup = SparseMap()
        values: dict[bytes, bytes] = {SENTINEL_KEY: SENTINEL_VALUE}
        for number in range(self.lookups):
            entry = LookupEntry(leaf_hash=digest(("leaf", number)), height=number + 1)
            values[lookup_key(LookupKind.OBJECT_SHA256, digest(number))] = lookup_value([entry])
        if self.events:
            values[self.events_key] = lookup_value([event.entry for event in self.events])
        self.lookup.update(values)
        self.roots = StateRoots(
            checkpoints=ListRoot.of(records),
            desks=self.desks.root(),
            governance=digest("governance"),
            lookup=self.lookup.root(),
        )

    @property
    def events_key(self) -> bytes:
        return events_key(ORIGIN, LEAF_HASH)

    def block(self, **votes: Sequence[int]) -> LightBlock:
        header = make_header(
            self.height + 1,
            self.validators,
            following=self.following,
            app_hash=self.roots.app_hash,
            app_version=self.app_version,
            chain_id=self.chain_id,
            time=self.time,
        )
        return signed(header, self.validators, **votes)  # type: ignore[arg-type]

    def view(self, **votes: Sequence[int]) -> StateView:
        block = self.block(**votes)
        return StateView(
            header=timed(block),
            roots=self.roots,
            desk=self.entry,
            desk_proof=self.desks.prove(desk_key(ORIGIN))[1],
        )

    def leaf_events(self) -> LeafEvents:
        return LeafEvents(events=self.events, proof=self.lookup.prove(self.events_key)[1])

    def part(self, *, history: Sequence[TimedBlock] = (), current: World | None = None) -> CourtPart:
        return CourtPart(
            chain_id=self.chain_id,
            record=self.record,
            index=self.index,
            path=path_in(self.digests, self.index),
            anchor=self.view(),
            events=(current or self).leaf_events(),
            history=tuple(history),
            current=None if current is None else current.view(),
        )


def timed(block: LightBlock, delay: timedelta = timedelta(hours=1)) -> TimedBlock:
    return TimedBlock(block=block, token=make_token(block.header.hash, block.header.time.moment() + delay))


def make_token(imprint: bytes, moment: datetime) -> bytes:
    """Stands for a token where the judge of tokens is not the matter: text with a checksum."""
    body = b"token " + imprint + moment.isoformat().encode()
    return body + sha256(body)


def judge_token(token: bytes, imprint: bytes) -> TokenTime:
    body, check = token[:-32], token[-32:]
    if sha256(body) != check or body[6:38] != imprint:
        return TokenTime(status=Status.FAILED)
    return TokenTime(status=Status.PASSED, gen_time=datetime.fromisoformat(body[38:].decode()))


def trust(validators: ValidatorSet | None = None, **changes: object) -> NetworkTrust:
    given = validators or nodes(*range(7))
    base = NetworkTrust(chain_id=CHAIN, genesis=given, genesis_time=GENESIS)
    return replace(base, **changes)  # type: ignore[arg-type]


def judge(part: CourtPart, **changes: object) -> CourtVerdict:
    given = {
        "trust": trust(),
        "checkpoint": CHECKPOINT,
        "leaf_hash": LEAF_HASH,
        "token": judge_token,
        "now": NOW,
        **changes,
    }
    return verify_court(part, **given)  # type: ignore[arg-type]


def codes(verdict: CourtVerdict) -> list[str]:
    return [item.code for item in verdict.findings]
