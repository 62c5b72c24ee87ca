"""The frame: pages, lock, drops, closing."""

from evidence_desk.texts import Language
from ui.page import NEEDS_DESK, PageName
from ui.window import Window


def test_every_page_opens(window: Window):
    for name in PageName:
        page = window.show_page(name)
        assert page is not None
        assert window.page is page


def test_locking_hides_pages_and_wipes_the_vault(window: Window, qtbot):
    window.show_page(PageName.CASES)
    window.context.desk.lock()
    assert window.context.desk.session is None
    assert window.stack.currentWidget() is window.gate
    assert not set(window.pages) & NEEDS_DESK
    assert window.show_page(PageName.VERIFY) is not None


def test_unlocking_brings_the_page_back(window: Window, qtbot):
    folder = window.context.desk.folder
    assert folder is not None
    window.show_page(PageName.CASES)
    window.context.desk.lock()
    window.context.preferences.change(vault=str(folder))
    window.gate.passphrase.setText("correct horse battery staple")
    with qtbot.waitSignal(window.context.desk.opened, timeout=20_000):
        window.gate.unlock.click()
    assert window.page is window.pages[PageName.CASES]


def test_the_language_changes_while_it_runs(window: Window):
    window.context.tongue.set_language(Language.EN)
    assert window.rail.buttons[PageName.SEAL].text() == "Seal"
    window.context.tongue.set_language(Language.ZH)
    assert window.rail.buttons[PageName.SEAL].text() == "存证"
