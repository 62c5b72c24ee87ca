import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.court.node.abci.application import Block, Proposal
from evidence_desk.court.node.app.machine import CourtMachine
from evidence_desk.court.node.app.sqlite_store import SqliteStore
from evidence_desk.court.node.app.store import META, MemoryStore
from evidence_desk.court.protocol.actions import Govern, Parameter, RevokeDesk, RotateDeskKeys, SetParameter
from evidence_desk.court.protocol.actions import Proposal as ProposedAction
from evidence_desk.court.protocol.state import APP_VERSION
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.errors import BugError, IntegrityError
from tests.fixed import FixedSigner
from tests.unit.court_node.chain import FAR, Chain, Desk, pair, signed

GENESIS_HASH = "8266d4ae4597fbc555c858e107972390f162758b16bbfea2f5809eddd8ac2683"
BUSY_HASH = "fd96bcab2b1a34e38362ed12c079ec150176a31abfd7871805d46aadb9d4c8d0"


def busy_chain(chain: Chain | None = None) -> Chain:
    """Some blocks with two desks, good and refused transactions."""
    chain = chain or Chain()
    one, two = Desk(name="one"), Desk(name="two", office="other-court")
    chain.block(chain.approved(one.registration()), chain.approved(two.registration()), b"garbage")
    for turn in range(4):
        before = len(one.leaves), len(two.leaves)
        for number in range(3 * turn + 1):
            one.leaf(b"one %d %d" % (turn, number))
            two.leaf(b"shared %d" % number)
        first, second = one.submission(before[0]), two.submission(before[1])
        chain.block(first, second, first, one.submission(0))
        chain.block()
    return chain


def replayed(blocks: list[tuple[bytes, ...]], store: MemoryStore | None = None) -> list[str]:
    chain = Chain(store=store)
    return [chain.block(*txs).app_hash.hex() for txs in blocks]


