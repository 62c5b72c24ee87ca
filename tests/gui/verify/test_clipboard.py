"""The clipboard: files, pictures, numbers; a hundred megabytes of text; the field cannot be flooded."""

import segno
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QGuiApplication, QImage, Qt
from PySide6.QtTest import QTest

from evidence_desk.core.qr_payload import CodePayload
from evidence_desk.qr import MAX_PIXELS
from evidence_desk.services.examination import Outcome
from evidence_desk.services.question import MAX_TEXT
from evidence_desk.verify.answer import Result
from tests.gui.verify.conftest import result, said
from ui.verify.page import VerifyPage
from ui.verify.picture import gray_of

LEAF = bytes(range(32))
PAYLOAD = CodePayload(leaf_hash=LEAF, chain_id="court-1")


def put(data: QMimeData) -> None:
    QGuiApplication.clipboard().setMimeData(data)


def put_text(text: str) -> None:
    data = QMimeData()
    data.setText(text)
    put(data)


def put_picture(picture: QImage) -> None:
    data = QMimeData()
    data.setImageData(picture)
    put(data)


def code_picture(*texts: str, alpha: bool = False) -> QImage:
    """Codes beside each other; with `alpha` the paper is transparent."""
    size = 400
    kind = QImage.Format.Format_ARGB32 if alpha else QImage.Format.Format_RGB32
    picture = QImage(size * len(texts), size, kind)
    picture.fill(Qt.GlobalColor.transparent if alpha else Qt.GlobalColor.white)
    for number, text in enumerate(texts):
        rows = [bytes(row) for row in segno.make(text, micro=False).matrix]
        dot = (size - 80) // len(rows)
        for y, row in enumerate(rows):
            for x, dark in enumerate(row):
                if dark:
                    for dy in range(dot):
                        for dx in range(dot):
                            picture.setPixel(number * size + 40 + x * dot + dx, 40 + y * dot + dy, 0xFF000000)
    return picture


def paste(page: VerifyPage) -> None:
    page.intake.paste_button.click()


def test_files_on_the_clipboard_are_verified(page, papers, settled):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(papers.pdf))])
    put(data)
    paste(page)
    settled(page)
    assert result(page).subject.path == papers.pdf


def test_a_number_on_the_clipboard_is_looked_up(page, papers, settled):
    put_text(f"  {papers.row.number}\n")
    paste(page)
    settled(page)
    assert result(page).number == papers.row.number


def test_the_keyboard_pastes_too(page, papers, settled, qtbot):
    put_text(papers.row.number)
    page.intake.files.setFocus()
    QTest.keySequence(page, "Ctrl+V")
    qtbot.waitUntil(lambda: bool(page.model.entries), timeout=10_000)
    page.intake.field.setFocus()
    QTest.keySequence(page.intake.field, "Ctrl+V")
    assert page.intake.field.text() == papers.row.number


def test_a_picture_of_a_code_is_read(page, settled):
    put_picture(code_picture(PAYLOAD.encode()))
    paste(page)
    settled(page)
    done = result(page)
    assert done.subject.code == PAYLOAD
    assert done.number == PAYLOAD.number
    assert "examination.limit.scan" in done.limits
    assert done.looked_up[0].court.outcome is Outcome.NOT_ASKED


def test_several_codes_and_a_strangers_one(page, settled):
    other = CodePayload(leaf_hash=LEAF[::-1], chain_id="court-1")
    put_picture(code_picture(PAYLOAD.encode(), "https://evil.example/", other.encode()))
    paste(page)
    settled(page)
    assert {item.examination.subject.code for item in page.model.entries} == {PAYLOAD, other}
    assert "另有 1 个二维码不是存证证书的二维码" in said(page)
    page.ask_again()
    settled(page)
    assert len(page.model.entries) == 2


def test_an_address_in_a_code_counts_only_for_what_it_carries(page, settled):
    put_picture(code_picture(f"https://look-alike.example/?q={PAYLOAD.encode().replace(' ', '+')}"))
    paste(page)
    settled(page)
    assert result(page).subject.code == PAYLOAD


def test_transparent_paper_counts_as_white(page, settled):
    put_picture(code_picture(PAYLOAD.encode(), alpha=True))
    paste(page)
    settled(page)
    assert result(page).subject.code == PAYLOAD


def test_a_picture_without_codes_says_so(page, settled):
    blank = QImage(333, 222, QImage.Format.Format_RGB32)
    blank.fill(Qt.GlobalColor.white)
    put_picture(blank)
    paste(page)
    settled(page)
    assert result(page).result is Result.INPUT
    assert "没有找到二维码" in said(page)
    assert not page.detail.save_button.isEnabled()
    put_picture(code_picture("https://evil.example/"))
    paste(page)
    settled(page)
    assert "都不是存证证书的二维码" in said(page)


def test_rows_are_read_without_their_padding(qapp):
    picture = QImage(5, 3, QImage.Format.Format_Grayscale8)
    picture.fill(7)
    assert gray_of(picture) == (b"\x07" * 15, 5, 3)


def test_a_picture_too_large_is_refused_before_it_is_touched(page, messages):
    side = int(MAX_PIXELS**0.5) + 10
    put_picture(QImage(side, side, QImage.Format.Format_Grayscale8))
    paste(page)
    assert [error.code for error in messages.errors] == ["malformed.picture"]
    assert not page.progress.lines


def test_a_hundred_megabytes_of_text_are_refused_in_a_sentence(page, messages, settled):
    put_text("甲" * (100 << 20))
    paste(page)
    assert [error.code for error in messages.errors] == ["question.too_long"]
    page.intake.field.setFocus()
    QTest.keySequence(page.intake.field, "Ctrl+V")
    assert [error.code for error in messages.errors] == ["question.too_long"] * 2
    assert page.intake.field.text() == ""
    assert not page.progress.lines
    put(QMimeData())


def test_what_is_typed_too_long_is_told_not_cut(page, settled):
    page.intake.field.setText("A" * (MAX_TEXT * 10))
    page.intake.look.click()
    settled(page)
    assert result(page).result is Result.INPUT
    assert "内容过长" in said(page)


def test_an_empty_clipboard_says_so(page, messages):
    put(QMimeData())
    paste(page)
    assert messages.said == [("ui_verify.paste.none", {})]


def test_garbage_is_told(page, settled):
    for text in (
        "",
        "   ",
        "你好",
        "ED-",
        "\x00\x1b[31m",
        "https://evil.example/?q=",
        "f" * 63,
        "{}[]",
        "\u202eED-",
    ):
        page.ask_text(text)
        settled(page)
        done = page.list.entry.examination
        assert done.result is Result.INPUT, text
        assert page.detail.notices[0].said
        shown = f"{page.detail.notices[0].accessibleName()}{page.model.index(0).data()}"
        assert "\x1b" not in shown
        assert "\u202e" not in shown
