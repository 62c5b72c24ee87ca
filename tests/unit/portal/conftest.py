from collections.abc import Iterator

import pytest

from tests.unit.portal.engine import NODE, Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if NODE is None:
        pytest.skip("node is not installed")
    engine = Browser()
    yield engine
    engine.close()
