"""The queue of the desktop program: one drop of many files, and the work on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState
from evidence_desk.services.queue import Unwatched, counts, enqueue, items, work
from evidence_desk.services.seal import SealRequest
from tests.bench.files import demo_session
from tests.bench.report import Figure, percentile, seconds


def drop(folder: Path, small: bool) -> Iterator[Figure]:
    """10,000 files of 4 KiB in one drop: queued, then sealed and timestamped; and a page of the list meanwhile."""
    count = 500 if small else 10_000
    source = folder / "files"
    source.mkdir()
    for number in range(count):
        (source / f"{number:05d}.bin").write_bytes(os.urandom(4096))
    session = demo_session(folder / "vault")
    request = SealRequest(case_number="bench")
    paths = sorted(source.iterdir())
    took = seconds(lambda: enqueue(session.desk, paths, request, each_file=True, job=Job()))
    yield Figure(f"queue {count:,} files in one drop", took, "s", 2, "stat, access, one transaction")
    pages = [seconds(partial(items, session.desk, at, 200)) * 1000 for at in range(0, count, 200)]
    yield Figure("a page of 200 of the queue, p99", percentile(pages, 0.99), "ms", 20, f"{len(pages)} pages")
    took = seconds(lambda: work(session.desk, Job(), watcher=Unwatched(), authorities=session.authorities))
    done = counts(session.desk)[ItemState.SEALED].items
    yield Figure(
        f"work on it: {done:,} sealed, one token", took, "s", 15, "each file an exhibit; embedded authority"
    )
    took = seconds(lambda: enqueue(session.desk, paths, request, each_file=True, job=Job()))
    again = seconds(lambda: work(session.desk, Job(), watcher=Unwatched()))
    twins = counts(session.desk)[ItemState.DUPLICATE].items
    yield Figure(
        f"the same drop again: {twins:,} duplicates found", took + again, "s", 15, "hashed, nothing sealed"
    )
    session.close()
    shutil.rmtree(source)
