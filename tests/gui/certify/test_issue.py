"""Choosing, preview, issuing by one person; what comes of it is verified from the outside."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from evidence_desk.core.evidence_number import Prefix, parse_number
from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Status
from evidence_desk.errors import HostError
from evidence_desk.services.erase import erase
from evidence_desk.texts import Language
from evidence_desk.verify.files import InputKind, Originals, read_trust, verify_path
from tests.gui.certify.conftest import CASE, NAMES, ended, look, seal_text
from tests.gui.conftest import PASSPHRASE
from ui.certify.mail import mail_url
from ui.certify.model import Column, ExhibitModel
from ui.certify.page import CertifyPage
from ui.page import PageName


def verified(page: CertifyPage, path: Path, originals: list[Path]):
    session = page.context.desk.session
    assert session is not None
    trust = read_trust(session.vault.folder / "trust")
    return verify_path(
        path, originals=Originals(originals, Job()), trust=trust, now=session.clock.now(), job=Job()
    )


def test_one_certificate_for_chosen_exhibits(page, leaves, qtbot, tmp_path, messages):
    page.choose.model.check(leaves[:2])
    look(page, qtbot)
    number = page.sign.shown.draft.certificate.number
    said = page.sign.remarks.codes()
    assert {"ui_certify.remark.demo.signer", "ui_certify.remark.not_anchored"} <= said
    assert "ui_certify.remark.no_time" not in said
    target = tmp_path / "证书.pdf"
    messages.saves.append(target)
    page.sign.deed.click()
    ended(page, qtbot)
    (issued,) = page.work.issued
    assert (issued.number, issued.exhibits, issued.path) == (number, 2, target)
    found = verified(page, target, [tmp_path / "originals" / name for name in NAMES[:2]])
    assert found.kind is InputKind.CERTIFICATE
    assert found.verdict.overall is Status.PASSED
    assert page.steps.currentWidget() is page.result
    assert page.result.banner.isVisible()


def test_another_page_chooses_exhibits(window, page, leaves, qtbot):
    window.show_page(PageName.CERTIFY, leaves[1:])
    qtbot.waitUntil(lambda: set(page.choose.model.checked) == set(leaves[1:]), timeout=20_000)
    assert page.choose.go.isEnabled()


def test_exhibits_of_several_cases_are_not_put_together(window, page, leaves, qtbot, tmp_path, messages):
    other = seal_text(page.context, tmp_path / "other", "别案.txt", case="(2026)渝0103民初2号")
    window.show_page(PageName.CERTIFY, [leaves[0], other])
    qtbot.waitUntil(lambda: page.choose.model.checked == [leaves[0]], timeout=20_000)
    assert messages.said[-1][0] == "ui_certify.several_cases"
    assert page.choose.case_number == CASE


def test_search_and_all_not_yet_certified(page, leaves, qtbot, tmp_path, messages):
    model = page.choose.model
    page.choose.search.setText("转账")
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    page.choose.search.clear()
    qtbot.waitUntil(lambda: model.rowCount() == 3)
    model.check(leaves[:1])
    look(page, qtbot)
    messages.saves.append(tmp_path / "一.pdf")
    page.sign.deed.click()
    ended(page, qtbot)
    page.result.more.click()
    page.choose.all.click()
    qtbot.waitUntil(lambda: set(model.checked) == set(leaves[1:]))
    page.choose.uncertified.click()
    qtbot.waitUntil(lambda: model.rowCount() == 2)


def test_space_checks_the_selected_rows(page, leaves, qtbot):
    page.choose.table.setFocus()
    page.choose.table.selectAll()
    qtbot.keyClick(page.choose.table, Qt.Key.Key_Space)
    assert page.choose.model.checked == leaves
    qtbot.keyClick(page.choose.table, Qt.Key.Key_Space)
    assert page.choose.model.checked == []
    index = page.choose.model.index(1, Column.EXHIBIT)
    assert page.choose.model.setData(index, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    assert page.choose.model.checked == leaves[1:2]


def test_the_preview_is_drawn_page_by_page(page, leaves, qtbot):
    page.choose.model.check(leaves)
    look(page, qtbot)
    view = page.sign.preview.view
    assert view.page == 1
    assert view.pages > 2
    assert len(view._drawn) < view.pages  # only what is in sight, and the next
    picture = view._drawn[view._key(0)]
    assert picture.width() == round(view._places[0].width() * view.devicePixelRatioF())
    colors = {picture.pixelColor(x, picture.height() // 3).name() for x in range(0, picture.width(), 3)}
    assert len(colors) > 1  # something is written on it
    for zoom in (50, 200):
        view.set_zoom(zoom)
        assert page.sign.preview.zoom.currentData() == zoom
        qtbot.waitUntil(lambda: view.settled, timeout=20_000)
    assert view.horizontalScrollBar().maximum() > 0
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert view.zoom == 0
    assert not view.ended
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: view.ended, timeout=20_000)
    assert view.page == view.pages
    qtbot.keyClick(view, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    assert view.zoom in {50, 75}


def test_an_exhibit_without_timestamp_is_told(page, qtbot, tmp_path):
    leaf = seal_text(page.context, tmp_path / "late", "新证据.txt")
    page.choose.model.check([leaf])
    look(page, qtbot)
    assert "ui_certify.remark.no_time" in page.sign.remarks.codes()


def test_what_cannot_be_printed_is_told(page, qtbot, tmp_path):
    leaf = seal_text(page.context, tmp_path / "odd", "\U0001f600笑.txt")
    page.choose.model.check([leaf])
    look(page, qtbot)
    (odd,) = [item for item in page.sign.remarks.remarks if item.code == "ui_certify.remark.unprintable"]
    assert odd.facts["characters"] == "U+1F600"


def test_a_batch_of_twenty(page, qtbot, tmp_path, messages):
    folder = tmp_path / "证书"
    folder.mkdir()
    many = [seal_text(page.context, tmp_path / "many", f"第{at:02d}件.txt") for at in range(20)]
    page.choose.model.check(many)
    page.choose.each.click()
    look(page, qtbot)
    assert page.sign.preview.next.isVisible()
    first = page.sign.shown.draft.certificate.number
    page.sign.preview.next.click()
    qtbot.waitUntil(lambda: page.sign.shown is not None, timeout=20_000)
    second = page.sign.shown.draft.certificate.number
    messages.folders.append(folder)
    page.sign.deed.click()
    ended(page, qtbot)
    assert [item.number for item in page.work.issued][:2] == [first, second]  # the numbers that were seen
    assert {path.name for path in folder.iterdir()} == {f"{item.number}.pdf" for item in page.work.issued}
    assert len(page.work.issued) == 20
    one = page.work.issued[7]
    found = verified(page, one.path, [tmp_path / "many" / "第07件.txt"])
    assert found.verdict.overall is not Status.FAILED  # no timestamp: time is undetermined
    assert page.result.model.rowCount() == 20


def test_a_batch_is_paused_and_stopped_between_two_certificates(page, qtbot, tmp_path, messages):
    folder = tmp_path / "证书"
    folder.mkdir()
    page.choose.model.check([seal_text(page.context, tmp_path / "many", f"{at}.txt") for at in range(8)])
    page.choose.each.click()
    look(page, qtbot)
    messages.folders.append(folder)
    page.work.added.connect(lambda _items: page.work.pause())
    page.sign.deed.click()
    qtbot.waitUntil(lambda: page.work.paused, timeout=30_000)
    page.result._say()
    assert page.result.pause.text() == "继续"
    page.result.cancel.click()
    ended(page, qtbot)
    outcome = page.work.issue
    assert outcome.stopped is None or outcome.stopped.code == "job.canceled"
    assert len(outcome.issued) + outcome.left == 8
    assert len(list(folder.iterdir())) == len(outcome.issued)  # nothing half done


def test_erased_meanwhile(page, leaves, qtbot, tmp_path, messages):
    session = page.context.desk.session
    page.choose.model.check(leaves[:1])
    erase(session.desk, CASE, reason="当事人撤回", court=None)
    page.choose.go.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert messages.errors[0].code == "vault.case_erased"
    assert page.steps.currentWidget() is page.choose


def test_erased_between_preview_and_issue(page, leaves, qtbot, tmp_path, messages):
    session = page.context.desk.session
    page.choose.model.check(leaves[:1])
    look(page, qtbot)
    erase(session.desk, CASE, reason="当事人撤回", court=None)
    target = tmp_path / "证书.pdf"
    messages.saves.append(target)
    page.sign.deed.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert not target.exists()
    assert page.steps.currentWidget() is page.choose


def test_a_folder_that_cannot_be_written_issues_nothing(page, leaves, qtbot, tmp_path, messages):
    page.choose.model.check(leaves)
    page.choose.each.click()
    look(page, qtbot)
    messages.folders.append(tmp_path / "fehlt")
    page.sign.deed.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert isinstance(messages.errors[0], HostError)
    assert page.context.desk.session.vault.exhibits.certificates() == []


def test_locked_while_issuing(window, page, qtbot, tmp_path, messages):
    folder = tmp_path / "证书"
    folder.mkdir()
    page.choose.model.check([seal_text(page.context, tmp_path / "many", f"{at}.txt") for at in range(6)])
    page.choose.each.click()
    look(page, qtbot)
    messages.folders.append(folder)
    work, context, vault = page.work, page.context, page.context.desk.folder
    page.sign.deed.click()
    qtbot.waitUntil(lambda: work.working)
    context.desk.lock()
    assert PageName.CERTIFY not in window.pages
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=60_000)
    assert work.issued == []  # nothing of it is kept in memory
    assert len(list(folder.iterdir())) == 6
    opened: list[bool] = []
    context.desk.unlock(vault, PASSPHRASE, owner=window, done=lambda: opened.append(True), failed=print)
    qtbot.waitUntil(lambda: bool(opened), timeout=30_000)
    assert len(context.desk.session.vault.exhibits.certificates()) == 6


def test_window_closed_while_issuing(window, page, qtbot, tmp_path, messages):
    folder = tmp_path / "证书"
    folder.mkdir()
    page.choose.model.check([seal_text(page.context, tmp_path / "many", f"{at}.txt") for at in range(8)])
    page.choose.each.click()
    look(page, qtbot)
    messages.folders.append(folder)
    context, work = page.context, page.work
    page.sign.deed.click()
    qtbot.waitUntil(lambda: bool(work.issued), timeout=30_000)
    window.close()
    assert messages.asked[-1][0] == "ui.close.busy"
    qtbot.waitUntil(lambda: not window.isVisible() and context.desk.folder is None, timeout=30_000)
    files = list(folder.iterdir())
    assert files
    for path in files:  # whole certificates, nothing half written
        assert path.suffix == ".pdf"
        assert path.read_bytes().rstrip().endswith(b"%%EOF")


def test_other_changes_leave_the_place_in_the_list(page, leaves, qtbot):
    page.choose.table.selectRow(2)
    resets: list[None] = []
    page.choose.model.modelReset.connect(lambda: resets.append(None))
    page.context.desk.changed.emit()
    qtbot.waitUntil(lambda: not page.context.tasks.busy())
    assert resets == []
    assert [index.row() for index in page.choose.table.selectionModel().selectedRows()] == [2]


def test_locked_while_paused_ends_the_run(page, qtbot, tmp_path, messages):
    folder = tmp_path / "证书"
    folder.mkdir()
    page.choose.model.check([seal_text(page.context, tmp_path / "many", f"{at}.txt") for at in range(6)])
    page.choose.each.click()
    look(page, qtbot)
    messages.folders.append(folder)
    context = page.context
    page.work.began.connect(page.work.pause)
    page.sign.deed.click()
    context.desk.lock()
    qtbot.waitUntil(lambda: not context.tasks.busy() and context.desk.folder is None, timeout=30_000)


def test_letter_names_numbers_and_digests_and_no_file(page, leaves, qtbot, tmp_path, messages):
    page.choose.model.check(leaves[:1])
    look(page, qtbot)
    messages.saves.append(tmp_path / "证书.pdf")
    page.sign.deed.click()
    ended(page, qtbot)
    (issued,) = page.work.issued
    url = mail_url(page.result.selected(), page.context.tongue)
    text = unquote(bytes(url.toEncoded().data()).decode())
    assert url.isValid()
    assert url.scheme() == "mailto"
    assert issued.number in text
    assert issued.digests.sha256.hex() in text
    assert "附件" in text
    assert str(tmp_path) not in text
    assert "attach=" not in text
    assert len(bytes(mail_url([issued] * 1000, page.context.tongue).toEncoded().data())) < 4_000


def test_the_language_changes_everything_that_is_shown(page, leaves, qtbot):
    page.choose.model.check(leaves[:1])
    look(page, qtbot)
    page.context.tongue.set_language(Language.EN)
    assert page.tabs.tabText(1) == "To be confirmed"
    assert page.sign.deed.text() == "Issue"
    assert page.sign.preview.where.text().startswith("Page 1 of")
    assert page.choose.model.headerData(0, Qt.Orientation.Horizontal) == "Exhibit"
    assert page.choose.model.index(0, Column.COURT).data() == "Not anchored"


def test_models_keep_qts_rules(page, leaves, qtbot, tmp_path, messages, qtmodeltester):
    page.choose.model.check(leaves)
    page.choose.each.click()
    look(page, qtbot)
    folder = tmp_path / "证书"
    folder.mkdir()
    messages.folders.append(folder)
    page.sign.deed.click()
    ended(page, qtbot)
    page.tabs.setCurrentWidget(page.issued)
    qtbot.waitUntil(lambda: page.issued.model.rowCount() == 3, timeout=20_000)
    for model in (page.choose.model, page.result.model, page.issued.model):
        assert model.rowCount() == 3
        qtmodeltester.check(model, force_py=True)


def test_a_long_list_is_read_in_pages(page, qtbot, tmp_path, qtmodeltester, monkeypatch):
    monkeypatch.setattr("ui.certify.model._PAGE", 4)
    for at in range(7):
        seal_text(page.context, tmp_path / "many", f"{at}.txt")
    model = ExhibitModel(page.context)  # no view, which would fetch by itself
    model.show_case(CASE)
    qtbot.waitUntil(lambda: model.total == 10 and model.rowCount() == 4)
    for rows in (8, 10):
        assert model.canFetchMore(model.index(-1, -1))
        model.fetchMore(model.index(-1, -1))
        qtbot.waitUntil(lambda rows=rows: model.rowCount() == rows)
    assert not model.canFetchMore(model.index(-1, -1))
    qtmodeltester.check(model, force_py=True)


def test_numbers_on_the_clipboard(page, leaves, qtbot, tmp_path, messages, qapp):
    page.choose.model.check(leaves[:1])
    look(page, qtbot)
    messages.saves.append(tmp_path / "证书.pdf")
    page.sign.deed.click()
    ended(page, qtbot)
    page.result.copy.click()
    assert parse_number(qapp.clipboard().text(), Prefix.CERTIFICATE)


@pytest.mark.parametrize("language", list(Language))
def test_whatever_takes_the_keyboard_has_a_name(page, qtbot, language):
    page.context.tongue.set_language(language)
    named = 0
    for at in range(page.tabs.count()):
        page.tabs.setCurrentIndex(at)
        nameless = [item for item in focusable(page) if not spoken(item)]
        assert nameless == []
        named += len(focusable(page))
    assert named > 20


def focusable(page) -> list[QWidget]:
    return [
        item for item in page.findChildren(QWidget)
        if item.focusPolicy() & Qt.FocusPolicy.TabFocus and item.isVisible()
    ]  # fmt: skip


def spoken(item: QWidget) -> str:
    """What a screen reader says of a widget; of a part of another, what it says of that."""
    text = getattr(item, "text", None)
    own = item.accessibleName() or (text() if callable(text) else "")
    parent = item.parentWidget()
    part = parent is not None and (parent.inherits("QComboBox") or parent.inherits("QTabWidget"))
    return own or (parent.accessibleName() if part and parent is not None else "")


def test_case_numbers_with_marks_that_turn_text_are_shown_escaped(page, qtbot, tmp_path):
    hostile = "案\u202e号<b>\x07"
    seal_text(page.context, tmp_path / "other", "别案.txt", case=hostile)
    page.shown()
    qtbot.waitUntil(lambda: page.choose.case.findData(hostile) >= 0, timeout=20_000)
    shown = page.choose.case.itemText(page.choose.case.findData(hostile))
    assert shown.isprintable()
    assert "\\u{202e}" in shown
    page.choose.case.setCurrentIndex(page.choose.case.findData(hostile))
    qtbot.waitUntil(lambda: page.choose.model.rowCount() == 1, timeout=20_000)
    assert page.choose.case_number == hostile, "what it means stays as it is"
