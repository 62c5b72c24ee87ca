import base64
import json
import socket
import stat
import tomllib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.court.node.abci.application import Genesis, Validator
from evidence_desk.court.node.app.genesis import parse_app_state
from evidence_desk.court.node.home import NodeHome, NodeSettings, check_peer, create_home, install_genesis
from evidence_desk.court.node.localnet import governance_keys, open_localnet
from evidence_desk.errors import ConfigurationError, HostError, MalformedError, UsageError
from tests.unit.court_node.chain import Chain

SETTINGS = NodeSettings(
    name="一号节点 “A”", p2p_port=20001, rpc_port=20002, peers=(f"{'a' * 40}@127.0.0.1:9",)
)


def test_a_home_is_made_once_with_keys_of_its_own(tmp_path):
    home = create_home(tmp_path / "node", SETTINGS)
    assert NodeHome.open(home.path).settings() == SETTINGS
    with pytest.raises(UsageError) as caught:
        create_home(tmp_path / "node", SETTINGS)
    assert caught.value.code == "node.exists"
    other = create_home(tmp_path / "other", SETTINGS)
    assert home.identity() != other.identity()
    for name in ("config/priv_validator_key.json", "config/node_key.json", "data/priv_validator_state.json"):
        assert stat.S_IMODE((home.path / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


def test_keys_are_what_the_engine_reads(tmp_path):
    home = create_home(tmp_path / "node", SETTINGS)
    key = json.loads((home.path / "config" / "priv_validator_key.json").read_text())
    private = base64.b64decode(key["priv_key"]["value"])
    public = Ed25519PrivateKey.from_private_bytes(private[:32]).public_key().public_bytes_raw()
    assert (
        private[32:] == public == base64.b64decode(key["pub_key"]["value"]) == home.identity().validator_key
    )
    assert len(bytes.fromhex(key["address"])) == 20
    assert len(home.identity().node_id) == 40
    assert home.identity().fingerprint.count(" ") == 15


def test_the_engine_is_configured_for_loopback_and_without_pruning(tmp_path):
    home = create_home(tmp_path / "node", SETTINGS)
    config = tomllib.loads((home.path / "config" / "config.toml").read_text("utf-8"))
    assert config["proxy_app"] == "unix://app.sock"
    assert config["rpc"]["laddr"] == "tcp://127.0.0.1:20002"
    assert config["moniker"] == SETTINGS.name
    assert config["mempool"]["recheck"] is False
    assert config["consensus"]["create_empty_blocks_interval"] == "10m0s"
    assert config["p2p"]["persistent_peers"] == SETTINGS.peers[0]


@pytest.mark.parametrize("name", ["", "x" * 41, "a\nb", "a\x00"])
def test_names_that_cannot_be_printed(tmp_path, name):
    with pytest.raises(UsageError):
        create_home(tmp_path / "node", NodeSettings(name=name, p2p_port=1, rpc_port=2))
    assert not (tmp_path / "node").exists()


@pytest.mark.parametrize(
    "text", ["", "name = 1", "x", 'name="a"\nlisten="b"\np2p_port=0\nrpc_port=1\npeers=[]']
)
def test_settings_that_cannot_be_meant(tmp_path, text):
    home = create_home(tmp_path / "node", SETTINGS)
    home.settings_file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        home.settings()
    assert caught.value.code == "node.settings"


def test_spoiled_keys(tmp_path):
    home = create_home(tmp_path / "node", SETTINGS)
    (home.path / "config" / "node_key.json").write_text("{}")
    with pytest.raises(ConfigurationError) as caught:
        home.identity()
    assert caught.value.code == "node.keys"


@pytest.mark.parametrize("peer", ["", "x@h:1", f"{'a' * 40}@h:0", f'{"a" * 40}@h"\n:1', f"{'A' * 40}@h:1"])
def test_peers_that_are_none(peer):
    with pytest.raises(UsageError):
        check_peer(peer)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"chain_id": 1}', b"[" * 100_000, b"\xff"])
def test_a_genesis_document_that_is_none(tmp_path, data):
    home = create_home(tmp_path / "node", SETTINGS)
    source = tmp_path / "genesis.json"
    source.write_bytes(data)
    with pytest.raises(MalformedError):
        install_genesis(home, source)
    assert not home.genesis_file.exists()


def test_no_home(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        NodeHome.open(tmp_path)
    assert caught.value.code == "node.no_home"


def test_a_localnet_is_made_once(tmp_path):
    net = open_localnet(tmp_path / "net", 3)
    assert net.chain_id.startswith("demo-localnet-")
    assert open_localnet(tmp_path / "net", 3) == net
    with pytest.raises(UsageError):
        open_localnet(tmp_path / "net", 4)
    for count in (0, 17):
        with pytest.raises(UsageError):
            open_localnet(tmp_path / "new", count)
    assert len({home.genesis_file.read_bytes() for home in net.homes}) == 1
    assert len(governance_keys(net.path)) == 3
    assert all(len(home.settings().peers) == 2 for home in net.homes)
    ports = [port for home in net.homes for port in (home.settings().p2p_port, home.settings().rpc_port)]
    assert len(set(ports)) == 6
    document = json.loads(net.homes[0].genesis_file.read_text())
    keys = [base64.b64decode(item["pub_key"]["value"]) for item in document["validators"]]
    genesis = Genesis(
        chain_id=net.chain_id, time_ns=0, initial_height=1,
        validators=tuple(Validator(public_key=key, power=1) for key in keys),
        app_state=json.dumps(document["app_state"]).encode(),
    )  # fmt: skip
    assert len(parse_app_state(genesis).institutions.members) == 3


def test_ports_that_are_taken(tmp_path):
    net = open_localnet(tmp_path / "net", 1, base_port=0)

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(HostError) as caught:
        open_localnet(tmp_path / "other", 1, base_port=taken.getsockname()[1])
    assert caught.value.code == "node.port_taken"
    assert net.homes


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"v": "court-genesis/2"}, "institutions"),
        ({"extra": 1}, "institutions"),
        ({"institutions": []}, "institutions"),
        ({"parameters": {"lookup_quota": 0, "max_submit_bytes": 1 << 20}}, "form"),
        ({"parameters": {"lookup_quota": True, "max_submit_bytes": 1 << 20}}, "form"),
        ({"parameters": {}}, "form"),
        ({"institutions": "x"}, "form"),
    ],
)
def test_genesis_states_that_cannot_be_meant(change, reason):
    document = Chain().document
    state = json.loads(document.app_state) | change
    changed = Genesis(
        chain_id=document.chain_id, time_ns=0, validators=document.validators,
        app_state=json.dumps(state).encode(), initial_height=1,
    )  # fmt: skip
    with pytest.raises(MalformedError) as caught:
        parse_app_state(changed)
    assert caught.value.parameters == {"reason": reason}


def test_validators_are_those_of_the_institutions():
    document = Chain().document
    for validators in (
        document.validators[:3],
        (*document.validators[:3], Validator(public_key=document.validators[3].public_key, power=2)),
        document.validators * 2,
    ):
        changed = Genesis(
            chain_id=document.chain_id, time_ns=0, validators=validators,
            app_state=document.app_state, initial_height=1,
        )  # fmt: skip
        with pytest.raises(MalformedError) as caught:
            parse_app_state(changed)
        assert caught.value.parameters == {"reason": "validators"}


def test_the_first_height_is_one():
    with pytest.raises(MalformedError) as caught:
        parse_app_state(replace(Chain().document, initial_height=5))
    assert caught.value.parameters == {"reason": "initial_height"}


@pytest.mark.parametrize("data", [b"", b"[", b"{}", b"null", b"\xff", b"[" * 100_000])
def test_genesis_bytes_that_are_no_state(data):
    document = Chain().document
    changed = Genesis(
        chain_id=document.chain_id,
        time_ns=0,
        validators=document.validators,
        app_state=data,
        initial_height=1,
    )
    with pytest.raises(MalformedError):
        parse_app_state(changed)
