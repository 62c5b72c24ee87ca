"""Words: every code the page uses has its sentence, every sentence is used, and whatever takes the focus has a name."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QWidget

import ui.cases
from evidence_desk.texts import Language
from evidence_desk.texts.zh.ui_cases import SENTENCES
from tests.gui.cases.acting import choose, settled

SOURCE = "\n".join(path.read_text("utf-8") for path in Path(str(ui.cases.__file__)).parent.glob("*.py"))
CODES = set(re.findall(r"\"(ui_cases\.[a-z0-9_.]+)\"", SOURCE))
PATTERNS = {
    re.sub(r"\{[^}]*\}", "[a-z0-9_.]+", code)
    for code in re.findall(r"\"(ui_cases\.[^\"]*\{[^\"]*)\"", SOURCE)
}


def test_codes_and_sentences_are_the_same():
    assert len(CODES) > 100
    assert CODES - set(SENTENCES) - {"ui_cases.bundle.done.packages"} == set()
    made = {f"{code}.packages" for code in CODES if code.startswith("ui_cases.bundle.done")}
    made |= {f"ui_cases.{name}" for name in re.findall(r"\"((?:search|order|filter\.[a-z]+))\"", SOURCE)}
    unused = {
        code for code in set(SENTENCES) - CODES - made
        if not code.endswith(".advice") and not any(re.fullmatch(pattern, code) for pattern in PATTERNS)
    }  # fmt: skip
    assert unused == set()


def test_what_takes_the_focus_has_a_name(page, window, qtbot):
    choose(page, "买卖合同.pdf", qtbot)
    page.filters.more.setChecked(True)
    settled(page, qtbot)
    for language in Language:
        window.context.tongue.set_language(language)
        nameless = [
            widget
            for widget in page.findChildren(QWidget)
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and not widget.accessibleName()
            and not (isinstance(widget, QAbstractButton) and widget.text())
            and not widget.objectName().startswith("qt_")
            and widget.window() is window  # lists that Qt pops up for combos are read with their combo
        ]
        assert nameless == []
