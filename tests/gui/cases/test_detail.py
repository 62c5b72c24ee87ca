"""One exhibit: facts, tags, notes, certificates, custody, derived files, copies to look at."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices

from evidence_desk.core.derivation import Relation
from evidence_desk.core.job import Job
from evidence_desk.errors import IntegrityError
from evidence_desk.services.certify import certify
from evidence_desk.services.erase import erase
from tests.gui.cases.acting import CASE, choose, settled, titles
from ui.cases.viewing import PREFIX, safe_name, viewing
from ui.page import PageName


@pytest.fixture
def detail(page, qtbot):
    choose(page, "买卖合同.pdf", qtbot)
    return page.detail


def actions(detail) -> list[str]:
    return [event.action for event in detail.facts.events]


def test_what_identifies_it_and_how_far_it_has_come(detail, filled):
    row = detail.facts.row
    assert detail.overview.number.text == row.number
    assert detail.overview.leaf.text == filled[0].leaf_hash.hex()
    label, told = detail.overview.states["timestamped"]
    assert label.text == "已盖时间戳"
    assert "演示/非第三方" in told.text()
    assert told.toolTip().startswith("UTC：2")
    assert detail.overview.states["anchored"][0].text == "未上链"
    assert detail.marks["demo"].isVisible()
    assert detail.marks["unanchored"].isVisible()
    assert not detail.marks["erased"].isVisible()
    assert detail.overview.stated["from_whom"].text() == "张三丰"
    assert not detail.overview.stated["medium"].isVisible()
    item = row.objects[0].stored.digests
    assert detail.files.digests["sha256"].text == item.sha256.hex()
    assert detail.files.digests["sm3"].text == item.sm3.hex()


def test_custody_is_told_in_words_newest_first(detail):
    lines = [entry.lines for entry in detail.custody.list.entries.entries]
    assert [line[0] for line in lines] == ["出具证书", "取得时间戳", "登记并加密保存"]
    assert lines[0][1].endswith("条")
    assert "证书 EC-" in lines[0][2]


def test_tags_are_added_removed_and_undone(page, detail, session, qtbot, messages):
    leaf = detail.facts.row.leaf_hash

    def tags() -> list[str]:
        settled(page, qtbot)
        return list(session.vault.browse.tags(leaf))

    detail.overview.tag.setText(" 重要 ")
    detail.overview.add.click()
    assert tags() == ["重要"]
    assert list(page.filters._tags) == ["重要"]
    page.told.undo()
    assert tags() == []
    detail.overview.tag.setText("重要")
    detail.overview.tag.returnPressed.emit()
    assert tags() == ["重要"]
    detail.overview.tag_removed.emit("重要")
    assert tags() == []
    page.told.undo()
    assert tags() == ["重要"]
    detail.overview.tag.setText("长" * 50)
    detail.overview.add.click()
    assert tags() == ["重要"]
    assert [error.code for error in messages.errors] == ["annotate.tag"]


def test_notes_are_written_reworded_removed_and_undone(page, detail, session, qtbot):
    leaf = detail.facts.row.leaf_hash

    def notes() -> list[str]:
        settled(page, qtbot)
        return [note.text for note in session.vault.browse.notes(leaf)]

    tab = detail.notes
    assert not tab.save.isEnabled()
    tab.text.setPlainText("原件在张三手机内\n庭前核对")
    tab.save.click()
    assert notes() == ["原件在张三手机内\n庭前核对"]
    assert tab.list.entries.entries[0].lines[:2] == ("原件在张三手机内", "庭前核对")
    assert not tab.unsaved
    tab.text.setPlainText("原件已取回")
    tab.save.click()
    assert notes() == ["原件已取回"]
    assert "庭前核对" in tab.versions.text() or "张三手机" in tab.versions.text()
    page.told.undo()
    assert notes() == ["原件在张三手机内\n庭前核对"]
    tab.remove.click()
    assert notes() == []
    page.told.undo()
    assert notes() == ["原件在张三手机内\n庭前核对"]
    assert len(session.vault.browse.notes(leaf)[0].versions) == 3


def test_words_being_typed_survive_a_change_elsewhere(page, detail, window, qtbot):
    detail.notes.text.setPlainText("写到一半")
    window.context.desk.changed.emit()
    settled(page, qtbot)
    assert detail.notes.text.toPlainText() == "写到一半"
    choose(page, "聊天记录.txt", qtbot)
    assert detail.notes.text.toPlainText() == ""
    choose(page, "买卖合同.pdf", qtbot)
    assert detail.notes.text.toPlainText() == "写到一半"
    assert detail.notes.save.isEnabled()
    detail.notes.save.click()
    settled(page, qtbot)
    choose(page, "聊天记录.txt", qtbot)
    choose(page, "买卖合同.pdf", qtbot)
    assert [entry.lines[0] for entry in detail.notes.list.entries.entries] == ["写到一半"]
    assert not detail.notes.unsaved


def test_a_correction_is_asked_twice_and_logged(page, detail, qtbot, messages):
    messages.texts.append("日期应为 2026-01-02")
    detail.correct.trigger()
    settled(page, qtbot)
    assert [code for code, _ in messages.asked] == ["ui_cases.correct.ask", "ui_cases.correct.sure"]
    assert actions(detail)[0] == "corrected"
    assert "日期应为" in detail.custody.list.entries.entries[0].lines[2]


def test_a_certificate_is_saved_again_and_revoked_with_its_reason(
    page, detail, session, qtbot, messages, tmp_path
):
    tab = detail.certificates
    target = tmp_path / "again.pdf"
    messages.saves.append(target)
    tab.save.click()
    settled(page, qtbot)
    row = session.vault.exhibits.certificates(detail.facts.row.leaf_hash)[0]
    assert target.read_bytes() == row.pdf
    messages.accept = False
    messages.texts.append("签发有误")
    tab.revoke.click()
    settled(page, qtbot)
    assert session.vault.exhibits.certificate(row.number).revoked is None
    messages.accept = True
    messages.texts.append("签发有误")
    tab.revoke.click()
    settled(page, qtbot)
    assert session.vault.exhibits.certificate(row.number).reason == "签发有误"
    assert "签发有误" in tab.list.entries.entries[0].lines[2]
    assert not tab.revoke.isEnabled()
    assert actions(detail)[0] == "revoked"


def test_recheck_finds_damage_and_says_so(page, detail, session, qtbot):
    detail.recheck.trigger()
    settled(page, qtbot)
    assert actions(detail)[0] == "rechecked"
    assert page.told.property("banner") == "passed"
    stored = detail.facts.row.objects[0].stored
    path = next((session.vault.folder / "objects").rglob(f"*{stored.name}*"))
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    detail.recheck.trigger()
    settled(page, qtbot)
    assert actions(detail)[0] == "damaged"
    assert page.told.property("banner") == "failed"
    assert detail.facts.row.number in page.told.text
    path.unlink()
    page._refresh()
    settled(page, qtbot)
    assert detail.no_original.isVisible()
    assert detail.files.files.entries.entries[0].lines[1] == "原件不在存证库的磁盘上"


class Opener(QObject):
    """Stands where the system's programs are; Qt hands it what would be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[Path] = []

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        self.paths.append(Path(url.toLocalFile()))


