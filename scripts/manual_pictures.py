"""Pictures for docs/manual: the real window, offscreen, over a new vault with demo keys and the sample case.

Hands, and the notary's scene, are those of the end-to-end test of the desktop (`tests.e2e.desktop`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from PySide6.QtCore import Qt, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QColor, QInputMethodEvent, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QWidget

from evidence_desk.bootstrap.capturing import capture_tools
from evidence_desk.core.queue_ports import ItemState
from scripts.demo_capture import site
from scripts.pictures import terminal
from tests.e2e.desktop.hands import Hands
from tests.e2e.desktop.lawyer import CASE, PASSPHRASE
from tests.e2e.desktop.notary import notary, unlock
from ui.app import Program, begin_guide, make_program
from ui.capture.page import CapturePage
from ui.capture.view.window import CaptureWindow
from ui.cases.page import CasesPage
from ui.page import Page, PageName
from ui.preferences import PreferenceStore
from ui.seal.page import SealPage
from ui.start.step_name import StepName
from ui.verify.page import VerifyPage

ROOT: Final = Path(__file__).parents[1]
OUT: Final = ROOT / "docs" / "manual" / "images"
SCREEN: Final = (1440, 960)
SIZE: Final = (1180, 760)
TALL: Final = {
    "seal": 820, "status": 855, "settings-network": 880, "capture": 800, "two-person": 820,
    "verify-no-trust": 900, "verify-passed": 900, "verify-failed": 900,
}  # fmt: skip
"""Height of the window where more of a page is to be seen."""
COLORS: Final = 128
PATIENCE: Final = 8
OPERATOR: Final = "王律师"
P = TypeVar("P", bound=Page)
NAMES: Final = {
    "07-certify-office-zh-light": "two-person",
    "09-certify-preview-zh-light": "certify-preview",
    "10-certify-confirm-zh-light": "certify-confirm",
}
"""Pictures of the notary's end-to-end scene that the manual takes; the others are not kept."""


