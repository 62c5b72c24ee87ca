"""All sites, started once for the tests of this folder."""

import pytest

from tests.sites.town import Town


@pytest.fixture(scope="module")
def town():
    with Town() as town:
        yield town
