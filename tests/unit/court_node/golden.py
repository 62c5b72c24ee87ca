"""A small chain with every type of transaction, accepted and refused: `python -m tests.unit.court_node.golden` writes it.

The file is pinned in tests/vectors/court/chain-1.jsonl. It is written once for a version of the rules and never again:
whatever program executes it must get the hashes that stand in it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import LeafObject, LeafType, PlainObject, blind, objects_root
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.court.node.app.genesis import app_state
from evidence_desk.court.node.app.records import Institution
from evidence_desk.court.node.home import genesis_document
from evidence_desk.court.node.replay import Executed, results_hash, write_chain
from evidence_desk.court.protocol.actions import (
    AddValidator,
    Envelope,
    Govern,
    ObjectList,
    Parameter,
    Proposal,
    RemoveValidator,
    ReportEquivocation,
    RevokeDesk,
    RotateDeskKeys,
    SetParameter,
    SubmitCheckpoint,
    Upgrade,
    Vote,
)
from evidence_desk.court.protocol.registry import DeskKeys
from evidence_desk.court.protocol.state import APP_VERSION
from tests.fixed import FixedSigner
from tests.unit.court_node.chain import CHAIN, FAR, Chain, Desk, key, pair, public, signed

FILE = Path(__file__).parents[2] / "vectors" / "court" / "chain-1.jsonl"


def genesis_bytes(chain: Chain) -> bytes:
    """The same network as `Chain`, as a genesis document."""
    pairs = [(f"court-{index}", public(item)) for index, item in enumerate(chain.validators)]
    members = [
        Institution(institution=name, consensus_key=consensus, governance_key=public(governor))
        for (name, consensus), governor in zip(pairs, chain.governors, strict=True)
    ]
    document = genesis_document(
        chain_id=CHAIN,
        time="2026-03-02T01:30:00Z",
        validators=pairs,
        app_state=app_state(members),
        app_version=APP_VERSION,
    )
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def next_keys(desk: Desk, then: str) -> DeskKeys:
    following = FixedSigner(then.encode())
    return DeskKeys(
        ed25519=desk.next.ed25519_public,
        sm2=desk.next.sm2_public,
        next_ed25519=pair(following.ed25519_public),
        next_sm2=pair(following.sm2_public),
    )


class Writer:
    """A chain that notes what its blocks came to."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.genesis = genesis_bytes(self.chain)
        self.blocks: list[Executed] = []
        self.codes: set[int] = set()

    def block(self, *txs: bytes) -> list[int]:
        result = self.chain.block(*txs)
        self.blocks.append(
            Executed(
                height=len(self.blocks) + 1,
                txs=txs,
                app_hash=result.app_hash,
                results_hash=results_hash(result.results),
            )
        )
        codes = [item.code for item in result.results]
        self.codes |= set(codes)
        return codes

    def decide(self, proposal: Proposal, voters: int = 3) -> list[int]:
        """By a proposal, and votes in later blocks."""
        payload = Govern(propose=proposal)
        made = signed(payload, self.chain.governors[0])
        codes = self.block(made.encode())
        for governor in self.chain.governors[1:voters]:
            codes += self.block(signed(Govern(vote=Vote(proposal=made.id)), governor).encode())
        return codes


def write() -> Writer:
    """All blocks."""
    writer = Writer()
    chain, block = writer.chain, writer.block
    one, two, three, six = (Desk(name=name) for name in ("one", "two", "three", "six"))
    assert block() == []
    assert block(chain.approved(one.registration()), chain.approved(two.registration())) == [0, 0]
    _checkpoints(writer, one, two)
    _keys(writer, one, two)
    assert block(chain.approved(six.registration())) == [0]
    _decisions(writer, three)
    again = ReportEquivocation(first=two.note(), second=two.note(root=bytes(32)))
    assert block(signed(again).encode(), signed(again).encode()) == [0, 3]
    assert block(signed(ReportEquivocation(first=two.note())).encode()) == [17]
    for number in range(5):  # the look-up map beyond its first levels
        old = len(two.leaves)
        for item in range(20):
            two.leaf(hashlib.sha256(b"%d %d" % (number, item)).digest())
        assert block(two.submission(old)) == [0]
    _occurrences(writer, two, six)
    assert block(b"", b"\x00", b"{}", two.submission(0), two.sign(two.registration(), expires=3)) == [
        1,
        1,
        1,
        3,
        2,
    ]
    assert (
        writer.decide(Proposal(number=11, parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=9)))
        == [0] * 3
    )
    size = len(two.leaves)
    for number in range(5):
        two.leaf(b"beyond the quota %d" % number)
    assert block(two.submission(size), two.submission(size, size + 2)) == [11, 0]
    block()
    return writer


