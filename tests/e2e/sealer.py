"""Seals without end and says each exhibit once it is acknowledged; made to be killed. Usage: sealer VAULT SOURCES."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from evidence_desk.bootstrap.opening import open_session
from evidence_desk.core.job import Job
from evidence_desk.services.recheck import recheck
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp

PASSPHRASE = "to be killed"


def main(vault: Path, sources: Path) -> None:
    """Seal single files, folders and batches, timestamp and re-check in between."""
    request = SealRequest(case_number="案")
    with open_session(vault, PASSPHRASE) as session:
        print("READY", flush=True)
        for turn in itertools.count():
            folder = sources / f"{os.getpid()}-{turn}"
            folder.mkdir()
            paths = [folder / f"{number}.bin" for number in range(turn % 4 + 1)]
            for path in paths:
                path.write_bytes(os.urandom(5_000_000 if turn % 7 == 3 else 900))
            given = [folder] if turn % 2 else paths
            for outcome in seal(session.desk, given, request, job=Job()):
                assert outcome.exhibit is not None
                print(outcome.exhibit.number, flush=True)
            if turn % 3 == 1:
                timestamp(session.desk, session.authorities, job=Job())
            if turn % 5 == 4 and outcome.exhibit is not None:
                recheck(session.desk, [outcome.exhibit], job=Job())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
