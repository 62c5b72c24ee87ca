"""kill -9 at any moment of work on the queue: resumed, every file is sealed exactly once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session, open_session
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState
from evidence_desk.services.audit import audit
from evidence_desk.services.queue import items, load_draft
from tests.e2e.sealer import PASSPHRASE
from tests.unit.vault.rows import CHEAP


@pytest.mark.parametrize(
    "kills", [12, pytest.param(200, marks=[pytest.mark.full, pytest.mark.timeout(1800)])]
)
def test_every_file_is_sealed_exactly_once(tmp_path: Path, kills: int):
    vault, sources = tmp_path / "vault", tmp_path / "sources"
    sources.mkdir()
    init_session(vault, PASSPHRASE, office="kill", demo=True, kdf=CHEAP)[0].close()
    said: list[str] = []
    interrupted = 0
    for _ in range(kills):
        lines = worker(vault, sources, after=random.uniform(0.0, 1.2))
        interrupted += int(lines[0].split()[2])
        said += lines[1:]
        check(vault, said)
    said += worker(vault, sources)
    queued, sealed = check(vault, said)
    assert sealed == queued
    assert len(queued) >= 40
    assert interrupted, "no kill hit the work; the test says nothing"


def worker(vault: Path, sources: Path, *, after: float | None = None) -> list[str]:
    """What a worker said until it was killed, `after` seconds of work; or until nothing waited."""
    mode = [] if after is not None else ["drain"]
    command = [sys.executable, "-m", "tests.e2e.queue_worker", str(vault), str(sources), *mode]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("READY ")
        timer = threading.Timer(after or 0.0, process.kill)
        if after is not None:
            timer.start()
        rest = process.stdout.read()
        if after is not None:
            timer.join()
    assert process.returncode == (0 if after is None else -9)
    return [ready.strip(), *(line for line in rest.split("\n")[:-1] if line)]


def check(vault: Path, said: list[str]) -> tuple[set[str], set[str]]:
    """(paths queued, paths sealed); nothing said is lost, rows of the queue and exhibits agree, nothing is there twice."""
    with open_session(vault, PASSPHRASE) as session:
        assert audit(session.desk, job=Job()).faults == ()
        rows = items(session.desk, limit=-1)
        states = {os.fsdecode(row.path): row.state for row in rows}
        assert len(states) == len(rows)
        assert set(states.values()) <= {ItemState.WAITING, ItemState.WORKING, ItemState.SEALED}
        exhibits = Counter(row.objects[0].stored.digests for row in session.vault.exhibits.exhibits())
        sealed = {path for path, state in states.items() if state is ItemState.SEALED}
        assert exhibits == Counter(DigestPair.of(Path(path).read_bytes()) for path in sealed)
        told = {line.removeprefix("sealed ") for line in said if line.startswith("sealed ")}
        assert told <= sealed
        folders = {line.removeprefix("queued ") for line in said if line.startswith("queued ")}
        assert folders <= {str(Path(path).parent) for path in states}
        draft = load_draft(session.desk, "seal")
        assert (draft is not None) or not folders
        return set(states), sealed
