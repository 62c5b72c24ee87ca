"""A guide with a cheap vault, and ways to walk through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from tests.gui.conftest import CHEAP, PASSPHRASE
from ui.context import Context
from ui.start.guide import Guide
from ui.start.step_name import StepName


@pytest.fixture(autouse=True)
def documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where new vaults are proposed."""
    folder = tmp_path / "documents"
    folder.mkdir()
    monkeypatch.setattr("platformdirs.user_documents_path", lambda: folder)
    return folder


@pytest.fixture
def guide(context: Context, qtbot: QtBot) -> Iterator[Guide]:
    made = Guide(context, kdf=CHEAP)
    made.open()
    yield made
    discard(made)


def discard(guide: Guide) -> None:
    """Close it, and what nobody took over."""
    if isValid(guide):
        if guide.made.session is not None:
            guide.made.session.close()
        guide.deleteLater()


@pytest.fixture
def make_vault(qtbot: QtBot) -> Callable[[Guide], None]:
    """Fill in the second step and make the vault."""

    def make(guide: Guide) -> None:
        guide.show_step(StepName.VAULT)
        guide.vault.passphrases.first.setText(PASSPHRASE)
        guide.vault.passphrases.second.setText(PASSPHRASE)
        guide.next.click()
        qtbot.waitUntil(lambda: guide.name is StepName.PAPER, timeout=30_000)

    return make


@pytest.fixture
def write_down() -> Callable[[Guide], None]:
    """Type the two groups asked for."""

    def write(guide: Guide) -> None:
        groups = guide.made.recovery_key.split("-")
        for field, at in zip(guide.paper.fields, guide.paper.asked, strict=True):
            field.setText(groups[at].lower())

    return write


@pytest.fixture
def walk_on(qtbot: QtBot, write_down: Callable[[Guide], None]) -> Callable[[Guide], None]:
    """Type the two groups, and go on once the vault remembers it."""

    def walk(guide: Guide) -> None:
        made = guide.made
        write_down(guide)
        guide.next.click()
        qtbot.waitUntil(lambda: made.session is None, timeout=30_000)

    return walk
