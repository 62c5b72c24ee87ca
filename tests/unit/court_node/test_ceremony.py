import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.court.node.app.genesis import parse_app_state
from evidence_desk.court.node.ceremony import (
    Founding,
    Member,
    check_founding,
    check_network,
    fingerprint,
    found,
    parse_member,
    read_genesis,
)
from evidence_desk.court.node.cli import main
from evidence_desk.court.node.governance_key import open_governance_key
from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.node.localnet import open_localnet
from evidence_desk.court.protocol.network_file import parse_network
from evidence_desk.errors import (
    EvidenceDeskError,
    IntegrityError,
    MalformedError,
    PermissionDeniedError,
    UsageError,
)
from tests.unit.court_node.chain import key, public

TIME = "2026-03-02T01:30:00Z"
UNSOUND = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
]
"""Keys of small order: a signature under them proves nothing."""


def member(code: str, **changes: str) -> Member:
    values = {
        "institution": code, "name": f"示范机构 {code}", "node_id": key(f"node {code}").public_key()
        .public_bytes_raw()[:20].hex(),
        "peer": "",
    }  # fmt: skip
    return Member(
        **(values | changes),
        consensus_key=public(key(f"consensus {code}")),
        governance_key=public(key(f"governance {code}")),
    )


def written(item: Member) -> bytes:
    code = item.institution
    return item.encode(consensus=key(f"consensus {code}"), governance=key(f"governance {code}"))


def founded(*codes: str) -> tuple[Founding, list[Member]]:
    members = [member(code) for code in codes]
    return found("demo-test", members, time=TIME), members


def code_of(caught: pytest.ExceptionInfo[EvidenceDeskError]) -> str:
    return caught.value.code


def test_a_member_file_round_trips():
    own = member("court-a", peer=f"{member('court-a').node_id}@court-a.example:26656")
    assert parse_member(written(own)) == own


def test_each_proof_of_possession_counts():
    own, stranger = member("court-a"), Ed25519PrivateKey.generate()
    for wrong in (
        own.encode(consensus=stranger, governance=key("governance court-a")),
        own.encode(consensus=key("consensus court-a"), governance=stranger),
    ):
        with pytest.raises(IntegrityError) as caught:
            parse_member(wrong)
        assert code_of(caught) == "ceremony.proof"


@pytest.mark.parametrize("field", ["institution", "name", "node_id", "governance_key", "consensus_key"])
def test_a_changed_member_file_is_refused(field):
    own, other = json.loads(written(member("court-a"))), json.loads(written(member("court-b")))
    own[field] = other[field]
    with pytest.raises(IntegrityError) as caught:
        parse_member(encode(own))
    assert code_of(caught) == "ceremony.proof"


@pytest.mark.parametrize("unsound", UNSOUND)
@pytest.mark.parametrize("which", ["consensus_key", "governance_key"])
def test_keys_outside_the_prime_order_group_are_refused(unsound, which):
    value = json.loads(written(member("court-a")))
    value[which] = unsound.hex()
    with pytest.raises(IntegrityError) as caught:
        parse_member(encode(value))
    assert code_of(caught) == "ceremony.key_unsound"


def test_one_key_for_two_purposes_is_refused():
    value = json.loads(written(member("court-a")))
    value["governance_key"] = value["consensus_key"]
    with pytest.raises(MalformedError):
        parse_member(encode(value))


@given(st.binary(max_size=400))
def test_foreign_bytes_as_member_file(data):
    with pytest.raises(EvidenceDeskError):
        parse_member(data)


@given(st.data())
def test_a_damaged_member_file_never_passes(data):
    good = written(member("court-a"))
    at = data.draw(st.integers(0, len(good) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != good[at]))
    with pytest.raises(EvidenceDeskError):
        parse_member(good[:at] + bytes([byte]) + good[at + 1 :])


