"""Queues files and works on the queue without end, made to be killed. Usage: queue_worker VAULT SOURCES [drain].

Each finished item is said once its outcome is durable. With ``drain`` it ends when nothing waits.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from evidence_desk.bootstrap.opening import open_session
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState, QueueItem
from evidence_desk.services.queue import counts, enqueue, resume_state, save_draft, work
from evidence_desk.services.seal import SealRequest
from tests.e2e.sealer import PASSPHRASE

REQUEST = SealRequest(case_number="案", allow_duplicates=True)
"""A second sealing would not be caught as a duplicate: only the queue guards against it."""


class Teller:
    """Says what is finished."""

    def started(self, item: QueueItem) -> None:
        """Nothing."""

    def finished(self, item: QueueItem) -> None:
        """The state and the path."""
        print(item.state, os.fsdecode(item.path), flush=True)


def main(vault: Path, sources: Path, *, drain: bool) -> None:
    """Resume, work, queue more."""
    with open_session(vault, PASSPHRASE) as session:
        left = resume_state(session.desk)
        print("READY", left.waiting, left.interrupted, flush=True)
        for turn in itertools.count():
            work(
                session.desk,
                Job(),
                watcher=Teller(),
                authorities=session.authorities if turn % 3 == 2 else (),
            )
            if drain:
                assert counts(session.desk)[ItemState.WAITING].items == 0
                return
            folder = sources / f"{os.getpid()}-{turn}"
            folder.mkdir()
            for number in range(40):
                (folder / f"{number}.bin").write_bytes(os.urandom(5_000_000 if number == 17 else 900))
            enqueue(session.desk, [folder], REQUEST, each_file=True, job=Job())
            save_draft(session.desk, "seal", {"folder": folder.name}, case_number="案")
            print("queued", folder, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), drain="drain" in sys.argv[3:])
