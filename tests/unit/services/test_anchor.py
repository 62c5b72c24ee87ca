from __future__ import annotations

from pathlib import Path

import pytest

from evidence_desk.bootstrap import Session
from evidence_desk.core.job import Job
from evidence_desk.services.anchor import AnchorOutcome, anchor
from tests.unit.services.conftest import seal_files
from tests.unit.services.court import HandMadeCourt, HandMadeGateway, court_of


class Pauses:
    """Time passes by being counted."""

    def __init__(self) -> None:
        self.slept = 0.0

    def __call__(self, seconds: float) -> None:
        self.slept += seconds


def run(
    session: Session, network: HandMadeCourt, *gateways: HandMadeGateway, wait: bool = True
) -> AnchorOutcome:
    return anchor(session.desk, court_of(network, *gateways), (), wait=wait, job=Job(), pause=Pauses())


def test_what_is_sealed_is_anchored_with_its_proof(joined, network, gateway, tmp_path):
    rows = seal_files(joined, tmp_path, "a.txt", "b.txt")
    outcome = run(joined, network, gateway)
    assert (outcome.before, outcome.size, outcome.waiting) == (0, 3, 0)
    for row in rows:
        kept = joined.vault.exhibits.exhibit(row.leaf_hash)
        assert kept is not None
        assert kept.anchored == outcome.anchored[-1].header_time
        assert joined.vault.court.exhibit_anchor(row.leaf_hash) is not None
