"""From the real state machine to a judged court part: only consensus is played by hand."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.note import NoteCheck, check_note
from evidence_desk.core.verdict import Status
from evidence_desk.court.node.abci.application import Query
from evidence_desk.court.node.app.logs import log_key
from evidence_desk.court.protocol.actions import RevokeDesk
from evidence_desk.court.protocol.block import LightBlock, Validator, ValidatorSet
from evidence_desk.court.protocol.header import Standing
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.light_block import from_base64
from evidence_desk.court.protocol.lookup import LookupAnswer, verify_lookup
from evidence_desk.court.protocol.map_proof import decode_map_proof
from evidence_desk.court.protocol.part import CourtEvent, CourtPart, LeafEvents, StateView, parse_court_part
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, DESK_ENTRY
from evidence_desk.court.protocol.state import (
    ListRoot,
    LookupEntry,
    LookupKind,
    StateRoots,
    events_key,
    lookup_key,
)
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.court.protocol.verdict import CourtVerdict
from tests.fixed import FixedSigner
from tests.unit.court.network import GENESIS, codes, judge, judge_token, make_header, signed, timed
from tests.unit.court_node.chain import CHAIN, Chain, Desk, public


class Network:
    """A machine, and headers that its validators sign."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.validators = ValidatorSet.of(
            [Validator(public_key=public(key), power=1) for key in self.chain.validators]
        )
        self.trust = NetworkTrust(chain_id=CHAIN, genesis=self.validators, genesis_time=GENESIS)

    @property
    def height(self) -> int:
        return self.chain.machine.head.height

    def block(self, height: int) -> LightBlock:
        """Header height + 1, with the application hash after `height`."""
        header = make_header(
            height + 1, self.validators, app_hash=self.chain.hashes[height - 1], chain_id=CHAIN
        )
        return signed(header, self.validators, keys=self.chain.validators)

    def ask(self, path: str, data: bytes, height: int) -> Any:
        result = self.chain.machine.query(Query(path=path, data=data, height=height))
        assert result.code == 0, result.log
        return json.loads(result.value)

    def roots(self, height: int) -> StateRoots:
        value = self.ask("/state", b"", height)["roots"]
        return StateRoots(
            checkpoints=ListRoot(
                size=value["checkpoints"]["size"], root=bytes.fromhex(value["checkpoints"]["root"])
            ),
            desks=bytes.fromhex(value["desks"]),
            governance=bytes.fromhex(value["governance"]),
            lookup=bytes.fromhex(value["lookup"]),
        )

    def entries(self, key: bytes, height: int) -> tuple[tuple[LookupEntry, ...], bytes]:
        value = self.ask("/lookup", key, height)
        raw = [base64.b64decode(item) for item in value["entries"]]
        found = tuple(
            LookupEntry(leaf_hash=item[:32], height=int.from_bytes(item[32:], "big")) for item in raw
        )
        return found, from_base64(value["proof"])

    def events(self, desk: Desk, about: bytes, height: int, *others: Desk) -> LeafEvents:
        entries, proof = self.entries(events_key(desk.origin, about), height)
        leaves = {leaf_hash(leaf): leaf for one in (desk, *others) for leaf in one.leaves}
        return LeafEvents(
            events=tuple(CourtEvent(leaf=leaves[entry.leaf_hash], height=entry.height) for entry in entries),
            proof=decode_map_proof(proof),
        )

    def view(self, desk: Desk, height: int) -> StateView:
        value = self.ask("/desk", desk.origin.encode(), height)
        return StateView(
            header=timed(self.block(height)),
            roots=self.roots(height),
            desk=DESK_ENTRY.decode(from_base64(value["entry"])),
            desk_proof=decode_map_proof(from_base64(value["proof"])),
        )

    def part(self, desk: Desk, about: bytes, size: int, height: int) -> CourtPart:
        value = self.ask("/checkpoint", log_key(desk.origin, size), height)
        record = CHECKPOINT_RECORD.decode(from_base64(value["record"]))
        assert record.height == height
        return CourtPart(
            chain_id=CHAIN,
            record=record,
            index=value["index"],
            path=tuple(from_base64(node) for node in value["path"]),
            anchor=self.view(desk, height),
            events=self.events(desk, about, height),
        )

    def refreshed(self, part: CourtPart, desk: Desk, about: bytes, *others: Desk) -> CourtPart:
        events = self.events(desk, about, self.height, *others)
        return replace(part, current=self.view(desk, self.height), events=events)

    def judge(self, part: CourtPart, checkpoint: Checkpoint, about: bytes) -> CourtVerdict:
        read = parse_court_part(part.encode())
        return judge(read, trust=self.trust, checkpoint=checkpoint, leaf_hash=about)


@pytest.fixture
def anchored() -> tuple[Network, Desk, CourtPart, Checkpoint, bytes]:
    network, desk, other = Network(), Desk(), Desk(name="two", office="other")
    network.chain.register(other)
    network.chain.register(desk)
    other.leaf(b"something else")
    assert network.chain.run(other.submission(0)) == [0]
    sealed = leaf_hash(desk.leaf(b"contract"))
    desk.leaf(b"letter")
    assert network.chain.run(desk.submission(0)) == [0]
    part = network.part(desk, sealed, 2, network.height)
    checkpoint, _ = parse_checkpoint(desk.note(2))
    return network, desk, part, checkpoint, sealed


def test_an_anchored_leaf_passes(anchored):
    network, desk, part, checkpoint, sealed = anchored
    verdict = network.judge(part, checkpoint, sealed)
    assert verdict.status is Status.PASSED, codes(verdict)
    assert verdict.anchored_at == network.block(4).header.time.moment()
    assert verdict.desk_keys is not None
    _, note = parse_checkpoint(desk.note(2))
    assert check_note(note, verdict.desk_keys) == NoteCheck(ed25519=True, sm2=True)


