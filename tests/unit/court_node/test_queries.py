import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.digests import DigestPair
from evidence_desk.court.node.abci.application import Block, Query
from evidence_desk.court.node.app.commitments import KEPT
from evidence_desk.court.node.app.logs import log_key
from evidence_desk.court.node.app.machine import CourtMachine
from evidence_desk.court.node.app.queries import QueryCode
from evidence_desk.court.protocol.map_proof import decode_map_proof
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, DESK_ENTRY
from evidence_desk.court.protocol.state import (
    ListRoot,
    LookupEntry,
    LookupKind,
    StateRoots,
    check_desk,
    check_lookup,
    check_record,
    lookup_key,
)
from tests.unit.court_node.chain import Chain, Desk

PATHS = ("/state", "/desk", "/lookup", "/checkpoint")


def ask(chain: Chain, path: str, data: bytes = b"", height: int = 0) -> tuple[int, Any]:
    result = chain.machine.query(Query(path=path, data=data, height=height))
    assert result.code == 0, result.log
    value = json.loads(result.value)
    assert value["height"] == result.height
    return result.height, value


def roots_of(value: Any) -> StateRoots:
    roots = value["roots"]
    checkpoints = roots["checkpoints"]
    return StateRoots(
        checkpoints=ListRoot(size=checkpoints["size"], root=bytes.fromhex(checkpoints["root"])),
        desks=bytes.fromhex(roots["desks"]),
        governance=bytes.fromhex(roots["governance"]),
        lookup=bytes.fromhex(roots["lookup"]),
    )


def check(chain: Chain, desk: Desk, height: int) -> None:
    """Everything about a desk at a height proves itself under the application hash after that block."""
    app_hash = chain.hashes[height - 1]
    _, value = ask(chain, "/desk", desk.origin.encode(), height)
    assert roots_of(value).app_hash == app_hash
    entry = None if value["entry"] is None else DESK_ENTRY.decode(base64.b64decode(value["entry"]))
    check_desk(roots_of(value), desk.origin, entry, decode_map_proof(base64.b64decode(value["proof"])))
    for kind, content in ((LookupKind.OBJECT_SHA256, b"shared"), (LookupKind.OBJECT_SM3, b"nowhere")):
        digests = DigestPair.of(content)
        key = lookup_key(kind, digests.sha256 if kind is LookupKind.OBJECT_SHA256 else digests.sm3)
        _, value = ask(chain, "/lookup", key, height)
        raw = [base64.b64decode(item) for item in value["entries"]]
        entries = [LookupEntry(leaf_hash=item[:32], height=int.from_bytes(item[32:], "big")) for item in raw]
        assert all(item.height <= height for item in entries)
        proof = decode_map_proof(base64.b64decode(value["proof"]))
        assert roots_of(value).app_hash == app_hash
        check_lookup(roots_of(value), key, entries, proof)
    if entry is not None and entry.size:
        _, value = ask(chain, "/checkpoint", log_key(desk.origin, entry.size), height)
        record = CHECKPOINT_RECORD.decode(base64.b64decode(value["record"]))
        path = [base64.b64decode(item) for item in value["path"]]
        assert roots_of(value).app_hash == app_hash
        check_record(roots_of(value), record, index=value["index"], path=path)
        assert (record.origin, record.size, record.root) == (desk.origin, entry.size, entry.root)


def grown() -> tuple[Chain, list[Desk]]:
    chain, desks = Chain(), [Desk(name="one"), Desk(name="two", office="other")]
    for desk in desks:
        chain.register(desk)
    for turn in range(5):
        txs = []
        for desk in desks:
            old = len(desk.leaves)
            for content in (b"shared", b"%s %d" % (desk.name.encode(), turn)):
                desk.leaf(content)
            txs.append(desk.submission(old))
        chain.block(*txs)
    return chain, desks


def test_answers_prove_themselves_at_every_kept_height():
    chain, desks = grown()
    height = chain.machine.head.height
    for asked in range(height - 4, height + 1):
        for desk in (*desks, Desk(name="unknown")):
            check(chain, desk, asked)


def test_answers_hold_while_a_block_is_not_committed():
    chain, desks = grown()
    height = chain.machine.head.height
    desks[0].leaf(b"shared")
    tx = desks[0].submission(len(desks[0].leaves) - 1)
    chain.machine.finalize_block(Block(height=height + 1, time_ns=0, txs=(tx,)))
    for asked in range(height - 3, height + 1):
        for desk in desks:
            check(chain, desk, asked)
    assert ask(chain, "/state")[0] == height
    chain.machine.commit()
    assert ask(chain, "/state")[0] == height + 1


def test_answers_after_a_restart():
    chain, desks = grown()
    height = chain.machine.head.height
    chain.machine = CourtMachine(chain.store)
    check(chain, desks[0], height)
    old = chain.machine.query(Query(path="/state", data=b"", height=height - 1))
    assert old.code == QueryCode.HEIGHT
    chain.block()
    for asked in (height, height + 1):
        check(chain, desks[1], asked)


@pytest.mark.parametrize("height", [-1, 99, 1])
def test_heights_that_cannot_be_proven(height):
    chain, desks = grown()
    for _ in range(KEPT):
        chain.block()
    check(chain, desks[0], chain.machine.head.height - KEPT)
    assert chain.machine.query(Query(path="/state", data=b"", height=height)).code == QueryCode.HEIGHT


def test_before_the_first_block():
    assert Chain().machine.query(Query(path="/state", data=b"")).code == QueryCode.HEIGHT


def test_checkpoints_that_are_not_there():
    chain, desks = grown()
    for data in (b"", b"x", log_key(desks[0].origin, 1), log_key(Desk(name="unknown").origin, 2)):
        assert chain.machine.query(Query(path="/checkpoint", data=data)).code == QueryCode.KEY
    accepted_later = log_key(desks[0].origin, len(desks[0].leaves))
    height = chain.machine.head.height
    asked = Query(path="/checkpoint", data=accepted_later, height=height - 1)
    assert chain.machine.query(asked).code == QueryCode.KEY


GROWN = grown()[0]


@settings(deadline=None)
@given(
    path=st.sampled_from([*PATHS, "", "/desks", "/desk/"]),
    data=st.binary(max_size=300),
    height=st.integers(-3, 20),
)
def test_no_question_breaks_it(path, data, height):
    result = GROWN.machine.query(Query(path=path, data=data, height=height))
    assert result.code in {0, *QueryCode}
    assert (result.code == QueryCode.UNKNOWN_PATH) == (path not in PATHS)
    assert bool(result.value) == (result.code == 0)
