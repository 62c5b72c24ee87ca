"""Sites, and a recording of them, for each test."""

from __future__ import annotations

import pytest

from tests.sites.authority import SiteCa
from tests.sites.recording import Tape
from tests.sites.town import Town


@pytest.fixture(scope="module")
def ca():
    return SiteCa()


@pytest.fixture
def town(ca):
    with Town(ca) as town:
        yield town


@pytest.fixture
def tape(town, tmp_path):
    tape = Tape(town, tmp_path / "capture")
    yield tape
    tape.close()
