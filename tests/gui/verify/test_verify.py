"""A judge at the page: real papers, with and without trust roots, originals, languages; nothing typed is lost."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel, QPushButton

from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.services.examination import Matching
from evidence_desk.texts import Language
from evidence_desk.verify.answer import Result
from evidence_desk.verify.files import InputKind
from tests.gui.verify.conftest import result, said
from ui.look.tokens import Scheme
from ui.page import PageName
from ui.verify.page import VerifyPage
from ui.verify.results import NAME, SIGN
from ui.verify.rows import FindingPart
from ui.verify.sayings import plain_text
from ui.window import Window


def texts_of(page: VerifyPage) -> str:
    shown = page.detail.findChildren(QLabel)
    return "\n".join(item.text().replace("\u200b", "") for item in shown)


def test_an_empty_page_says_what_to_do(page: VerifyPage):
    assert page.intake.title.isVisible()
    assert not page.results.isVisible()
    assert "没有信任根" in page.basis.trust.text


def test_without_trust_the_certificate_is_undetermined_and_says_why(page, papers, settled):
    assert page.accept_paths([papers.pdf])
    settled(page)
    done = result(page)
    assert (done.kind, done.result) == (InputKind.CERTIFICATE, Result.UNDETERMINED)
    assert page.detail.rows[Dimension.SIGNER].row.status is Status.UNDETERMINED
    assert "无法判断" in said(page)
    assert "未查询" in texts_of(page)  # neither vault nor network
    assert "没有打开存证库" in texts_of(page)
    assert not page.intake.title.isVisible()


def test_with_trust_and_originals_it_passes_as_a_demonstration(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.pdf])
    settled(page)
    assert result(page).result is Result.UNDETERMINED  # the originals are missing
    assert "尚缺" in texts_of(page)
    page.add_originals(page.model.entries[0], papers.originals)
    settled(page)
    assert len(page.model.entries) == 1
    done = result(page)
    assert done.result is Result.PASSED
    assert {item.how for item in done.originals} == {Matching.GIVEN}
    assert "通过（演示/非第三方）" in said(page)
    assert "信任根由使用者提供" in said(page)
    assert "时间戳时间" in said(page)
    assert texts_of(page).count("一致\n") >= 2


def test_every_dimension_has_a_row_a_screen_reader_can_read(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.pdf, *papers.originals])
    settled(page)
    assert set(page.detail.rows) == set(Dimension)
    integrity = page.detail.rows[Dimension.INTEGRITY].handle
    assert integrity.accessibleName().startswith("完整性：通过。本证据登记的 2 个文件都已给出")
    assert "谁保证：任何人可重算" in integrity.accessibleName()
    for row in page.detail.rows.values():
        assert row.handle.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_rows_unfold_to_findings_with_codes_and_stay_open(with_trust, papers, settled, qtbot):
    page = with_trust
    page.accept_paths([papers.pdf])
    settled(page)
    row = page.detail.rows[Dimension.TIME]
    row.handle.setFocus()
    qtbot.keyClick(row.handle, Qt.Key.Key_Space)
    assert "token.signature · token.signature.passed" in texts_of(page)
    page.context.tongue.set_language(Language.EN)
    assert page.detail.rows[Dimension.TIME].handle.isChecked()
    assert page.detail.rows[Dimension.TIME].handle.text() == "Time"
    assert "token.signature · token.signature.passed" in texts_of(page)


def test_one_byte_changed_fails(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.tampered])
    settled(page)
    assert result(page).result is Result.FAILED
    assert "未通过" in said(page)
    assert "时间戳时间" not in said(page)
    assert page.model.index(0).data(SIGN).role == "failed"


def test_a_changed_original_does_not_match(with_trust, papers, settled, tmp_path):
    page = with_trust
    page.accept_paths([papers.pdf])
    settled(page)
    wrong = tmp_path / "合同.txt"
    wrong.write_bytes("甲方丙方".encode())
    page.add_originals(page.model.entries[0], [wrong])
    settled(page)
    assert result(page).result is Result.FAILED
    assert "不一致" in texts_of(page)


def test_originals_given_as_a_folder_are_matched_and_strangers_in_it_refute_nothing(
    with_trust, papers, settled, tmp_path
):
    page = with_trust
    folder = tmp_path / "files"
    folder.mkdir()
    for path in papers.originals:
        (folder / f"renamed {path.name}").write_bytes(path.read_bytes())
    (folder / "Thumbs.db").write_bytes(b"not one of them")
    page.accept_paths([papers.pdf])
    settled(page)
    page.add_originals(page.model.entries[0], [folder])
    settled(page)
    assert result(page).result is Result.PASSED
    assert {item.how for item in result(page).originals} == {Matching.TOGETHER}
    assert [entry.examination.subject.name for entry in page.model.entries] == [papers.pdf.name, "Thumbs.db"]


def test_other_evidence_among_the_originals_is_judged_for_itself(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.pdf])
    settled(page)
    page.add_originals(page.model.entries[0], [*papers.originals, papers.package])
    settled(page)
    assert [entry.examination.result for entry in page.model.entries] == [Result.PASSED, Result.PASSED]
    assert result(page, 1).kind is InputKind.PACKAGE


def test_originals_that_are_gone_leave_the_answer_before(with_trust, papers, settled, messages, tmp_path):
    page = with_trust
    page.accept_paths([papers.pdf])
    settled(page)
    before = result(page)
    page.add_originals(page.model.entries[0], [tmp_path / "gone.txt"])
    settled(page)
    assert [error.code for error in messages.errors] == ["input.missing"]
    assert result(page) is before


def test_several_inputs_are_listed_by_icon_word_and_color(with_trust, papers, settled, qtmodeltester):
    page = with_trust
    page.accept_paths([papers.pdf, papers.tampered, papers.package, papers.token])
    settled(page)
    assert page.list.isVisible()
    shown = {page.model.index(row).data(NAME): page.model.index(row).data(SIGN) for row in range(4)}
    assert shown[papers.tampered.name].role == "failed"
    assert shown[papers.package.name].code == "ui_verify.result.passed_demo"
    assert shown[papers.token.name].role == "undetermined"
    assert page.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole) == "证书.pdf：无法判断"
    qtmodeltester.check(page.model)
    page.ask_text("ED-1")
    settled(page)
    assert page.detail.entry is page.model.entries[4]
    qtmodeltester.check(page.model)


def test_the_same_file_again_takes_its_own_place(page, papers, settled):
    for _ in range(2):
        page.accept_paths([papers.pdf])
        settled(page)
    assert len(page.model.entries) == 1


def test_results_are_taken_off_one_by_one_and_together(page, papers, settled, qtbot):
    page.accept_paths([papers.pdf, papers.package])
    settled(page)
    page.list.setFocus()
    qtbot.keyClick(page.list, Qt.Key.Key_Delete)
    assert [entry.examination.kind for entry in page.model.entries] == [InputKind.PACKAGE]
    page.clear()
    assert page.detail.entry is None
    assert page.intake.title.isVisible()


def test_a_token_is_compared_with_the_file_it_is_about(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.token])
    settled(page)
    assert "请添加时间戳所针对的文件" in texts_of(page)
    assert "--file" not in texts_of(page)


@pytest.mark.parametrize("language", Language)
def test_no_sentence_of_a_result_names_an_option_of_the_command_line(page, papers, settled, language):
    page.context.tongue.set_language(language)
    page.accept_paths([papers.pdf, papers.package, papers.token, papers.tampered])
    settled(page)
    for row in range(4):
        page.list.choose(row)
        for part in page.detail.rows.values():
            part.handle.setChecked(part.handle.isEnabled())
        assert "--" not in texts_of(page)


def test_what_is_not_proven_is_always_said(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.package])
    settled(page)
    assert page.detail.short_limits.isVisible()
    assert "数据所载内容是否真实。" in texts_of(page)


def test_the_answer_is_copied_as_text(with_trust, papers, settled, messages):
    page = with_trust
    page.accept_paths([papers.package])
    settled(page)
    page.detail.copy_button.click()
    text = QGuiApplication.clipboard().text()
    assert text == plain_text(result(page), page.context.tongue)
    for part in (
        papers.package.name,
        "核验结论",
        "演示/非第三方",
        "法院网络：无法判断",
        "以上结论不证明",
        "信任根的指纹",
    ):
        assert part in text
    assert messages.said == [("ui.copied", {})]


def test_the_language_and_the_look_change_while_results_are_shown(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.tampered, papers.package])
    settled(page)
    for scheme in (Scheme.DARK, Scheme.CONTRAST, Scheme.LIGHT):
        page.context.look.set_scheme(scheme)
    page.context.tongue.set_language(Language.EN)
    assert "Failed" in said(page)
    assert page.detail.save_button.text() == "Save report…"
    assert page.count.text() == "Results: 2"
    page.context.tongue.set_language(Language.ZH)
    assert "未通过" in said(page)


def test_every_control_has_a_name(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.pdf, papers.package])
    settled(page)
    for row in page.detail.rows.values():
        row.handle.setChecked(row.handle.isEnabled())
    for item in page.findChildren(QAbstractButton):
        assert item.accessibleName() or item.text(), item
    for view in (page.list, page.intake.field):
        assert view.accessibleName()
    for notice in page.detail.notices:
        assert notice.accessibleName()


def test_by_the_keyboard_from_the_top_of_the_result_to_the_report(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.pdf])
    settled(page)
    order = []
    at = page.intake.files
    for _ in range(200):
        at = at.nextInFocusChain()
        if at.isVisible() and at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.isEnabled():
            order.append(at)
    expected = [
        page.intake.folder, page.intake.field, page.intake.look, page.basis.choose, page.detail.notices[0],
        page.detail.rows[Dimension.INTEGRITY].handle, page.detail.rows[Dimension.COURT].handle,
        page.detail.save_button, page.detail.again_button,
    ]  # fmt: skip
    places = [order.index(item) for item in expected]
    assert places == sorted(places)


def test_showing_a_large_result_does_not_hold_up_the_window(page, papers, settled):
    """A certificate over many exhibits has thousands of findings; rows show none before they are unfolded."""
    page.accept_paths([papers.pdf])
    settled(page)
    done = result(page)
    many = tuple(
        replace(item, parameters={**item.parameters, "n": number})
        for number in range(200)
        for item in done.verdict.findings
    )
    assert len(many) > 5000
    entry = page.model.entries[0]
    entry.examination = replace(done, verdict=replace(done.verdict, findings=many))
    entry.rows = entry.examination.rows
    page.list.choose(0)
    row = page.detail.rows[Dimension.INTEGRITY]
    assert len(row.findChildren(FindingPart)) == 0
    row.handle.setChecked(True)
    assert len(row.findChildren(FindingPart)) == 20
    more = [item for item in row.findChildren(QPushButton) if item.text().startswith("再显示")]
    more[0].click()
    assert len(row.findChildren(FindingPart)) == 40


def test_thousands_of_results_stay_smooth(page, settled, tmp_path, qtmodeltester):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number}.txt").write_text(str(number))
    page.accept_paths([folder])
    settled(page)
    assert len(page.model.entries) == 3000
    assert page.model.row_of(page.model.entries[2999].key) == 2999
    page.model.remove(page.model.entries[10:12])
    assert page.model.row_of(page.model.entries[2997].key) == 2997
    page.clear()
    assert page.model.rowCount() == 0


def test_files_dropped_on_a_result_are_its_originals(with_trust, papers, settled):
    page = with_trust
    page.accept_paths([papers.pdf, papers.package])
    settled(page)
    data = QMimeData()
    data.setUrls([_url(path) for path in papers.originals])
    where = page.list.visualRect(page.model.index(0)).center()
    page.list.dropEvent(_drop(data, where))
    settled(page)
    assert result(page).result is Result.PASSED


def test_dropped_files_and_texts_are_taken_anywhere_on_the_page(page, papers, settled):
    data = QMimeData()
    data.setUrls([_url(papers.pdf)])
    page.dropEvent(_drop(data, QPoint(5, 5)))
    settled(page)
    text = QMimeData()
    text.setText("EC-0000-0000-0000-0000-0")
    page.dropEvent(_drop(text, QPoint(5, 5)))
    settled(page)
    assert [entry.examination.kind for entry in page.model.entries] == [InputKind.CERTIFICATE, None]


def test_other_pages_may_ask_to_show_something(context, papers, qtbot, settled):
    window = Window(context, PageName.VERIFY)
    window.resize(1180, 760)  # as on a usual screen; that of the tests is small
    qtbot.addWidget(window)
    page = window.show_page(PageName.VERIFY, papers.pdf)
    assert isinstance(page, VerifyPage)
    window.show_page(PageName.VERIFY, [papers.package])
    window.show_page(PageName.VERIFY, "ED-1")
    settled(page)
    assert len(page.model.entries) == 3


def test_a_narrow_window_keeps_everything_in_reach(with_trust, papers, settled, qtbot):
    page = with_trust
    page.window().resize(640, 640)
    page.accept_paths([papers.pdf, papers.package])
    settled(page)
    for row in page.detail.rows.values():
        row.handle.setChecked(row.handle.isEnabled())
    qtbot.waitUntil(lambda: page.detail.area.widget().width() <= page.detail.area.viewport().width())
    assert page.list.isVisible()
    for item in (page.detail.save_button, page.detail.again_button, page.intake.look, page.basis.choose):
        right = item.mapTo(page, QPoint(item.width(), 0)).x()
        assert right <= page.width()


def _url(path: Path) -> QUrl:
    return QUrl.fromLocalFile(str(path))


def _drop(data: QMimeData, where: QPoint) -> QDropEvent:
    return QDropEvent(
        QPointF(where),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
