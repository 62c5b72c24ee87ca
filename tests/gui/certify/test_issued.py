"""Issued certificates: saved again, revoked, printed; and the documents of the case."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest
from PySide6.QtPrintSupport import QPrinter, QPrinterInfo

from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, EvidenceDeskError
from evidence_desk.texts import Language
from tests.gui.certify.conftest import ended, look
from ui.certify.issued_model import IssuedColumn
from ui.certify.model import Column
from ui.certify.paper import FAILED
from ui.printing import draw_on
from ui.tasks import Lane


@pytest.fixture
def issued(page, leaves, qtbot, tmp_path, messages):
    page.choose.model.check(leaves)
    page.choose.operator.setCurrentText("钱知微")
    look(page, qtbot)
    path = tmp_path / "证书.pdf"
    messages.saves.append(path)
    page.sign.deed.click()
    ended(page, qtbot)
    page.tabs.setCurrentWidget(page.issued)
    qtbot.waitUntil(lambda: page.issued.model.rowCount() == 1, timeout=20_000)
    return path


def test_saved_again_byte_for_byte(page, issued, qtbot, tmp_path, messages):
    again = tmp_path / "副本.pdf"
    messages.saves.append(again)
    page.issued.save.click()
    qtbot.waitUntil(again.exists, timeout=20_000)
    assert again.read_bytes() == issued.read_bytes()


def test_revoked_with_a_reason(page, issued, qtbot, messages):
    messages.accept = False
    messages.texts.append("当事人撤回")
    page.issued.revoke.click()
    assert messages.asked[-1][0] == "ui_certify.revoke.sure"
    assert page.issued.model.row(0).revoked is None
    messages.accept = True
    messages.texts.append("当事人撤回")
    page.issued.revoke.click()
    qtbot.waitUntil(lambda: page.issued.model.row(0).revoked is not None, timeout=20_000)
    state = page.issued.model.index(0, IssuedColumn.STATE).data()
    assert "当事人撤回" in state
    assert "已撤销" in state
    assert not page.issued.revoke.isEnabled()
    session = page.context.desk.session
    (row,) = session.vault.exhibits.certificates()
    assert row.reason == "当事人撤回"
    qtbot.waitUntil(lambda: not page.context.tasks.busy(), timeout=20_000)
    assert page.issued.model.rowCount() == 1, "it stays in the list"
    page.choose.uncertified.setChecked(True)
    qtbot.waitUntil(lambda: page.choose.model.rowCount() == 3, timeout=20_000)
    certified = {page.choose.model.index(at, Column.CERTIFICATE).data() for at in range(3)}
    assert certified == {page.context.tongue.say("ui_certify.state.not_certified")}
    custody = session.vault.exhibits.custody(row.exhibits[0])
    assert [(event.action, event.operator) for event in custody][-1] == ("revoked", "钱知微")


def text(path: Path) -> str:
    document = pypdfium2.PdfDocument(path)
    found = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return found


def test_documents_of_the_case(page, leaves, qtbot, tmp_path, messages):
    page.context.tongue.set_language(Language.ZH)
    for at, title in enumerate(("取证笔录", "证据目录", "来源和制作经过说明", "保管记录")):
        path = tmp_path / f"{title}.pdf"
        messages.saves.append(path)
        page.issued.documents[at].click()
        qtbot.waitUntil(lambda path=path: path.exists() and not page.context.tasks.busy(), timeout=30_000)
        assert title in text(path)
    assert messages.errors == []


def test_no_printer_is_told(page, issued, qtbot, messages, monkeypatch):
    monkeypatch.setattr(QPrinterInfo, "availablePrinterNames", staticmethod(list))
    page.result.print.click()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert messages.errors[0].code == "ui_certify.no_printer"
    page.issued.print.click()
    qtbot.waitUntil(lambda: len(messages.errors) == 2, timeout=20_000)


def paper(path: Path) -> QPrinter:
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(path))
    printer.setFullPage(True)
    return printer


def test_what_is_printed_has_every_page_and_the_seal(page, issued, tmp_path, qtbot):
    target = tmp_path / "纸.pdf"
    printer = paper(target)
    counted: list[int] = []
    sources = [issued.read_bytes, issued.read_bytes]
    page.context.tasks.run(
        Lane.CPU, lambda job: draw_on(printer, sources, job, refused=FAILED), owner=page, done=counted.append
    )  # beside the window, as `print_pdfs` does
    qtbot.waitUntil(lambda: bool(counted), timeout=60_000)
    (pages,) = counted
    document, source = pypdfium2.PdfDocument(target), pypdfium2.PdfDocument(issued)
    assert len(document) == pages == 2 * len(source)
    wide, high = document[0].get_size()
    assert (round(wide), round(high)) == (595, 842)
    last = document[len(source) - 1].render(scale=2).to_pil().convert("L")
    corner = last.crop((0, int(last.height * 0.6), last.width, last.height))
    assert corner.getextrema()[0] < 100  # the seal and the foot of the page are there
    for item in (document, source):
        item.close()


def test_printing_ends_well_when_canceled_or_broken(page, issued, tmp_path):
    job = Job()
    job.cancel()
    with pytest.raises(CanceledError):
        draw_on(paper(tmp_path / "a.pdf"), [issued.read_bytes], job, refused=FAILED)
    with pytest.raises(EvidenceDeskError):
        draw_on(paper(tmp_path / "b.pdf"), [lambda: b"%PDF-1.7 kaputt"], Job(), refused=FAILED)
