"""kill -9 at any moment of sealing: nothing acknowledged is lost, nothing is half there."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session, open_session
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import LeafType
from evidence_desk.services.audit import audit
from evidence_desk.services.prove import prove
from tests.e2e.sealer import PASSPHRASE
from tests.unit.vault.rows import CHEAP


@pytest.mark.parametrize(
    "kills", [12, pytest.param(200, marks=[pytest.mark.full, pytest.mark.timeout(1800)])]
)
def test_kill_during_seal(tmp_path: Path, kills: int):
    vault = tmp_path / "vault"
    sources = tmp_path / "sources"
    sources.mkdir()
    init_session(vault, PASSPHRASE, office="kill", demo=True, kdf=CHEAP)[0].close()
    acknowledged: list[str] = []
    for _ in range(kills):
        acknowledged += killed_sealer(vault, sources, after=random.uniform(0.0, 0.6))
        check(vault, acknowledged)
    assert len(acknowledged) > kills


def killed_sealer(vault: Path, sources: Path, *, after: float) -> list[str]:
    """Numbers acknowledged by a sealer that was killed `after` seconds of work."""
    command = [sys.executable, "-m", "tests.e2e.sealer", str(vault), str(sources)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
        timer = threading.Timer(after, process.kill)
        timer.start()
        lines = process.stdout.read()
        timer.join()
    assert process.returncode == -9
    return [line for line in lines.split("\n")[:-1] if line]


def check(vault: Path, acknowledged: list[str]) -> None:
    """Every acknowledged exhibit is there with its originals and proof; log and exhibits agree."""
    with open_session(vault, PASSPHRASE) as session:
        assert audit(session.desk, job=Job()).faults == ()
        rows = {row.number: row for row in session.vault.exhibits.exhibits()}
        assert set(acknowledged) <= set(rows)
        sealed = [
            leaf.leaf_hash
            for leaf in session.vault.log.leaves(0, session.desk.log.size)
            if leaf.type == LeafType.EXHIBIT_SEALED
        ]
        assert sorted(sealed) == sorted(row.leaf_hash for row in rows.values())
        for row in random.sample(list(rows.values()), min(10, len(rows))):
            assert all(
                session.vault.objects.check(item.stored, case_number=row.case_number, job=Job())
                for item in row.objects
            )
            assert prove(session.desk, row).number == row.number
        stored = {item.stored.name for row in rows.values() for item in row.objects}
        assert {path.name for path in (vault / "objects").iterdir()} == stored


def test_sealer_says_nothing_before_it_is_durable(tmp_path: Path):
    """The acknowledgement comes after the commit: a second reader sees the exhibit at once."""
    vault = tmp_path / "vault"
    sources = tmp_path / "sources"
    sources.mkdir()
    init_session(vault, PASSPHRASE, office="kill", demo=True, kdf=CHEAP)[0].close()
    command = [sys.executable, "-m", "tests.e2e.sealer", str(vault), str(sources)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            for _ in range(5):
                number = process.stdout.readline().strip()
                with open_session(vault, PASSPHRASE, read_only=True) as reader:
                    assert reader.vault.exhibits.by_number(number)
                time.sleep(0)
        finally:
            process.kill()
