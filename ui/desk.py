"""The open vault as the window sees it: unlocked, locked, changed; and the way to work on it beside the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from evidence_desk.core.job import Job
from evidence_desk.errors import BugError, BusyError, CanceledError, EvidenceDeskError
from ui.interpreter import load
from ui.tasks import Done, Failed, Lane, Progress, Running, Tasks

if TYPE_CHECKING:
    from evidence_desk.bootstrap.session import Session

T = TypeVar("T")


class OpenDesk(QObject):
    """At most one open vault.

    Signals: `opened`, `locked`; `changed` when what it holds may be other than before (a seal, a token, an anchoring).
    """

    opened = Signal()
    locked = Signal()
    changed = Signal()

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self._tasks = tasks
        self._session: Session | None = None
        self._hidden = False
        self._at_work: set[Running[Any]] = set()
        tasks.changed.connect(self._on_tasks_changed)

    @property
    def session(self) -> Session | None:
        """The open vault, None when there is none or it is locked."""
        return None if self._hidden else self._session

    @property
    def folder(self) -> Path | None:
        """Folder of the vault that is open or locked."""
        return None if self._session is None else self._session.vault.folder

    def unlock(
        self,
        folder: Path,
        passphrase: str,
        *,
        owner: QObject,
        done: Callable[[], None],
        failed: Failed,
        read_only: bool = False,
    ) -> None:
        """Open a vault; the errors are those of `Vault.open`. No wait is slept out (``vault.wait``).

        One that is locked while its work still goes on is shown again once the passphrase is right; until that work
        has ended, no other is opened (BusyError ``ui.vault_working``).
        """
        if self._session is not None and self._session.vault.folder != folder:
            failed(BusyError("ui.vault_working", folder=self._session.vault.folder.name))
            return
        busy = self._session is not None

        def work(_job: Job) -> Session | None:
            from evidence_desk.bootstrap.opening import unlocked  # noqa: PLC0415 - see `prepare`

            session = unlocked(folder, passphrase, read_only=busy or read_only, sleep=None)
            if not busy:
                return session
            session.close()
            return None

        def arrived(session: Session | None) -> None:
            if session is not None:
                self._session = session
            elif self._session is None:  # its work ended meanwhile, and it was closed
                self.unlock(folder, passphrase, owner=owner, done=done, failed=failed, read_only=read_only)
                return
            self._hidden = False
            self.opened.emit()
            done()

        # not behind a verification that takes long
        self._tasks.run(Lane.NET, work, owner=owner, done=arrived, failed=failed)

    def prepare(self) -> None:
        """Load what opening a vault needs, beside the first window: it takes longer than the window itself."""
        self._tasks.run(
            Lane.CPU, lambda _job: load("evidence_desk.bootstrap.opening"), owner=self, done=_loaded
        )

    def adopt(self, session: Session) -> None:
        """Take over a session just made (first start, restore)."""
        self._session, self._hidden = session, False
        self.opened.emit()

    def lock(self) -> None:
        """Hide everything at once; the keys are wiped as soon as the work on the vault has ended."""
        if self._session is None or self._hidden:
            return
        self._hidden = True
        self._wipe()
        self.locked.emit()

    def run(
        self,
        work: Callable[[Session, Job], T],
        *,
        owner: QObject,
        done: Done[T],
        failed: Failed | None = None,
        progress: Progress | None = None,
        lane: Lane = Lane.VAULT,
        title: str = "",
        changes: bool = False,
        keep: bool = False,
    ) -> Running[T]:
        """Work on the open vault in a lane; `changes`: tell everyone afterwards; `keep`: see `Tasks.run`.

        What comes out of the vault for a widget after it was locked counts as canceled: it would show it.

        Raises:
            BugError: no vault is open.
        """
        session = self.session
        if session is None:
            raise BugError("bug.no_vault")

        def finished(result: T) -> None:
            if isinstance(owner, QWidget) and self.session is not session:
                failing(CanceledError("job.canceled", stage="locked"))
                return
            done(result)
            if changes:
                self.changed.emit()

        def failing(error: EvidenceDeskError) -> None:
            (failed or self._tasks.on_unhandled)(error)
            if changes:
                self.changed.emit()

        task = self._tasks.run(
            lane, lambda job: work(session, job), owner=owner, done=finished, failed=failing, progress=progress, title=title,
            keep=keep,
        )  # fmt: skip
        self._at_work.add(task)
        return task

    def hang_up(self) -> None:
        """The program closes: nobody's answer is waited for."""
        if self._session is not None:
            self._session.hang_up()

    def close(self) -> None:
        """Close the vault; call when no work is left."""
        if self._session is not None:
            self._session.close()
            self._session = None
            self._hidden = False

    def _on_tasks_changed(self) -> None:
        self._at_work = {task for task in self._at_work if task.active}
        if self._hidden:
            self._wipe()

    def _wipe(self) -> None:
        """In whatever lane it runs: a database closed under work in it ends the program."""
        if not self._at_work:
            self.close()


def _loaded(_nothing: None) -> None:
    """Nothing is left to do."""
