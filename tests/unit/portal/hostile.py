"""A registered desk that spoils what others registered: real state machine, real notes, headers signed by its validators."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import LeafType, PlainObject
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.note import Note, NoteSignature, parse_note
from evidence_desk.court.protocol.block import LightBlock
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.header import Standing
from evidence_desk.court.protocol.lookup import LookupAnswer
from evidence_desk.court.protocol.map_proof import decode_map_proof
from evidence_desk.court.protocol.part import StateView, TimedBlock
from evidence_desk.court.protocol.search import KINDS, FoundLeaf, SearchAnswer
from evidence_desk.court.protocol.state import lookup_key
from evidence_desk.errors import NotFoundError
from tests.unit.court.network import make_header, path_in, signed
from tests.unit.court.test_with_machine import Network
from tests.unit.court_node.chain import CHAIN, Desk

FILE = b"the victim's file"
CERTIFICATE = b"%PDF- the victim's certificate"
STEP = timedelta(seconds=10)


@dataclass(frozen=True)
class Entered:
    """A leaf that came on chain by a checkpoint of its own."""

    desk: Desk
    seq: int
    height: int
    note: bytes

    @property
    def digest(self) -> bytes:
        return leaf_hash(self.desk.leaves[self.seq])


class Spoiled(Network):
    """A network with a victim and a hostile desk; `digests` of anything may be looked up."""

    def __init__(self, start: datetime | None = None) -> None:
        super().__init__()
        self.start = start or datetime(2026, 11, 1, tzinfo=UTC)
        self.victim, self.hostile = (
            Desk(name="victim", office="victim"),
            Desk(name="hostile", office="hostile"),
        )
        self.entered: dict[bytes, Entered] = {}
        self.pauses: dict[int, timedelta] = {}
        for desk in (self.victim, self.hostile):
            self.chain.register(desk)

    def block(self, height: int) -> LightBlock:
        time = BlockTime.of(self._time(height))
        header = make_header(
            height + 1, self.validators, app_hash=self.chain.hashes[height - 1], chain_id=CHAIN, time=time
        )
        return signed(header, self.validators, keys=self.chain.validators)

    def view(self, desk: Desk, height: int) -> StateView:
        view = super().view(desk, height)
        return replace(view, header=TimedBlock(block=view.header.block))

    def _time(self, height: int) -> datetime:
        return (
            self.start
            + STEP * height
            + sum((item for at, item in self.pauses.items() if at <= height), timedelta())
        )

    @property
    def now(self) -> datetime:
        return self._time(self.height + 1)

    def wait(self, time: timedelta) -> None:
        """Time goes by until the next block."""
        self.chain.run()
        self.pauses[self.height + 1] = time
        self.chain.run()

    # --- what desks do ----------------------------------------------------------------------------------------

    def register(self, desk: Desk, content: bytes, *, bad_note: bool = False, **members: object) -> Entered:
        """A leaf on chain; with `bad_note` under a checkpoint whose SM2 signature is over something else."""
        desk.leaf(content, **members)
        note = desk.note()
        if bad_note:
            good = parse_note(note)
            other = NoteSignature(
                name=desk.origin, key_id=good.signatures[1].key_id, signature=desk.signer.sign_sm2(b"other")
            )
            note = Note(text=good.text, signatures=(good.signatures[0], other)).encode()
        assert self.chain.run(desk.submission(len(desk.leaves) - 1, note=note)) == [0]
        made = Entered(desk=desk, seq=len(desk.leaves) - 1, height=self.height, note=note)
        self.entered[made.digest] = made
        return made

    def certify(self, desk: Desk, content: bytes = CERTIFICATE, *, bad_note: bool = False) -> Entered:
        """A certificate on chain."""
        facts = {"certificate": {**DigestPair.of(content).to_json()}}
        return self.register(
            desk,
            b"",
            bad_note=bad_note,
            type=LeafType.CERTIFICATE_ISSUED,
            statement=None,
            objects=(),
            facts=facts,
        )

    def revoke(self, entered: Entered, content: bytes = CERTIFICATE) -> None:
        """A desk revokes what it registered itself."""
        facts = {"certificate": {**DigestPair.of(content).to_json()}}
        self.register(
            entered.desk, b"", type=LeafType.CERTIFICATE_REVOKED, statement=None, objects=(), facts=facts,
            ref=entered.digest,
        )  # fmt: skip

    # --- what a gateway answers -------------------------------------------------------------------------------

    def found(self, entered: Entered) -> FoundLeaf:
        size = entered.seq + 1
        part = self.part(entered.desk, entered.digest, size, entered.height)
        if self.height > entered.height:
            part = self.refreshed(part, entered.desk, entered.digest)
        digests = [leaf_hash(item) for item in entered.desk.leaves[:size]]
        path = path_in(digests, entered.seq)
        return FoundLeaf(
            leaf=entered.desk.leaves[entered.seq], seq=entered.seq, path=path, note=entered.note, court=part
        )

    def answer(self, digest: bytes, *, hidden: tuple[Entered, ...] = ()) -> SearchAnswer:
        """``search/1`` with the proofs of all leaves but the hidden ones, oldest first."""
        standing = Standing(
            chain_id=CHAIN, roots=self.roots(self.height), block=self.block(self.height), history=()
        )
        lookups = []
        for kind in KINDS:
            key = lookup_key(kind, digest)
            entries, proof = self.entries(key, self.height)
            lookups.append(
                LookupAnswer(key=key, entries=entries, proof=decode_map_proof(proof), standing=standing)
            )
        named = dict.fromkeys(entry.leaf_hash for item in lookups for entry in item.entries)
        shown = [self.entered[item] for item in named if self.entered[item] not in hidden]
        return SearchAnswer(
            digest=digest,
            lookups=tuple(lookups),
            found=tuple(self.found(item) for item in shown),
            standing=standing,
        )

    async def search(self, digest: bytes) -> SearchAnswer:
        return self.answer(digest)

    async def numbers(self, text: str) -> tuple[str, tuple[FoundLeaf, ...]]:
        return text, ()

    async def leaf(self, digest: bytes) -> FoundLeaf:
        if digest not in self.entered:
            raise NotFoundError("api.not_found")
        return self.found(self.entered[digest])


def half_true(content: bytes, *, first: bool = True) -> PlainObject:
    """An object with one of the digests of a file, the other one invented."""
    own, other = DigestPair.of(content), DigestPair.of(content + b" not")
    pair = DigestPair(sha256=own.sha256 if first else other.sha256, sm3=other.sm3 if first else own.sm3)
    return PlainObject(digests=pair, size=len(content))
