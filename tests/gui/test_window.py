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


def test_a_short_message_stands_on_one_line_where_there_is_room(window: Window):
    window.resize(1180, 760)
    window.say("已保存为“证据台恢复密钥.pdf”。打印后请删除该文件。")
    line = window.toast.fontMetrics().height()
    assert window.toast.height() < 3 * line
    assert window.toast.width() < 720
    window.say("很长的话。" * 60)
    assert window.toast.width() == 720
    assert window.toast.height() >= window.toast.heightForWidth(720)
    window.resize(640, 480)
    assert window.toast.width() <= 640
    assert window.toast.height() >= window.toast.heightForWidth(window.toast.width())
    assert window.rect().contains(window.toast.geometry())


def test_the_window_keeps_its_size_and_fits_the_screen(window: Window, qtbot):
    fresh = Window(window.context)
    qtbot.addWidget(fresh)
    room = fresh.screen().availableSize()
    assert fresh.width() <= room.width()
    assert fresh.height() <= room.height()
    window.resize(700, 500)
    window.context.preferences.change(geometry=bytes(window.saveGeometry().toBase64().data()).decode())
    again = Window(window.context)
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (700, 500)
