"""States of the window as people looked at them once: ``tests/gui/goldens``. A change of look is meant, or a fault.

``EVIDENCE_DESK_GOLDENS=write`` writes them anew; then they have to be looked at again. What differs is left in ``build/screens``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from evidence_desk.errors import UsageError
from evidence_desk.texts import Language
from tests.gui.screens import FOLDER
from ui.context import Context
from ui.help import HelpDialog
from ui.look.tokens import Scheme
from ui.notice import Notice, Question
from ui.page import PageName
from ui.start.guide import Guide
from ui.window import Window

GOLDENS = Path(__file__).with_name("goldens")
SIZE = (1180, 760)
FAINT = 40
"""Difference of a color that is not seen."""
SHARE = 0.004
"""Of all pixels that may differ: a caret, the edge of a letter."""

Show = Callable[[Context, Window], QWidget]


def page(name: PageName) -> Show:
    def show(_context: Context, window: Window) -> QWidget:
        window.show_page(name)
        return window

    return show


def settings(tab: str) -> Show:
    def show(_context: Context, window: Window) -> QWidget:
        window.show_page(PageName.SETTINGS, tab)
        return window

    return show


def guide(context: Context, _window: Window) -> QWidget:
    return Guide(context)


def help_box(_context: Context, window: Window) -> QWidget:
    return HelpDialog(window.context, window, PageName.SEAL)


def notice(context: Context, _window: Window) -> QWidget:
    return Notice(None, context.tongue, context.look, UsageError("certify.several_cases"))


def question(context: Context, _window: Window) -> QWidget:
    box = Question(
        None,
        context.tongue,
        context.look,
        "ui_seal.cancel.all",
        "ui_seal.cancel.all.do",
        {"count": 12},
        dangerous=True,
    )
    box.ask("", secret=False, required=True)
    return box


STATES = {
    "guide-zh-light": (guide, Language.ZH, Scheme.LIGHT, 1),
    "guide-en-dark-200": (guide, Language.EN, Scheme.DARK, 2),
    "seal-zh-light": (page(PageName.SEAL), Language.ZH, Scheme.LIGHT, 1),
    "seal-en-dark": (page(PageName.SEAL), Language.EN, Scheme.DARK, 1),
    "seal-zh-contrast-200": (page(PageName.SEAL), Language.ZH, Scheme.CONTRAST, 2),
    "capture-zh-light": (page(PageName.CAPTURE), Language.ZH, Scheme.LIGHT, 1),
    "capture-en-dark-200": (page(PageName.CAPTURE), Language.EN, Scheme.DARK, 2),
    "verify-zh-light": (page(PageName.VERIFY), Language.ZH, Scheme.LIGHT, 1),
    "verify-en-dark-200": (page(PageName.VERIFY), Language.EN, Scheme.DARK, 2),
    "cases-zh-light": (page(PageName.CASES), Language.ZH, Scheme.LIGHT, 1),
    "cases-en-dark": (page(PageName.CASES), Language.EN, Scheme.DARK, 1),
    "appearance-zh-dark": (settings("appearance"), Language.ZH, Scheme.DARK, 1),
    "authorities-en-light": (settings("authorities"), Language.EN, Scheme.LIGHT, 1),
    "network-zh-light-200": (settings("network"), Language.ZH, Scheme.LIGHT, 2),
    "help-zh-light": (help_box, Language.ZH, Scheme.LIGHT, 1),
    "notice-en-light": (notice, Language.EN, Scheme.LIGHT, 1),
    "question-zh-dark": (question, Language.ZH, Scheme.DARK, 1),
}


@pytest.mark.qt_log_ignore("propagateSizeHints")  # the offscreen screen has no window manager
@pytest.mark.parametrize("name", STATES)
def test_it_looks_as_it_was_looked_at(name: str, window: Window, qtbot):
    show, language, scheme, ratio = STATES[name]
    context = window.context
    QApplication.setCursorFlashTime(0)
    window.resize(*SIZE)
    context.tongue.set_language(language)
    context.look.set_scheme(scheme)
    shown = show(context, window)
    if isinstance(shown, QDialog):
        qtbot.addWidget(shown)
        shown.open()
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=20_000)
    qtbot.wait(50)  # what was read is laid out
    shown.setFocus()
    picture = drawn(shown, ratio)
    golden = GOLDENS / f"{name}.png"
    if os.environ.get("EVIDENCE_DESK_GOLDENS") == "write":
        picture.save(str(golden))
    wanted = QImage(str(golden))
    assert not wanted.isNull(), "not looked at yet"
    share = differing(picture.toImage(), wanted)
    if share > SHARE:
        FOLDER.mkdir(parents=True, exist_ok=True)
        picture.save(str(FOLDER / f"differs-{name}.png"))
    assert share <= SHARE


def drawn(widget: QWidget, ratio: int) -> QPixmap:
    """A widget as a screen with this ratio shows it."""
    picture = QPixmap(widget.size() * ratio)
    picture.setDevicePixelRatio(ratio)
    widget.render(picture)
    picture.setDevicePixelRatio(1)
    return picture


def differing(first: QImage, second: QImage) -> float:
    """Share of pixels that a person sees to be others; all when the sizes differ."""
    if first.size() != second.size():
        return 1.0
    kind = QImage.Format.Format_Grayscale8
    one, two = (item.convertToFormat(kind) for item in (first, second))
    width, count = one.width(), 0
    for row in range(one.height()):
        left, right = _line(one, row), _line(two, row)
        if left != right:
            count += sum(abs(a - b) > FAINT for a, b in zip(left, right, strict=True))
    return count / (width * one.height())


def _line(image: QImage, row: int) -> bytes:
    scanned: Any = image.constScanLine(row)
    return bytes(scanned)[: image.width()]