def _checkpoints(writer: Writer, one: Desk, two: Desk) -> None:
    block = writer.block
    one.leaf(b"contract")
    assert block(one.submission(0, envelopes=(Envelope(seq=0, ciphertext=b"cipher"),))) == [0]
    assert block(one.submission(0)) == [3]
    facts = {"certificate": dict(DigestPair.of(b"certificate").to_json())}
    plain = {"statement": None, "objects": (), "facts": facts}
    issued = leaf_hash(one.leaf(b"-", type=LeafType.CERTIFICATE_ISSUED, **plain))
    one.leaf(b"-", type=LeafType.CERTIFICATE_REVOKED, ref=issued, **plain)
    objects: tuple[LeafObject, ...] = (
        *(PlainObject(digests=DigestPair.of(b"%d" % number), size=number) for number in range(19)),
        blind(DigestPair.of(b"blinded"), bytes(32)),
    )
    one.leaf(b"large", objects=(), root=objects_root(objects), count=len(objects))
    listed = ObjectList(seq=3, objects=tuple(encode(item.to_json()) for item in objects))
    wrong = ObjectList(seq=3, objects=listed.objects[1:])
    assert block(one.submission(1, objects=(wrong,)), one.submission(1, objects=(listed,))) == [10, 0]
    two.leaf(b"contract")  # the same file at another desk
    one.leaf(b"later")
    assert block(two.submission(0), one.submission(3)) == [0, 8]
    two.leaf(b"more")
    forged = SubmitCheckpoint(note=two.note(root=bytes(32)), old_size=1, leaves=(two.leaves[1],))
    assert block(two.sign(forged), one.sign(forged), Desk(name="unknown").sign(forged)) == [9, 4, 6]
    assert block(two.submission(1)) == [0]
    stranger = Desk(name="stranger")
    stranger.leaf(b"x")
    assert block(stranger.submission(0)) == [6]


def _keys(writer: Writer, one: Desk, two: Desk) -> None:
    chain, block = writer.chain, writer.block
    change = RotateDeskKeys(origin=one.origin, keys=next_keys(one, "one then"))
    assert block(signed(change, sm2=(FixedSigner(b"thief"),)).encode()) == [5]
    one.leaf(b"in the block of a rotation")
    rotation = signed(change, sm2=(one.next,)).encode()
    assert block(one.submission(4), rotation) == [0, 8]
    assert block(rotation) == [0]
    one.signer = one.next
    one.leaf(b"under new keys")
    assert block(one.submission(6)) == [0]
    successor = Desk(name="one", epoch=2)
    successor.signer, successor.next = FixedSigner(b"epoch 2"), FixedSigner(b"epoch 2 next")
    assert block(chain.approved(successor.registration(succeeds=one.origin))) == [0]
    one.leaf(b"too late")
    assert block(one.submission(7), chain.approved(two.registration(), expires=FAR - 1)) == [7, 12]
    stolen = Desk(name="four")
    stolen.signer = two.signer
    assert block(chain.approved(stolen.registration())) == [13]
    gone = Desk(name="gone")
    assert block(chain.approved(gone.registration())) == [0]
    height = len(writer.blocks) + 1
    revoke = RevokeDesk(origin=gone.origin, effective_height=height + 2, suspect_from=height)
    assert block(chain.approved(revoke, 2), chain.approved(revoke)) == [5, 0]
    gone.leaf(b"x")
    assert block(gone.submission(0)) == [0]
    block()
    gone.leaf(b"y")
    assert block(gone.submission(1)) == [7]
    _endings(writer, one, gone)


def _endings(writer: Writer, closed: Desk, gone: Desk) -> None:
    """A closed log revoked, a revoked one followed, keys that prove nobody."""
    chain, block = writer.chain, writer.block
    height = len(writer.blocks) + 1
    late = RevokeDesk(origin=closed.origin, effective_height=height + 50, suspect_from=height)
    assert block(chain.approved(late)) == [0]
    assert block(closed.submission(7)) == [7]
    again = Desk(name="gone", epoch=2)
    again.signer, again.next = FixedSigner(b"gone 2"), FixedSigner(b"gone 2 next")
    assert block(chain.approved(again.registration(succeeds=gone.origin))) == [0]
    again.leaf(b"x")
    assert block(again.submission(0)) == [0]
    weak = Desk(name="weak")
    keys = replace(weak.keys, ed25519=bytes([1]) + bytes(31))
    assert block(chain.approved(replace(weak.registration(), keys=keys))) == [13]


