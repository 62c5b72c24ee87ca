"""A desk over a real vault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from tests.unit.vault.rows import CHEAP

PASSPHRASE = "browse"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened, _ = init_session(tmp_path / "vault", PASSPHRASE, office="test", demo=True, kdf=CHEAP)
    yield opened
    opened.close()
