"""Brings files given from outside (arguments, a second start) to the right page, once that page can take them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt

from evidence_desk.core.job import Job
from ui.arguments import Request
from ui.page import PageName
from ui.plain import plain
from ui.preferences import Role
from ui.tasks import Lane
from ui.window import Window


class Arrivals(QObject):
    """Files to be sealed wait, and the gate says so, until the vault is open."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._context = window.context
        self._waiting: list[Path] = []
        self._context.desk.opened.connect(self._on_opened, Qt.ConnectionType.QueuedConnection)

    @property
    def waiting(self) -> tuple[Path, ...]:
        """Paths that wait for the vault to be opened."""
        return tuple(self._waiting)

    def take(self, request: Request) -> None:
        """Do what is asked; without paths only the vault is put in front."""
        session = self._context.desk.session
        if request.vault is not None and session is None:
            self._window.gate.show_vault(request.vault)
        elif (
            request.vault is not None
            and session is not None
            and not _same(request.vault, session.vault.folder)
        ):
            self._ask_about(request, request.vault, session.vault.folder)
            return
        if request.page:
            self._window.show_page(PageName(request.page))
        seal, verify = request.sorted(judge=self._context.preferences.value.role is Role.JUDGE)
        if not seal and not verify:
            return

        def present(_job: Job) -> tuple[list[Path], list[Path]]:
            return [path for path in seal if _there(path)], [path for path in verify if _there(path)]

        def done(found: tuple[list[Path], list[Path]]) -> None:
            missing = len(seal) + len(verify) - len(found[0]) - len(found[1])
            if missing:
                self._context.messages.inform("ui_start.missing", count=missing)
            self._seal(found[0])
            self._verify(found[1])

        self._context.tasks.run(Lane.CPU, present, owner=self, done=done)

    def _ask_about(self, request: Request, wanted: Path, present: Path) -> None:
        """Files meant for one vault must not get into another: nothing is taken until the person has decided."""

        def change() -> None:
            self._context.desk.lock()
            self.take(request)

        self._context.messages.confirm(
            "ui_start.other_vault", action="ui_start.other_vault.do", accepted=change, wanted=plain(wanted.name),
            present=plain(present.name),
        )  # fmt: skip

    def front(self) -> None:
        """Bring the window to the front."""
        window = self._window
        window.setWindowState(
            (window.windowState() & ~Qt.WindowState.WindowMinimized) | Qt.WindowState.WindowActive
        )
        window.show()
        window.raise_()
        window.activateWindow()

    def _verify(self, paths: list[Path]) -> None:
        if paths:
            page = self._window.show_page(PageName.VERIFY)
            if page is not None:
                page.accept_paths(paths)

    def _seal(self, paths: list[Path]) -> None:
        if not paths:
            return
        page = self._window.show_page(PageName.SEAL)
        if page is not None:
            page.accept_paths(paths)
            return
        self._waiting += [path for path in paths if path not in set(self._waiting)]
        self._window.gate.show_kept(len(self._waiting))

    def _on_opened(self) -> None:
        paths, self._waiting = self._waiting, []
        self._window.gate.show_kept(0)
        if paths and self._context.desk.session is not None:
            self._seal(paths)
            self._context.messages.inform("ui_start.kept.taken", count=len(paths))


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one == other
