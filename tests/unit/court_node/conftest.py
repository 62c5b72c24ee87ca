import pytest

from tests.unit.court_node.chain import Chain, Desk


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def desk(chain: Chain) -> Desk:
    """Registered."""
    desk = Desk()
    chain.register(desk)
    return desk
