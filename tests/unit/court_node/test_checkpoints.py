import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import BlindedObject, LeafType, PlainObject, blind, objects_root
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.court.node.app.commitments import GOVERNANCE
from evidence_desk.court.node.app.desks import desk as desk_entry
from evidence_desk.court.node.app.logs import ENVELOPES, LEAVES, log_key
from evidence_desk.court.node.app.records import MISCONDUCT_ENTRY
from evidence_desk.court.protocol.actions import (
    Envelope,
    Govern,
    ObjectList,
    Parameter,
    Proposal,
    ReportEquivocation,
    SetParameter,
    SubmitCheckpoint,
)
from evidence_desk.court.protocol.state import LookupKind, events_key, lookup_key
from evidence_desk.court.protocol.transactions import Transaction
from evidence_desk.court.protocol.tx_codes import TxCode
from tests.unit.court_node.chain import CHAIN, FAR, Desk, found, key, signed


def test_a_log_grows_by_checkpoints(chain, desk):
    for size in (1, 2, 5, 300, 301):
        old = len(desk.leaves)
        for number in range(old, size):
            desk.leaf(b"%d" % number)
        assert chain.run(desk.submission(old)) == [0]
        entry = desk_entry(chain.store, desk.origin)
        assert entry is not None
        assert (entry.size, entry.root) == (size, root_of(map(leaf_hash, desk.leaves)))
    assert chain.store.get(LEAVES, log_key(desk.origin, 299)) == desk.leaves[299]


def test_checkpoints_are_numbered_over_all_desks(chain, desk):
    other = Desk(name="two")
    chain.register(other)
    desk.leaf(b"x")
    other.leaf(b"x")
    result = chain.block(desk.submission(0), other.submission(0))
    assert [item.data for item in result.results] == [bytes(8), bytes(7) + b"\x01"]
    assert [event.type for item in result.results for event in item.events] == ["checkpoint"] * 2


def test_the_same_again_is_known(chain, desk):
    desk.leaf(b"x")
    tx = desk.submission(0)
    assert chain.run(tx, tx) == [0, TxCode.KNOWN]
    assert chain.run(tx) == [TxCode.KNOWN]
    assert chain.check(tx).code == TxCode.KNOWN
    later = Transaction.encode(
        signed(SubmitCheckpoint(note=desk.note(), old_size=0, leaves=tuple(desk.leaves)), expires=FAR + 1)
    )
    assert chain.run(later) == [TxCode.SIGNATURE]
    again = desk.sign(
        SubmitCheckpoint(note=desk.note(), old_size=0, leaves=tuple(desk.leaves)), expires=FAR + 1
    )
    assert chain.run(again) == [TxCode.KNOWN]


def test_a_fork_is_refused(chain, desk):
    twin = Desk()
    desk.leaf(b"x")
    twin.leaf(b"y")
    assert chain.run(desk.submission(0), twin.submission(0)) == [0, TxCode.FORK]
    desk.leaf(b"z")
    twin.leaf(b"z")
    assert chain.run(twin.submission(1)) == [TxCode.FORK]
    assert chain.run(desk.submission(1)) == [0]


def test_gaps_and_overlaps_conflict(chain, desk):
    for number in range(4):
        desk.leaf(b"%d" % number)
    assert chain.run(desk.submission(2)) == [TxCode.CONFLICT]
    assert chain.check(desk.submission(2)).code == 0, "what comes before it may be on its way"
    assert chain.run(desk.submission(0, 2), desk.submission(1), desk.submission(2)) == [0, TxCode.CONFLICT, 0]


def test_leaves_must_give_the_root_of_the_note(chain, desk):
    desk.leaf(b"x")
    assert chain.run(desk.submission(0, note=desk.note(1, bytes(32)))) == [TxCode.FORK]
    desk.leaf(b"y")
    assert chain.run(desk.submission(0, 1, note=desk.note(2))) == [TxCode.MALFORMED]


@pytest.mark.parametrize(
    "members",
    [{"seq": 1}, {"log": Desk(name="two").origin}],
)
def test_leaves_out_of_place_are_refused(chain, desk, members):
    desk.leaf(b"x", **members)
    assert chain.run(desk.submission(0)) == [TxCode.LEAF]


def test_no_leaf(chain, desk):
    desk.leaves.append(b'{"v":"leaf/1"}')
    assert chain.run(desk.submission(0)) == [TxCode.LEAF]


