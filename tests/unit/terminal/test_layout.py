from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from evidence_desk.terminal.layout import folded, printable, printable_facts


def test_lines_fit_and_keep_their_indent():
    text = "  ✔ 条目位于本地存证日志的第 1 条（从 0 起编号，检查点共 5 条）；日志由终端自己保管，单凭它不能对抗终端本人。"
    lines = list(folded(text, 40))
    assert len(lines) > 2
    assert all(cell_len(line) <= 40 for line in lines)
    assert all(line.startswith("    ") for line in lines[1:])
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_no_line_begins_with_closing_or_ends_with_opening_punctuation():
    text = "文件“合同（正本）.pdf”、附件《清单》，均已核对（见下）。" * 5
    for width in range(12, 60):
        lines = list(folded(text, width))
        assert all(line[0] not in "，。、）》”" for line in lines)
        assert all(line[-1] not in "（《“" for line in lines)


def test_a_digest_stays_whole():
    digest = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    assert any(line.strip() == digest for line in folded(f"  SHA-256 {digest} end", 30))


def test_the_party_that_vouches_stays_whole():
    text = "  ? " + "不" * 32 + "。 [时间戳机构]"
    assert [line.strip() for line in folded(text, 80)][-1] == "[时间戳机构]"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])), st.integers(2, 90))
def test_folding_loses_nothing_but_spaces(text, width):
    assert "".join("".join(folded(text, width)).split()) == "".join(text.split())


@given(st.text())
def test_printable_text_cannot_steer_a_terminal(text):
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown


def test_bidirectional_marks_and_invalid_bytes_are_escaped():
    assert printable("a\u202egpj.exe\x1b[2J\udcff") == "a\\u{202e}gpj.exe\\u{1b}[2J\\u{dcff}"
    assert printable_facts({"n": 3, "name": "\n"}) == {"n": 3, "name": "\\u{a}"}
