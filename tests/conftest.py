"""What holds for all tests."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import settings

from evidence_desk.court.node.engine import find_engine
from evidence_desk.errors import EvidenceDeskError

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("untimed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked ``engine`` are skipped, saying so, where the engine was not built; `make test` builds it."""
    if item.get_closest_marker("engine") and (missing := _missing_engine()):
        pytest.skip(f"the consensus engine is not here ({missing}); `make engine` builds it")


@cache
def _missing_engine() -> str:
    try:
        find_engine()
    except EvidenceDeskError as error:
        return error.code
    return ""
