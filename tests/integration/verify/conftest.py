"""One desk with evidence of every shape; a worker makes it once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.verify.evidence import Scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(tmp_path_factory.mktemp("scene"))
    yield made
    made.session.close()
