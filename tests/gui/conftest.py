"""The window with everything real in it but the boxes: a person's answers are given by `RecordedMessages`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from evidence_desk.bootstrap.opening import init_session, unlocked
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.texts import Language, has
from evidence_desk.vault.keys import KdfParameters
from ui.context import Context
from ui.demo_network import DemoNetwork
from ui.desk import OpenDesk
from ui.language import Tongue
from ui.look.fonts import load_fonts
from ui.look.look import Look
from ui.look.tokens import Scheme
from ui.preferences import PreferenceStore
from ui.tasks import Tasks
from ui.window import Window

PASSPHRASE = "correct horse battery staple"
CHEAP = KdfParameters(memory_kib=64, iterations=1, lanes=1)


@dataclass
class RecordedMessages:
    """What was said and asked; answers are given beforehand."""

    errors: list[EvidenceDeskError] = field(default_factory=list)
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    accept: bool = True
    texts: list[str] = field(default_factory=list)
    files: list[list[Path]] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    saves: list[Path] = field(default_factory=list)

    def error(self, error: EvidenceDeskError) -> None:
        self.errors.append(error)

    def inform(self, code: str, **facts: str | int) -> None:
        _known(code)
        self.said.append((code, facts))

    def confirm(self, code, *, action, accepted, refused=None, dangerous=False, **facts):
        _known(code, action)
        self.asked.append((code, facts))
        if self.accept:
            accepted()
        elif refused is not None:
            refused()

    def ask_text(
        self, code, *, action, accepted, text="", secret=False, required=True, dangerous=False, **facts
    ):
        _known(code, action)
        self.asked.append((code, facts))
        if self.texts:
            accepted(self.texts.pop(0))

    def open_files(self, accepted: Callable[[list[Path]], None], *, code="ui.open_files", pattern=""):
        _known(code)
        if self.files:
            accepted(self.files.pop(0))

    def open_folder(self, accepted: Callable[[Path], None], *, code="ui.open_folder"):
        _known(code)
        if self.folders:
            accepted(self.folders.pop(0))

    def save_as(self, name: str, accepted: Callable[[Path], None], *, code="ui.save_as"):
        _known(code)
        if self.saves:
            accepted(self.saves.pop(0))


def _known(*codes: str) -> None:
    for code in codes:
        assert all(has(code, language) for language in Language), code


@pytest.fixture(autouse=True)
def own_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("EVIDENCE_DESK_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("EVIDENCE_DESK_STATE", str(tmp_path / "state"))


@pytest.fixture
def messages() -> RecordedMessages:
    return RecordedMessages()


@pytest.fixture(scope="session")
def look(qapp: QApplication) -> Look:
    """One for all tests: to style an application anew takes long."""
    qapp.setFont(load_fonts())
    return Look(qapp, Scheme.LIGHT)


@pytest.fixture
def context(look: Look, messages: RecordedMessages, tmp_path: Path, qtbot: QtBot) -> Iterator[Context]:
    """The program's parts, no vault open."""
    look.set_scheme(Scheme.LIGHT)
    tasks = Tasks()
    tasks.unhandled = messages.error
    desk = OpenDesk(tasks)
    made = Context(
        tasks=tasks, tongue=Tongue(), messages=messages, desk=desk, demo=DemoNetwork(desk),
        preferences=PreferenceStore(tmp_path / "config" / "desktop.json"), look=look,
    )  # fmt: skip
    yield made
    ended: list[bool] = []
    made.tasks.close(lambda: made.demo.stop(lambda: ended.append(True)))
    qtbot.waitUntil(lambda: bool(ended), timeout=30_000)
    made.desk.close()


@pytest.fixture
def vault_folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture(scope="session")
def new_vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo vault in which nothing was done yet; tests work on copies."""
    folder = tmp_path_factory.mktemp("new") / "vault"
    init_session(folder, PASSPHRASE, office="test", demo=True, kdf=CHEAP)[0].close()
    return folder


@pytest.fixture
def open_context(context: Context, new_vault: Path, vault_folder: Path) -> Context:
    """The program's parts with a demo vault open."""
    shutil.copytree(new_vault, vault_folder, dirs_exist_ok=True)
    context.desk.adopt(unlocked(vault_folder, PASSPHRASE))
    return context


@pytest.fixture
def window(open_context: Context, qtbot: QtBot) -> Window:
    """The whole window over an open demo vault."""
    made = Window(open_context)
    made.resize(1180, 760)  # as on a usual screen; that of the tests is small
    qtbot.addWidget(made)
    made.show()
    return made
