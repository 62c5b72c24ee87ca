from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlcipher3 import dbapi2

from evidence_desk.core.search_text import MAX_QUERY, fold, grams, match_expression

TEXT = "（2026）渝0103民初1号\n借款合同 第Ⅳ页\n䶮𬱖之微信聊天记录.PDF\nIMG_20240305\nStraße ＡＢＣ"


def found(query: str, *texts: str) -> bool:
    """Whether the index answers, asked as the vault asks it."""
    expression = match_expression(query)
    if not expression:
        return False
    index = dbapi2.connect(":memory:")
    try:
        index.execute(
            "CREATE VIRTUAL TABLE t USING fts5 (g, content = '', columnsize = 0, tokenize = 'ascii')"
        )
        for number, text in enumerate(texts):
            index.execute("INSERT INTO t (rowid, g) VALUES (?, ?)", (number, grams(fold(text))))
        return bool(index.execute("SELECT 1 FROM t WHERE t MATCH ?", (expression,)).fetchall())
    finally:
        index.close()


@pytest.mark.parametrize(
    "query",
    ["合同", "款合", "同", "借款合同", "微信聊天", "pdf", "PDF", "df", "0305", "img_2024", "(2026)渝0103", "渝0103民初1号", "2026",
     "iv", "STRASSE", "abc", "ａｂ", "䶮", "䶮𬱖", "𬱖", "合同 微信", "  微信   合同 ", "记录.pdf", "记录pdf"[:2], '"合同"', "合同*"],
)  # fmt: skip
def test_parts_of_words_are_found(query):
    assert found(query, TEXT)


@pytest.mark.parametrize(
    "query", ["同合", "合约", "合同 张三", "30 50", "渝0103民初11号", "号借款x", "NEAR(合同 记录)", "合同 NOT 微信", "g:合同", "x", "", " ", "()*\"'-", "\0", "\ud800"]
)  # fmt: skip
def test_what_is_not_there_is_not_found(query):
    assert not found(query, TEXT)


def test_words_of_several_texts_do_not_add_up():
    assert found("甲 乙", "甲乙")
    assert not found("甲 乙", "甲", "乙")


def test_long_queries_are_cut():
    assert len(match_expression("合" * 1_000_000)) < 20 * MAX_QUERY
    assert match_expression("a " * 500_000) == '"a" *'
    assert len(match_expression("ﷺ" * MAX_QUERY)) < 20 * MAX_QUERY


@given(st.text(max_size=60))
def test_no_query_is_an_error(query):
    found(query, TEXT)


@given(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(['"', "*", " AND ", " OR ", "NOT", "NEAR(", ")", "^", ":", "-", "\0", "合"]),
        max_size=12,
    ),
)
def test_operators_are_read_as_text(text, signs):
    found("".join(sign + text[at : at + 3] for at, sign in enumerate(signs)), TEXT)


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.data())
def test_every_part_of_a_text_finds_it(text, data):
    folded = fold(text)
    start = data.draw(st.integers(0, len(folded)))
    part = folded[start : start + data.draw(st.integers(0, MAX_QUERY))]
    if match_expression(part):
        assert found(part, text)
