"""Pictures of the page in its states, for people to look at: ``build/screens/verify-*.png``."""

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QPushButton, QWidget

from evidence_desk.texts import Language
from evidence_desk.verify.answer import Result
from tests.gui.screens import save_screen
from tests.gui.verify.conftest import Papers, result
from ui.look.tokens import Scheme
from ui.verify.basis import NetworkDialog
from ui.verify.page import VerifyPage

Settled = Callable[[VerifyPage], None]


def take(widget: QWidget, name: str) -> None:
    """Save it; at another scale under another name. A page that shows nothing is a fault."""
    ratio = widget.devicePixelRatioF()
    path = save_screen(widget, name if ratio == 1 else f"{name}@{ratio:g}")
    picture = widget.grab().toImage()
    colors = {
        picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)
    }
    assert path.exists()
    assert len(colors) > 20


def _fits(item: QPushButton) -> bool:
    return not item.isVisible() or item.width() >= item.sizeHint().width()


def show(page: VerifyPage, settled: Settled, *paths, originals=()) -> None:
    page.clear()
    page.accept_paths(paths)
    settled(page)
    if originals:
        page.add_originals(page.model.entries[0], list(originals))
        settled(page)


def test_states(page: VerifyPage, papers: Papers, settled: Settled, qtbot):
    window = page.window()
    if window.devicePixelRatioF() > 1:
        window.resize(960, 540)  # a full HD screen at 200 %
    take(window, "verify-empty")
    show(page, settled, papers.pdf)
    take(window, "verify-no-trust")
    page.basis.take_folder(papers.trust)
    settled(page)
    show(page, settled, papers.pdf, originals=papers.originals)
    assert result(page).result is Result.PASSED
    take(window, "verify-passed")
    for row in list(page.detail.rows.values())[:2]:
        row.handle.setChecked(True)
    page.detail.area.ensureWidgetVisible(next(iter(page.detail.rows.values())))
    page.detail.area.verticalScrollBar().setValue(360)
    qtbot.wait(20)
    take(window, "verify-findings")
    page.detail.area.verticalScrollBar().setValue(page.detail.area.verticalScrollBar().maximum())
    take(window, "verify-limits")
    show(page, settled, papers.tampered, papers.pdf, papers.package, papers.token, papers.photo)
    page.list.choose(0)
    take(window, "verify-failed")
    page.list.choose(4)
    take(window, "verify-scan")
    page.context.tongue.set_language(Language.EN)
    for scheme in (Scheme.DARK, Scheme.CONTRAST):
        page.context.look.set_scheme(scheme)
        page.list.choose(2)
        qtbot.waitUntil(lambda: all(_fits(item) for item in page.findChildren(QPushButton)))
        take(window, f"verify-{scheme.value}-en")
    page.context.look.set_scheme(Scheme.LIGHT)
    page.context.tongue.set_language(Language.ZH)
    window.resize(640, 760)
    take(window, "verify-narrow")
    page.clear()
    qtbot.waitUntil(lambda: page.intake.field.width() > 300)
    take(window, "verify-narrow-empty")


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_dialog(page: VerifyPage, qtbot):
    page.basis.choose_network()
    dialog = page.window().findChild(NetworkDialog)
    assert dialog is not None
    qtbot.waitUntil(dialog.isVisible)
    take(dialog, "verify-network")
    dialog.reject()
