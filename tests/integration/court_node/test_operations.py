"""What operators do, with the real engine: ceremony, decisions, an observer, a node replaced, backup and restore."""

import base64
import json
from functools import partial

import pytest

from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.protocol.actions import RegisterDesk
from evidence_desk.court.protocol.registry import DESK_ENTRY
from tests.integration.court_node.network import registered, running, wait_until
from tests.integration.court_node.nodes import Nodes, command
from tests.unit.court_node.chain import Desk, signed

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    with running(Nodes.found(tmp_path_factory.mktemp("court") / "net")) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def desk(nodes):
    """Registered by all at once; tests may run in any order, each over the network as it finds it."""
    return registered(nodes)


def govern(nodes: Nodes, index: int, *arguments: object, status: int = 0) -> dict:
    return command(
        "govern", *map(str, arguments), "--dir", nodes.path / f"node{index}", "--governance-key",
        nodes.key_file(index), "--yes", status=status,
    )  # fmt: skip


def reached(nodes: Nodes, height: int) -> bool:
    return all(nodes.height(index) >= height for index in nodes.live())


def listed(nodes: Nodes, index: int = 0, *more: str) -> dict:
    return command("govern", "list", "--dir", nodes.path / f"node{index}", *more)


def test_a_desk_is_registered_by_three_of_four(nodes, tmp_path):
    desk = Desk(name="by vote", chain_id=nodes.chain_id)
    application = tmp_path / "application.tx"
    application.write_bytes(desk.sign(desk.registration()))
    first = govern(nodes, 0, "register", application)
    assert (first["votes"], first["executed"]) == (1, None)
    waiting = listed(nodes)["proposals"]
    (item,) = [item for item in waiting if item["id"] == first["proposal"]]
    assert item["votes"] == ["court-0"]
    assert desk.origin in item["words"][0]
    nodes.wait_for_height(first["height"])
    second = govern(nodes, 1, "register", application)
    assert second["proposal"] == first["proposal"], "the open proposal is voted for, not made again"
    nodes.wait_for_height(second["height"])
    third = govern(nodes, 2, "vote", first["proposal"][:12])
    assert third["executed"] == third["height"]
    desk.leaf(b"anchored")
    assert nodes.commit(3, desk.submission(0))["tx_result"]["code"] == 0
    past = {item["id"]: item["executed"] for item in listed(nodes, 0, "--all")["proposals"]}
    assert past[first["proposal"]] == third["height"]
    assert first["proposal"] not in {item["id"] for item in listed(nodes)["proposals"]}


def test_who_may_not_decide(nodes, tmp_path):
    stranger = tmp_path / "stranger"
    command("init", "--dir", stranger, "--name", "x", "--institution", "stranger")
    arguments = ["--dir", nodes.path / "node0", "--governance-key", stranger / "governance.pem", "--yes"]
    told = command("govern", "propose", "parameter", "lookup_quota", "5", *arguments, status=64)
    assert told["error"]["code"] == "governance.refused.signature"
    forged = tmp_path / "forged.tx"
    registration = RegisterDesk(origin=Desk(name="two").origin, office="example", keys=Desk(name="two").keys)
    forged.write_bytes(signed(registration, nodes.governor(0), chain_id=nodes.chain_id).encode())
    told = govern(nodes, 0, "register", forged, status=1)
    assert told["error"]["code"] == "governance.application_key"


def test_a_parameter_changes_by_a_saved_proposal(nodes, tmp_path):
    saved = tmp_path / "proposal.tx"
    made = govern(nodes, 0, "propose", "parameter", "lookup_quota", "4321", "--save", saved)
    for index in (1, 2):
        nodes.wait_for_height(made["height"])
        made = govern(nodes, index, "vote", saved)
    nodes.wait_for_height(made["height"])
    assert made["executed"]
    assert listed(nodes, 3)["parameters"]["lookup_quota"] == 4321
    told = govern(nodes, 3, "vote", saved, status=64)
    assert told["error"]["code"] == "governance.refused.proposal"


def test_decisions_through_a_gateway(nodes, tmp_path):
    """Where the governance key is, there need be no node: a saved proposal is read, told in words and voted for."""
    saved, door = tmp_path / "proposal.tx", ["--gateway", nodes.gateway, "--yes"]
    govern(nodes, 0, "propose", "parameter", "max_submit_bytes", "500000", "--save", saved)
    for index in (1, 2):
        command("govern", "vote", saved, *door, "--governance-key", nodes.key_file(index))
    wait_until(lambda: listed(nodes)["parameters"]["max_submit_bytes"] == 500_000)
    key = ["--governance-key", nodes.key_file(3)]
    told = command("govern", "vote", saved, *door, *key, status=64)
    assert told["error"]["code"] == "governance.refused.proposal"
    told = command("govern", "vote", "0" * 12, *door, *key, status=64)
    assert told["error"]["code"] == "governance.own_node"
    made = command("govern", "propose", "remove", "ab" * 32, *door, *key)
    assert made["id"] in json.dumps(listed(nodes))


