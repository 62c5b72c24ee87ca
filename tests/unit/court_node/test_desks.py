from dataclasses import replace

import pytest

from evidence_desk.court.node.app.desks import desk as desk_entry
from evidence_desk.court.protocol.actions import RegisterDesk, RevokeDesk, RotateDeskKeys
from evidence_desk.court.protocol.registry import DeskEntry, DeskKeys, DeskStatus
from evidence_desk.court.protocol.tx_codes import TxCode
from tests.fixed import FixedSigner
from tests.unit.court_node.chain import Chain, Desk, key, pair, signed


@pytest.mark.parametrize(("count", "code"), [(4, 0), (3, 0), (2, TxCode.APPROVAL), (1, TxCode.APPROVAL)])
def test_more_than_two_thirds_approve(chain, count, code):
    assert chain.run(chain.approved(Desk().registration(), count)) == [code]


def test_signatures_of_others_do_not_approve(chain):
    strangers = [key(f"stranger {number}") for number in range(4)]
    registration = Desk().registration()
    assert chain.run(signed(registration, *strangers).encode()) == [TxCode.APPROVAL]
    assert chain.run(signed(registration, *chain.validators).encode()) == [TxCode.APPROVAL]
    assert chain.run(signed(registration, *chain.governors[:2], *strangers).encode()) == [TxCode.APPROVAL]
    assert chain.run(signed(registration).encode()) == [TxCode.APPROVAL]


def test_an_origin_is_registered_once(chain, desk):
    assert chain.run(chain.approved(desk.registration())) == [TxCode.KNOWN]
    assert chain.run(chain.approved(desk.registration(), expires=5)) == [TxCode.ORIGIN]
    second = Desk(epoch=2)
    assert chain.run(chain.approved(second.registration())) == [TxCode.ORIGIN], "it must succeed the first"


def test_keys_of_another_desk(chain, desk):
    other = Desk(name="two")
    taken = RegisterDesk(origin=other.origin, office=other.office, keys=desk.keys)
    assert chain.run(chain.approved(taken)) == [TxCode.KEYS]


def test_a_successor_closes_the_log_before_it(chain, desk):
    desk.leaf(b"x")
    assert chain.run(desk.submission(0)) == [0]
    successor = Desk(epoch=2)
    successor.signer = FixedSigner(b"restored")
    assert chain.run(chain.approved(successor.registration(desk.origin))) == [0]
    closed, opened = desk_entry(chain.store, desk.origin), desk_entry(chain.store, successor.origin)
    assert closed is not None
    assert opened is not None
    assert (closed.status, closed.status_since, closed.successor) == (DeskStatus.CLOSED, 3, successor.origin)
    assert closed.size == 1
    assert (opened.status, opened.size) == (DeskStatus.ACTIVE, 0)
    desk.leaf(b"y")
    assert chain.run(desk.submission(1)) == [TxCode.DESK_INACTIVE]
    successor.leaf(b"x")
    assert chain.run(successor.submission(0)) == [0]
    third = Desk(epoch=2)
    assert chain.run(chain.approved(third.registration(desk.origin), expires=9)) == [TxCode.ORIGIN]


def test_nothing_succeeds_what_is_not_there(chain):
    first = Desk(epoch=1)
    assert chain.run(chain.approved(Desk(epoch=2).registration(first.origin))) == [TxCode.ORIGIN]


def rotation(desk: Desk, to: FixedSigner, then: FixedSigner) -> RotateDeskKeys:
    keys = DeskKeys(
        ed25519=to.ed25519_public,
        sm2=to.sm2_public,
        next_ed25519=pair(then.ed25519_public),
        next_sm2=pair(then.sm2_public),
    )
    return RotateDeskKeys(origin=desk.origin, keys=keys)


AFTER = FixedSigner(b"after next")
THIEF = FixedSigner(b"thief")


def test_the_owner_rotates_by_the_key_on_paper(chain, desk):
    stolen = desk.signer
    change = rotation(desk, desk.next, AFTER)
    assert chain.run(signed(change, sm2=(desk.next,)).encode()) == [0]
    entry = desk_entry(chain.store, desk.origin)
    assert entry is not None
    assert (entry.keys, entry.keys_since) == (change.keys, 2)
    desk.leaf(b"x")
    assert chain.run(desk.submission(0)) == [TxCode.SIGNATURE], "the stolen key writes no more"
    desk.signer = desk.next
    assert chain.run(desk.submission(0)) == [0]
    back = rotation(desk, stolen, THIEF)
    assert chain.run(signed(back, sm2=(stolen,)).encode()) == [TxCode.APPROVAL]


