"""The desktop program at one kind of work, made to be killed. Usage: desktop_worker VAULT OUT WORK.

Says READY once the vault is open, BEGUN once the work goes on, SEALED and a number for each exhibit that the window showed
as sealed, and ends by itself only when its window is closed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from evidence_desk.bootstrap.opening import unlocked
from evidence_desk.core.queue_ports import ItemState
from tests.e2e.sealer import PASSPHRASE
from ui.app import Program, make_program, prepare
from ui.cases.page import CasesPage
from ui.cases.viewing import viewing
from ui.certify.drafting import Order
from ui.certify.issuing import Target
from ui.certify.work import issue_work
from ui.page import PageName
from ui.preferences import PreferenceStore
from ui.seal.page import SealPage

CASE = "案"


def say(*words: object) -> None:
    """One line."""
    print(*words, flush=True)


def say_all(word: str, numbers: Sequence[str]) -> None:
    """A line for each."""
    for number in numbers:
        say(word, number)


def seal(program: Program, out: Path) -> None:
    """Queue the files of a folder, each an exhibit."""
    page = program.window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    page.form.case.setCurrentText(CASE)
    page.work.finished_items.connect(
        lambda items: say_all("SEALED", [item.number for item in items if item.state is ItemState.SEALED])
    )
    page.work.enqueued.connect(lambda _batch: say("BEGUN"))
    page.accept_paths(sorted((out / "in").iterdir()))


def certify(program: Program, out: Path) -> None:
    """Issue one certificate after the other into a folder."""
    session = program.context.desk.session
    assert session is not None
    leaves = [row.leaf_hash for row in session.vault.exhibits.exhibits()]
    work = issue_work(program.context)
    work.added.connect(lambda issued: say_all("ISSUED", [item.number for item in issued]))
    work.began.connect(lambda: say("BEGUN"))
    work.issue_alone(
        Order(groups=tuple((leaf,) for leaf in leaves), operator="钱知微"), Target(path=out, folder=True)
    )


def bundle(program: Program, out: Path) -> None:
    """The whole case as one PDF, with packages."""
    page = program.window.show_page(PageName.CASES)
    assert isinstance(page, CasesPage)
    program.context.messages.save_as = lambda _name, accepted, **_: accepted(out / "卷宗.pdf")  # type: ignore[method-assign]
    page.deeds.bundle(CASE, packages=True)
    say("BEGUN")


def demo(program: Program, out: Path) -> None:
    """Four court nodes."""
    del out
    program.context.demo.start(done=lambda: say("JOINED"), failed=lambda error: say("FAILED", error))
    say("BEGUN")


def view(program: Program, out: Path) -> None:
    """Look at an original; no program of the system is started."""
    del out

    class Opener(QObject):
        @Slot(QUrl)
        def take(self, _url: QUrl) -> None:
            say("BEGUN")

    opener = Opener(program.window)
    QDesktopServices.setUrlHandler("file", opener, "take")  # type: ignore[arg-type]  # the stub wants bytes, Qt a name
    session = program.context.desk.session
    assert session is not None
    viewing(program.context).open(next(iter(session.vault.exhibits.exhibits())).leaf_hash, 0)


def resume(program: Program, out: Path) -> None:
    """Only open it: say what the page Seal says, and BEGUN when nothing waits any more."""
    del out
    page = program.window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    told: set[str] = set()

    def look() -> None:
        text = page.banner.text.replace("\n", " ")
        if text not in told:
            told.add(text)
            say("SAYS", text)
        if not program.context.tasks.busy():
            timer.stop()
            say("BEGUN")

    timer = QTimer(page, interval=5)
    timer.timeout.connect(look)
    timer.start()


def draft(program: Program, out: Path) -> None:
    """Fill in the form of a batch, without any file; BEGUN once it is kept."""
    del out
    page = program.window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)

    def fill() -> None:
        if not program.context.tasks.busy():
            timer.stop()
            page.form.lines["purpose"].setText("付款")
            page.form.lines["purpose"].textEdited.emit("付款")
            page.form.changed.connect(kept.start)

    def keep() -> None:
        if not program.context.tasks.busy():
            kept.stop()
            say("BEGUN")

    timer, kept = QTimer(page, interval=5), QTimer(page, interval=5)
    timer.timeout.connect(fill)
    kept.timeout.connect(keep)
    timer.start()


WORK: dict[str, Callable[[Program, Path], None]] = {
    "seal": seal, "certify": certify, "bundle": bundle, "demo": demo, "view": view, "resume": resume, "draft": draft,
}  # fmt: skip


class Closer(QObject):
    """Closes the window once a file appears: as a person would."""

    def __init__(self, program: Program, mark: Path) -> None:
        super().__init__(program.window)
        self._program, self._mark = program, mark
        self._timer = QTimer(self, interval=20)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        if self._mark.exists():
            self._timer.stop()
            self._program.context.messages.confirm = (  # type: ignore[method-assign]
                lambda *_args, accepted, **_facts: accepted()
            )
            self._program.window.close()


def main(vault: Path, out: Path, work: str) -> int:
    """See the module."""
    application = QApplication([])
    program = make_program(application, PreferenceStore())
    program.window.show()
    prepare(program.context)
    program.context.desk.adopt(unlocked(vault, PASSPHRASE))
    closer = Closer(program, out / "close")
    say("READY")
    QTimer.singleShot(0, program.window, lambda: WORK[work](program, out))
    code = application.exec()
    del closer
    say("CLOSED")
    return code


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
