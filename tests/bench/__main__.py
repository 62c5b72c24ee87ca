"""Run all figures, or those whose names are given: ``python -m tests.bench [NAME…] [--small]``."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import (
    anchored,
    browse,
    capture,
    certificates,
    court,
    files,
    log,
    queue,
    recorder,
    restore,
    tokens,
    window,
)
from tests.bench.report import Figure

Bench = Callable[[Path, bool], Iterator[Figure]]
BENCHES: dict[str, Bench] = {
    "hashing": files.hashing,
    "many": files.many,
    "single": files.single,
    "queue": queue.drop,
    "log": log.million,
    "tokens": tokens.verification,
    "authority": tokens.authority,
    "certificates": certificates.issuing,
    "verify": certificates.cold_verification,
    "court-part": anchored.part_size,
    "anchored": anchored.certificate,
    "network": court.throughput,
    "finality": court.finality,
    "lookup": court.lookup,
    "restore": restore.from_network,
    "browse": browse.browse,
    "recorder": recorder.recorder,
    "capture": capture.load,
    "capture-memory": capture.memory,
    "capture-decoding": capture.decoding,
    "capture-fidelity": capture.fidelity,
    "window": window.start,
    "window-drop": window.dropping,
    "window-certificates": window.certificates,
    "window-case": window.large_case,
}


def main() -> int:
    """Print the table; status 0 whatever the figures are."""
    small = "--small" in sys.argv
    chosen = [name for name in sys.argv[1:] if not name.startswith("-")] or list(BENCHES)
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {platform.platform()}"
    )
    if small:
        print("small inputs: figures say little")
    missed = 0
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="evidence-bench-") as folder:
            for figure in BENCHES[name](Path(folder), small):
                missed += not figure.met
                print(figure.row(), flush=True)
    print(f"{missed} figures not met" if missed else "all figures met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