def test_state_of_one_height_does_not_serve_another(anchored):
    network, desk, part, checkpoint, sealed = anchored
    desk.leaf(b"more")
    assert network.chain.run(desk.submission(2)) == [0]
    later = replace(part, anchor=network.view(desk, network.height))
    assert "court.checkpoint.height" in codes(network.judge(later, checkpoint, sealed))
    crossed = replace(part, anchor=replace(part.anchor, header=timed(network.block(network.height))))
    assert "court.state.wrong" in codes(network.judge(crossed, checkpoint, sealed))
    fresh = network.refreshed(part, desk, sealed)
    verdict = network.judge(fresh, checkpoint, sealed)
    assert (verdict.status, verdict.as_of) == (Status.PASSED, network.height)


def test_a_later_revocation_is_seen_in_the_current_state(anchored):
    network, desk, part, checkpoint, sealed = anchored
    facts = {"certificate": {**DigestPair.of(b"certificate").to_json()}}
    members: dict[str, Any] = {
        "type": LeafType.CERTIFICATE_REVOKED, "statement": None, "objects": (), "ref": sealed, "facts": facts,
    }  # fmt: skip
    desk.leaf(b"", **members)
    assert network.chain.run(desk.submission(2)) == [0]
    before = network.judge(part, checkpoint, sealed)
    assert (before.status, before.as_of) == (Status.PASSED, 4)
    fresh = network.refreshed(part, desk, sealed)
    verdict = network.judge(fresh, checkpoint, sealed)
    assert "court.events.revoked" in codes(verdict)
    assert verdict.status is Status.UNDETERMINED


@pytest.mark.parametrize(("suspect", "code"), [(5, "court.desk.revoked_later"), (4, "court.desk.suspect")])
def test_a_revoked_desk(anchored, suspect, code):
    network, desk, part, checkpoint, sealed = anchored
    revoke = RevokeDesk(origin=desk.origin, effective_height=6, suspect_from=suspect)
    assert network.chain.run(network.chain.approved(revoke)) == [0]
    network.chain.run()
    network.chain.run()
    fresh = network.refreshed(part, desk, sealed)
    assert code in codes(network.judge(fresh, checkpoint, sealed))


def test_exhibits_of_a_successor_stand_whatever_is_said_of_the_log_before(anchored):
    """A stolen disk: the closed log is revoked, writes no more, and cannot take exhibits of the successor back."""
    network, old, before, checkpoint, sealed = anchored
    chain, new = network.chain, Desk(epoch=2)
    new.signer = FixedSigner(b"restored")
    assert chain.run(chain.approved(new.registration(old.origin))) == [0]
    honest = leaf_hash(new.leaf(b"honest"))
    assert chain.run(new.submission(0)) == [0]
    part = network.part(new, honest, 1, network.height)
    late = RevokeDesk(
        origin=old.origin, effective_height=network.height + 20, suspect_from=network.height + 20
    )
    assert chain.run(chain.approved(late)) == [0]
    facts = {"certificate": {**DigestPair.of(b"c").to_json()}}
    members: dict[str, Any] = {"statement": None, "objects": (), "ref": honest, "facts": facts}
    old.leaf(b"", type=LeafType.CERTIFICATE_REVOKED, **members)
    assert chain.run(old.submission(2)) == [TxCode.DESK_INACTIVE]
    verdict = network.judge(
        network.refreshed(part, new, honest, old), parse_checkpoint(new.note())[0], honest
    )
    assert verdict.status is Status.PASSED, codes(verdict)
    earlier = network.judge(network.refreshed(before, old, sealed), checkpoint, sealed)
    assert "court.desk.revoked_later" in codes(earlier)
    assert earlier.status is Status.PASSED


def test_what_was_in_doubt_before_a_successor_stays_in_doubt(anchored):
    network, desk, _, _, _ = anchored
    chain, height = network.chain, network.height
    pending = RevokeDesk(origin=desk.origin, effective_height=height + 20, suspect_from=height + 1)
    assert chain.run(chain.approved(pending)) == [0]
    thief = leaf_hash(desk.leaf(b"thief"))
    assert chain.run(desk.submission(2)) == [0]
    part, checkpoint = network.part(desk, thief, 3, network.height), parse_checkpoint(desk.note())[0]
    successor = Desk(epoch=2)
    successor.signer = FixedSigner(b"restored")
    assert chain.run(chain.approved(successor.registration(desk.origin))) == [0]
    for judged in (part, network.refreshed(part, desk, thief)):
        assert "court.desk.suspect" in codes(network.judge(judged, checkpoint, thief))


def test_look_up_by_digest(anchored):
    network, _, _, _, sealed = anchored
    block = network.block(4)
    for content, found in ((b"contract", [sealed]), (b"never seen", [])):
        for kind, digest in (
            (LookupKind.OBJECT_SHA256, DigestPair.of(content).sha256),
            (LookupKind.OBJECT_SM3, DigestPair.of(content).sm3),
        ):
            key = lookup_key(kind, digest)
            entries, proof = network.entries(key, 4)
            standing = Standing(chain_id=CHAIN, roots=network.roots(4), block=block)
            answer = LookupAnswer(key=key, entries=entries, proof=decode_map_proof(proof), standing=standing)
            verdict = verify_lookup(
                answer, key=key, trust=network.trust, token=judge_token, now=block.header.time.moment()
            )
            assert verdict.status is Status.PASSED
            assert [entry.leaf_hash for entry in verdict.entries or ()] == found
