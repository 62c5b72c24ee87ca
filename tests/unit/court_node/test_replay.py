"""The pinned chain: whatever Python runs these tests, and whatever the program has become, its hashes stand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.court.node.app.sqlite_store import SqliteStore
from evidence_desk.court.node.ceremony import read_genesis
from evidence_desk.court.node.cli import main
from evidence_desk.court.node.replay import Executed, read_chain, replay, results_hash, write_chain
from evidence_desk.court.protocol.transactions import TransactionType, parse_transaction
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError
from tests.unit.court_node import golden
from tests.unit.court_node.chain import CHAIN

HEIGHT = 94
APP_HASH = "7b12de30279f8703a764524d5b62232c811404ad6b727f245bf724e6c29fa411"
OTHERS = ("3.12", "3.13", "3.14")
"""Minor versions to try beside the present one."""


def test_the_pinned_chain():
    done = replay(*read_chain(golden.FILE))
    assert (done.chain_id, done.height, done.app_hash.hex()) == (CHAIN, HEIGHT, APP_HASH)


def test_the_pinned_chain_in_a_file_store(tmp_path):
    store = SqliteStore(tmp_path / "state.db")
    try:
        assert replay(*read_chain(golden.FILE), store).app_hash.hex() == APP_HASH
    finally:
        store.close()


def test_it_has_transactions_of_every_type_and_every_outcome():
    seen = set()
    for block in read_chain(golden.FILE)[1]:
        for tx in block.txs:
            try:
                seen.add(parse_transaction(tx, chain_id=CHAIN).type)
            except MalformedError:
                continue
    assert seen == set(TransactionType)
    assert golden.write().codes == {code.value for code in TxCode}


def test_written_anew_it_is_the_same():
    made = golden.write()
    assert [block.encode() for block in made.blocks] == [
        block.encode() for block in read_chain(golden.FILE)[1]
    ]


@pytest.mark.parametrize("change", ["app_hash", "results_hash", "txs", "height"])
def test_a_chain_that_comes_out_differently_is_told(change, tmp_path, capsys):
    lines = golden.FILE.read_bytes().splitlines(keepends=True)
    value = json.loads(lines[4])
    value[change] = {"height": 9, "txs": []}.get(change, "00" * 32)
    lines[4] = json.dumps(value, separators=(",", ":"), sort_keys=True).encode() + b"\n"
    file = tmp_path / "chain"
    file.write_bytes(b"".join(lines))
    assert main(["replay", "--file", str(file)]) == IntegrityError.exit_status
    assert "4" in capsys.readouterr().err or change == "height"


def test_chain_files_round_trip(tmp_path):
    genesis, blocks = read_chain(golden.FILE)
    with (tmp_path / "chain").open("wb") as stream:
        assert write_chain(stream, genesis.data, blocks) == HEIGHT
    assert (tmp_path / "chain").read_bytes() == golden.FILE.read_bytes()


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_foreign_chain_files(tmp_path_factory, lines):
    file = tmp_path_factory.mktemp("chain") / "chain"
    file.write_bytes(b"\n".join(lines))
    with pytest.raises(EvidenceDeskError):
        replay(*read_chain(file))


def test_a_cut_chain_file_is_malformed(tmp_path):
    file = tmp_path / "chain"
    file.write_bytes(golden.FILE.read_bytes()[:-1])
    with pytest.raises(MalformedError):
        replay(*read_chain(file))


def test_results_of_nothing():
    assert results_hash(()).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_part_of_a_chain_is_a_chain():
    genesis, blocks = read_chain(golden.FILE)
    some: list[Executed] = list(islice(blocks, 10))
    assert replay(read_genesis(genesis.data), some).height == 10


def test_by_command(capsys):
    assert main(["replay", "--file", str(golden.FILE), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["height"], told["app_hash"]) == (HEIGHT, APP_HASH)
    for wrong in ([], ["--file", "x", "--dir", "y"], ["--file", "x", "--export", "y"]):
        assert main(["replay", *wrong]) == 64


def interpreter(version: str) -> str | None:
    """A Python of that minor version on this machine, None when there is none."""
    found = shutil.which(f"python{version}")
    candidates = [found] if found else []
    candidates += sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")))
    return next((item for item in candidates if _works(item, version)), None)


def _works(path: str, version: str) -> bool:
    """A shim may be there without its interpreter."""
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([path, "-c", asked], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version


@pytest.mark.parametrize("version", OTHERS)
def test_another_python_executes_it_to_the_same_hashes(version):
    """In an environment of its own, from the locked packages."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        pytest.skip("this is the Python that runs the tests")
    python, uv = interpreter(version), shutil.which("uv")
    if python is None or uv is None:
        pytest.skip(f"no Python {version} on this machine, or no uv")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [
            uv, "run", "--isolated", "--frozen", "--no-default-groups", "--python", python, "python", "-m",
            "evidence_desk.court.node", "replay", "--file", golden.FILE, "--json",
        ],
        capture_output=True, text=True, check=False, timeout=250, env=environment, cwd=golden.FILE.parents[3],
    )  # fmt: skip
    if done.returncode and "error: Failed to" in done.stderr and not done.stdout:
        pytest.skip(f"its packages cannot be had here: {done.stderr[-200:]}")
    told = json.loads(done.stdout)
    assert told["python"].startswith(version)
    assert (told["height"], told["app_hash"]) == (HEIGHT, APP_HASH)
