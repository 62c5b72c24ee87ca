"""The notary: unlocks the office's vault, turns two-person mode on, drafts; the second person reads and confirms."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension
from evidence_desk.verify.files import Originals, read_trust, verify_path
from tests.e2e.desktop.hands import Hands
from tests.e2e.desktop.lawyer import CASE, PASSPHRASE
from ui.app import Program
from ui.certify.page import CertifyPage
from ui.certify.person_dialogs import EnrollDialog
from ui.certify.review import ReviewDialog
from ui.page import PageName

FIRST: Final = "钱知微"
SECOND: Final = "刘子熙"
OWN: Final = "own-credential-of-2026"


def notary(hands: Hands, program: Program, folder: Path) -> dict[str, Any]:
    """Returns how the verifier takes the certificate of two persons."""
    unlock(hands, program)
    page = program.window.show_page(PageName.CERTIFY)
    assert isinstance(page, CertifyPage)
    hands.until(lambda: page.office is not None, 30)
    _enroll(hands, page, FIRST)
    _enroll(hands, page, SECOND)
    page.tabs.setCurrentWidget(page.keys)
    hands.press(page.keys.switch)
    hands.press(hands.dialog().findChildren(QPushButton)[-1])
    hands.until(lambda: page.office is not None and page.office.two_person, 30, "two-person mode")
    hands.picture("07-certify-office-zh-light")
    _hand_over(hands, page)
    target = folder / "双人证书.pdf"
    _confirm(hands, page, target)
    session = program.context.desk.session
    assert session is not None
    verdict = verify_path(
        target, originals=Originals(sorted((folder / "证据").iterdir()), Job()),
        trust=read_trust(session.vault.folder / "trust"), now=session.clock.now() + timedelta(seconds=5), job=Job(),
    ).verdict  # fmt: skip
    codes = {item.code for item in verdict.findings if item.dimension is Dimension.SIGNER}
    assert "confirmation.persons.two" in codes
    return {"certificate": str(target), "second": verdict.overall.value}


def unlock(hands: Hands, program: Program) -> None:
    """Type the passphrase at the gate."""
    gate = program.window.gate
    hands.type_in(gate.passphrase, PASSPHRASE)
    hands.press(gate.unlock)
    hands.until(lambda: program.context.desk.session is not None, 60, "the vault opens")


def _enroll(hands: Hands, page: CertifyPage, name: str) -> None:
    page.tabs.setCurrentWidget(page.keys)
    hands.press(page.keys.enroll)
    dialog = hands.dialog(EnrollDialog)
    assert isinstance(dialog, EnrollDialog)
    hands.type_in(dialog.name, name)
    hands.type_in(dialog.role, "公证员")
    for field in (dialog.passphrase, dialog.again):
        hands.type_in(field, OWN)
    hands.press(dialog.deed)
    hands.until(
        lambda: page.office is not None and name in {person.name for person in page.office.active},
        30,
        f"{name} is enrolled",
    )


def _hand_over(hands: Hands, page: CertifyPage) -> None:
    page.tabs.setCurrentWidget(page.steps)
    hands.until(lambda: page.choose.case.count() > 0, 30)
    page.choose.case.setCurrentIndex(max(0, page.choose.case.findData(CASE)))
    table = page.choose.table
    hands.until(lambda: page.choose.model.rowCount() > 0, 30)
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(table, Qt.Key.Key_Space)
    page.choose.operator.setCurrentText(FIRST)
    hands.until(page.choose.go.isEnabled, 30, "exhibits are chosen")
    hands.picture("08-certify-choose-zh-light")
    hands.press(page.choose.go)
    hands.until(
        lambda: page.sign.shown is not None and page.sign.preview.view.settled, 60, "the draft is drawn"
    )
    hands.picture("09-certify-preview-zh-light")
    hands.press(page.sign.deed)
    hands.until(lambda: len(page.waiting.items) == 1, 60, "the draft waits for the second person")


def _confirm(hands: Hands, page: CertifyPage, target: Path) -> None:
    page.tabs.setCurrentWidget(page.waiting)
    page.waiting.review_wanted.emit(page.waiting.items[0])
    dialog = hands.dialog(ReviewDialog)
    assert isinstance(dialog, ReviewDialog)
    view = dialog.preview.view
    hands.until(lambda: view.settled, 60)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    hands.type_in(dialog.passphrase, OWN)
    hands.until(dialog.deed.isEnabled, 60, "the last page was seen")
    hands.picture("10-certify-confirm-zh-light")
    hands.press(dialog.deed)
    hands.choose(target)
    hands.until(lambda: page.work.issue is not None and not page.work.working, 90, "two persons issued")
    hands.until(target.exists, 30)
    hands.picture("11-certify-issued-zh-light")