def test_an_unknown_desk_and_strange_signatures(chain):
    stranger = Desk(name="stranger")
    stranger.leaf(b"x")
    assert chain.run(stranger.submission(0)) == [TxCode.DESK_UNKNOWN]
    desk = Desk()
    chain.register(desk)
    desk.leaf(b"x")
    payload = SubmitCheckpoint(note=desk.note(), old_size=0, leaves=tuple(desk.leaves))
    assert chain.run(signed(payload).encode()) == [TxCode.SIGNATURE]
    assert chain.run(signed(payload, key("thief")).encode()) == [TxCode.DESK_UNKNOWN], "no desk's key"
    other = Desk(name="two")
    chain.register(other)
    assert chain.run(other.sign(payload)) == [TxCode.SIGNATURE]
    thief = Desk(name="thief")
    thief.leaves = desk.leaves
    foreign = thief.note().replace(thief.origin.encode(), desk.origin.encode())
    assert chain.run(desk.submission(0, note=foreign)) == [TxCode.SIGNATURE]
    no_ed25519 = desk.note().split("\n— ".encode())
    only_sm2 = b"\n\xe2\x80\x94 ".join([no_ed25519[0], no_ed25519[2]])
    assert chain.run(desk.submission(0, note=only_sm2)) == [TxCode.SIGNATURE]
    spoiled = bytearray(desk.submission(0))
    spoiled[-1] ^= 1
    assert chain.run(bytes(spoiled)) == [TxCode.SIGNATURE]
    assert chain.run(desk.submission(0)) == [0]


def test_signatures_that_cannot_count_are_not_checked(chain, desk):
    desk.leaf(b"x")
    payload = SubmitCheckpoint(note=desk.note(), old_size=0, leaves=tuple(desk.leaves))
    assert chain.run(signed(payload, sm2=(desk.signer,)).encode()) == [TxCode.SIGNATURE]
    two = signed(payload, desk.signer._ed25519, key("witness"))
    assert chain.run(two.encode()) == [TxCode.SIGNATURE]
    crowd = [key(f"crowd {number}") for number in range(7)]
    other = Desk(name="two").registration()
    assert chain.run(signed(other, *crowd).encode()) == [TxCode.SIGNATURE]
    assert chain.run(signed(other, *crowd[:6]).encode()) == [TxCode.APPROVAL]


def test_another_network_and_a_past_height(chain, desk):
    desk.leaf(b"x")
    desk.chain_id = "demo-other-11111111"
    assert chain.run(desk.submission(0)) == [TxCode.MALFORMED]
    desk.chain_id = CHAIN
    payload = SubmitCheckpoint(note=desk.note(), old_size=0, leaves=tuple(desk.leaves))
    height = chain.machine.head.height
    assert chain.run(desk.sign(payload, expires=height)) == [TxCode.EXPIRED]
    assert chain.run(desk.sign(payload, expires=height + 2)) == [0], "the last height counts"


def test_look_up_by_every_digest(chain, desk):
    other = Desk(name="two")
    chain.register(other)
    content = b"shared file"
    digests = DigestPair.of(content)
    sealed = leaf_hash(desk.leaf(content))
    blinded = blind(digests, bytes(32))
    hidden = leaf_hash(desk.leaf(b"-", objects=(blinded,)))
    certificate = DigestPair.of(b"certificate")
    facts = {"certificate": dict(certificate.to_json())}
    plain = {"statement": None, "objects": ()}
    issued = leaf_hash(desk.leaf(b"-", type=LeafType.CERTIFICATE_ISSUED, facts=facts, **plain))
    revoked = leaf_hash(desk.leaf(b"-", type=LeafType.CERTIFICATE_REVOKED, facts=facts, ref=issued, **plain))
    assert chain.run(desk.submission(0)) == [0]
    there = leaf_hash(other.leaf(content))
    assert chain.run(other.submission(0)) == [0]
    for kind, digest in (
        (LookupKind.OBJECT_SHA256, digests.sha256),
        (LookupKind.OBJECT_SM3, digests.sm3),
    ):
        entries = found(chain, lookup_key(kind, digest))
        assert [(item.leaf_hash, item.height) for item in entries] == [(sealed, 3), (there, 4)]
    assert [
        item.leaf_hash for item in found(chain, lookup_key(LookupKind.OBJECT_BLINDED, blinded.blinded))
    ] == [hidden]
    for kind, digest in (
        (LookupKind.CERTIFICATE_SHA256, certificate.sha256),
        (LookupKind.CERTIFICATE_SM3, certificate.sm3),
    ):
        assert [item.leaf_hash for item in found(chain, lookup_key(kind, digest))] == [issued]
    assert [item.leaf_hash for item in found(chain, events_key(desk.origin, issued))] == [revoked]
    assert found(chain, events_key(other.origin, issued)) == [], "events are the desk's own"
    assert found(chain, lookup_key(LookupKind.OBJECT_SHA256, digests.sm3)) == []


def listed(count: int) -> tuple[PlainObject | BlindedObject, ...]:
    plain = tuple(
        PlainObject(digests=DigestPair.of(b"%d" % number), size=number) for number in range(count - 1)
    )
    return (*plain, blind(DigestPair.of(b"last"), bytes(32)))


