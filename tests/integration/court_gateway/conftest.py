"""The real engine: four validators with their gateways on loopback. Skipped, saying so, where the engine was not built."""

import pytest

from evidence_desk.court.node.engine import find_engine
from evidence_desk.errors import ConfigurationError
from tests.integration.court_gateway.asking import Asker
from tests.integration.court_node.network import Network


@pytest.fixture(scope="session")
def engine():
    try:
        return find_engine()
    except ConfigurationError as error:
        pytest.skip(f"the consensus engine is not here ({error}); `make engine` builds it")


@pytest.fixture(scope="session")
def network(engine, tmp_path_factory):
    assert engine
    net = Network(tmp_path_factory.mktemp("gateways") / "net", 4)
    try:
        net.start()
        yield net
    finally:
        net.kill()


@pytest.fixture
def asker(network):
    made = Asker(network)
    yield made
    made.close()
