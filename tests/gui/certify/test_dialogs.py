"""Every dialog of the page in both languages, switched while it is open, by keyboard alone, and gone when the vault locks."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit, QPushButton, QRadioButton, QToolButton

from evidence_desk.bootstrap import persons as office_persons
from evidence_desk.core.confirmation import Officer
from evidence_desk.core.signing_ports import PinRequest
from evidence_desk.texts import Language
from tests.gui.certify.test_issue import focusable, spoken
from ui.certify.drafting import Order
from ui.certify.office import read_office
from ui.certify.pending import Pending
from ui.certify.person_dialogs import EnrollDialog, PassphraseDialog
from ui.certify.pin import PinDialog
from ui.certify.review import ReviewDialog
from ui.certify.signer_dialogs import FileSignerDialog, TokenSignerDialog

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def made(kind: str, page, leaves):
    context = page.context
    session = context.desk.session
    match kind:
        case "pin":
            return PinDialog(context, PinRequest(token="Key", serial="1", failed_before=True, last_try=True))
        case "enroll":
            return EnrollDialog(context)
        case "file":
            return FileSignerDialog(context)
        case "token":
            return TokenSignerDialog(context, page.work.pin)
        case "passphrase":
            person = office_persons.enroll_demo(session, Officer(name="Li Ming"), "long-enough-1")
            return PassphraseDialog(context, person)
        case _:
            office_persons.enroll_demo(session, Officer(name="Li Ming"), "long-enough-1")
            item = Pending(
                slot=0, case_number="1", order=Order(groups=(tuple(leaves[:1]),), operator="Wang"),
                drafted=datetime.now(UTC).replace(microsecond=0), versions=(1,), printed=(b"\0" * 32,),
            )  # fmt: skip
            return ReviewDialog(context, item, read_office(session))


def texts(dialog) -> list[str]:
    found = [dialog.windowTitle()]
    for kind in (QLabel, QPushButton, QRadioButton, QCheckBox, QToolButton):
        found += [item.text() for item in dialog.findChildren(kind) if item.isVisible()]
    found += [item.placeholderText() for item in dialog.findChildren(QLineEdit)]
    return [item for item in found if item]


@pytest.mark.parametrize("kind", ["pin", "enroll", "file", "token", "passphrase", "review"])
def test_said_in_both_languages(kind, page, leaves, qtbot):
    page.context.tongue.set_language(Language.EN)
    dialog = made(kind, page, leaves)
    dialog.open()
    qtbot.waitUntil(lambda: not page.context.tasks.busy(), timeout=30_000)
    english = texts(dialog)
    assert len(english) > 3
    said = [item for item in english if CHINESE.search(item) and "演示/非第三方" not in item]
    assert said == []
    page.context.tongue.set_language(Language.ZH)
    chinese = texts(dialog)
    assert len(chinese) == len(english)
    assert sum(bool(CHINESE.search(item)) for item in chinese) > len(chinese) // 2
    assert [item for item in focusable(dialog) if not spoken(item)] == []
    closed: list[int] = []
    dialog.finished.connect(closed.append)
    page.context.desk.lock()
    assert closed == [0]


def test_a_dialog_is_filled_in_by_keyboard_alone(page, qtbot, messages):
    dialog = EnrollDialog(page.context)
    dialog.accepted.connect(page.keys.changed)
    dialog.open()
    dialog.activateWindow()
    qtbot.waitUntil(dialog.name.hasFocus)
    for text in ("Zhao Mingyuan", "notary", "card 17"):
        qtbot.keyClicks(dialog.focusWidget(), text)
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
    for _ in range(10):
        if dialog.passphrase.hasFocus():
            break
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
    qtbot.keyClicks(dialog.focusWidget(), "langgenug-1")
    qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
    assert dialog.again.hasFocus()
    qtbot.keyClicks(dialog.focusWidget(), "langgenug-1")
    qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(page.office.active) == 1, timeout=20_000)
    assert page.office.active[0].identification == "card 17"
