"""Vaults with cheap passphrase costs and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence_desk.vault.store import Vault
from tests.unit.vault.rows import CHEAP, ORIGIN, PASSPHRASE, StandingClock


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def created(folder: Path, clock: StandingClock) -> Iterator[tuple[Vault, str]]:
    vault, recovery_key = Vault.create(folder, PASSPHRASE, clock=clock, origin=ORIGIN, kdf=CHEAP)
    with vault:
        yield vault, recovery_key


@pytest.fixture
def vault(created: tuple[Vault, str]) -> Vault:
    return created[0]