def test_objects_of_a_large_exhibit(chain, desk):
    objects = listed(20)
    entries = tuple(encode(item.to_json()) for item in objects)
    members = {"objects": (), "root": objects_root(objects), "count": 20}
    leaf = leaf_hash(desk.leaf(b"large", **members))
    wrong = (
        entries[1:],
        (*entries[:-1], entries[0]),
        (*entries[:-1], b"{}" * 32),
        (*entries[:-1], b"x" * 64),
    )
    for bad in wrong:
        assert chain.run(desk.submission(0, objects=(ObjectList(seq=0, objects=bad),))) == [TxCode.LEAF]
    assert chain.run(desk.submission(0, objects=(ObjectList(seq=0, objects=entries),))) == [0]
    for number in range(19):
        digest = DigestPair.of(b"%d" % number).sm3
        assert [item.leaf_hash for item in found(chain, lookup_key(LookupKind.OBJECT_SM3, digest))] == [leaf]
    desk.leaf(b"small")
    assert chain.run(desk.submission(1, objects=(ObjectList(seq=1, objects=entries),))) == [TxCode.LEAF]


@pytest.mark.parametrize(
    "bad", [b'{"blinded":"%s"}' % (b"0" * 66), b'{"sha256":%s}' % (b"1" * 64), b"[%s]" % (b"1" * 64)]
)
def test_objects_that_give_the_root_but_are_none(chain, desk, bad):
    desk.leaf(b"large", objects=(), root=root_of([leaf_hash(bad)]), count=1)
    assert chain.run(desk.submission(0, objects=(ObjectList(seq=0, objects=(bad,)),))) == [TxCode.LEAF]


def test_envelopes_are_kept(chain, desk):
    desk.leaf(b"x")
    assert chain.run(desk.submission(0, envelopes=(Envelope(seq=0, ciphertext=b"cipher"),))) == [0]
    assert chain.store.get(ENVELOPES, log_key(desk.origin, 0)) == b"cipher"


def test_quota_of_look_ups_in_a_block(chain, desk):
    change = Govern(
        propose=Proposal(number=1, parameter=SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=5))
    )
    assert chain.run(chain.approved(change)) == [0]
    for number in range(6):
        desk.leaf(b"%d" % number)
    txs = [desk.submission(0, 2), desk.submission(2, 3), desk.submission(3, 5)]
    assert chain.run(*txs) == [0, TxCode.QUOTA, TxCode.CONFLICT]
    assert chain.run(*txs[1:2]) == [0]
    assert chain.run(desk.submission(3, 6)) == [TxCode.QUOTA]


def test_size_of_a_submission(chain, desk):
    change = SetParameter(parameter=Parameter.MAX_SUBMIT_BYTES, value=16 * 1024)
    assert chain.run(chain.approved(Govern(propose=Proposal(number=1, parameter=change)))) == [0]
    desk.leaf(b"x")
    large = desk.submission(0, envelopes=(Envelope(seq=0, ciphertext=bytes(16 * 1024)),))
    assert chain.run(large) == [TxCode.QUOTA]
    assert chain.run(desk.submission(0)) == [0]


def test_ten_megabytes(chain):
    assert chain.run(bytes(10 << 20)) == [TxCode.MALFORMED]
    assert chain.check(bytes(10 << 20)).code == TxCode.MALFORMED


def test_reports_of_two_histories(chain, desk):
    twin = Desk()
    for number in range(3):
        desk.leaf(b"%d" % number)
        twin.leaf(b"other %d" % number)
    assert chain.run(desk.submission(0)) == [0]

    def report(first: bytes, second: bytes = b"") -> list[int]:
        codes: list[int] = chain.run(signed(ReportEquivocation(first=first, second=second)).encode())
        return codes

    assert report(desk.note(2)) == [TxCode.UNPROVEN]
    assert report(twin.note(2), desk.note(3)) == [TxCode.UNPROVEN]
    stranger = Desk(name="stranger")
    assert report(stranger.note(2, bytes(32))) == [TxCode.DESK_UNKNOWN]
    spoiled = twin.note(2).replace(b"\n2\n", b"\n3\n")
    assert report(spoiled) == [TxCode.SIGNATURE]
    assert report(b"no note") == [TxCode.MALFORMED]
    thief = Desk(name="thief")
    forged = thief.note(2, bytes(32)).replace(thief.origin.encode(), desk.origin.encode())
    assert report(forged) == [TxCode.SIGNATURE]
    assert report(twin.note(2)) == [0], "one note at a size between the checkpoints"
    kept = chain.store.get(GOVERNANCE, b"misconduct/" + desk.origin.encode())
    assert kept is not None
    record = MISCONDUCT_ENTRY.decode(kept)
    assert record.report.first == twin.note(2)
    entry = desk_entry(chain.store, desk.origin)
    assert entry is not None
    assert (record.height, record.keys_since) == (chain.machine.head.height, entry.keys_since)
    assert report(twin.note(3), desk.note(3)) == [TxCode.KNOWN]


def test_a_report_by_two_notes_of_one_size(chain, desk):
    note, other = desk.note(9, bytes(32)), desk.note(9, b"x" * 32)
    assert chain.run(signed(ReportEquivocation(first=note, second=other)).encode()) == [0]


def test_a_refused_transaction_changes_nothing(chain, desk):
    desk.leaf(b"x")
    desk.leaf(b"y", seq=7)
    before = dict(chain.store.scan("lookup")), chain.hashes[-1]
    assert chain.run(desk.submission(0)) == [TxCode.LEAF]
    assert (dict(chain.store.scan("lookup")), chain.hashes[-1]) == before