def _decisions(writer: Writer, three: Desk) -> None:
    chain, decide = writer.chain, writer.decide
    fifth = AddValidator(
        consensus_key=public(key("consensus 4")),
        governance_key=public(key("governance 4")),
        institution="court-4",
    )
    assert decide(Proposal(number=1, add=fifth)) == [0, 0, 0]
    assert decide(Proposal(number=2, add=fifth))[-1] == 0, "five members now: the third vote is not enough"
    assert (
        decide(Proposal(number=3, parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=50_000)), 4)[
            -1
        ]
        == 0
    )
    remove = RemoveValidator(consensus_key=public(key("consensus 4")))
    assert decide(Proposal(number=4, remove=remove), 4) == [0, 0, 0, 0]
    assert decide(Proposal(number=5, remove=remove)) == [0, 0, 15]
    assert decide(Proposal(number=6, register=three.registration())) == [0, 0, 0]
    assert decide(
        Proposal(number=7, rotate=RotateDeskKeys(origin=three.origin, keys=next_keys(three, "then")))
    ) == [0, 0, 0]
    revoke = RevokeDesk(origin=three.origin, effective_height=FAR, suspect_from=FAR)
    assert decide(Proposal(number=8, revoke=revoke)) == [0, 0, 0]
    assert decide(Proposal(number=9, upgrade=Upgrade(height=FAR, app_version=2))) == [0, 0, 0]
    assert decide(Proposal(number=10, upgrade=Upgrade(height=1, app_version=2))) == [0, 0, 16]
    assert decide(Proposal(number=12, upgrade=Upgrade(height=FAR, app_version=3))) == [0, 0, 16]
    assert decide(Proposal(number=13, upgrade=Upgrade(height=2 * FAR, app_version=2))) == [0, 0, 0]
    _members(writer, fifth, remove)
    assert writer.block(signed(Govern(vote=Vote(proposal=bytes(32))), chain.governors[0]).encode()) == [14]


def _members(writer: Writer, fifth: AddValidator, remove: RemoveValidator) -> None:
    """Votes that became enough when a member left, and who counts for the changes of one block."""
    chain, block = writer.chain, writer.block
    assert writer.decide(Proposal(number=14, add=fifth)) == [0, 0, 0]
    waits = signed(
        Govern(
            propose=Proposal(
                number=15, parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=60_000)
            )
        ),
        *chain.governors[:3],
    )
    vote = signed(Govern(vote=Vote(proposal=waits.id)), chain.governors[0]).encode()
    assert block(waits.encode(), vote) == [0, 3]
    assert writer.decide(Proposal(number=16, remove=remove), 4) == [0, 0, 0, 0]
    assert block(vote) == [0]
    both = [
        chain.approved(Govern(propose=Proposal(number=17, add=fifth))),
        chain.approved(
            Govern(
                propose=Proposal(number=18, remove=RemoveValidator(consensus_key=public(chain.validators[0])))
            )
        ),
    ]
    assert block(*both) == [0, 15]
    gone = signed(Govern(propose=Proposal(number=19, remove=remove)), *chain.governors).encode()
    assert block(gone) == [0]


def _occurrences(writer: Writer, desk: Desk, other: Desk) -> None:
    """More of one file, and more about one leaf, than has a place."""
    block = writer.block
    old = len(desk.leaves)
    for _ in range(20):
        desk.leaf(b"again and again")
        other.leaf(b"again and again")
    start = len(other.leaves) - 20
    assert block(desk.submission(old), other.submission(start)) == [0, 0]
    about, size = leaf_hash(desk.leaves[old]), len(desk.leaves)
    noted = {"commitment": dict(DigestPair.of(b"note").to_json())}
    plain = {"statement": None, "objects": (), "ref": about}
    for _ in range(63):
        desk.leaf(b"-", type=LeafType.CORRECTION_NOTED, facts=noted, **plain)
    assert block(desk.submission(size)) == [0]
    desk.leaf(b"-", type=LeafType.CORRECTION_NOTED, facts=noted, **plain)
    assert block(desk.submission(size + 63)) == [10]
    desk.leaves.pop()
    facts = {"certificate": dict(DigestPair.of(b"certificate").to_json())}
    desk.leaf(b"-", type=LeafType.CERTIFICATE_REVOKED, facts=facts, **plain)
    assert block(desk.submission(size + 63)) == [0]


if __name__ == "__main__":
    made = write()
    if FILE.exists():
        raise SystemExit(f"{FILE} is pinned")
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("wb") as stream:
        write_chain(stream, made.genesis, made.blocks)
    print(len(made.blocks), made.blocks[-1].app_hash.hex(), sorted(made.codes), FILE.stat().st_size)
