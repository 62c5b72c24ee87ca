"""The real engine: four validators on loopback."""

import base64
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.court.node.abci.application import Block, Genesis, Validator
from evidence_desk.court.node.app.logs import log_key
from evidence_desk.court.node.app.machine import CourtMachine
from evidence_desk.court.node.app.store import MemoryStore
from evidence_desk.court.protocol.actions import Govern, Proposal, RemoveValidator
from evidence_desk.court.protocol.block import LightBlock
from evidence_desk.court.protocol.history import walk
from evidence_desk.court.protocol.map_proof import decode_map_proof
from evidence_desk.court.protocol.network_file import parse_network
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, DESK_ENTRY
from evidence_desk.court.protocol.rpc import read_answer, read_signed_header, read_validators
from evidence_desk.court.protocol.state import ListRoot, StateRoots, check_desk, check_record
from evidence_desk.court.protocol.tx_codes import TxCode
from tests.integration.court_node.network import Network, alive, registered, running, wait_until
from tests.unit.court_node.chain import Desk, signed

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    with running(Network(tmp_path_factory.mktemp("court") / "net", 4)) as net:
        yield net


@pytest.fixture(scope="module")
def desk(network):
    return registered(network)


def submit(network: Network, desk: Desk, count: int, node: int = 0) -> int:
    """Anchor some more leaves; the height of their block."""
    old = len(desk.leaves)
    for number in range(old, old + count):
        desk.leaf(b"file %d" % number)
    done = network.commit(node, desk.submission(old))
    assert done["tx_result"]["code"] == 0
    return int(done["height"])


def test_blocks_are_agreed_on(network, desk):
    heights = [submit(network, desk, count, node) for node, count in enumerate((1, 50, 200))]
    assert heights == sorted(set(heights))
    assert heights[-1] >= 3
    hashes = [network.agree(height + 1) for height in heights]
    assert len(set(hashes)) == 3, "every checkpoint changes the state"
    for index in range(network.count):
        entry = network.query(index, "/desk", desk.origin.encode())["entry"]
        assert DESK_ENTRY.decode(base64.b64decode(entry)).size == len(desk.leaves)


def light_block(network: Network, node: int, height: int) -> LightBlock:
    signed_header = network.ask(node, "commit", height=str(height))["signed_header"]
    validators = network.ask(node, "validators", height=str(height), per_page="100")["validators"]
    header, commit = read_signed_header(read_answer(json.dumps(signed_header).encode()))
    members = read_validators(read_answer(json.dumps(validators).encode()))
    return LightBlock(header=header, commit=commit, validators=members)


def test_a_proof_from_genesis_to_the_checkpoint(network, desk):
    """Nothing is believed but the trust folder: validators, commit, header, state, entry, record."""
    height = submit(network, desk, 3)
    network.wait_for_height(height + 1)
    trust = parse_network((Path(network.ready["trust"]) / "network.json").read_bytes())
    assert trust.demo
    block = light_block(network, 1, height + 1)
    assert block.validators == trust.genesis
    assert walk(trust, [], [block]).signers[height + 1].power >= 3
    value = network.query(2, "/desk", desk.origin.encode(), height)
    roots = value["roots"]
    listed = ListRoot(size=roots["checkpoints"]["size"], root=bytes.fromhex(roots["checkpoints"]["root"]))
    maps = {name: bytes.fromhex(roots[name]) for name in ("desks", "governance", "lookup")}
    state = StateRoots(checkpoints=listed, **maps)
    assert state.app_hash == block.header.app_hash
    entry = DESK_ENTRY.decode(base64.b64decode(value["entry"]))
    check_desk(state, desk.origin, entry, decode_map_proof(base64.b64decode(value["proof"])))
    found = network.query(2, "/checkpoint", log_key(desk.origin, len(desk.leaves)), height)
    record = CHECKPOINT_RECORD.decode(base64.b64decode(found["record"]))
    check_record(state, record, index=found["index"], path=[base64.b64decode(item) for item in found["path"]])
    assert (record.height, record.root) == (height, entry.root)


def test_foreign_transactions_are_kept_out(network):
    def refused(tx: bytes) -> int:
        return int(network.ask(0, "broadcast_tx_sync", tx=base64.b64encode(tx).decode())["code"])

    assert refused(b"garbage") == TxCode.MALFORMED
    assert (
        refused(signed(Desk(name="stranger").registration(), chain_id=network.chain_id).encode())
        == TxCode.APPROVAL
    )
    other = Desk(name="other", chain_id="demo-other-00000000")
    other.leaf(b"x")
    assert refused(other.submission(0)) == TxCode.MALFORMED


