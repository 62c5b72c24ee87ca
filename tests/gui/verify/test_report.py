"""The report: saved, printed, or told why not."""

import pikepdf
import pypdfium2
import pytest
from PySide6.QtPrintSupport import QPrinter, QPrinterInfo

from evidence_desk.texts import Language
from tests.gui.verify.conftest import said


def text_of(path) -> str:
    document = pypdfium2.PdfDocument(path)
    found = "\n".join(page.get_textpage().get_text_bounded() for page in document)
    document.close()
    return found


@pytest.fixture
def judged(with_trust, papers, settled):
    with_trust.accept_paths([papers.package])
    settled(with_trust)
    return with_trust


@pytest.mark.parametrize(("language", "title"), [(Language.ZH, "核验报告"), (Language.EN, "Verification")])
def test_it_is_saved_in_the_language_of_the_window(judged, messages, settled, tmp_path, language, title):
    judged.context.tongue.set_language(language)
    path = tmp_path / "report.pdf"
    path.write_bytes(b"replaced: the dialog asked")
    messages.saves.append(path)
    judged.detail.save_button.click()
    settled(judged)
    assert messages.said == [("ui_verify.saved", {"path": str(path)})]
    text = text_of(path)
    assert title in text
    assert "包.asice" in text
    with pikepdf.open(path) as pdf:
        assert b"pdfaid" in pdf.Root.Metadata.read_bytes()


def test_a_place_that_cannot_be_written_is_told(judged, messages, settled, tmp_path):
    messages.saves.append(tmp_path / "gone" / "report.pdf")
    judged.detail.save_button.click()
    settled(judged)
    assert [error.code for error in messages.errors] == ["output.unwritable"]
    assert "通过" in said(judged)


def test_it_is_printed_page_by_page(judged, messages, settled, tmp_path):
    printer = QPrinter()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    path = tmp_path / "printed.pdf"
    printer.setOutputFileName(str(path))
    judged.print_on(printer, judged.model.entries[0])
    settled(judged)
    ((code, facts),) = messages.said
    assert code == "ui_verify.printed"
    with pikepdf.open(path) as pdf:
        assert len(pdf.pages) == facts["count"] >= 2
    document = pypdfium2.PdfDocument(path)
    drawn = document[0].render(scale=1).to_pil().convert("L")
    document.close()
    assert drawn.getextrema()[0] < 100  # there is ink on the paper


@pytest.mark.qt_log_ignore("QPainter::begin")
def test_a_printer_that_takes_nothing_is_told(judged, messages, settled, tmp_path):
    printer = QPrinter()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "gone" / "x.pdf"))
    judged.print_on(printer, judged.model.entries[0])
    settled(judged)
    assert [error.code for error in messages.errors] == ["ui_verify.not_printed"]


@pytest.mark.skipif(bool(QPrinterInfo.availablePrinterNames()), reason="this machine has a printer")
def test_without_a_printer_it_offers_the_pdf(judged, messages, settled, tmp_path):
    path = tmp_path / "report.pdf"
    messages.saves.append(path)
    judged.detail.print_button.click()
    settled(judged)
    assert messages.asked == [("ui_verify.no_printer", {})]
    assert path.stat().st_size > 1000
