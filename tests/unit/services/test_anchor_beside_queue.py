"""The network is brought up to a log that grows meanwhile: anchoring in one thread, the queue in another."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.services import queue
from evidence_desk.services.anchor import anchor
from evidence_desk.services.audit import audit
from evidence_desk.services.prove import prove
from evidence_desk.services.seal import SealRequest
from tests.unit.services.conftest import seal_files
from tests.unit.services.court import HandMadeCourt, HandMadeGateway, court_of

LIMIT = 120.0


def test_the_network_is_brought_up_to_a_log_that_grows(
    joined: Session, network: HandMadeCourt, gateway: HandMadeGateway, tmp_path: Path
):
    seal_files(joined, tmp_path, "first")
    paths = [tmp_path / f"{number}" for number in range(120)]
    for path in paths:
        path.write_text(path.name)
    done = threading.Event()

    def seal() -> int:
        sealed = 0
        try:
            for start in range(0, len(paths), 10):
                request = SealRequest(case_number="案一")
                queue.enqueue(joined.desk, paths[start : start + 10], request, each_file=False, job=Job())
                sealed += len(queue.work(joined.desk, Job(), watcher=queue.Unwatched()).sealed)
        finally:
            done.set()
        return sealed

    def catch_up() -> int:
        court = court_of(network, gateway, roots=joined.trust)
        return anchor(joined.desk, court, (), wait=True, job=Job(), pause=lambda _seconds: None).waiting

    with ThreadPoolExecutor(1) as pool:
        sealing = pool.submit(seal)
        turns = 0
        while not done.is_set() or turns == 0:
            catch_up()
            turns += 1
        assert sealing.result(LIMIT) == 120
    assert catch_up() == 0
    joined.desk.forget()
    assert audit(joined.desk, job=Job()).faults == ()
    rows = list(joined.vault.exhibits.exhibits())
    assert all(row.anchored is not None for row in rows)
    assert all(prove(joined.desk, row).court is not None for row in rows[::20])
