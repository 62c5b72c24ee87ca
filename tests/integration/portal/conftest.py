from collections.abc import Iterator

import pytest

from tests.integration.court_gateway.asking import Asker
from tests.integration.court_node.network import Network, running
from tests.integration.portal.chromium import PROGRAM, Chromium
from tests.integration.portal.gateway import HandGateway, Serving, just_now


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if PROGRAM is None:
        pytest.skip("Chromium is not installed")
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def gateway() -> Iterator[HandGateway]:
    made = HandGateway(just_now())
    with Serving(made):
        yield made


@pytest.fixture(scope="session")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """Four real validators with their gateways."""
    with running(Network(tmp_path_factory.mktemp("portal") / "net", 4)) as network:
        made = Asker(network)
        yield made
        made.close()