def test_a_thief_of_the_present_key_cannot_rotate(chain, desk):
    theirs = rotation(desk, THIEF, AFTER)
    for signers in ((THIEF,), (desk.signer,), ()):
        assert chain.run(signed(theirs, sm2=signers).encode()) == [TxCode.APPROVAL]
    assert chain.run(signed(theirs, sm2=(desk.signer, THIEF)).encode()) == [TxCode.SIGNATURE]
    next_unsigned = rotation(desk, desk.next, AFTER)
    assert chain.run(signed(next_unsigned, sm2=(desk.signer,)).encode()) == [TxCode.APPROVAL]


def test_institutions_rotate_as_well(chain, desk):
    assert chain.run(chain.approved(rotation(desk, THIEF, AFTER), 3)) == [0]
    assert chain.run(chain.approved(rotation(desk, THIEF, desk.next), 3)) == [TxCode.KEYS], "the same key"
    assert chain.run(chain.approved(rotation(Desk(name="two"), THIEF, AFTER))) == [TxCode.DESK_UNKNOWN]


def test_keys_of_another_desk_by_rotation(chain, desk):
    other = Desk(name="two")
    chain.register(other)
    assert chain.run(chain.approved(rotation(other, desk.signer, AFTER))) == [TxCode.KEYS]


def test_revocation_from_a_height_on(chain, desk):
    height = chain.machine.head.height + 1
    action = RevokeDesk(origin=desk.origin, effective_height=height + 2, suspect_from=height)
    assert chain.run(chain.approved(action, 2)) == [TxCode.APPROVAL]
    assert chain.run(chain.approved(action, 3)) == [0]
    entry = desk_entry(chain.store, desk.origin)
    assert entry is not None
    assert (entry.status, entry.suspect_from) == (DeskStatus.REVOKED, height)
    desk.leaf(b"x")
    assert chain.machine.head.height + 1 == entry.status_since
    assert chain.run(desk.submission(0)) == [TxCode.DESK_INACTIVE]


def test_revocation_gets_stricter_only(chain, desk):
    first = RevokeDesk(origin=desk.origin, effective_height=20, suspect_from=10)
    milder = RevokeDesk(origin=desk.origin, effective_height=30, suspect_from=15)
    stricter = RevokeDesk(origin=desk.origin, effective_height=30, suspect_from=1)
    codes = [chain.run(chain.approved(item))[0] for item in (first, milder, stricter)]
    assert codes == [0, TxCode.KNOWN, 0]
    entry = desk_entry(chain.store, desk.origin)
    assert entry is not None
    assert (entry.status_since, entry.suspect_from) == (20, 1)
    desk.leaf(b"x")
    assert chain.run(desk.submission(0)) == [0], "until then it may write"


def test_a_revocation_does_not_reach_back(chain, desk):
    past = RevokeDesk(origin=desk.origin, effective_height=1, suspect_from=1)
    assert chain.run(chain.approved(past)) == [TxCode.VALUE]
    nobody = RevokeDesk(origin=Desk(name="two").origin, effective_height=99, suspect_from=1)
    assert chain.run(chain.approved(nobody)) == [TxCode.DESK_UNKNOWN]


def entry_of(chain: Chain, desk: Desk) -> DeskEntry:
    entry = desk_entry(chain.store, desk.origin)
    assert entry is not None
    return entry


def succeeded(chain: Chain, desk: Desk) -> Desk:
    successor = Desk(name=desk.name, epoch=2)
    successor.signer, successor.next = FixedSigner(b"restored"), FixedSigner(b"restored next")
    assert chain.run(chain.approved(successor.registration(desk.origin))) == [0]
    return successor


@pytest.mark.parametrize(("effective", "suspect"), [(99, 99), (99, 3), (3, 3)])
def test_a_revocation_does_not_open_a_closed_log_again(chain, desk, effective, suspect):
    desk.leaf(b"x")
    assert chain.run(desk.submission(0)) == [0]
    successor = succeeded(chain, desk)
    action = RevokeDesk(origin=desk.origin, effective_height=max(effective, 5), suspect_from=suspect)
    assert chain.run(chain.approved(action)) == [0]
    entry = entry_of(chain, desk)
    assert (entry.status, entry.status_since, entry.suspect_from) == (DeskStatus.REVOKED, 3, suspect)
    assert entry.successor == successor.origin
    desk.leaf(b"thief")
    assert chain.run(desk.submission(1)) == [TxCode.DESK_INACTIVE]
    stricter = RevokeDesk(origin=desk.origin, effective_height=50, suspect_from=1)
    assert chain.run(chain.approved(stricter)) == [0]
    entry = entry_of(chain, desk)
    assert (entry.status_since, entry.suspect_from, entry.successor) == (3, 1, successor.origin)
    successor.leaf(b"x")
    assert chain.run(successor.submission(0)) == [0]


