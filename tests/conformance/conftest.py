"""Vectors of other projects; see the README beside them. They are not copied into this repository."""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[2].parent / "shared" / "vectors"


@pytest.fixture(scope="session")
def vectors() -> Path:
    folder = Path(os.environ.get("EVIDENCE_VECTORS", _BESIDE))
    if not folder.is_dir():
        pytest.skip("conformance vectors are absent: set EVIDENCE_VECTORS to their folder")
    return folder
