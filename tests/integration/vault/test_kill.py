"""kill -9 at random moments: nothing acknowledged is lost, nothing is half there, nothing is readable."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evidence_desk.core.job import Job
from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import CASE, PASSPHRASE

ROOT = Path(__file__).parents[3]
MARKS = ["SECRET-CONTENT", "SECRET-STATEMENT", "机密标题", "机密文件", CASE, "书证"]
"""Each long enough not to stand in encrypted bytes by chance."""


def run_and_kill(folder: Path, seed: int) -> list[bytes]:
    """Leaf hashes that the child had reported when it was killed."""
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("crash_child.py")), str(folder), str(seed)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"open\n"
        time.sleep(random.Random(seed).uniform(0.0, 0.25))  # the moment of death, not a wait for something
        child.send_signal(signal.SIGKILL)
        lines = child.stdout.read().split(b"\n")[:-1]
    child.wait()
    return [bytes.fromhex(line.decode()) for line in lines]


def assert_unreadable(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for mark in MARKS:
                assert mark.encode() not in data, (path.name, mark)


def rounds(vault: Vault, clock, count: int) -> None:
    folder = vault.folder
    vault.close()
    acknowledged: list[bytes] = []
    for seed in range(count):
        acknowledged += run_and_kill(folder, seed)
        assert_unreadable(folder)
        with Vault.open(folder, PASSPHRASE, clock=clock, read_only=True) as reader:
            check(reader, acknowledged)
    with Vault.open(folder, PASSPHRASE, clock=clock) as writer:
        check(writer, acknowledged, whole=True)
        names = {item.stored.name for row in writer.exhibits.exhibits() for item in row.objects}
        assert {path.name for path in (folder / "objects").iterdir()} == names
    assert len(acknowledged) > count


def check(vault: Vault, acknowledged: list[bytes], *, whole: bool = False) -> None:
    rows = {row.leaf_hash: row for row in vault.exhibits.exhibits()}
    assert set(acknowledged) <= set(rows)
    assert vault.log.size() == len(rows)
    assert [leaf.seq for leaf in vault.log.leaves(0, 10**6)] == list(range(len(rows)))
    assert vault.log.checkpoint() == b"note %d" % len(rows) or not rows
    assert b"".join(vault.log.tile(0, n) for n in range(len(rows) // 256 + 1)) == b"".join(
        leaf.leaf_hash for leaf in vault.log.leaves(0, 10**6)
    )
    wanted = list(rows.values()) if whole else list(rows.values())[-8:]
    for row in wanted:
        for item in row.objects:
            assert vault.objects.check(item.stored, case_number=CASE, job=Job())


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_twenty_kills(vault, clock):
    rounds(vault, clock, 20)


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_two_hundred_kills(vault, clock):
    rounds(vault, clock, 200)