def restarted(network: Network, index: int) -> bool:
    return network.running(index).restarts == 1


def test_killed_processes_come_back(network, desk):
    application, engine = network.running(0).application, network.running(1).engine
    assert application
    assert engine
    os.kill(application, signal.SIGKILL)
    height = submit(network, desk, 5, node=2)
    network.wait_for_height(height)
    os.kill(engine, signal.SIGKILL)
    height = submit(network, desk, 5, node=3)
    network.agree(height + 1)
    for index, pid in ((0, application), (1, engine)):
        wait_until(partial(restarted, network, index))
        running = network.running(index)
        assert pid not in {running.application, running.engine}
        assert running.application
        assert running.engine
    assert network.running(2).restarts == network.running(3).restarts == 0
    height = submit(network, desk, 5, node=0)
    network.agree(height + 1)


def test_status_of_all_nodes(network):
    command = [sys.executable, "-m", "evidence_desk.court.node", "status", "--dir", network.path, "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert [node["running"] for node in told["nodes"]] == [True] * 4
    assert {node["chain_id"] for node in told["nodes"]} == {network.chain_id}
    assert all(node["demo"] for node in told["nodes"])
    assert all(node["peers"] >= 1 for node in told["nodes"])


def test_a_second_supervisor_is_refused(network):
    command = [sys.executable, "-m", "evidence_desk.court.node", "localnet", "4", "--dir", network.path]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 75
    assert second.stdout == ""


def test_an_institution_leaves_by_vote(network, desk):
    key = network.home(3).identity().validator_key
    payload = Govern(propose=Proposal(number=1, remove=RemoveValidator(consensus_key=key)))
    done = network.commit(0, network.approved(payload))
    assert done["tx_result"]["code"] == 0
    height = int(done["height"])
    submit(network, desk, 1)
    last = submit(network, desk, 1)
    assert last >= height + 2

    def members(at: int) -> int:
        return len(network.ask(0, "validators", height=str(at), per_page="100")["validators"])

    assert [members(height + 1), members(height + 2)] == [4, 3]
    network.agree(last)


def test_stops_on_sigterm_and_goes_on_where_it_was(network, desk):
    height = submit(network, desk, 2)
    pids = [
        pid
        for index in range(4)
        for pid in (network.running(index).application, network.running(index).engine)
    ]
    assert network.stop() == 0
    assert not any(alive(pid) for pid in pids)
    chain_id = network.chain_id
    network.start()
    assert network.chain_id == chain_id
    network.agree(height)
    again = submit(network, desk, 2)
    assert again > height
    network.agree(again + 1)
    value = network.query(1, "/desk", desk.origin.encode())
    entry = DESK_ENTRY.decode(base64.b64decode(value["entry"]))
    assert entry.size == len(desk.leaves)
    assert entry.root == root_of(leaf_hash(leaf) for leaf in desk.leaves)


def test_the_whole_chain_executed_again_gives_the_same_hashes(network, desk):
    """By a fresh state machine from the genesis document, as the engine's headers show them."""
    while network.height(0) <= 10:
        submit(network, desk, 7)
    tip = network.height(0)
    document = json.loads(network.home(0).genesis_file.read_text())
    machine = CourtMachine(MemoryStore())
    machine.init_chain(
        Genesis(
            chain_id=document["chain_id"],
            time_ns=0,
            validators=tuple(
                Validator(public_key=base64.b64decode(item["pub_key"]["value"]), power=int(item["power"]))
                for item in document["validators"]
            ),
            app_state=json.dumps(document["app_state"]).encode(),
            initial_height=1,
        )
    )
    for height in range(1, tip):
        found = network.ask(0, "block", height=str(height))["block"]["data"]["txs"] or []
        txs = tuple(base64.b64decode(tx) for tx in found)
        result = machine.finalize_block(Block(height=height, time_ns=0, txs=txs))
        machine.commit()
        assert result.app_hash.hex().upper() == network.header(0, height + 1)["app_hash"]


def test_a_killed_supervisor_leaves_nothing_behind(network):
    pids = [
        pid
        for index in range(4)
        for pid in (network.running(index).application, network.running(index).engine)
    ]
    assert all(pids)
    network.kill()
    wait_until(lambda: not any(alive(pid) for pid in pids))