def test_founding():
    made, members = founded("court-c", "court-a", "court-b", "court-d")
    genesis, network = read_genesis(made.genesis), parse_network(made.network)
    assert made.chain_id.startswith("demo-test-")
    assert len(made.chain_id) == len("demo-test-") + 8
    assert genesis.chain_id == network.chain_id == made.chain_id
    assert parse_app_state(genesis.machine) == genesis.state
    assert sorted(network.institutions.values()) == sorted(item.name for item in members)
    check_founding(genesis, members, network)
    for own in members:
        check_founding(genesis, [own], network)
    assert founded("court-a")[0].chain_id != founded("court-a")[0].chain_id


@pytest.mark.parametrize("name", ["", "Demo", "a b", "-x", "x" * 41, "网络"])
def test_names_of_networks(name):
    with pytest.raises(UsageError):
        found(name, [member("court-a")], time=TIME)


@pytest.mark.parametrize("time", ["", "now", "2026-03-02", "2026-13-02T01:30:00Z"])
def test_times_of_genesis(time):
    with pytest.raises(MalformedError):
        found("demo-x", [member("court-a")], time=time)


def test_duplicates_are_refused():
    with pytest.raises(UsageError):
        found("demo-x", [], time=TIME)
    own = member("court-a")
    for twin in (own, member("court-b", name=own.name), member("court-b", node_id=own.node_id)):
        with pytest.raises(IntegrityError) as caught:
            found("demo-x", [own, twin], time=TIME)
        assert code_of(caught) == "ceremony.duplicate"


def test_each_institution_notices_what_is_wrong_with_a_genesis_document():
    made, members = founded("court-a", "court-b", "court-c", "court-d")
    genesis = read_genesis(made.genesis)
    with pytest.raises(IntegrityError) as caught:
        check_founding(genesis, [member("court-e")], None)
    assert code_of(caught) == "ceremony.not_in"
    swapped = Member(
        institution="court-a", name="x", node_id="0" * 40, consensus_key=public(key("y")),
        governance_key=public(key("z")),
    )  # fmt: skip
    with pytest.raises(IntegrityError) as caught:
        check_founding(genesis, [swapped], None)
    assert code_of(caught) == "ceremony.other_key"
    with pytest.raises(IntegrityError) as caught:
        check_founding(genesis, members[:3], None)
    assert code_of(caught) == "ceremony.unexpected"
    other = parse_network(founded("court-a", "court-b", "court-c", "court-d")[0].network)
    with pytest.raises(IntegrityError) as caught:
        check_network(genesis, [], other)
    assert code_of(caught) == "ceremony.network_differs"


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"initial_height": "2"},
        {"app_hash": "00"},
        {"consensus_params": {}},
        {"validators": []},
        {"app_state": None},
        {"chain_id": "x y"},
        {"chain_id": 5},
        {"genesis_time": "soon"},
    ],
)
def test_nothing_else_may_stand_in_a_genesis_document(change):
    document = json.loads(founded("court-a", "court-b")[0].genesis) | change
    with pytest.raises(MalformedError):
        read_genesis(json.dumps(document).encode())


def test_more_power_for_one_is_noticed():
    document = json.loads(founded("court-a", "court-b")[0].genesis)
    document["validators"][0]["power"] = "10"
    with pytest.raises(MalformedError):
        read_genesis(json.dumps(document).encode())


@given(st.one_of(st.binary(max_size=200), st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["chain_id", "validators", "app_state", "genesis_time", "name", "pub_key", "value"]), inner)).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_foreign_bytes_as_genesis_document(data):
    with pytest.raises(MalformedError):
        read_genesis(data)


def test_a_localnets_document_has_the_same_form(tmp_path):
    home = open_localnet(tmp_path / "net", 3).homes[0]
    assert len(read_genesis(home.genesis_file.read_bytes()).state.institutions.members) == 3


def run(capsys, *arguments: str, status: int = 0) -> dict:
    assert main([*arguments, "--json"]) == status
    value: dict = json.loads(capsys.readouterr().out)
    return value


