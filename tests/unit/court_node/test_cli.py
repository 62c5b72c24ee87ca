import json
import os

import pytest

from evidence_desk.court.node.cli import main
from evidence_desk.court.node.engine import ENGINE_VERSION, VARIABLE
from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.node.localnet import open_localnet
from evidence_desk.court.node.supervisor import Running, exclusive, read_running, write_running
from evidence_desk.errors import BusyError

PEER = f"{'a' * 40}@court-b.example:26656"


def answer(capsys) -> dict[str, object]:
    value: dict[str, object] = json.loads(capsys.readouterr().out)
    return value


def test_init_prints_what_is_read_out_at_the_ceremony(tmp_path, capsys):
    folder = str(tmp_path / "node")
    assert main(["init", "--dir", folder, "--name", "court-a", "--peer", PEER, "--json"]) == 0
    told = answer(capsys)
    identity = NodeHome.open(tmp_path / "node").identity()
    assert told["validator_key"] == identity.validator_key.hex()
    assert told["fingerprint"] == identity.fingerprint
    assert NodeHome.open(tmp_path / "node").settings().peers == (PEER,)
    assert main(["init", "--dir", folder, "--name", "court-a", "--json"]) == 64
    assert answer(capsys)["error"]["code"] == "node.exists"  # type: ignore[index]


def test_init_for_people(tmp_path, capsys):
    assert main(["init", "--dir", str(tmp_path / "node"), "--name", "court-a"]) == 0
    assert NodeHome.open(tmp_path / "node").identity().fingerprint in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["init", "--name", "x"], 64),
        (["init", "--dir", "{}", "--name", "x", "--peer", "nobody"], 64),
        (["init", "--dir", "{}", "--name", ""], 64),
        (["start", "--dir", "{}"], 78),
        (["status", "--dir", "{}"], 78),
        (["localnet", "0", "--dir", "{}"], 64),
        (["localnet", "four", "--dir", "{}"], 64),
        (["nonsense"], 64),
    ],
)
def test_what_cannot_be_meant(tmp_path, capsys, monkeypatch, arguments, status):
    engine = tmp_path / "engine"
    engine.write_text('#!/bin/sh\ncat "$(dirname "$0")/version"\n')
    engine.chmod(0o700)
    (tmp_path / "version").write_text(ENGINE_VERSION)
    monkeypatch.setenv(VARIABLE, str(engine))
    filled = [item.replace("{}", str(tmp_path / "folder")) for item in arguments]
    assert main(filled) == status
    assert capsys.readouterr().err


def test_start_wants_a_genesis_document(tmp_path, capsys):
    assert main(["init", "--dir", str(tmp_path / "node"), "--name", "court-a"]) == 0
    assert main(["start", "--dir", str(tmp_path / "node")]) == 78
    assert "genesis.json" in capsys.readouterr().err


def test_a_genesis_document_is_put_in_place(tmp_path, capsys):
    net = open_localnet(tmp_path / "net", 1)
    source = net.homes[0].genesis_file
    arguments = ["init", "--dir", str(tmp_path / "node"), "--name", "x", "--genesis", str(source), "--json"]
    assert main(arguments) == 0
    assert answer(capsys)["path"] == str(tmp_path / "node")
    assert NodeHome.open(tmp_path / "node").genesis_file.read_bytes() == source.read_bytes()


def test_status_of_nodes_that_do_not_run(tmp_path, capsys):
    open_localnet(tmp_path / "net", 2)
    assert main(["status", "--dir", str(tmp_path / "net"), "--json"]) == 69
    nodes = answer(capsys)["nodes"]
    assert [node["running"] for node in nodes] == [False, False]  # type: ignore[attr-defined]
    assert main(["status", "--dir", str(tmp_path / "net" / "node1")]) == 69
    assert "demo-node1" in capsys.readouterr().out


def test_a_folder_has_one_supervisor(tmp_path):
    home = open_localnet(tmp_path / "net", 1).homes[0]
    with exclusive(home), pytest.raises(BusyError), exclusive(home):
        pass
    with exclusive(home):
        pass


def test_process_ids_of_the_dead_are_not_told(tmp_path):
    home = open_localnet(tmp_path / "net", 1).homes[0]
    assert read_running(home) == Running()
    write_running(home, Running(application=os.getpid(), engine=2**22 + 1, restarts=3))
    assert read_running(home) == Running(application=os.getpid(), engine=0, restarts=3)
    (home.path / "run.json").write_text("[]")
    assert read_running(home) == Running()