@pytest.fixture
def opener():
    made = Opener()
    QDesktopServices.setUrlHandler("file", made, "take")  # type: ignore[arg-type]  # the stub wants bytes, Qt a name
    yield made
    QDesktopServices.unsetUrlHandler("file")


def test_a_copy_is_opened_read_only_recorded_and_removed(page, detail, window, qtbot, opener, messages):
    detail.files.view.click()
    qtbot.waitUntil(lambda: bool(opener.paths), timeout=20_000)
    settled(page, qtbot)
    (path,) = opener.paths
    assert path.read_text("utf-8").startswith("买卖合同.pdf 的内容")
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert ("ui_cases.view.opened", {}) in messages.said
    assert actions(detail)[0] == "opened"
    folder = viewing(window.context).folder
    assert folder is not None
    assert folder.name.startswith(PREFIX)
    window.context.desk.lock()
    qtbot.waitUntil(lambda: not folder.exists(), timeout=20_000)


def test_what_may_run_is_shown_not_started(page, put, qtbot, opener, messages):
    put("登录.sh")
    page._refresh()
    settled(page, qtbot)
    choose(page, "登录.sh", qtbot)
    page.detail.files.view.click()
    qtbot.waitUntil(lambda: bool(opener.paths), timeout=20_000)
    assert opener.paths[0].is_dir()
    assert ("ui_cases.view.folder", {}) in messages.said
    viewing(page.context).remove()
    assert not opener.paths[0].exists()