class Camera(Hands):
    """Hands that keep the pictures which the manual has a name for, and are patient on a machine at work."""

    def until(self, true: Callable[[], object], seconds: float = 60, what: str = "") -> None:
        """See `Hands`."""
        super().until(true, seconds * PATIENCE, what)

    def picture(self, name: str, widget: QWidget | None = None) -> None:
        """Keep the window, or the dialog in front of it, as docs/manual/images/NAME.png."""
        name = NAMES.get(name, name)
        if name == "stuck":
            self._shot(widget).save(str(ROOT / "build" / "manual-stuck.png"))
        elif not name[0].isdigit():
            self.until(
                lambda: not any(label.isVisible() for label in self._toasts()), 20, "what was said goes"
            )
            if widget is None:
                self.window.resize(SIZE[0], TALL.get(name, SIZE[1]))
            self.wait(300)
            path = OUT / f"{name}.png"
            self._shot(widget).save(str(path))
            slim(path)
            self.pictures.append(path)

    def _shot(self, widget: QWidget | None) -> QPixmap:
        fronts = self._fronts()
        shown = fronts[-1] if widget is None and fronts else widget or self.window
        picture = shown.grab()
        if shown is not self.window:
            painter = QPainter(picture)
            painter.setPen(QColor("#9aa0a6"))
            painter.drawRect(0, 0, picture.width() - 1, picture.height() - 1)
            painter.end()
        return picture

    def type_in(self, widget: QWidget, text: str) -> None:
        """Type as an input method does: a capital without the shift key looks like caps lock."""
        widget.setFocus()
        QTest.keyClick(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(widget, Qt.Key.Key_Delete)
        event = QInputMethodEvent()
        event.setCommitString(text)
        QApplication.sendEvent(widget, event)

    def _toasts(self) -> list[QLabel]:
        return [label for label in self.window.findChildren(QLabel) if label.property("toast")]

    @staticmethod
    def _fronts() -> list[QDialog]:
        return [
            item for item in QApplication.topLevelWidgets() if isinstance(item, QDialog) and item.isVisible()
        ]

    def quiet(self, program: Program) -> None:
        """Wait until nothing works."""
        self.until(lambda: not program.context.tasks.busy(), 90, "the work ends")


def slim(path: Path) -> None:
    """A palette of few colors: a window has no more."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    sys.stderr.write(f"{path.relative_to(ROOT)}  {small.width} × {small.height}  {path.stat().st_size} B\n")


def shown(program: Program, name: PageName, kind: type[P]) -> P:
    """A page in front.

    Raises:
        TypeError: the page of this name is another.
    """
    page = program.window.show_page(name)
    if not isinstance(page, kind):
        raise TypeError(name)
    return page


# --- scenes ---------------------------------------------------------------------------------------------------------


def lawyer(hands: Camera, program: Program, folder: Path) -> None:
    """First start, a vault with demo keys, the sample case sealed, a certificate."""
    guide = program.window.gate.open_guide(StepName.WHO)
    hands.press(guide.next)
    hands.until(lambda: guide.name is StepName.VAULT)
    hands.type_in(guide.vault.folder, str(folder / "存证库"))
    hands.type_in(guide.vault.operator, OPERATOR)
    for field in (guide.vault.passphrases.first, guide.vault.passphrases.second):
        hands.type_in(field, PASSPHRASE)
    hands.picture("first-start")
    hands.press(guide.next)
    hands.until(lambda: guide.name is StepName.PAPER, 90, "the vault is made")
    groups = guide.made.recovery_key.split("-")
    for line, at in zip(guide.paper.fields, guide.paper.asked, strict=True):
        hands.type_in(line, groups[at])
    hands.press(guide.next)
    hands.until(lambda: guide.name is StepName.TRY)
    guide.trying.sample.setChecked(False)
    hands.press(guide.next)
    hands.until(lambda: program.window.gate.guide is None, 90, "the guide closes")
    page = shown(program, PageName.SEAL, SealPage)
    hands.type_in(page.form.lines["purpose"], "双方存在设备采购合同关系，被告拖欠货款")
    page.form.case.setCurrentText(CASE)
    files = sorted((folder / "证据").iterdir())
    hands.drop(page.intake, files)
    hands.until(
        lambda: page.work.counts[ItemState.SEALED].items == len(files) and not page.work.working,
        240,
        "all is sealed",
    )
    hands.until(page.banner.isVisible, 30)
    hands.quiet(program)
    hands.picture("seal")
    program.window.show_page(PageName.STATUS)
    hands.quiet(program)
    hands.picture("status")


def cases(hands: Camera, program: Program, folder: Path) -> None:
    """The case with one exhibit opened."""
    del folder
    page = shown(program, PageName.CASES, CasesPage)
    hands.quiet(program)
    page.show_item(CASE)
    hands.quiet(program)
    page.table.selectRow(0)
    hands.wait(500)
    hands.quiet(program)
    hands.picture("cases")


def settings(hands: Camera, program: Program, folder: Path) -> None:
    """What an administrator sets."""
    del folder
    for tab in ("authorities", "network"):
        program.window.show_page(PageName.SETTINGS, tab)
        hands.quiet(program)
        hands.picture(f"settings-{tab}")


def capture(hands: Camera, program: Program, folder: Path) -> None:
    """A page of a local site, captured by the real browser: form, result, view."""
    page = shown(program, PageName.CAPTURE, CapturePage)
    page.work.tools = partial(
        capture_tools, ntp=(), dns=()
    )  # the pictures do not wait for servers of the time
    hands.quiet(program)
    with site(folder / "网站") as (url, root):
        page.form.text.setPlainText(url)
        page.form.fields.case.setCurrentText(CASE)
        page.form.fields.lines["title"].setText("作品发布页")
        page.form.fields.lines["operator"].setText(OPERATOR)
        page.form.settle()
        hands.press(
            hands.find(QAbstractButton, program.context.tongue.say("ui_capture.options"), within=page)
        )
        hands.press(program.context.tongue.say("ui_capture.authorities.add"), within=page)
        hands.choose(root)
        page.form.options.private.click()
        hands.picture("capture")
        hands.press(page.begin)
        hands.until(lambda: page.work.running, 30)
        hands.until(lambda: not page.work.running, 180, "the capture ends")
        hands.quiet(program)
        hands.picture("capture-result")
    hands.press(page.result.view)
    found: list[CaptureWindow] = []

    def opened() -> bool:
        found.extend(item for item in QApplication.topLevelWidgets() if isinstance(item, CaptureWindow))
        return bool(found) and found[0].isVisible()

    hands.until(opened, 60, "the view opens")
    hands.quiet(program)
    found[0].resize(*SIZE)
    hands.wait(500)
    hands.quiet(program)
    hands.picture("capture-view", found[0])
    found[0].close()


def judge(hands: Camera, program: Program, folder: Path) -> None:
    """A certificate and its files: without trusted roots, with them, and with a byte changed."""
    page = shown(program, PageName.VERIFY, VerifyPage)
    certificate, originals = folder / "双人证书.pdf", sorted((folder / "证据").iterdir())

    def examine(papers: Sequence[Path], name: str) -> None:
        hands.drop(page, papers)
        hands.until(lambda: not program.context.tasks.running and not page.progress.lines, 90)
        hands.picture(name)
        page.clear()

    examine([certificate, *originals], "verify-no-trust")
    trust = folder / "信任根"
    shutil.copytree(folder / "存证库" / "trust", trust)
    page.basis.take_folder(trust)
    hands.quiet(program)
    examine([certificate, *originals], "verify-passed")
    data = bytearray(certificate.read_bytes())
    data[data.index(b"stream\n") + 40] ^= 1
    spoiled = folder / "改动一个字节.pdf"
    spoiled.write_bytes(data)
    examine([spoiled, *originals], "verify-failed")


SCENES: Final[dict[str, Callable[[Camera, Program, Path], object]]] = {
    "lawyer": lawyer, "cases": cases, "settings": settings, "notary": notary, "judge": judge, "capture": capture,
}  # fmt: skip
_LOCKED: Final = frozenset({"notary", "judge"})
"""Scenes that begin with a vault locked: the first unlocks it, the other needs none."""


def play(folder: Path, wanted: Sequence[str]) -> None:
    """The scenes, in one program; it is closed as a person closes it."""
    heard: list[str] = []
    qInstallMessageHandler(lambda kind, _where, text: _hear(heard, kind, text))
    application = QApplication([])
    preferences = PreferenceStore()
    program = make_program(application, preferences)
    hands = Camera(program.window)
    program.window.show()
    program.window.resize(*SIZE)
    if preferences.value.role is None:
        begin_guide(program.window)
    for name in SCENES:
        if wanted and name not in wanted:
            continue
        opened = program.context.desk.session is not None
        if name in _LOCKED and opened:
            program.context.desk.lock()
            hands.until(lambda: program.context.desk.folder is None, 60, "the vault is locked")
        elif name not in _LOCKED and not opened and (folder / "存证库").is_dir():
            program.window.show_page(PageName.SEAL)
            unlock(hands, program)
        SCENES[name](hands, program, folder)
    program.window.close()
    hands.until(lambda: not program.window.isVisible(), 60, "the window closes")
    sys.stderr.write("".join(f"{line}\n" for line in heard))
    sys.stderr.flush()
    os._exit(0)


def _hear(heard: list[str], kind: QtMsgType, text: str) -> None:
    if kind is QtMsgType.QtFatalMsg:
        sys.stderr.write(f"{text}\n")  # the last that is heard of it
    if kind not in {QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg} and "propagateSizeHints" not in text:
        heard.append(text)


# --- the command line -----------------------------------------------------------------------------------------------


@contextmanager
def court(folder: Path) -> Iterator[dict[str, Any]]:
    """Four nodes on this machine, for the pictures of the command line."""
    program = Path(sys.executable).with_name("court-node")
    command: list[str | Path] = [program, "localnet", "4", "--dir", folder, "--until-eof"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        if process.stdout is None or not (line := process.stdout.readline()):
            sys.exit("the court nodes did not start")
        yield json.loads(line)
        process.terminate()


def command_line(folder: Path) -> None:
    """What an administrator and an operator of a node read in a terminal."""
    with court(folder / "net"):
        node = next(path.parent for path in sorted((folder / "net").rglob("node.toml"))).relative_to(folder)
        terminal("node-status", "court-node", "status", "--dir", node, folder=folder, out=OUT)
    terminal("selftest", "evidence-desk", "selftest", folder=folder, out=OUT)


def main(wanted: Sequence[str]) -> None:
    """All pictures anew, or those of some scenes of a stage that is kept (EVIDENCE_MANUAL_STAGE)."""
    OUT.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="演示-", ignore_cleanup_errors=True) as made, TemporaryDirectory() as bare:
        folder = Path(os.environ.get("EVIDENCE_MANUAL_STAGE", made))
        evidence = folder / "证据"
        if not evidence.exists():
            evidence.mkdir(parents=True)
            for path in sorted((ROOT / "assets" / "sample_case").rglob("*")):
                if path.is_file() and path.suffix not in {".md", ".json"} and not path.name.startswith("."):
                    shutil.copy(path, evidence / path.name)
        if not wanted or "terminal" in wanted:
            command_line(folder)
        if not wanted or set(wanted) & set(SCENES):
            screen, (width, height) = Path(bare) / "screen.json", SCREEN  # Qt reads it by an ASCII path alone
            screen.write_text(json.dumps({"screens": [{"name": "1", "x": 0, "y": 0, "width": width, "height": height,
                "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}]}), "ascii")  # fmt: skip
            os.environ |= {
                "QT_QPA_PLATFORM": f"offscreen:configfile={screen}", "QT_SCALE_FACTOR": "1",
                "EVIDENCE_DESK_CONFIG": str(folder / "config"), "EVIDENCE_DESK_STATE": str(folder / "state"),
            }  # fmt: skip
            play(folder, wanted)


if __name__ == "__main__":
    main(sys.argv[1:])
