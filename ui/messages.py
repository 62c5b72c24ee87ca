"""Everything the program says or asks in a box of its own. Never blocks: answers come to callbacks.

Pages know this class alone, so that tests can answer in a person's place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from evidence_desk.errors import EvidenceDeskError
from ui.language import Tongue
from ui.look.look import Look
from ui.notice import Notice, Question
from ui.preferences import PreferenceStore

Paths = Callable[[list[Path]], None]


class Messages(Protocol):
    """What pages may say and ask."""

    def error(self, error: EvidenceDeskError) -> None:
        """What happened, why, and what to do next; details can be copied."""
        ...

    def inform(self, code: str, **facts: str | int) -> None:
        """A short message that goes away by itself."""
        ...

    def confirm(
        self,
        code: str,
        *,
        action: str,
        accepted: Callable[[], None],
        refused: Callable[[], None] | None = None,
        dangerous: bool = False,
        **facts: str | int,
    ) -> None:
        """Ask before something is done; `action` is the code of the word on the button that does it."""
        ...

    def ask_text(
        self,
        code: str,
        *,
        action: str,
        accepted: Callable[[str], None],
        text: str = "",
        secret: bool = False,
        required: bool = True,
        dangerous: bool = False,
        **facts: str | int,
    ) -> None:
        """Ask for a line of text; `secret` hides it, `dangerous` marks the deed."""
        ...

    def open_files(self, accepted: Paths, *, code: str = "ui.open_files", pattern: str = "") -> None:
        """Ask for files that exist."""
        ...

    def open_folder(self, accepted: Callable[[Path], None], *, code: str = "ui.open_folder") -> None:
        """Ask for a folder."""
        ...

    def save_as(self, name: str, accepted: Callable[[Path], None], *, code: str = "ui.save_as") -> None:
        """Ask where to write a file of this name; asks before one is overwritten."""
        ...


class WindowMessages(QObject):
    """`Messages` in boxes above the window."""

    toast = Signal(str)
    """A short message for the window to show."""

    def __init__(self, tongue: Tongue, look: Look, preferences: PreferenceStore) -> None:
        super().__init__()
        self._parent: QWidget | None = None
        self._tongue = tongue
        self._look = look
        self._preferences = preferences

    def stand_over(self, window: QWidget) -> None:
        """Boxes belong to this window from now on."""
        self._parent = window

    def error(self, error: EvidenceDeskError) -> None:
        """See `Messages.error`."""
        Notice(self._parent, self._tongue, self._look, error).open()

    def inform(self, code: str, **facts: str | int) -> None:
        """See `Messages.inform`."""
        self.toast.emit(self._tongue.say(code, **facts))

    def confirm(
        self,
        code: str,
        *,
        action: str,
        accepted: Callable[[], None],
        refused: Callable[[], None] | None = None,
        dangerous: bool = False,
        **facts: str | int,
    ) -> None:
        """See `Messages.confirm`."""
        box = Question(self._parent, self._tongue, self._look, code, action, facts, dangerous=dangerous)
        box.accepted.connect(accepted)
        if refused is not None:
            box.rejected.connect(refused)
        box.open()

    def ask_text(
        self,
        code: str,
        *,
        action: str,
        accepted: Callable[[str], None],
        text: str = "",
        secret: bool = False,
        required: bool = True,
        dangerous: bool = False,
        **facts: str | int,
    ) -> None:
        """See `Messages.ask_text`."""
        box = Question(self._parent, self._tongue, self._look, code, action, facts, dangerous=dangerous)
        box.ask(text, secret=secret, required=required)
        box.accepted.connect(lambda: accepted(box.text))
        box.open()

    def open_files(self, accepted: Paths, *, code: str = "ui.open_files", pattern: str = "") -> None:
        """See `Messages.open_files`."""
        dialog = self._files(code)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        if pattern:
            dialog.setNameFilters([pattern])
        dialog.filesSelected.connect(lambda names: self._chosen(names, accepted))
        dialog.open()

    def open_folder(self, accepted: Callable[[Path], None], *, code: str = "ui.open_folder") -> None:
        """See `Messages.open_folder`."""
        dialog = self._files(code)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self._chosen([name], lambda paths: accepted(paths[0])))
        dialog.open()

    def save_as(self, name: str, accepted: Callable[[Path], None], *, code: str = "ui.save_as") -> None:
        """See `Messages.save_as`."""
        dialog = self._files(code)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setDefaultSuffix(Path(name).suffix.removeprefix("."))
        dialog.selectFile(name)
        dialog.fileSelected.connect(lambda chosen: self._chosen([chosen], lambda paths: accepted(paths[0])))
        dialog.open()

    def _files(self, code: str) -> QFileDialog:
        dialog = QFileDialog(
            self._parent,
            self._tongue.say(code),
            self._preferences.value.home or self._preferences.value.folder,
        )
        dialog.finished.connect(dialog.deleteLater)
        return dialog

    def _chosen(self, names: Sequence[str], accepted: Paths) -> None:
        paths = [Path(name) for name in names]
        if paths:
            self._preferences.change(folder=str(paths[0].parent))
            accepted(paths)


def copy_text(text: str) -> None:
    """Put text on the clipboard."""
    clipboard = QGuiApplication.clipboard()
    if clipboard is not None:
        clipboard.setText(text)