def test_a_damaged_original_is_not_shown(page, detail, session, qtbot, opener, messages):
    stored = detail.facts.row.objects[0].stored
    path = next((session.vault.folder / "objects").rglob(f"*{stored.name}*"))
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    detail.files.view.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert isinstance(messages.errors[0], IntegrityError)
    assert not opener.paths
    folder = viewing(page.context).folder
    assert folder is not None
    assert {item.name for item in folder.rglob("*") if item.is_file()} <= {".lock"}


def test_names_of_copies_are_harmless(filled):
    item = filled[0].objects[0]
    for hostile in (
        "../../etc/passwd",
        "a\u202egpj.exe",
        "x" * 5_000 + ".pdf",
        "C:\\con.txt",
        "\n\n",
        "..",
        "nul.",
    ):
        name = safe_name(type(item)(position=0, path=hostile, media_type="", stored=item.stored))
        assert name.isprintable()
        assert len(name) < 100
        assert not set(name) & set('/\\:*?"<>|')
        assert name.startswith("0001-")


def test_a_translation_is_sealed_linked_both_ways_and_printed(
    page, detail, session, qtbot, tmp_path, messages
):
    original = detail.facts.row
    translation = tmp_path / "译本.txt"
    translation.write_text("Translated contract", "utf-8")
    messages.files.append([translation])
    detail.files.derive_asked.emit(1, Relation.TRANSLATION)
    qtbot.waitUntil(lambda: "译本.txt" in titles(page), timeout=30_000)
    settled(page, qtbot)
    assert ("ui_cases.derive.queued", {"count": 1}) in messages.said
    (link,) = detail.facts.links
    assert link.forward
    assert detail.files.link_digests["source.sha256"].text == original.objects[0].stored.digests.sha256.hex()
    assert "中文译本" in detail.files.links.entries.entries[0].lines[0]
    detail.files.go.click()
    settled(page, qtbot)
    derived = page.detail.facts.row
    assert derived.title == "译本.txt"
    assert derived.case_number == CASE
    (back,) = page.detail.facts.links
    assert not back.forward
    assert detail.files.link_digests["made.sm3"].text == derived.objects[0].stored.digests.sm3.hex()
    issued = certify(session.desk, [derived], session.issuer(), trust=session.trust, job=Job()).certificate
    printed = pdf_text(issued.pdf)
    for digest in (original.objects[0].stored.digests.sha256, derived.objects[0].stored.digests.sm3):
        assert digest.hex() in printed
    assert original.number in printed


def pdf_text(pdf: bytes) -> str:
    """All text of a PDF without spaces."""
    import pypdfium2  # noqa: PLC0415

    document = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_bounded() for page in document)
    document.close()
    return "".join(text.split())


def test_verifying_goes_to_its_page(page, detail, qtbot):
    asked: list[tuple[object, object]] = []
    page.wanted.disconnect()
    page.wanted.connect(lambda name, item: asked.append((name, item)))
    detail.verify.click()
    assert asked == [(PageName.VERIFY, detail.facts.row.number)]


def test_an_erased_exhibit_is_shown_as_such(page, session, qtbot, filled):
    erase(session.desk, CASE, reason="结案", court=None)
    page._refresh()
    settled(page, qtbot)
    page.show_item(filled[0].leaf_hash)
    settled(page, qtbot)
    detail = page.detail
    assert "案件已删除" in detail.title.text()
    assert detail.marks["erased"].isVisible()
    assert not detail.certify.isEnabled()
    assert not detail.files.view.isEnabled()
    assert not detail.overview.tag.isEnabled()
    assert actions(detail)[0] == "erased"
    assert page.model.index(page.table.row, 1).data() == "（案件已删除）"
    assert json.loads(session.vault.exhibits.custody(filled[0].leaf_hash)[-1].details)["why"] == "结案"
