"""Rows that outlive the Merkle structures' memory: what proves a checkpoint years later, logs, places, numbers."""

import base64

import pytest

from evidence_desk.core.canonical import JSON
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.merkle import leaf_hash, root_from_inclusion
from evidence_desk.court.node.abci.application import Query
from evidence_desk.court.node.app.commitments import KEPT
from evidence_desk.court.node.app.index_queries import INDEXES, MAX_PAGE
from evidence_desk.court.node.app.logs import log_key
from evidence_desk.court.node.app.machine import CourtMachine
from evidence_desk.court.node.app.queries import QueryCode
from evidence_desk.court.protocol.actions import Envelope, Govern, Proposal, RevokeDesk
from evidence_desk.court.protocol.map_proof import decode_map_proof
from evidence_desk.court.protocol.part import read_roots
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, DESK_ENTRY
from evidence_desk.court.protocol.state import LookupEntry, check_desk, check_lookup, check_record, events_key
from evidence_desk.errors import MalformedError
from tests.unit.court_node.chain import Chain, Desk, signed
from tests.unit.court_node.test_queries import ask, roots_of


def raw(text: JSON) -> bytes:
    return base64.b64decode(str(text))


def refused(chain: Chain, path: str, data: bytes) -> int:
    return chain.machine.query(Query(path=path, data=data, height=0)).code


@pytest.fixture
def anchored() -> tuple[Chain, Desk]:
    chain, desk, other = Chain(), Desk(), Desk(name="two", office="other")
    chain.register(desk)
    chain.register(other)
    desk.leaf(b"contract")
    desk.leaf(b"letter")
    other.leaf(b"elsewhere")
    assert chain.run(desk.submission(0), other.submission(0)) == [0, 0]
    desk.leaf(b"later")
    envelope = Envelope(seq=2, ciphertext=b"c" * 100)
    assert chain.run(desk.submission(2, envelopes=(envelope,))) == [0]
    return chain, desk


def test_a_checkpoint_proves_itself_long_after_its_block(anchored):
    chain, desk = anchored
    height = len(chain.hashes) - 1
    for _ in range(KEPT + 3):
        chain.run()
    chain.machine = CourtMachine(chain.store)  # what was in memory is gone
    _, value = ask(chain, "/anchor", log_key(desk.origin, 2))
    roots, record = read_roots(value["roots"]), CHECKPOINT_RECORD.decode(raw(value["record"]))
    entry = DESK_ENTRY.decode(raw(value["entry"]))
    assert (record.size, record.height) == (2, height)
    assert roots.app_hash == chain.hashes[height - 1]
    check_record(roots, record, index=value["index"], path=[raw(node) for node in value["path"]])
    check_desk(roots, desk.origin, entry, decode_map_proof(raw(value["proof"])))
    assert (entry.size, entry.root) == (record.size, record.root)
    checkpoint, _ = parse_checkpoint(raw(value["note"]))
    assert (checkpoint.size, checkpoint.root) == (record.size, record.root)


def test_the_log_comes_back_with_its_envelopes_and_paths(anchored):
    chain, desk = anchored
    _, value = ask(chain, "/leaves", log_key(desk.origin, 0) + (100).to_bytes(8, "big"))
    assert [raw(leaf) for leaf, _ in value["leaves"]] == desk.leaves
    assert [envelope and raw(envelope) for _, envelope in value["leaves"]] == [None, None, b"c" * 100]
    _, value = ask(chain, "/leaves", log_key(desk.origin, 1) + (1).to_bytes(8, "big"))
    assert [raw(leaf) for leaf, _ in value["leaves"]] == desk.leaves[1:2]
    _, value = ask(chain, "/note", log_key(desk.origin, 1))
    checkpoint, _ = parse_checkpoint(raw(value["note"]))
    assert (value["size"], checkpoint.size) == (2, 2)
    _, value = ask(chain, "/inclusion", log_key(desk.origin, 1) + (2).to_bytes(8, "big"))
    path = [raw(node) for node in value["path"]]
    root = root_from_inclusion(index=1, size=2, digest=leaf_hash(desk.leaves[1]), path=path)
    assert root == checkpoint.root


