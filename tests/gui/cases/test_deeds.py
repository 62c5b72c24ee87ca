"""Deeds on a case and on chosen exhibits: documents, bundle, packages, erasing."""

from __future__ import annotations

import pypdfium2
import pytest

from evidence_desk.core.job import Job
from evidence_desk.verify.files import InputKind, Originals, read_trust, verify_path
from tests.gui.cases.acting import CASE, choose, settled, titles
from ui.cases.papers import Paper, packages_folder
from ui.cases.viewing import viewing


def pages_of(path) -> list[str]:
    document = pypdfium2.PdfDocument(path)
    texts = ["".join(page.get_textpage().get_text_bounded().split()) for page in document]
    document.close()
    return texts


@pytest.mark.parametrize(
    ("paper", "title"),
    [(Paper.CATALOG, "证据目录"), (Paper.SOURCE, "来源和制作经过说明"), (Paper.CUSTODY, "保管记录"), (Paper.RECORD, "取证笔录")],
)  # fmt: skip
def test_documents_of_the_chosen_in_the_order_of_registration(
    page, filled, qtbot, messages, tmp_path, paper, title
):
    target = tmp_path / "文书.pdf"
    messages.saves.append(target)
    page.table.select([1, 3])  # newest first in the list
    page.deeds.paper(paper, page.chosen_or_all)
    settled(page, qtbot)
    assert not messages.errors
    text = "".join(pages_of(target))
    assert title in text
    assert text.index(filled[0].number) < text.index(filled[2].number)
    assert filled[1].number not in text
    assert title in page.told.text


def test_a_document_of_two_cases_is_refused(page, qtbot, messages, tmp_path):
    messages.saves.append(tmp_path / "目录.pdf")
    page.deeds.paper(Paper.CATALOG, page.chosen_or_all)
    settled(page, qtbot)
    assert [error.code for error in messages.errors] == ["documents.several_cases"]
    assert not (tmp_path / "目录.pdf").exists()


def test_the_bundle_is_numbered_through_and_has_packages_beside_it(
    page, filled, session, qtbot, messages, tmp_path
):
    target = tmp_path / "卷宗.pdf"
    messages.saves.append(target)
    page.cases.choose(CASE)
    settled(page, qtbot)
    page.deeds.bundle(CASE, packages=True)
    settled(page, qtbot)
    assert not messages.errors
    texts = pages_of(target)
    assert all(f"第{number}页共{len(texts)}页" in text for number, text in enumerate(texts, 1))
    packages = sorted(packages_folder(target).glob("*.asice"))
    assert [path.name for path in packages] == [
        f"{at:03d}-{row.number}.asice" for at, row in enumerate(filled[:3], 1)
    ]
    trust = read_trust(session.vault.folder / "trust")
    found = verify_path(
        packages[0], originals=Originals([], Job()), trust=trust, now=session.clock.now(), job=Job()
    )
    assert found.kind is InputKind.PACKAGE
    assert "证据包" in page.told.text
    messages.saves.append(target)
    page.deeds.bundle(CASE, packages=True)  # the folder is used
    settled(page, qtbot)
    assert [error.code for error in messages.errors] == ["bundle.folder_used"]


def test_a_canceled_bundle_leaves_nothing(page, qtbot, messages, tmp_path, put):
    put(*(f"文件{number}.txt" for number in range(40)))
    target = tmp_path / "卷宗.pdf"
    messages.saves.append(target)
    page.deeds.bundle(CASE, packages=False)
    qtbot.waitUntil(page.work.isVisible)
    page.work.cancel.click()
    settled(page, qtbot)
    assert ("ui_cases.canceled", {}) in messages.said
    assert not messages.errors
    assert list(tmp_path.glob("*.pdf")) == []
    assert list(tmp_path.glob(".*part")) == []
    assert not page.work.isVisible()


def test_packages_of_several_go_into_a_folder_and_never_over_a_file(page, filled, qtbot, messages, tmp_path):
    folder = tmp_path / "包"
    folder.mkdir()
    messages.folders.append(folder)
    page.table.select([1, 2])
    page.export.click()
    settled(page, qtbot)
    assert {path.stem for path in folder.iterdir()} == {filled[2].number, filled[1].number}
    messages.folders.append(folder)
    page.export.click()
    settled(page, qtbot)
    assert [error.code for error in messages.errors] == ["output.exists"]
    single = tmp_path / "一个.asice"
    messages.saves.append(single)
    page.table.stand_on(0)
    settled(page, qtbot)
    qtbot.waitUntil(page.export.isEnabled, timeout=10_000)
    page.export.click()
    settled(page, qtbot)
    assert single.stat().st_size > 1000


def test_erasing_asks_for_the_reason_and_the_number(page, session, filled, qtbot, messages):
    page.cases.choose(CASE)
    settled(page, qtbot)
    page.menus.erase.trigger()  # canceled at the reason
    messages.texts[:] = ["当事人要求", "(2026)渝0103民初9号"]
    page.menus.erase.trigger()
    settled(page, qtbot)
    assert session.vault.exhibits.case(CASE).erased is None
    assert page.told.property("banner") == "warning"
    viewing(page.context)
    messages.texts[:] = ["当事人要求", CASE]
    page.menus.erase.trigger()
    settled(page, qtbot)
    assert [code for code, _ in messages.asked][-2:] == ["ui_cases.erase.reason", "ui_cases.erase.number"]
    assert session.vault.exhibits.case(CASE).erased is not None
    for kept in ("日志条目", "备份", "证书"):
        assert kept in page.told.text
    assert page.head.marks["erased"].isVisible()
    assert not page.menus.erase.isEnabled()
    assert titles(page) == ["", "", ""]
    assert page.model.rowCount() == 3
    assert [event.action for event in session.vault.exhibits.custody(filled[0].leaf_hash)][-1] == "erased"


def test_one_work_at_a_time(page, qtbot, messages, tmp_path):
    page.table.selectAll()
    page.deeds.recheck(page.chosen)
    page.deeds.recheck(page.chosen)
    assert ("ui_cases.busy", {}) in messages.said
    settled(page, qtbot)
    assert not messages.errors


def test_too_many_for_one_visit_to_certify(page, qtbot, messages, monkeypatch):
    monkeypatch.setattr("ui.cases.deeds.MOST_CERTIFIED", 2)
    page.table.selectAll()
    page.certify.click()
    assert [error.code for error in messages.errors] == ["ui_cases.too_many"]


def test_leaves_only_is_marked(page, session, put, qtbot):
    put("保密.txt", case_number="保密案", leaves_only=True)
    page._refresh()
    settled(page, qtbot)
    page.cases.choose("保密案")
    assert page.head.marks["leaves_only"].isVisible()
    assert page.head.marks["leaves_only"].text == "仅摘要"


def test_deeds_of_the_detail_are_those_of_the_list(page, qtbot, messages, tmp_path):
    choose(page, "买卖合同.pdf", qtbot)
    target = tmp_path / "一份.asice"
    messages.saves.append(target)
    page.detail.export.trigger()
    settled(page, qtbot)
    assert target.exists()
    messages.saves.append(tmp_path / "保管.pdf")
    page.detail.custody.paper_asked.emit()
    settled(page, qtbot)
    assert "保管记录" in "".join(pages_of(tmp_path / "保管.pdf"))
