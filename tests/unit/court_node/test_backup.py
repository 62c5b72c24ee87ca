"""Backups of a node: whole, proven, and never a way to sign a height twice."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.court.node.abci.application import Block
from evidence_desk.court.node.app.machine import CourtMachine
from evidence_desk.court.node.app.sqlite_store import SqliteStore
from evidence_desk.court.node.backup import (
    MARGIN,
    backup,
    check_backup,
    checked_state,
    dated_name,
    opened,
    restore_node,
    restore_state,
    rotate,
    signed_height,
    wipe,
)
from evidence_desk.court.node.ceremony import read_genesis
from evidence_desk.court.node.cli import main
from evidence_desk.court.node.home import NodeHome
from evidence_desk.court.node.localnet import governance_keys, open_localnet
from evidence_desk.court.node.supervisor import exclusive
from evidence_desk.errors import (
    BusyError,
    EvidenceDeskError,
    HostError,
    IntegrityError,
    MalformedError,
    PermissionDeniedError,
    UnreadableError,
    UsageError,
)
from tests.unit.court_node.chain import Desk, signed

SECRET = "备份口令"


def executed(home: NodeHome, net: Path, blocks: int = 3) -> SqliteStore:
    """A state as the engine would have made it; the store stays open, as in a running node."""
    genesis = read_genesis(home.genesis_file.read_bytes())
    store = SqliteStore(home.store_file)
    machine = CourtMachine(store)
    machine.init_chain(genesis.machine)
    for height in range(1, blocks + 1):
        desk = Desk(name=f"desk {height}", chain_id=genesis.chain_id)
        tx = signed(desk.registration(), *governance_keys(net), chain_id=genesis.chain_id).encode()
        result = machine.finalize_block(Block(height=height, time_ns=0, txs=(tx,)))
        assert [item.code for item in result.results] == [0]
        machine.commit()
    return store


@pytest.fixture
def home(tmp_path):
    home = open_localnet(tmp_path / "net", 1).homes[0]
    store = executed(home, tmp_path / "net")
    (home.path / "data" / "priv_validator_state.json").write_text(
        json.dumps({"height": "7", "round": 0, "step": 3})
    )
    yield home
    store.close()


def test_a_backup_beside_a_running_node(home, tmp_path):
    file = tmp_path / "kept" / "node.court-backup"
    made = backup(home, file)
    assert (made.height, made.with_keys) == (3, False)
    with opened(file, beside=tmp_path / "x") as (manifest, folder):
        assert manifest == made
        assert checked_state(folder / "state.db").app_hash == made.app_hash
        assert not (folder / "keys.age").exists()
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]
    with pytest.raises(UsageError):
        backup(home, file)


def test_no_key_lies_open_in_a_backup(home, tmp_path):
    backup(home, tmp_path / "with", passphrase=SECRET)
    backup(home, tmp_path / "without")
    for name in ("node_key.json", "priv_validator_key.json"):
        key = json.loads((home.path / "config" / name).read_text())["priv_key"]["value"]
        for file in ("with", "without"):
            assert key.encode() not in (tmp_path / file).read_bytes()
    assert b"priv_validator_state" not in (tmp_path / "with").read_bytes()


def test_restored_without_keys_it_is_another_node(home, tmp_path):
    backup(home, tmp_path / "file", passphrase=SECRET)
    again = restore_node(tmp_path / "file", tmp_path / "again")
    assert again.identity() != home.identity()
    assert again.settings() == home.settings()
    assert again.genesis_file.read_bytes() == home.genesis_file.read_bytes()
    assert not again.store_file.exists(), (
        "state comes with the blocks: the engine refuses a state ahead of them"
    )
    with pytest.raises(UsageError):
        restore_node(tmp_path / "file", tmp_path / "again")


def test_restored_keys_never_sign_what_they_may_have_signed(home, tmp_path):
    backup(home, tmp_path / "file", passphrase=SECRET)
    for height in (0, 6):
        with pytest.raises(UsageError) as caught:
            restore_node(tmp_path / "file", tmp_path / "again", passphrase=SECRET, network_height=height)
        assert caught.value.code == "backup.height_needed"
    with pytest.raises(PermissionDeniedError):
        restore_node(tmp_path / "file", tmp_path / "again", passphrase="other", network_height=50)
    assert not (tmp_path / "again").exists()
    again = restore_node(tmp_path / "file", tmp_path / "again", passphrase=SECRET, network_height=50)
    assert again.identity() == home.identity()
    state = json.loads((again.path / "data" / "priv_validator_state.json").read_text())
    assert state == {"height": str(50 + MARGIN), "round": 2**31 - 1, "step": 3}
    assert signed_height(again) == 60
    for name in ("config/node_key.json", "config/priv_validator_key.json", "data/priv_validator_state.json"):
        assert (again.path / name).stat().st_mode & 0o777 == 0o600


def test_a_backup_without_keys_gives_none(home, tmp_path):
    backup(home, tmp_path / "file")
    with pytest.raises(UsageError) as caught:
        restore_node(tmp_path / "file", tmp_path / "again", passphrase=SECRET, network_height=50)
    assert caught.value.code == "backup.no_keys"


def test_a_damaged_state_is_replaced_and_kept(home, tmp_path):
    made = backup(home, tmp_path / "file")
    stopped = NodeHome(home.path)
    damaged = b"\x00" * 4096
    stopped.store_file.write_bytes(damaged)
    assert restore_state(tmp_path / "file", stopped) == made
    assert checked_state(stopped.store_file).height == 3
    assert (stopped.store_file.parent / "damaged-state.db").read_bytes() == damaged
    with exclusive(stopped), pytest.raises(BusyError):
        restore_state(tmp_path / "file", stopped)
    other = open_localnet(tmp_path / "other", 1).homes[0]
    with pytest.raises(UsageError) as caught:
        restore_state(tmp_path / "file", other)
    assert caught.value.code == "backup.other_node"


def test_a_state_that_is_not_its_own_is_refused(home, tmp_path):
    """The rows of a backup must give the hash the backup states."""
    with sqlite3.connect(home.store_file) as connection:
        connection.execute(
            "DELETE FROM state WHERE space = 'desks' AND key = (SELECT min(key) FROM state WHERE space = 'desks')"
        )
    connection.close()
    with pytest.raises(IntegrityError) as caught:
        backup(home, tmp_path / "file")
    assert caught.value.code == "node.state_hash"
    assert not (tmp_path / "file").exists()


def test_wiping_keeps_keys_and_signing_state(home):
    (home.path / "data" / "blockstore.db").mkdir()
    (home.path / "data" / "cs.wal").mkdir()
    (home.path / "config" / "addrbook.json").write_text("{}")
    identity = home.identity()
    with exclusive(home), pytest.raises(BusyError):
        wipe(home)
    wipe(home)
    assert [path.name for path in (home.path / "data").iterdir()] == ["priv_validator_state.json"]
    assert signed_height(home) == 7
    assert home.identity() == identity
    assert list(home.store_file.parent.iterdir()) == []
    assert not (home.path / "config" / "addrbook.json").exists()


def test_old_backups_go(tmp_path):
    names = [dated_name("a" * 40, f"2026030{day}T000000Z") for day in range(1, 6)]
    for name in [*names, dated_name("b" * 40, "20260301T000000Z"), "other"]:
        (tmp_path / name).touch()
    assert rotate(tmp_path, "a" * 40, 0) == []
    assert [path.name for path in rotate(tmp_path, "a" * 40, 2)] == names[:3]
    assert len(list(tmp_path.iterdir())) == 4


def archive(entries: list[tuple[str, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:") as out:
        for name, data in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            out.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def read(file: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(file) as given:
        found = [(entry.name, given.extractfile(entry)) for entry in given]
        return [(name, stream.read()) for name, stream in found if stream is not None]


def test_strangers_in_the_archive_are_refused(home, tmp_path):
    backup(home, tmp_path / "file")
    entries = read(tmp_path / "file")
    for wrong in (
        [],
        entries[1:],
        entries[:-1],
        [*entries, ("extra", b"x")],
        [*entries, ("../outside", b"x")],
        [*entries, ("/tmp/outside", b"x")],
        [*entries, entries[-1]],
        [(name, data + b" ") for name, data in entries],
        [(name, data if name != "node.toml" else b"") for name, data in entries],
    ):
        (tmp_path / "wrong").write_bytes(archive(wrong))
        with pytest.raises(MalformedError):
            restore_node(tmp_path / "wrong", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    with pytest.raises(UnreadableError):
        restore_node(tmp_path / "none", tmp_path / "again")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.data())
def test_a_damaged_backup_never_passes_for_another(home, tmp_path, data):
    file, wrong = tmp_path / "file", tmp_path / "wrong"
    if not file.exists():
        backup(home, file)
    good = file.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    changed = good[:at] + bytes([good[at] ^ (1 << data.draw(st.integers(0, 7)))]) + good[at + 1 :]
    wrong.write_bytes(changed)
    try:
        with opened(wrong, beside=tmp_path / "x") as (manifest, folder):
            check_backup(manifest, folder)
            with opened(file, beside=tmp_path / "x") as (right, _):
                assert manifest.files == right.files, "only padding and display may change"
    except EvidenceDeskError:
        pass


def test_a_full_disk_leaves_nothing_half_done(home, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evidence_desk.court.node.backup._add", full)
    with pytest.raises(HostError):
        backup(home, tmp_path / "kept" / "file")
    assert list((tmp_path / "kept").iterdir()) == []


def test_by_command(home, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COURT_BACKUP_PASSPHRASE", SECRET)
    kept, node = tmp_path / "kept", str(home.path)
    kept.mkdir()
    assert main(["backup", "--dir", node, str(kept), "--with-keys", "--keep", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["with_keys"] is True
    file = told["path"]
    again = str(tmp_path / "again")
    assert main(["restore", file, "--dir", again, "--with-keys", "--json"]) == 64, "nobody to ask"
    capsys.readouterr()
    assert main(["restore", file, "--dir", again, "--with-keys", "--yes", "--json"]) == 64, "no height"
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "backup.height_needed"
    arguments = ["restore", file, "--dir", again, "--with-keys", "--yes", "--height", "90", "--json"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["signs_after"] == 100
    assert told["node_id"] == home.identity().node_id
    assert main(["resync", "--dir", node, "--yes"]) == 0
    assert main(["restore", file, "--dir", node, "--state"]) == 0
    assert checked_state(home.store_file).height == 3
