"""The seal page with a real vault and a real embedded authority."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QGuiApplication

from evidence_desk.bootstrap.opening import init_session, unlocked
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import HostError
from evidence_desk.texts import Language
from evidence_desk.verify.files import InputKind, Originals, read_trust, verify_path
from tests.gui.conftest import CHEAP, PASSPHRASE
from ui.context import Context
from ui.page import PageName
from ui.seal.model import Column, QueueModel
from ui.seal.page import SealPage
from ui.window import Window


@pytest.fixture
def page(window: Window, qtbot) -> SealPage:
    made = window.show_page(PageName.SEAL)
    assert isinstance(made, SealPage)
    return made


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "证据"
    folder.mkdir()
    made = []
    for number in range(5):
        path = folder / f"聊天记录{number}.txt"
        path.write_text(f"第{number}条", "utf-8")
        made.append(path)
    return made


def states(page: SealPage) -> list[ItemState]:
    return [item.state for item in page.model.items]


def rows_of(context: Context) -> list[ExhibitRow]:
    session = context.desk.session
    assert session is not None
    return list(session.vault.exhibits.exhibits())


def sealed(page: SealPage, count: int) -> bool:
    return states(page).count(ItemState.SEALED) == count and not page.work.working


def test_dropped_files_are_sealed_and_timestamped(page, files, qtbot):
    page.form.case.setCurrentText("(2026)渝0103民初1号")
    page.form.lines["purpose"].setText("合同关系成立")
    page.form.lines["parties"].setText("甲；乙")
    page.accept_paths(files)
    qtbot.waitUntil(lambda: sealed(page, 5), timeout=30_000)
    assert page.banner.isVisible()
    assert "5" in page.banner.text
    rows = list(page.context.desk.session.vault.exhibits.exhibits())
    assert {row.case_number for row in rows} == {"(2026)渝0103民初1号"}
    assert all(row.timestamped is not None for row in rows)
    assert page.model.index(0, Column.OUTCOME).data().startswith("ED-")


def test_what_cannot_be_sealed_is_told_at_once_and_the_rest_is_done(page, files, tmp_path, qtbot):
    (tmp_path / "link.txt").symlink_to(files[0])
    page.accept_paths([files[0], tmp_path / "没有.txt", tmp_path / "link.txt", files[1]])
    qtbot.waitUntil(lambda: sealed(page, 2), timeout=30_000)
    assert states(page).count(ItemState.FAILED) == 2
    texts = [page.model.index(row, Column.OUTCOME).data() for row in range(4)]
    assert any("符号链接" in text for text in texts)


def test_a_failed_file_is_sealed_after_retry(page, tmp_path, qtbot):
    late = tmp_path / "迟到.txt"
    page.accept_paths([late])
    qtbot.waitUntil(lambda: states(page) == [ItemState.FAILED])
    late.write_text("来了")
    qtbot.waitUntil(page.retry.isEnabled)
    page.retry.click()
    qtbot.waitUntil(lambda: sealed(page, 1), timeout=30_000)


def test_the_same_files_are_not_sealed_twice_unless_wanted(page, files, qtbot):
    page.accept_paths(files[:1])
    qtbot.waitUntil(lambda: sealed(page, 1), timeout=30_000)
    page.accept_paths(files[:1])
    qtbot.waitUntil(lambda: ItemState.DUPLICATE in states(page), timeout=30_000)
    qtbot.waitUntil(page.again.isVisible)
    page.again.click()
    qtbot.waitUntil(lambda: sealed(page, 2), timeout=30_000)


def test_certificate_and_package_with_one_click_each(page, files, tmp_path, qtbot, messages):
    page.accept_paths(files[:2])
    qtbot.waitUntil(lambda: sealed(page, 2), timeout=30_000)
    pdf = tmp_path / "存证证书.pdf"
    messages.saves.append(pdf)
    qtbot.waitUntil(page.certificate.isEnabled)
    page.certificate.click()
    qtbot.waitUntil(lambda: ("ui_seal.certificate.done", {"path": str(pdf)}) in messages.said, timeout=30_000)
    folder = tmp_path / "packages"
    folder.mkdir()
    messages.folders.append(folder)
    qtbot.waitUntil(page.package.isEnabled)
    page.package.click()
    qtbot.waitUntil(lambda: len(list(folder.glob("*.asice"))) == 2, timeout=30_000)
    qtbot.waitUntil(lambda: not page.context.tasks.busy(), timeout=30_000)
    session = page.context.desk.session
    trust = read_trust(session.vault.folder / "trust")

    found = verify_path(
        pdf, originals=Originals(files[:2], Job()), trust=trust, now=session.clock.now(), job=Job()
    )
    assert found.kind is InputKind.CERTIFICATE
    assert found.verdict.overall.value == "passed"


def test_pausing_holds_and_canceling_ends(page, tmp_path, qtbot, messages):
    big = tmp_path / "现场视频.mp4"
    with big.open("wb") as stream:
        stream.truncate(512 << 20)
    page.accept_paths([big])
    qtbot.waitUntil(
        lambda: page.work.working and page._pace() != "" and page.cancel.isEnabled(), timeout=30_000
    )
    page.pause.click()
    assert page.work.paused
    assert page.pause.text() == "继续"
    page.cancel.click()
    qtbot.waitUntil(lambda: not page.work.working, timeout=30_000)
    qtbot.waitUntil(lambda: states(page) == [ItemState.CANCELED])
    assert list(page.context.desk.session.vault.exhibits.exhibits()) == []


def test_the_form_is_remembered(window, page, qtbot):
    page.form.case.setCurrentText("案一")
    page.form.lines["purpose"].setText("付款")
    page.form.flags["blinded"].setChecked(True)
    page.leave()
    qtbot.waitUntil(lambda: not page.context.tasks.busy())
    del window.pages[PageName.SEAL]
    window.stack.removeWidget(page)
    page.deleteLater()
    again = window.show_page(PageName.SEAL)
    assert isinstance(again, SealPage)
    qtbot.waitUntil(lambda: again.form.lines["purpose"].text() == "付款")
    assert again.form.case.currentText() == "案一"
    assert again.form.flags["blinded"].isChecked()
    assert not again.banner.isVisible(), "whoever filled it in knows it"


def test_paste_and_typed_path(page, files, qtbot, messages):
    QGuiApplication.clipboard().clear()
    page.intake.paste()
    assert ("ui_seal.clipboard", {}) in messages.said
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(files[0]))])
    QGuiApplication.clipboard().setMimeData(data)
    page.intake.paste()
    qtbot.waitUntil(lambda: sealed(page, 1), timeout=30_000)
    page.intake.path.setText(str(files[1]))
    page.intake.path.returnPressed.emit()
    qtbot.waitUntil(lambda: sealed(page, 2), timeout=30_000)


def test_a_folder_as_one_exhibit_or_each_file(page, files, qtbot):
    page.accept_paths([files[0].parent])
    qtbot.waitUntil(lambda: sealed(page, 1), timeout=30_000)
    page.form.flags["each_file"].setChecked(True)
    page.accept_paths([files[0].parent])
    qtbot.waitUntil(lambda: sealed(page, 6), timeout=30_000)


def test_a_folder_that_disappears_is_told(page, tmp_path, qtbot):
    gone = tmp_path / "usb"
    gone.mkdir()
    page.accept_paths([gone])
    qtbot.waitUntil(lambda: states(page) == [ItemState.FAILED])
    gone.rmdir()
    qtbot.waitUntil(page.retry.isEnabled)
    page.retry.click()
    qtbot.waitUntil(lambda: not page.context.tasks.busy())
    assert states(page) == [ItemState.FAILED]


def test_work_goes_on_while_locked_and_is_shown_again(window, page, tmp_path, qtbot):
    big = tmp_path / "大.bin"
    with big.open("wb") as stream:
        stream.truncate(64 << 20)
    page.accept_paths([big])
    qtbot.waitUntil(lambda: page.work.working)
    folder = window.context.desk.folder
    window.context.desk.lock()
    assert window.context.desk.session is None
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=60_000)
    assert window.context.desk.folder is None  # keys wiped once the work had ended
    opened: list[bool] = []
    window.context.desk.unlock(
        folder, "correct horse battery staple", owner=window, done=lambda: opened.append(True), failed=print
    )
    qtbot.waitUntil(lambda: bool(opened), timeout=30_000)
    assert len(rows_of(window.context)) == 1


def test_the_list_follows_the_language(page, files, qtbot):
    page.accept_paths(files[:1])
    qtbot.waitUntil(lambda: sealed(page, 1), timeout=30_000)
    page.context.tongue.set_language(Language.EN)
    assert page.model.index(0, Column.STATE).data() == "Sealed"
    assert page.summary.text().startswith("1 items")


def test_model_keeps_qts_rules(page, files, qtbot, qtmodeltester):
    model = page.model
    assert isinstance(model, QueueModel)
    page.accept_paths(files)
    qtbot.waitUntil(lambda: sealed(page, 5), timeout=30_000)
    qtmodeltester.check(model, force_py=True)


def test_a_full_disk_stops_the_queue_and_says_so(page, files, qtbot, messages, monkeypatch):
    session = page.context.desk.session

    def full(*_args, **_kwargs):
        raise HostError("host.disk_full", what="objects")

    monkeypatch.setattr(session.vault.objects, "put", full)
    page.accept_paths(files[:2])
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=30_000)
    assert messages.errors[0].code == "host.disk_full"
    qtbot.waitUntil(lambda: states(page) == [ItemState.WAITING] * 2)
    monkeypatch.undo()
    page.pause.click()
    qtbot.waitUntil(lambda: sealed(page, 2), timeout=30_000)


def test_a_vault_open_for_looking_only_takes_no_files(context, vault_folder, files, qtbot, messages):
    made, _key = init_session(vault_folder, PASSPHRASE, office="test", demo=True, kdf=CHEAP)
    made.close()
    context.desk.adopt(unlocked(vault_folder, PASSPHRASE, read_only=True))
    page = SealPage(context)
    qtbot.addWidget(page)
    page.shown()
    page.accept_paths(files)
    page.leave()
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=20_000)
    assert messages.errors == []
    assert ("ui_seal.looking_only", {}) in messages.said
    assert page.model.rowCount() == 0


def test_what_was_not_sealed_is_told_with_what_was(page, files, tmp_path, qtbot):
    page.accept_paths([files[0]])
    qtbot.waitUntil(lambda: sealed(page, 1), timeout=30_000)
    qtbot.waitUntil(lambda: page.banner.property("banner") == "passed", timeout=30_000)
    missing = tmp_path / "没有了.pdf"
    missing.symlink_to(tmp_path / "nowhere")
    page.accept_paths([files[1], missing])
    qtbot.waitUntil(lambda: sealed(page, 2), timeout=30_000)
    qtbot.waitUntil(lambda: page.banner.property("banner") == "warning", timeout=30_000)
    assert "另有 1 项没有存证" in page.banner.text
