"""Colors that can be read, icons that exist, texts in both languages."""

import re
from itertools import product
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from evidence_desk.core.verdict import Status
from evidence_desk.paths import asset
from evidence_desk.texts import Language, has
from ui.look.icons import pixmap
from ui.look.tokens import COLORS, Scheme, contrast
from ui.notice import Question

UI = Path(__file__).resolve().parents[2] / "ui"
GROUNDS = ("window", "surface", "raised", "selected")
TEXTS = ("text", "secondary", "accent", "passed", "warning", "failed", "undetermined")


@pytest.mark.parametrize(("scheme", "ground", "text"), list(product(COLORS, GROUNDS, TEXTS)))
def test_every_text_can_be_read_on_every_ground(scheme: Scheme, ground: str, text: str):
    colors = COLORS[scheme]
    assert contrast(getattr(colors, text), getattr(colors, ground)) >= 4.5


@pytest.mark.parametrize("scheme", COLORS)
def test_words_on_the_main_button_can_be_read(scheme: Scheme):
    colors = COLORS[scheme]
    assert contrast(colors.on_accent, colors.accent) >= 4.5
    assert contrast(colors.on_accent, colors.accent_hover) >= 4.5
    assert contrast(colors.window, colors.text) >= 4.5  # the short messages
    assert contrast(colors.focus, colors.surface) >= 3  # WCAG 2.2, 1.4.11


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_every_icon_named_in_the_code_is_drawn(qapp):
    pattern = re.compile(r'"([a-z]+(?:-[a-z0-9]+)*)"')
    shipped = {path.stem for path in asset("icons").glob("*.svg")}
    named = {
        word
        for path in UI.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if "icon" in line.lower()
        for word in pattern.findall(line)
    }
    for name in named & shipped:
        image = pixmap(name, "#000000").toImage()
        assert any(image.pixelColor(x, y).alpha() for x in range(20) for y in range(20)), name


def test_every_code_the_window_names_is_said_in_both_languages():
    pattern = re.compile(r'"(ui(?:_[a-z]+)?\.[a-z0-9_.]+)"')
    for path in UI.rglob("*.py"):
        for code in pattern.findall(path.read_text("utf-8")):
            assert code.endswith(".") or all(has(code, language) for language in Language), (path.name, code)


def test_outcomes_have_words(qapp):
    assert all(has(f"ui.status.{status.value}", language) for status in Status for language in Language)


@pytest.mark.qt_log_ignore("propagateSizeHints")
@pytest.mark.parametrize("dangerous", [True, False])
def test_enter_never_does_what_is_dangerous(qtbot, context, dangerous: bool):
    box = Question(
        None, context.tongue, context.look, "ui.close.busy", "ui.close.do", {"count": 1}, dangerous=dangerous
    )
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(box)
    done: list[int] = []
    box.finished.connect(done.append)
    box.open()
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert done == [0 if dangerous else 1]
