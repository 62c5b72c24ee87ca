"""A real network on loopback and desks that lose their disks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.court_node.network import Network, running
from tests.integration.court_restore.office import Office


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with running(Network(tmp_path_factory.mktemp("restore") / "net", 2)) as net:
        yield net


@pytest.fixture
def office(network: Network, tmp_path: Path) -> Iterator[Office]:
    """A desk that has joined the network."""
    made = Office.found(tmp_path, network)
    yield made
    made.close()
