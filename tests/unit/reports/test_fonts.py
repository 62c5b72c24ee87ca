from __future__ import annotations

import io
import shutil
import subprocess
import unicodedata

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from evidence_desk import paths
from evidence_desk.core.certificate import squeeze
from evidence_desk.errors import ConfigurationError
from reports.fonts.embedding import Subset, register
from reports.fonts.faces import (
    Face,
    Style,
    advance,
    face_of,
    font,
    printable,
    runs,
    unprintable,
    width,
)
from reports.wrap import wrap
from tests.unit.reports.samples import RARE


def drawn(lines: list[str], style: Style = Style.REGULAR) -> bytes:
    register()
    out = io.BytesIO()
    canvas = Canvas(out, initialFontName=Face.REGULAR.value)
    for index, line in enumerate(lines):
        if index and index % 60 == 0:
            canvas.showPage()
        x = 20.0
        for run in runs(line, style):
            canvas.setFont(run.face.value, 9)
            canvas.drawString(x, 820 - 13 * (index % 60), run.text)
            x += run.width * 9 / 1000
    canvas.save()
    return out.getvalue()


def extracted(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return squeeze("".join(page.get_textpage().get_text_range() for page in document))


@pytest.mark.parametrize("style", list(Style))
def test_rare_names_extract_right(style, tmp_path):
    text = f"当事人{RARE}A1"
    pdf = drawn([text], style)
    assert extracted(pdf) == text
    if shutil.which("pdftotext"):
        path = tmp_path / "x.pdf"
        path.write_bytes(pdf)
        out = subprocess.run(
            ["pdftotext", "-enc", "UTF-8", path, "-"], capture_output=True, check=True
        ).stdout
        assert squeeze(out.decode()) == text


def test_rare_character_comes_from_the_second_font():
    assert face_of("𠮷", Style.REGULAR) is Face.RARE
    assert face_of("䶮", Style.REGULAR) is Face.REGULAR
    assert face_of("\U00030edd", Style.REGULAR) in {None, Face.REGULAR, Face.RARE}


def test_every_character_of_the_common_blocks_extracts_as_itself():
    ranges = [(0x21, 0x7F), (0xA1, 0x180), (0x2010, 0x2040), (0x2460, 0x2500), (0x3001, 0x3020),
              (0x4E00, 0x5200), (0x9F00, 0x9FF0), (0x3400, 0x3500), (0xFF01, 0xFF60), (0x20000, 0x20100),
              (0x2CC00, 0x2CC80)]  # fmt: skip
    codes = [chr(code) for first, last in ranges for code in range(first, last)]
    good = [item for item in codes if face_of(item, Style.REGULAR) is not None]
    lines = ["".join(good[at : at + 40]) for at in range(0, len(good), 40)]
    # Apart from hyphens, which an extractor may take for a word broken at the line's end.
    kept = [line.replace("-", "").replace("\u2010", "") for line in lines]
    assert extracted(drawn(kept)) == squeeze("".join(kept))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202etxt.exe", "a〔U+202E〕txt.exe"),
        ("a\nb\x00", "a〔U+000A〕b〔U+0000〕"),
        ("😀", "〔U+1F600〕"),
        ("שלום", "〔U+05E9〕〔U+05DC〕〔U+05D5〕〔U+05DD〕"),
        ("e\u0301", "e〔U+0301〕"),
        ("\ue000\u200b\u2028", "〔U+E000〕〔U+200B〕〔U+2028〕"),
        ("a\u3000b\u00a0c", "a b c"),
    ],
)
def test_what_cannot_or_must_not_be_printed_is_visible(text, shown):
    assert printable(text) == shown
    assert unprintable(text) == {item for item in text if f"〔U+{ord(item):04X}〕" in shown}


@given(st.text())
def test_printable_text_has_a_glyph_for_every_character(text):
    for character in printable(text):
        face = face_of(character, Style.REGULAR)
        assert face is not None
        glyph = font(face).glyph(ord(character))
        assert glyph
        assert character == " " or not font(face).is_blank(glyph)
        assert unicodedata.category(character) not in {"Cc", "Cf", "Co", "Cs", "Cn"}


def test_widths_follow_the_scale_of_the_font():
    assert font(Face.RARE).units == 1024
    assert advance("𠮷", Style.REGULAR) == pytest.approx(1000)
    assert width("中𠮷", Style.REGULAR, 10) == pytest.approx(20)


def test_subset_holds_only_what_is_used_and_is_a_sound_font():
    subset = Subset(Face.REGULAR)
    assert subset.encode("ABA") == b"\x00\x01\x00\x02\x00\x01"
    program = subset.build()
    assert len(program.program) < 12_000
    assert program.program[:4] == b"\x00\x01\x00\x00"
    assert len(program.widths) == 3
    assert b"<0001> <0041>" in program.to_unicode


def test_to_unicode_writes_surrogate_pairs():
    subset = Subset(Face.RARE)
    subset.encode("𠮷")
    assert b"<0001> <D842DFB7>" in subset.build().to_unicode


def test_composite_glyphs_bring_their_parts():
    subset = Subset(Face.MONO)
    subset.encode("éÅ")
    pdf = drawn(["éÅ"], Style.MONO)
    assert extracted(pdf) == "éÅ"
    page = pypdfium2.PdfDocument(pdf)[0].render(scale=2).to_pil().convert("L")
    assert page.getextrema()[0] < 100


@given(st.text(alphabet="证据a1 ，（）。-/W㛃", max_size=120), st.floats(min_value=30, max_value=200))
def test_wrapped_lines_fit_and_lose_nothing(text, room):
    lines = wrap(text, Style.REGULAR, 9, room)
    assert squeeze("".join(lines)) == squeeze(text)
    assert all(width(line, Style.REGULAR, 9) <= room + 0.01 for line in lines)


def test_no_line_begins_with_closing_punctuation():
    lines = wrap("证据" * 30 + "，证据。" * 20, Style.REGULAR, 9, 100)
    assert len(lines) > 3
    assert all(line[0] not in "，。" for line in lines)


def test_missing_font_file_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "assets_folder", lambda: tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        paths.asset("fonts", "x.ttf")
    assert caught.value.code == "asset.missing"