def test_a_successor_leaves_a_revocation_as_it_is(chain, desk):
    desk.leaf(b"x")
    pending = RevokeDesk(origin=desk.origin, effective_height=30, suspect_from=3)
    assert chain.run(desk.submission(0), chain.approved(pending)) == [0, 0]
    successor = succeeded(chain, desk)
    entry = entry_of(chain, desk)
    assert (entry.status, entry.suspect_from, entry.successor) == (DeskStatus.REVOKED, 3, successor.origin)
    assert entry.status_since == chain.machine.head.height == 3, "closed now, before the revocation's height"
    desk.leaf(b"y")
    assert chain.run(desk.submission(1)) == [TxCode.DESK_INACTIVE]


def test_a_revoked_desk_may_go_on_in_a_successor(chain, desk):
    now = RevokeDesk(origin=desk.origin, effective_height=2, suspect_from=1)
    assert chain.run(chain.approved(now)) == [0]
    chain.block()
    chain.block()
    successor = succeeded(chain, desk)
    entry = entry_of(chain, desk)
    assert (entry.status, entry.status_since, entry.suspect_from) == (DeskStatus.REVOKED, 2, 1)
    assert entry.successor == successor.origin
    successor.leaf(b"x")
    assert chain.run(successor.submission(0)) == [0]
    twin = Desk(epoch=2)
    twin.signer = FixedSigner(b"twin")
    assert chain.run(chain.approved(twin.registration(desk.origin), expires=99)) == [TxCode.ORIGIN]


# Small order, not canonical, and no point: signatures under these prove nobody, or not to all.
WEAK = [
    bytes([1]) + bytes(31),
    bytes(32),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    b"\xff" * 32,
    bytes([2]) + bytes(31),
]


@pytest.mark.parametrize("weak", WEAK)
def test_keys_under_which_anybody_signs(chain, desk, weak):
    other = Desk(name="two")
    keys = replace(other.keys, ed25519=weak)
    opened = RegisterDesk(origin=other.origin, office=other.office, keys=keys)
    assert chain.run(chain.approved(opened)) == [TxCode.KEYS]
    changed = RotateDeskKeys(origin=desk.origin, keys=keys)
    assert chain.run(chain.approved(changed)) == [TxCode.KEYS]


def test_the_sm2_key_of_another_desk(chain, desk):
    other = Desk(name="two")
    taken = replace(other.keys, sm2=desk.keys.sm2)
    opened = RegisterDesk(origin=other.origin, office=other.office, keys=taken)
    assert chain.run(chain.approved(opened)) == [TxCode.KEYS]
    chain.register(other)
    changed = replace(rotation(other, THIEF, AFTER).keys, sm2=desk.keys.sm2)
    assert chain.run(chain.approved(RotateDeskKeys(origin=other.origin, keys=changed))) == [TxCode.KEYS]
    assert chain.run(chain.approved(rotation(desk, AFTER, THIEF))) == [0]
    earlier = replace(rotation(other, THIEF, AFTER).keys, sm2=desk.keys.sm2)
    again = RotateDeskKeys(origin=other.origin, keys=earlier)
    assert chain.run(chain.approved(again, expires=77)) == [TxCode.KEYS], "a key once used stays its desk's"


def test_the_entry_after_a_block_names_the_keys_of_its_note(chain, desk):
    desk.leaf(b"x")
    change = signed(rotation(desk, desk.next, AFTER), sm2=(desk.next,)).encode()
    decided = chain.approved(rotation(desk, THIEF, AFTER))
    assert chain.run(desk.submission(0), change, decided) == [0, TxCode.CONFLICT, TxCode.CONFLICT]
    assert entry_of(chain, desk).keys == desk.keys
    assert chain.check(change).code == 0
    desk.leaf(b"y")
    old = desk.submission(1)
    desk.signer = desk.next
    assert chain.run(change, old, desk.submission(1)) == [0, TxCode.SIGNATURE, 0]
    entry = entry_of(chain, desk)
    assert (entry.keys.ed25519, entry.keys_since) == (desk.signer.ed25519_public, chain.machine.head.height)
