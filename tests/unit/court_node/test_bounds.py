"""What bounds a submission: who may have it read, the form of its note, places for digests and events."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.note import Note, NoteSignature, parse_note
from evidence_desk.court.node.abci.application import Query
from evidence_desk.court.node.app.occurrences import MAX_EVENTS, MAX_SHARE
from evidence_desk.court.protocol.actions import Govern, Parameter, Proposal, SetParameter
from evidence_desk.court.protocol.state import LookupKind, lookup_key
from evidence_desk.court.protocol.transactions import (
    _BODY,
    _SIGNATURE,
    Body,
    SignatureScheme,
    TransactionSignature,
    TransactionType,
)
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.court.protocol.wire import message_field
from tests.fixed import FixedSigner
from tests.unit.court_node.chain import CHAIN, FAR, Desk, found, key, public


def test_a_payload_is_read_only_for_a_desk(chain, desk):
    """Each refusal here says that the payload, which is none, was not looked at before."""
    junk = message_field(1, b"note") + message_field(3, b"x") * 300_000

    def transaction(*signers: Ed25519PrivateKey) -> bytes:
        body = Body(chain_id=CHAIN, type=TransactionType.SUBMIT_CHECKPOINT, expires_height=FAR, payload=junk)
        data = _BODY.encode(body)
        made = message_field(1, data)
        for signer in signers:
            signature = TransactionSignature(
                scheme=SignatureScheme.ED25519, key=public(signer), signature=signer.sign(data)
            )
            made += message_field(2, _SIGNATURE.encode(signature))
        return made

    assert chain.check(transaction()).code == TxCode.SIGNATURE
    assert chain.check(transaction(key("stranger"))).code == TxCode.DESK_UNKNOWN
    assert chain.run(transaction(desk.signer._ed25519)) == [TxCode.MALFORMED]
    change = SetParameter(parameter=Parameter.MAX_SUBMIT_BYTES, value=16 * 1024)
    assert chain.run(chain.approved(Govern(propose=Proposal(number=1, parameter=change)))) == [0]
    assert chain.run(transaction(desk.signer._ed25519)) == [TxCode.QUOTA]


def test_one_desk_cannot_fill_the_places_of_a_digest(chain, desk):
    successor, other = Desk(epoch=2), Desk(name="two")
    successor.signer = FixedSigner(b"restored")
    chain.register(other)
    key = lookup_key(LookupKind.OBJECT_SHA256, DigestPair.of(b"same").sha256)
    for _ in range(37):
        desk.leaf(b"same")
    for start in range(0, 37, 5):
        assert chain.run(desk.submission(start, min(start + 5, 37))) == [0]
    first = [leaf_hash(leaf) for leaf in desk.leaves[:MAX_SHARE]]
    assert [item.leaf_hash for item in found(chain, key)] == first
    for _ in range(MAX_SHARE + 1):
        other.leaf(b"same")
    assert chain.run(other.submission(0)) == [0]
    both = first + [leaf_hash(leaf) for leaf in other.leaves[:MAX_SHARE]]
    assert [item.leaf_hash for item in found(chain, key)] == both, "another desk has a share of its own"
    assert chain.run(chain.approved(successor.registration(desk.origin))) == [0]
    successor.leaf(b"same")
    assert chain.run(successor.submission(0)) == [0]
    assert len(found(chain, key)) == len(both), "a new epoch gives no new share"


def test_shares_where_desks_come_in_turn(chain, desk):
    """The first entries are no one desk's: who has how many is counted from them."""
    other = Desk(name="two")
    chain.register(other)
    for _ in range(20):
        desk.leaf(b"same")
        other.leaf(b"same")
    for at in range(20):
        assert chain.run(desk.submission(at, at + 1), other.submission(at, at + 1)) == [0, 0]
    entries = found(chain, lookup_key(LookupKind.OBJECT_SM3, DigestPair.of(b"same").sm3))
    turns = [leaf_hash(leaf) for pair in zip(desk.leaves, other.leaves, strict=True) for leaf in pair]
    assert [item.leaf_hash for item in entries] == turns[: 2 * MAX_SHARE]


def correction(desk: Desk, about: bytes) -> bytes:
    facts = {"commitment": dict(DigestPair.of(b"note").to_json())}
    made: bytes = desk.leaf(
        b"-", type=LeafType.CORRECTION_NOTED, ref=about, facts=facts, statement=None, objects=()
    )
    return made


def revocation(desk: Desk, about: bytes) -> bytes:
    facts = {"certificate": dict(DigestPair.of(b"certificate").to_json())}
    made: bytes = desk.leaf(
        b"-", type=LeafType.CERTIFICATE_REVOKED, ref=about, facts=facts, statement=None, objects=()
    )
    return made


def test_events_about_a_leaf_can_always_be_told(chain, desk):
    about = leaf_hash(desk.leaf(b"x"))
    for _ in range(MAX_EVENTS - 1):
        correction(desk, about)
    assert chain.run(desk.submission(0)) == [0]
    correction(desk, about)
    assert chain.run(desk.submission(MAX_EVENTS)) == [TxCode.LEAF], "the last place is a revocation's"
    desk.leaves.pop()
    revocation(desk, about)
    assert chain.run(desk.submission(MAX_EVENTS)) == [0]
    query = Query(path="/events", data=desk.origin.encode() + b"\n" + about, height=0)
    result = chain.machine.query(query)
    assert result.code == 0
    assert len(json.loads(result.value)["events"][0]["leaves"]) == MAX_EVENTS
    for add in (correction, revocation):
        add(desk, about)
        assert chain.run(desk.submission(MAX_EVENTS + 1)) == [TxCode.LEAF]
        desk.leaves.pop()
    desk.leaf(b"y")
    assert chain.run(desk.submission(MAX_EVENTS + 1)) == [0]


def reworked(desk: Desk, change: Callable[[tuple[NoteSignature, ...]], tuple[NoteSignature, ...]]) -> bytes:
    note = parse_note(desk.note())
    return Note(text=note.text, signatures=change(note.signatures)).encode()


def _sm2_is(signature: bytes) -> Callable[[tuple[NoteSignature, ...]], tuple[NoteSignature, ...]]:
    return lambda lines: (lines[0], replace(lines[1], signature=signature))


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:1],
        lambda lines: lines[1:],
        lambda lines: lines[::-1],
        lambda lines: (*lines, lines[1]),
        lambda lines: (*lines, NoteSignature(name="x", key_id=b"abcd", signature=bytes(45_000))),
        lambda lines: (lines[0], replace(lines[1], name="x")),
        lambda lines: (lines[0], replace(lines[1], key_id=lines[0].key_id)),
        _sm2_is(b"garbage!"),
        _sm2_is(bytes.fromhex("3006020100020101")),
        _sm2_is(bytes.fromhex("300702020001020101")),
    ],
)
def test_a_note_has_the_desks_two_lines_and_no_other(chain, desk, change):
    desk.leaf(b"x")
    assert chain.run(desk.submission(0, note=reworked(desk, change))) == [TxCode.SIGNATURE]
    assert chain.run(desk.submission(0)) == [0]


def test_notes_are_remembered_by_their_digests(chain, desk):
    desk.leaf(b"x")
    assert chain.check(desk.submission(0)).code == 0
    seen = chain.machine._rules(1)._seen._keys
    assert all(len(part) == 32 for key in seen for part in (key if isinstance(key, tuple) else (key,))[:1])