def test_equivocation_is_reported(nodes, desk, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    desk.leaf(b"one history")
    nodes.commit(0, desk.submission(len(desk.leaves) - 1))
    first.write_bytes(desk.note())
    second.write_bytes(desk.note(root=bytes(32)))
    door = ["--dir", nodes.path / "node1", "--yes"]
    told = command("report-equivocation", first, *door, status=64)
    assert told["error"]["code"] == "governance.refused.unproven"
    assert command("report-equivocation", first, second, *door)["height"]
    told = command("report-equivocation", second, *door, status=64)
    assert told["error"]["code"] == "governance.refused.known"


def test_an_observer_follows_and_replaces_a_validator_by_vote(nodes, desk, tmp_path):
    """Without a vote at first; then it becomes the fifth validator, the fourth leaves, and its keys decide nothing."""
    index = nodes.count
    nodes.init(index)
    assert nodes.join(index)["validator"] is False
    nodes.start_node(index)
    desk.leaf(b"seen by the observer")
    done = nodes.commit(0, desk.submission(len(desk.leaves) - 1))
    wait_until(lambda: nodes.height(index) > int(done["height"]))
    assert nodes.header(index, int(done["height"]) + 1) == nodes.header(0, int(done["height"]) + 1)
    told = command("status", "--dir", nodes.path / f"node{index}")["nodes"][0]
    assert told["validator"] is False
    assert command("status", "--dir", nodes.path / "node0")["nodes"][0]["validator"] is True
    member = nodes.path / f"node{index}" / "member.json"
    made = govern(nodes, 0, "propose", "add", member)
    for voter in (1, 2):
        nodes.wait_for_height(made["height"])
        made = govern(nodes, voter, "vote", made["proposal"])
    assert made["executed"]
    nodes.count += 1
    key = NodeHome.open(nodes.path / f"node{index}").identity().validator_key
    for number in range(3):
        desk.leaf(b"while the set changes %d" % number)
        done = nodes.commit(number, desk.submission(len(desk.leaves) - 1))
    wait_until(lambda: nodes.height(index) >= int(done["height"]))
    assert command("status", "--dir", nodes.path / f"node{index}")["nodes"][0]["validator"] is True
    nodes.stop_node(3)
    made = govern(nodes, 0, "propose", "remove", "court-3")
    for voter in (1, 2, index):
        wait_until(partial(reached, nodes, int(made["height"])))
        made = govern(nodes, voter, "vote", made["proposal"])
    assert made["executed"]
    names = [item["institution"] for item in listed(nodes)["institutions"]]
    assert names == ["court-0", "court-1", "court-2", "court-4"]
    desk.leaf(b"after the change")
    done = nodes.commit(index, desk.submission(len(desk.leaves) - 1))
    desk.leaf(b"and another")
    done = nodes.commit(index, desk.submission(len(desk.leaves) - 1))
    height = str(int(done["height"]) + 1)
    wait_until(lambda: nodes.height(0) >= int(height))
    now = {item["pub_key"]["value"] for item in nodes.ask(0, "validators", height=height)["validators"]}
    assert len(now) == 4
    assert key.hex() in json.dumps(listed(nodes))
    start = ["--genesis", nodes.path / "out" / "genesis.json", "--dir", nodes.path / "node0"]
    bundle = command("trust-bundle", *start, "--out", tmp_path / "bundle")
    assert bundle["added"] == 3, "the newest header, and where the set changed"
    assert len(bundle["signers"]) >= 3
    nodes.one_history(max(1, nodes.height(0) - 10))


def test_a_trust_bundle_grows(nodes, tmp_path):
    """From the genesis document to the newest header; then on from the bundle, by the own node or a gateway."""
    genesis, door = nodes.path / "out" / "genesis.json", ["--dir", nodes.path / "node0"]
    first = command("trust-bundle", "--genesis", genesis, *door, "--out", tmp_path / "one")
    assert first["chain_id"] == nodes.chain_id
    assert len(first["signers"]) >= 3
    told = command("trust-bundle", "--trust", tmp_path / "one", *door, "--out", tmp_path / "two", status=69)
    assert told["error"]["code"] == "bundle.behind"
    desk = Desk(name="bundle", chain_id=nodes.chain_id)
    assert nodes.commit(0, nodes.approved(desk.registration()))["tx_result"]["code"] == 0
    second = command("trust-bundle", "--trust", tmp_path / "one", *door, "--out", tmp_path / "two")
    assert second["height"] > first["height"]
    newer = Desk(name="bundle by gateway", chain_id=nodes.chain_id)
    assert nodes.commit(0, nodes.approved(newer.registration()))["tx_result"]["code"] == 0
    by_gateway = command(
        "trust-bundle", "--trust", tmp_path / "two", "--gateway", nodes.gateway, "--out", tmp_path / "four"
    )
    assert by_gateway["height"] > second["height"]
    told = command("trust-bundle", *door, "--out", tmp_path / "three", status=64)
    assert told["error"]["code"] == "bundle.no_start", "never on first use"


def same_tip(nodes: Nodes, index: int) -> bool:
    return nodes.height(index) >= nodes.height(0) > 0


def test_a_wiped_node_follows_anew(nodes):
    """Blocks and state gone, keys and signing state kept: from genesis over every change of the set to the tip."""
    folder = nodes.path / "node1"
    command("resync", "--dir", folder, "--yes", status=75)
    nodes.stop_node(1)
    command("resync", "--dir", folder, "--yes")
    assert not (folder / "data" / "blockstore.db").exists()
    nodes.start_node(1)
    wait_until(partial(same_tip, nodes, 1))
    nodes.one_history()
    desk = Desk(name="after the wipe", chain_id=nodes.chain_id)
    assert nodes.commit(1, nodes.approved(desk.registration()))["tx_result"]["code"] == 0


def test_a_backup_of_a_running_node_is_restored(nodes, tmp_path, monkeypatch):
    """A lost node comes back with its keys, signs nothing it may have signed, and then takes part again."""
    monkeypatch.setenv("COURT_BACKUP_PASSPHRASE", "备份口令")
    folder, kept = nodes.path / "node2", tmp_path / "node2.court-backup"
    made = command("backup", "--dir", folder, kept, "--with-keys")
    assert made["height"] <= nodes.height(2)
    identity = nodes.home(2).identity()
    nodes.kill_node(2)
    folder.rename(tmp_path / "lost")
    desk = Desk(name="while it is away", chain_id=nodes.chain_id)
    done = nodes.commit(0, nodes.approved(desk.registration()))
    newest = nodes.height(0)
    told = command("restore", kept, "--dir", folder, "--with-keys", "--yes", "--gateway", nodes.gateway)
    assert nodes.home(2).identity() == identity
    nodes.start_node(2)
    wait_until(partial(same_tip, nodes, 2))
    assert nodes.header(2, int(done["height"])) == nodes.header(0, int(done["height"]))
    address = nodes.ask(2, "status")["validator_info"]["address"]

    def signed_at(height: int) -> bool:
        votes = nodes.ask(0, "commit", height=str(height))["signed_header"]["commit"]["signatures"]
        return address in {vote["validator_address"] for vote in votes}

    while nodes.height(0) < told["signs_after"] + 3:
        desk.leaf(b"on %d" % len(desk.leaves))
        nodes.commit(0, desk.submission(len(desk.leaves) - 1))
    heights = range(newest + 1, nodes.height(0))
    signing = [height for height in heights if signed_at(height)]
    assert signing
    assert min(signing) > told["signs_after"]
    nodes.one_history(newest)


def test_a_damaged_state_is_put_back_beside_its_blocks(nodes, tmp_path):
    folder, kept = nodes.path / "node0", tmp_path / "node0.court-backup"
    made = command("backup", "--dir", folder, kept)
    desk = Desk(name="after the backup", chain_id=nodes.chain_id)
    assert nodes.commit(0, nodes.approved(desk.registration()))["tx_result"]["code"] == 0
    nodes.stop_node(0)
    (folder / "app" / "state.db").write_bytes(b"\x00" * 4096)
    assert command("restore", kept, "--dir", folder, "--state")["height"] == made["height"]
    nodes.start_node(0)
    wait_until(lambda: nodes.height(0) >= nodes.height(1) > made["height"])
    nodes.one_history(made["height"])
    assert DESK_ENTRY.decode(base64.b64decode(nodes.query(0, "/desk", desk.origin.encode())["entry"]))


def test_the_whole_chain_executed_again(nodes, tmp_path):
    """Over every change of the set, by a fresh state machine, from blocks as the engine keeps them."""
    file = tmp_path / "all.chain"
    done = command("replay", "--dir", nodes.path / "node1", "--export", file)
    assert done["height"] >= nodes.height(1) - 3
    assert nodes.header(0, done["height"] + 1)["app_hash"].lower() == done["app_hash"]
    assert command("replay", "--file", file)["app_hash"] == done["app_hash"]