def test_a_page_of_leaves_has_an_end_and_at_least_one_leaf():
    chain, desk = Chain(), Desk()
    chain.register(desk)
    for number in range(6):
        desk.leaf(b"%d" % number)
        envelope = Envelope(seq=number, ciphertext=bytes(200 * 1024))
        assert chain.run(desk.submission(number, envelopes=(envelope,))) == [0]
    found, pages = 0, 0
    while found < 6:
        _, value = ask(chain, "/leaves", log_key(desk.origin, found) + (6).to_bytes(8, "big"))
        assert len(value["leaves"]) >= 1
        assert sum(len(raw(envelope)) for _, envelope in value["leaves"]) <= MAX_PAGE
        found += len(value["leaves"])
        pages += 1
    assert pages == 3


def test_places_and_numbers(anchored):
    chain, desk = anchored
    digest = leaf_hash(desk.leaves[1])
    _, value = ask(chain, "/place", digest)
    assert (value["origin"], value["seq"], raw(value["leaf"])) == (desk.origin, 1, desk.leaves[1])
    _, value = ask(chain, "/number", digest[:10])
    assert value["leaves"] == [digest.hex()]
    _, value = ask(chain, "/number", bytes(10))
    assert value["leaves"] == []


def test_events_of_many_leaves_at_once(anchored):
    chain, desk = anchored
    first, second = leaf_hash(desk.leaves[0]), leaf_hash(desk.leaves[1])
    pair = {"sha256": "ab" * 32, "sm3": "cd" * 32}
    desk.leaf(
        b"", type=LeafType.CORRECTION_NOTED, statement=None, objects=(), ref=first, facts={"commitment": pair}
    )
    assert chain.run(desk.submission(3)) == [0]
    height, value = ask(chain, "/events", desk.origin.encode() + b"\n" + first + second)
    roots = roots_of(value)
    for about, item, count in zip((first, second), value["events"], (1, 0), strict=True):
        entries = [LookupEntry(leaf_hash=leaf_hash(raw(leaf)), height=at) for leaf, at in item["leaves"]]
        assert len(entries) == count
        assert all(entry.height == height for entry in entries)
        check_lookup(roots, events_key(desk.origin, about), entries, decode_map_proof(raw(item["proof"])))


def test_executed_transactions_and_governance(anchored):
    chain, desk = anchored
    origin = desk.origin
    revoke = RevokeDesk(origin=origin, effective_height=90, suspect_from=80)
    proposing = signed(Govern(propose=Proposal(number=1, revoke=revoke)), chain.governors[0])
    assert chain.run(proposing.encode()) == [0]
    _, value = ask(chain, "/transaction", proposing.id)
    assert value["executed"] == len(chain.hashes)
    _, value = ask(chain, "/governance")
    assert [item["institution"] for item in value["institutions"]] == [f"court-{n}" for n in range(4)]
    (listed,) = value["proposals"]
    assert (listed["id"], listed["executed"], len(listed["votes"])) == (proposing.id.hex(), 0, 1)


@pytest.mark.parametrize("path", sorted(INDEXES))
def test_what_cannot_be_is_refused(anchored, path):
    chain, desk = anchored
    origin = desk.origin.encode()
    wrong = (
        b"x",
        b"\n",
        origin,
        origin + b"\n",
        origin + b"\n" + bytes(7),
        b"\xff\xff\n" + bytes(8),
        bytes(300),
        b"no\n" + bytes(24),
    )
    for data in wrong:
        assert refused(chain, path, data) == QueryCode.KEY, data
    assert refused(chain, path + "x", origin) == QueryCode.UNKNOWN_PATH


def test_paths_are_asked_within_the_log(anchored):
    chain, desk = anchored
    for seq, size in ((3, 3), (0, 4), (0, 0)):
        data = log_key(desk.origin, seq) + size.to_bytes(8, "big")
        assert refused(chain, "/inclusion", data) == QueryCode.KEY
    assert refused(chain, "/note", log_key(desk.origin, 4)) == QueryCode.KEY
    assert refused(chain, "/anchor", log_key(desk.origin, 1)) == QueryCode.KEY
    with pytest.raises(MalformedError):
        read_roots(None)
