"""A desk over a real vault, and a court network made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.services.network import register
from evidence_desk.services.seal import SealRequest, seal
from tests.unit.services.court import CourtClock, HandMadeCourt, HandMadeGateway, court_of
from tests.unit.vault.rows import CHEAP


@pytest.fixture
def network() -> HandMadeCourt:
    return HandMadeCourt()


@pytest.fixture
def gateway(network: HandMadeCourt) -> HandMadeGateway:
    return HandMadeGateway(network)


@pytest.fixture
def session(tmp_path: Path, network: HandMadeCourt) -> Iterator[Session]:
    opened, _ = init_session(tmp_path / "vault", "unit", office="test", demo=True, kdf=CHEAP)
    opened.desk.clock = CourtClock(network)
    yield opened
    opened.close()


@pytest.fixture
def joined(session: Session, network: HandMadeCourt, gateway: HandMadeGateway) -> Session:
    """The desk, registered."""
    outcome = register(session.desk, court_of(network, gateway), session.registry_keys(), job=Job())
    assert outcome.status == "approved"
    return session


def seal_files(session: Session, tmp_path: Path, *names: str, case: str = "案一") -> list[ExhibitRow]:
    paths = []
    for name in names:
        path = tmp_path / name
        path.write_text(f"content of {name}", "utf-8")
        paths.append(path)
    outcomes = seal(session.desk, paths, SealRequest(case_number=case), job=Job())
    assert all(item.exhibit is not None for item in outcomes)
    return [item.exhibit for item in outcomes if item.exhibit is not None]
