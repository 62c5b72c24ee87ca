"""Replay browsers that are open, at most one for an exhibit. Outlive page and window; closed when the vault locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services.find import exhibits_of
from ui.context import Context
from ui.start.operator import operator_name
from ui.tasks import Lane, Running

if TYPE_CHECKING:
    from evidence_desk.bootstrap.replaying import Replay

NAME: Final = "replays"
_LOOK_MS: Final = 500


class Replays(QObject):
    """One for each open program.

    Signals: `changed` when one is being opened, is open, or has ended.
    """

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__(context.desk)
        self.setObjectName(NAME)
        self._context = context
        self._opening: dict[bytes, Running[Replay]] = {}
        self._open: dict[bytes, Replay] = {}
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        context.desk.locked.connect(self.close)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._quit)

    def busy(self, leaf_hash: bytes) -> bool:
        """Whether the capture of this exhibit is being opened, or shown."""
        return leaf_hash in self._opening or leaf_hash in self._open

    def open(self, leaf_hash: bytes, page: int = 1) -> None:
        """Decrypt the capture of an exhibit and show it again from a page; the custody record says so."""
        if self.busy(leaf_hash) or self._context.desk.session is None:
            return

        def work(session: Session, job: Job) -> Replay:
            from evidence_desk.bootstrap.replaying import open_replay  # noqa: PLC0415 - large

            (row,) = exhibits_of(session.desk, [leaf_hash])
            language = self._context.tongue.language
            return open_replay(session, row, language, page=page, job=job, operator=operator_name(session))

        def done(replay: Replay) -> None:
            withdrawn = self._opening.pop(leaf_hash, None) is not task
            if withdrawn:  # locked meanwhile
                self._end([replay])
                return
            self._open[leaf_hash] = replay
            self._timer.start()
            self._context.messages.inform("ui_capture.replay.opened")
            self.changed.emit()

        def failed(error: EvidenceDeskError) -> None:
            if self._opening.get(leaf_hash) is task:
                del self._opening[leaf_hash]
            self._context.tasks.on_unhandled(error)
            self.changed.emit()

        # not the window's: what was opened is closed also when the window is gone before
        task = self._context.desk.run(
            work, owner=self, done=done, failed=failed, lane=Lane.VAULT, title="ui_capture.work.replay", changes=True
        )  # fmt: skip
        self._opening[leaf_hash] = task
        self.changed.emit()

    def close(self) -> None:
        """Close every one; what is being opened is closed as soon as it is."""
        for task in self._opening.values():
            task.cancel()
        self._opening.clear()
        replays = list(self._open.values())
        self._open.clear()
        self._timer.stop()
        if replays:
            self._end(replays)
        self.changed.emit()

    def _end(self, replays: list[Replay]) -> None:
        """Beside the window: a browser may take its time to end."""
        self._context.tasks.run(
            Lane.CPU, lambda _job: _close(replays), owner=self, done=lambda _: None, keep=True
        )

    def _look(self) -> None:
        """Some may have been closed by the person, or have failed."""
        for leaf_hash, replay in list(self._open.items()):
            try:
                if not replay.wait(0):
                    continue
            except EvidenceDeskError as error:
                self._context.messages.error(error)
            self._open.pop(leaf_hash, None)
            self.changed.emit()
        if not self._open:
            self._timer.stop()

    def _quit(self) -> None:
        replays = list(self._open.values())
        self._open.clear()
        _close(replays)


def replays_of(context: Context) -> Replays:
    """The program's one `Replays`."""
    found = context.desk.findChild(Replays, NAME)
    return found if isinstance(found, Replays) else Replays(context)


def _close(replays: list[Replay]) -> None:
    for replay in replays:
        replay.close()
