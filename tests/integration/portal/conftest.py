from collections.abc import Iterator

import pytest

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
