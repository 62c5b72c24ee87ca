"""A desk whose disk is gone, rebuilt from a running network on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evidence_desk.bootstrap.restoring import settle
from evidence_desk.core.job import Job
from tests.bench.court import ours
from tests.bench.report import Figure, seconds
from tests.integration.court_restore.office import Office


def from_network(folder: Path, small: bool) -> Iterator[Figure]:
    """Leaves, envelopes, rows, successor; then the proofs of all exhibits again."""
    records = 500 if small else 10_000
    (folder / "desk").mkdir()
    with ours(folder, 2) as network:
        office = Office.found(folder / "desk", network)
        office.seal(*(f"{number}.txt" for number in range(records)))
        office.timestamp()
        office.anchor()
        office.lose_disk()
        taken = seconds(office.from_network)
        (session,) = office.restored
        assert sum(1 for _ in session.vault.exhibits.exhibits()) == records
        yield Figure(f"restore of {records:,} records from the network", taken, "s", 60,
                     f"one file each, one token, {network.count} nodes and gateways on the same machine")  # fmt: skip
        again = seconds(lambda: settle(session, session.court(), secret=None, job=Job()))
        assert all(row.anchored for row in session.vault.exhibits.exhibits())
        yield Figure(
            f"court proofs of {records:,} records again", again, "s", 60, "with the first anchor afterwards"
        )
        office.close()
