"""A desk and a network of institutions in memory: real keys, real notes, real transactions, no engine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import Leaf, LeafObject, LeafType, PlainObject
from evidence_desk.core.log import note_keys
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.core.note import sign_note
from evidence_desk.court.node.abci.application import Block, BlockResult, Genesis, TxResult, Validator
from evidence_desk.court.node.app.genesis import app_state
from evidence_desk.court.node.app.machine import CourtMachine
from evidence_desk.court.node.app.occurrences import occurrences
from evidence_desk.court.node.app.records import Institution
from evidence_desk.court.node.app.store import MemoryStore, StateStore
from evidence_desk.court.protocol.actions import Envelope, ObjectList, RegisterDesk, SubmitCheckpoint
from evidence_desk.court.protocol.registry import DeskKeys
from evidence_desk.court.protocol.state import LookupEntry, lookup_value
from evidence_desk.court.protocol.transactions import (
    Payload,
    SignatureScheme,
    Transaction,
    TransactionSignature,
    sort_signatures,
)
from tests.fixed import AT, FixedSigner

CHAIN = "demo-test-0a1b2c3d"
UUID = "5f0c2a9e-7d41-4b6e-9a35-0c8d1e2f3a4b"
FAR = 1_000_000


def key(seed: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())


def public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def pair(data: bytes) -> bytes:
    digests = DigestPair.of(data)
    return digests.sha256 + digests.sm3


def signed(
    payload: Payload,
    *keys: Ed25519PrivateKey,
    sm2: tuple[FixedSigner, ...] = (),
    chain_id: str = CHAIN,
    expires: int = FAR,
) -> Transaction:
    """A transaction with the signatures of these keys."""
    plain = Transaction(chain_id=chain_id, expires_height=expires, payload=payload)
    body = plain.body()
    signatures = [
        TransactionSignature(scheme=SignatureScheme.ED25519, key=public(item), signature=item.sign(body))
        for item in keys
    ]
    for signer in sm2:
        signatures += [
            TransactionSignature(
                scheme=SignatureScheme.ED25519, key=signer.ed25519_public, signature=signer.sign_ed25519(body)
            ),
            TransactionSignature(
                scheme=SignatureScheme.SM2, key=signer.sm2_public, signature=signer.sign_sm2(body)
            ),
        ]
    return Transaction(
        chain_id=chain_id, expires_height=expires, payload=payload, signatures=sort_signatures(signatures)
    )


@dataclass
class Desk:
    """One desk with its log."""

    name: str = "one"
    office: str = "example"
    epoch: int = 1
    chain_id: str = CHAIN
    leaves: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.signer = FixedSigner(self.name.encode())
        self.next = FixedSigner(f"{self.name} next".encode())

    @property
    def origin(self) -> str:
        digits = hashlib.sha256(self.name.encode()).hexdigest()
        return f"desk.{self.office}.evidence/{digits[:8]}{UUID[8:]}/{self.epoch}"

    @property
    def keys(self) -> DeskKeys:
        return DeskKeys(
            ed25519=self.signer.ed25519_public,
            sm2=self.signer.sm2_public,
            next_ed25519=pair(self.next.ed25519_public),
            next_sm2=pair(self.next.sm2_public),
        )

    def registration(self, succeeds: str = "") -> RegisterDesk:
        return RegisterDesk(origin=self.origin, office=self.office, keys=self.keys, succeeds=succeeds)

    def leaf(self, content: bytes, **members: object) -> bytes:
        """Append a sealed exhibit, or whatever `members` make of it."""
        objects: tuple[LeafObject, ...] = (PlainObject(digests=DigestPair.of(content), size=len(content)),)
        values: dict[str, object] = {
            "log": self.origin, "seq": len(self.leaves), "type": LeafType.EXHIBIT_SEALED, "at": AT,
            "statement": DigestPair.of(b"statement " + content), "objects": objects,
        } | members  # fmt: skip
        data = Leaf(**values).encode()  # type: ignore[arg-type]
        self.leaves.append(data)
        return data

    def note(self, size: int | None = None, root: bytes | None = None) -> bytes:
        size = len(self.leaves) if size is None else size
        if root is None:
            root = root_of(leaf_hash(leaf) for leaf in self.leaves[:size])
        checkpoint = Checkpoint(origin=self.origin, size=size, root=root)
        keys = note_keys(self.origin, self.signer)
        return sign_note(
            checkpoint.text(), keys, ed25519=self.signer.sign_ed25519, sm2=self.signer.sign_sm2
        ).encode()

    def submission(
        self,
        old_size: int,
        size: int | None = None,
        *,
        objects: tuple[ObjectList, ...] = (),
        envelopes: tuple[Envelope, ...] = (),
        note: bytes | None = None,
    ) -> bytes:
        """Transaction for leaves old_size…size−1."""
        size = len(self.leaves) if size is None else size
        payload = SubmitCheckpoint(
            note=self.note(size) if note is None else note,
            old_size=old_size,
            leaves=tuple(self.leaves[old_size:size]),
            objects=objects,
            envelopes=envelopes,
        )
        return self.sign(payload)

    def sign(self, payload: Payload, expires: int = FAR) -> bytes:
        plain = Transaction(chain_id=self.chain_id, expires_height=expires, payload=payload)
        signature = TransactionSignature(
            scheme=SignatureScheme.ED25519,
            key=self.signer.ed25519_public,
            signature=self.signer.sign_ed25519(plain.body()),
        )
        return Transaction(
            chain_id=self.chain_id, expires_height=expires, payload=payload, signatures=(signature,)
        ).encode()


class Chain:
    """A machine over a store, and what an engine would do with it."""

    def __init__(self, count: int = 4, store: StateStore | None = None) -> None:
        self.governors = [key(f"governance {index}") for index in range(count)]
        self.validators = [key(f"consensus {index}") for index in range(count)]
        members = [
            Institution(
                institution=f"court-{index}", consensus_key=public(validator), governance_key=public(governor)
            )
            for index, (validator, governor) in enumerate(zip(self.validators, self.governors, strict=True))
        ]
        self.document = Genesis(
            chain_id=CHAIN,
            time_ns=0,
            validators=tuple(Validator(public_key=public(item), power=1) for item in self.validators),
            app_state=canonical(app_state(members)),
            initial_height=1,
        )
        self.store = store if store is not None else MemoryStore()
        self.machine = CourtMachine(self.store)
        self.blocks: list[tuple[bytes, ...]] = []
        self.hashes: list[bytes] = []
        self.genesis_hash = b""
        if self.machine.head.height == 0:
            self.genesis_hash = self.machine.init_chain(self.document).app_hash

    def block(self, *txs: bytes) -> BlockResult:
        """Finalize and commit the next block."""
        result = self.machine.finalize_block(
            Block(height=self.machine.head.height + 1, time_ns=0, txs=tuple(txs))
        )
        self.machine.commit()
        self.blocks.append(tuple(txs))
        self.hashes.append(result.app_hash)
        return result

    def run(self, *txs: bytes) -> list[int]:
        """Codes of the transactions of one block."""
        return [item.code for item in self.block(*txs).results]

    def check(self, tx: bytes) -> TxResult:
        return self.machine.check_tx(tx, recheck=False)

    def approved(self, payload: Payload, count: int | None = None, expires: int = FAR) -> bytes:
        """A transaction signed by all institutions, or by the first `count`."""
        return signed(payload, *self.governors[:count], expires=expires).encode()

    def register(self, desk: Desk) -> None:
        assert self.run(self.approved(desk.registration())) == [0]


def canonical(value: object) -> bytes:
    return json.dumps(value).encode()


def found(chain: Chain, key: bytes) -> list[LookupEntry]:
    """Occurrences under a look-up key, in order, as the map proves them."""
    value = chain.store.get("lookup", key)
    if value is None:
        return []
    entries = occurrences(chain.store, key, int.from_bytes(value[:8], "big"))
    decoded = [LookupEntry(leaf_hash=item[:32], height=int.from_bytes(item[32:], "big")) for item in entries]
    assert lookup_value(decoded) == value
    return decoded
