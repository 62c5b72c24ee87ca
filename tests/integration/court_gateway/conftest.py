"""The real engine: four validators with their gateways on loopback."""

import pytest

from tests.integration.court_gateway.asking import Asker
from tests.integration.court_node.network import Network, running


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    with running(Network(tmp_path_factory.mktemp("gateways") / "net", 4)) as net:
        yield net


@pytest.fixture
def asker(network):
    made = Asker(network)
    yield made
    made.close()