def test_replay_gives_the_same_hashes():
    chain = busy_chain()
    hashes = [item.hex() for item in chain.hashes]
    assert replayed(chain.blocks) == hashes
    assert len(set(hashes)) == 5, "blocks without effect keep the hash, so that idle blocks can end"


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_replay_in_another_process_with_other_hash_seeds(tmp_path, seed):
    chain = busy_chain()
    script = tmp_path / "blocks.json"
    script.write_text(json.dumps([[tx.hex() for tx in txs] for txs in chain.blocks]))
    code = (
        "import json, sys; from tests.unit.court_node.test_machine import replayed;"
        "print(json.dumps(replayed([tuple(bytes.fromhex(t) for t in b) for b in json.load(open(sys.argv[1]))])))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Shanghai"}
    result = subprocess.run(
        [sys.executable, "-c", code, script],
        env=environment, cwd=Path(__file__).parents[3], capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert json.loads(result.stdout) == [item.hex() for item in chain.hashes]


def test_the_first_hash_is_written_down():
    """A change of this value means that no chain that exists could be followed any more."""
    assert Chain().genesis_hash.hex() == GENESIS_HASH
    assert busy_chain().hashes[-1].hex() == BUSY_HASH


def test_a_block_asked_for_twice_gives_the_same():
    chain, desk = Chain(), Desk()
    chain.register(desk)
    desk.leaf(b"content")
    block = Block(height=2, time_ns=1, txs=(desk.submission(0),))
    first = chain.machine.finalize_block(block)
    assert chain.machine.finalize_block(block) == first
    assert chain.machine.finalize_block(Block(height=2, time_ns=9, txs=block.txs, block_hash=b"x")) == first
    other = chain.machine.finalize_block(Block(height=2, time_ns=1, txs=()))
    assert other.app_hash != first.app_hash
    assert chain.machine.finalize_block(block) == first
    chain.machine.commit()
    assert chain.machine.head.app_hash == first.app_hash


def test_nothing_is_stored_before_commit(tmp_path):
    path = tmp_path / "state.db"
    chain, desk = Chain(store=SqliteStore(path)), Desk()
    chain.register(desk)
    desk.leaf(b"content")
    block = Block(height=2, time_ns=0, txs=(desk.submission(0),))
    finalized = chain.machine.finalize_block(block)
    chain.store.close()

    store = SqliteStore(path)
    again = CourtMachine(store)
    assert again.info().height == 1
    assert again.finalize_block(block) == finalized
    again.commit()
    store.close()

    store = SqliteStore(path)
    info = CourtMachine(store).info()
    assert (info.height, info.app_hash) == (2, finalized.app_hash)
    store.close()


def test_genesis_is_asked_for_again_until_the_first_block_is_committed(tmp_path):
    path = tmp_path / "state.db"
    chain = Chain(store=SqliteStore(path))
    block = Block(height=1, time_ns=0, txs=())
    first = chain.machine.finalize_block(block)
    chain.store.close()
    again = Chain(store=SqliteStore(path))
    assert again.machine.info().height == 0
    assert again.machine.info().app_hash == b""
    assert again.genesis_hash == chain.genesis_hash
    assert again.machine.finalize_block(block) == first
    again.machine.init_chain(again.document)
    assert again.machine.finalize_block(block) == first
    again.machine.commit()
    with pytest.raises(BugError):
        again.machine.init_chain(again.document)
    again.store.close()


def test_stores_agree(tmp_path):
    on_disk = busy_chain(Chain(store=SqliteStore(tmp_path / "state.db")))
    assert on_disk.hashes == busy_chain().hashes
    on_disk.store.close()


def test_a_spoiled_row_stops_the_node():
    chain = busy_chain()
    rows = dict(chain.store.scan("desks"))
    key, value = next(iter(rows.items()))
    chain.store.commit({("desks", key): value[:-1] + bytes([value[-1] ^ 1])})
    with pytest.raises(IntegrityError) as caught:
        CourtMachine(chain.store)
    assert caught.value.code == "node.state_hash"


def test_rules_of_another_version_stop_the_node():
    chain = busy_chain()
    head = json.loads(chain.store.get(META, b"head") or b"")
    chain.store.commit({(META, b"head"): json.dumps(head | {"app_version": APP_VERSION + 1}).encode()})
    with pytest.raises(BugError):
        CourtMachine(chain.store)


@pytest.mark.parametrize("height", [0, 1, 3])
def test_a_block_out_of_turn_is_refused(height):
    chain = Chain()
    chain.block()
    with pytest.raises(BugError):
        chain.machine.finalize_block(Block(height=height, time_ns=0, txs=()))


def test_commit_without_a_block_is_refused():
    with pytest.raises(BugError):
        Chain().machine.commit()


def test_proposals_keep_within_their_bytes():
    machine = Chain().machine
    txs = tuple(bytes([number]) * 1000 for number in range(5))
    taken = machine.prepare_proposal(Proposal(height=1, time_ns=0, txs=txs, max_bytes=3 * 1003))
    assert taken == txs[:3]
    assert machine.prepare_proposal(Proposal(height=1, time_ns=0, txs=txs, max_bytes=3 * 1003 - 1)) == txs[:2]
    assert machine.process_proposal(Proposal(height=1, time_ns=0, txs=(b"garbage",)))


def test_a_proposer_puts_rotations_before_checkpoints():
    """A thief who submits in every block would otherwise keep the key he stole in its place."""
    chain, desk, then = Chain(), Desk(), FixedSigner(b"then")
    chain.register(desk)
    keys = replace(
        desk.keys,
        ed25519=desk.next.ed25519_public,
        sm2=desk.next.sm2_public,
        next_ed25519=pair(then.ed25519_public),
    )
    desk.leaf(b"x")
    stolen = desk.submission(0)
    rotation = signed(RotateDeskKeys(origin=desk.origin, keys=keys), sm2=(desk.next,)).encode()
    revocation = RevokeDesk(origin=desk.origin, effective_height=FAR, suspect_from=FAR)
    parameter = SetParameter(parameter=Parameter.LOOKUP_QUOTA, value=7)
    vote = chain.approved(Govern(propose=ProposedAction(number=1, parameter=parameter)))
    registration = chain.approved(Desk(name="two").registration())
    txs = (b"garbage", stolen, registration, rotation, vote, chain.approved(revocation))
    ordered = chain.machine.prepare_proposal(Proposal(height=2, time_ns=0, txs=txs, max_bytes=1 << 20))
    assert ordered == (*txs[3:], *txs[:3])
    assert chain.run(rotation, stolen) == [0, TxCode.SIGNATURE]


CHAIN = busy_chain()
SAMPLES = [tx for txs in CHAIN.blocks for tx in txs]


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused(data):
    chain = CHAIN
    assert chain.check(data).code == TxCode.MALFORMED
    result = chain.machine.finalize_block(Block(height=chain.machine.head.height + 1, time_ns=0, txs=(data,)))
    assert result.app_hash == chain.hashes[-1]
    assert result.results[0].code == TxCode.MALFORMED


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_byte_of_a_transaction_is_free(data):
    """A flipped byte is refused, or the transaction is known: nothing changes, nothing crashes."""
    sample = data.draw(st.sampled_from(SAMPLES))
    at = data.draw(st.integers(0, len(sample) - 1))
    flipped = sample[:at] + bytes([sample[at] ^ data.draw(st.integers(1, 255))]) + sample[at + 1 :]
    result = CHAIN.machine.finalize_block(
        Block(height=CHAIN.machine.head.height + 1, time_ns=0, txs=(flipped,))
    )
    assert result.results[0].code != 0
    assert result.app_hash == CHAIN.hashes[-1]
    assert CHAIN.check(flipped).code != 0