def test_the_ceremony_by_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COURT_GOVERNANCE_PASSPHRASE", "测试口令")
    files = []
    for number, code in enumerate(("court-a", "court-b", "court-c", "court-d")):
        folder, keys = tmp_path / code, tmp_path / "kept" / f"{code}.pem"
        told = run(
            capsys, "init", "--dir", str(folder), "--name", code, "--institution", code, "--title", f"机构{code}",
            "--address", f"10.0.0.{number}:26656", "--governance-key", str(keys),
            "--gateway-port", "8443",
        )  # fmt: skip
        assert told["governance_fingerprint"] == fingerprint(bytes.fromhex(str(told["governance_key"])))
        assert keys.stat().st_mode & 0o777 == 0o600
        assert b"ENCRYPTED" in keys.read_bytes()
        assert (
            open_governance_key(keys, "测试口令").public_key().public_bytes_raw().hex()
            == told["governance_key"]
        )
        with pytest.raises(PermissionDeniedError):
            open_governance_key(keys, "wrong")
        files += ["--member", str(told["member"])]
    out = tmp_path / "out"
    made = run(capsys, "genesis", "--chain", "demo-law", *files, "--out", str(out), "--time", TIME)
    assert made["chain_id"].startswith("demo-law-")
    for language, word in (("zh", "创立仪式"), ("en", "ceremony")):
        record = (out / f"ceremony.{language}.txt").read_text("utf-8")
        assert made["genesis_fingerprint"] in record
        assert all(
            item["consensus"] in record and item["governance"] in record for item in made["institutions"]
        )
        assert word in record or language == "en"
    document, network = str(out / "genesis.json"), str(out / "network.json")
    assert run(capsys, "genesis", "--check", document, *files, "--network", network) == made
    own = run(capsys, "genesis", "--check", document, "--member", str(tmp_path / "court-b" / "member.json"))
    assert own["genesis_fingerprint"] == made["genesis_fingerprint"]
    taken = run(
        capsys, "join", "--dir", str(tmp_path / "court-b"), "--genesis", document, "--network", network,
        "--peers", str(out / "peers.txt"),
    )  # fmt: skip
    assert taken["validator"] is True
    settings = NodeHome.open(tmp_path / "court-b").settings()
    assert len(settings.peers) == 3, "not itself"
    assert settings.gateway is not None
    assert settings.gateway.url == "http://127.0.0.1:8443"
    assert main(["genesis", "--chain", "demo-law", *files, "--out", str(out)]) == 64, "never overwritten"


def test_an_observer_joins(tmp_path, capsys):
    made, _ = founded("court-a", "court-b")
    (tmp_path / "genesis.json").write_bytes(made.genesis)
    (tmp_path / "network.json").write_bytes(made.network)
    given_files = ["--genesis", str(tmp_path / "genesis.json"), "--network", str(tmp_path / "network.json")]
    folder = tmp_path / "observer"
    assert main(["join", "--dir", str(folder), *given_files]) == 64, "no peer"
    peer = f"{'a' * 40}@court-a.example:26656"
    told = run(capsys, "join", "--dir", str(folder), *given_files, "--peer", peer)
    assert told["validator"] is False
    assert told["chain_id"] == made.chain_id
    assert (folder / "network.json").read_bytes() == made.network
    other, _ = founded("court-a", "court-b")
    (tmp_path / "genesis.json").write_bytes(other.genesis)
    assert main(["join", "--dir", str(folder), *given_files, "--peer", peer]) == 1, "network.json of another"
    (tmp_path / "network.json").write_bytes(other.network)
    assert main(["join", "--dir", str(folder), *given_files, "--peer", peer]) == 64, "belongs to the first"


def test_a_ceremony_needs_arguments(tmp_path, capsys):
    assert main(["genesis"]) == 64
    assert main(["genesis", "--check", str(tmp_path / "none")]) == 64
    assert main(["genesis", "--chain", "x", "--member", str(tmp_path / "none"), "--out", str(tmp_path)]) == 66
    assert capsys.readouterr().err
