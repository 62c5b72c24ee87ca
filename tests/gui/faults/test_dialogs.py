"""Language, look and screen change, the vault locks, the window closes: while a box or dialog is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QDialog

from evidence_desk.bootstrap import persons as office_persons
from evidence_desk.core.confirmation import Officer
from evidence_desk.core.job import Job
from evidence_desk.core.signing_ports import PinRequest
from evidence_desk.errors import HostError
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.texts import Language
from tests.gui.conftest import CHEAP
from tests.gui.faults.conftest import all_texts
from ui.certify.drafting import Order
from ui.certify.office import read_office
from ui.certify.page import CertifyPage
from ui.certify.pending import hand_over
from ui.certify.person_dialogs import EnrollDialog, PassphraseDialog
from ui.certify.pin import PinDialog
from ui.certify.review import ReviewDialog
from ui.certify.signer_dialogs import FileSignerDialog
from ui.guard import Guard
from ui.help import show_help
from ui.look.tokens import COLORS
from ui.messages import WindowMessages
from ui.page import PageName
from ui.start.guide import Guide
from ui.start.step_name import StepName
from ui.window import Window

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # of the platform without a screen
SECRET = "秘密人"


@pytest.fixture
def guarded(window: Window) -> Iterator[Window]:
    guard = Guard(window.context)
    yield window
    del guard


def real(window: Window) -> WindowMessages:
    context = window.context
    made = WindowMessages(context.tongue, context.look, context.preferences)
    made.stand_over(window)
    made.setParent(window)
    return made


def notice(window: Window, _tmp: Path) -> None:
    real(window).error(HostError("host.disk_full", what=SECRET))


def question(window: Window, _tmp: Path) -> None:
    real(window).confirm("ui_cases.erase.reason", action="ui.cancel", accepted=lambda: None, case=SECRET)


def line(window: Window, _tmp: Path) -> None:
    real(window).ask_text(
        "ui_cases.erase.reason", action="ui.cancel", accepted=print, text=SECRET, case=SECRET
    )


def files(window: Window, _tmp: Path) -> None:
    real(window).open_files(print)


def save(window: Window, _tmp: Path) -> None:
    real(window).save_as(f"{SECRET}.pdf", print)


def helping(window: Window, _tmp: Path) -> None:
    show_help(window)


def pin(window: Window, _tmp: Path) -> None:
    PinDialog(window.context, PinRequest(token=SECRET, serial="1", failed_before=True, last_try=True)).open()


def enroll(window: Window, _tmp: Path) -> None:
    dialog = EnrollDialog(window.context)
    dialog.name.setText(SECRET)
    dialog.passphrase.setText(SECRET)
    dialog.open()


def signer(window: Window, _tmp: Path) -> None:
    FileSignerDialog(window.context).open()


def passphrase(window: Window, _tmp: Path) -> None:
    session = window.context.desk.session
    assert session is not None
    person = office_persons.enroll_demo(session, Officer(name=SECRET), "long-enough-1")
    PassphraseDialog(window.context, person).open()


def review(window: Window, tmp: Path) -> None:
    session = window.context.desk.session
    assert session is not None
    (tmp / f"{SECRET}.txt").write_text("x")
    (outcome,) = seal(session.desk, [tmp / f"{SECRET}.txt"], SealRequest(case_number=SECRET), job=Job())
    assert outcome.exhibit is not None
    office_persons.enroll_demo(session, Officer(name=SECRET), "long-enough-1")
    page = window.show_page(PageName.CERTIFY)
    assert isinstance(page, CertifyPage)
    item = hand_over(session, Order(groups=((outcome.exhibit.leaf_hash,),), operator=SECRET), Job())
    ReviewDialog(window.context, item, read_office(session)).open()


def guide(window: Window, _tmp: Path, step: StepName = StepName.WHO) -> None:
    made = Guide(window.context, window, first=step, kdf=CHEAP)
    made.open()


def guide_vault(window: Window, tmp: Path) -> None:
    guide(window, tmp, StepName.VAULT)


def guide_try(window: Window, tmp: Path) -> None:
    guide(window, tmp, StepName.TRY)


Opening = Callable[[Window, Path], None]
ABOUT_THE_VAULT: tuple[Opening, ...] = (
    notice, question, line, files, save, pin, enroll, signer, passphrase, review
)  # fmt: skip
ALL: tuple[Opening, ...] = (*ABOUT_THE_VAULT, helping, guide, guide_vault, guide_try)


def shown() -> list[QDialog]:
    return [item for item in QApplication.topLevelWidgets() if isinstance(item, QDialog) and item.isVisible()]


def idle(window: Window, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=30_000)


@pytest.mark.parametrize("opening", ALL)
def test_language_look_and_screen(guarded: Window, tmp_path: Path, qtbot, opening: Opening):
    opening(guarded, tmp_path)
    idle(guarded, qtbot)
    (dialog,) = shown()
    for scheme in COLORS:
        guarded.context.look.set_scheme(scheme)
        for language in (Language.EN, Language.ZH):
            guarded.context.tongue.set_language(language)
            assert not dialog.grab().isNull()
    for item in (guarded, dialog):
        for kind in (
            QEvent.Type.DevicePixelRatioChange,
            QEvent.Type.ScreenChangeInternal,
            QEvent.Type.FontChange,
        ):
            QCoreApplication.sendEvent(item, QEvent(kind))
        assert not item.grab().isNull()
    dialog.resize(400, 300)
    assert not dialog.grab().isNull()
    dialog.reject()
    idle(guarded, qtbot)


@pytest.mark.parametrize("opening", ABOUT_THE_VAULT)
def test_a_lock_leaves_nothing_of_it(guarded: Window, tmp_path: Path, qtbot, opening: Opening):
    opening(guarded, tmp_path)
    idle(guarded, qtbot)
    assert len(shown()) == 1
    guarded.context.desk.lock()
    idle(guarded, qtbot)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert shown() == []
    assert [text for text in all_texts() if SECRET in text] == []


@pytest.mark.parametrize("opening", ALL)
def test_the_window_closes_over_it(guarded: Window, tmp_path: Path, qtbot, opening: Opening):
    opening(guarded, tmp_path)
    guarded.close()
    qtbot.waitUntil(lambda: not guarded.isVisible(), timeout=10_000)
    assert shown() == []
    assert guarded.context.desk.folder is None


@pytest.mark.parametrize("opening", [helping, enroll, pin, signer, notice])
def test_nothing_is_left_of_closed_ones(guarded: Window, tmp_path: Path, qtbot, opening: Opening):
    def once() -> int:
        opening(guarded, tmp_path)
        idle(guarded, qtbot)
        for dialog in shown():
            dialog.reject()
        idle(guarded, qtbot)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        return len(QApplication.allWidgets())

    once()
    first = once()
    assert [once() for _ in range(5)] == [first] * 5
