from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.services import annotate
from evidence_desk.services.browse import (
    LOGGED_ONLY,
    MAX_PAGE,
    ExhibitQuery,
    ExhibitStates,
    Order,
    case_summaries,
    count,
    page,
    tags,
)
from evidence_desk.services.timestamp import timestamp
from tests.integration.browse.filing import put, titles


@pytest.fixture
def filed(session: Session, tmp_path: Path) -> dict[str, ExhibitRow]:
    """Three timestamped exhibits in two cases, and one only in the log."""
    put(session, tmp_path, "合同.pdf", purpose="证明借款关系", source={"obtained": "由原告手机导出", "from_whom": "王䶮"},
        court="某人民法院", cause="借款合同纠纷", parties=("张三丰", "李四"))  # fmt: skip
    put(session, tmp_path, "聊天.txt", title="微信聊天记录", kind=ExhibitKind.COMMUNICATION)
    put(session, tmp_path, "invoice_0305.PDF", case_number="(2026)渝0103民初1号")
    timestamp(session.desk, session.authorities, job=Job())
    put(session, tmp_path, "b.txt", case_number="案三", title="晚来的")
    return {row.title: row for row in session.vault.exhibits.exhibits()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("合同", {"合同.pdf"}), ("借款", {"合同.pdf"}), ("手机导出", {"合同.pdf"}), ("䶮", {"合同.pdf"}), ("张三", {"合同.pdf"}),
        ("三丰 李四", {"合同.pdf"}), ("三丰 王五", set()), ("微信", {"微信聊天记录"}), ("聊天.txt", {"微信聊天记录"}),
        ("communication", {"微信聊天记录"}), ("0305", {"invoice_0305.PDF"}), ("（2026）渝0103民初1号", {"invoice_0305.PDF"}),
        ("pdf", {"合同.pdf", "invoice_0305.PDF"}), ("证据1", {"合同.pdf", "invoice_0305.PDF", "晚来的"}), ("没有", set()),
        ("  ", {"合同.pdf", "微信聊天记录", "invoice_0305.PDF", "晚来的"}), ("，", set()),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("filed")
def test_words_are_found_wherever_they_were_said(session, text, expected):
    assert titles(session, text) == expected
    assert count(session.desk, ExhibitQuery(text=text)) == len(expected)


def test_an_evidence_number_is_found_whole_and_in_part(session, filed):
    row = filed["微信聊天记录"]
    assert titles(session, row.number) == {row.title}
    assert row.title in titles(session, row.number[:7])


def test_filters(session, filed):
    annotate.add_tag(session.desk, filed["合同.pdf"].leaf_hash, "重要")
    annotate.add_tag(session.desk, filed["合同.pdf"].leaf_hash, "已核对")
    annotate.add_tag(session.desk, filed["晚来的"].leaf_hash, "重要")
    assert titles(session, case_number="案一") == {"合同.pdf", "微信聊天记录"}
    assert titles(session, case_number="没有") == set()
    assert titles(session, tags=("重要",)) == {"合同.pdf", "晚来的"}
    assert titles(session, tags=("重要", "已核对")) == {"合同.pdf"}
    assert titles(session, kinds=("communication",)) == {"微信聊天记录"}
    assert titles(session, states=LOGGED_ONLY) == {"晚来的"}
    assert titles(session, states=ExhibitStates(timestamped=True)) == set(filed) - {"晚来的"}
    assert titles(session, states=ExhibitStates(certified=True)) == set()
    moment = filed["晚来的"].registered
    assert titles(session, registered_from=moment) == {"晚来的"}
    assert titles(session, registered_to=moment) == set(filed) - {"晚来的"}
    assert titles(session, registered_from=moment, registered_to=moment + timedelta(microseconds=1)) == {
        "晚来的"
    }
    assert titles(
        session, "合同", tags=("重要",), case_number="案一", states=ExhibitStates(anchored=False)
    ) == {"合同.pdf"}
    assert tags(session.desk) == {"已核对": 1, "重要": 2}


def test_a_line_tells_what_the_exhibit_is(session, filed):
    row = filed["合同.pdf"]
    annotate.add_tag(session.desk, row.leaf_hash, "重要")
    (line,) = page(session.desk, ExhibitQuery(text="借款"), 0, 10)
    told = {
        name: getattr(line, name)
        for name in ("leaf_hash", "number", "case_number", "exhibit_no", "title", "kind")
    }
    assert told == {name: getattr(row, name) for name in told}
    assert (line.files, line.size) == (1, row.objects[0].stored.size)
    assert (line.registered, line.logged, line.timestamped) == (row.registered, row.logged, row.timestamped)
    assert (line.anchored, line.certified, line.tags, line.archived, line.erased) == (
        None,
        None,
        ("重要",),
        False,
        False,
    )


def test_orders_and_pages(session, tmp_path):
    rows = put(session, tmp_path, *(f"{name}.txt" for name in "cabdfe"))
    every = [line.title for line in page(session.desk, ExhibitQuery(), 0, 10)]
    assert every == [row.title for row in reversed(rows)]
    assert [line.title for line in page(session.desk, ExhibitQuery(order=Order.OLDEST), 0, 10)] == every[::-1]
    named = [line.title for line in page(session.desk, ExhibitQuery(order=Order.TITLE, text="txt"), 0, 10)]
    assert named == sorted(every)
    sizes = [line.size for line in page(session.desk, ExhibitQuery(order=Order.LARGEST), 0, 10)]
    assert sizes == sorted(sizes, reverse=True)
    for order in Order:
        query = ExhibitQuery(order=order, case_number="案一")
        whole = page(session.desk, query, 0, MAX_PAGE)
        assert [*page(session.desk, query, 0, 4), *page(session.desk, query, 4, 4)] == whole
        assert page(session.desk, query, 6, 4) == []
        assert page(session.desk, query, -3, 2) == whole[:2]
        assert page(session.desk, query, 2, -1) == []
    assert all(first != second for first, second in pairwise(every))


def test_case_figures(session, filed):
    annotate.archive_case(session.desk, "案三")
    first, second, third = case_summaries(session.desk)
    assert (first.number, first.court, first.cause, first.parties) == (
        "案一",
        "某人民法院",
        "借款合同纠纷",
        ("张三丰", "李四"),
    )
    assert (first.exhibits, first.timestamped, first.anchored, first.certified) == (2, 2, 0, 0)
    assert first.newest == filed["微信聊天记录"].registered
    assert (second.exhibits, second.archived) == (1, None)
    assert (third.exhibits, third.timestamped, third.archived is None) == (1, 0, False)


def test_an_empty_desk(session):
    assert page(session.desk, ExhibitQuery(text="x"), 0, 10) == []
    assert count(session.desk, ExhibitQuery()) == 0
    assert case_summaries(session.desk) == []


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "合同\0",
        "a" * 1_000_000,
        "合" * 1_000_000,
        "NEAR(",
        "*",
        "^a",
        "a:b",
        "-合同",
        "\ud800",
        "\U0010ffff",
        "'; DROP TABLE cases; --",
    ],
)
@pytest.mark.usefixtures("filed")
def test_hostile_words(session, text):
    query = ExhibitQuery(text=text, case_number="案一")
    assert count(session.desk, query) == len(page(session.desk, query, 0, 10))
    assert count(session.desk, ExhibitQuery()) == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(text=st.text(max_size=40), tag=st.text(max_size=5), order=st.sampled_from(Order))
def test_no_words_are_an_error(session, text, tag, order):
    query = ExhibitQuery(text=text, tags=(tag,), order=order)
    assert count(session.desk, query) == len(page(session.desk, query, 0, 10))
