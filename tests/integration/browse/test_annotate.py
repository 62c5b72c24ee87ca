from __future__ import annotations

from datetime import datetime

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import NotFoundError, UsageError
from evidence_desk.services import annotate
from evidence_desk.services.browse import ExhibitQuery, case_summaries, count
from evidence_desk.services.erase import erase
from evidence_desk.services.seal import SealRequest, seal
from tests.fixed import refusal
from tests.integration.browse.filing import put, titles


@pytest.fixture
def row(session, tmp_path):
    return put(session, tmp_path, "a.txt")[0]


def test_tags_come_and_go(session, row):
    desk, leaf = session.desk, row.leaf_hash
    assert annotate.add_tag(desk, leaf, "  待  核实 ")
    assert not annotate.add_tag(desk, leaf, "待 核实")
    assert session.vault.browse.tags(leaf) == ["待 核实"]
    assert titles(session, "核实") == {"a.txt"}
    assert annotate.remove_tag(desk, leaf, "待 核实")
    assert not annotate.remove_tag(desk, leaf, "待 核实")
    assert titles(session, "核实") == set()
    assert annotate.add_tag(desk, leaf, "待 核实")
    assert titles(session, "核实") == {"a.txt"}


@pytest.mark.parametrize(
    "tag", ["", "   ", "x" * 41, "x" * 1_000_000, "a\0b", "a\x1b[31m", "\ud800", "\u202eabc"]
)
def test_bad_tags_are_refused(session, row, tag):
    with refusal("annotate.tag", UsageError):
        annotate.add_tag(session.desk, row.leaf_hash, tag)
    assert session.vault.browse.tags(row.leaf_hash) == []


def test_notes_keep_their_history_and_come_back(session, row):
    desk, leaf = session.desk, row.leaf_hash
    first = annotate.add_note(desk, leaf, "原告未到庭", author="钱知微")
    second = annotate.add_note(desk, leaf, "第二条\n换行")
    assert not first.edited
    edited = annotate.edit_note(desk, first.id, "原告已到庭", author="赵")
    assert annotate.edit_note(desk, first.id, "原告已到庭", author="别人") == edited
    assert edited.edited
    assert [(item.author, item.text) for item in edited.versions] == [
        ("钱知微", "原告未到庭"),
        ("赵", "原告已到庭"),
    ]
    assert session.vault.browse.notes(leaf) == [edited, second]
    assert titles(session, "已到庭") == {"a.txt"}
    assert titles(session, "未到庭") == set()

    removed = annotate.remove_note(desk, first.id)
    assert removed == edited
    assert titles(session, "到庭") == set()
    assert session.vault.browse.notes(leaf) == [second]
    with refusal("annotate.no_note", NotFoundError):
        annotate.remove_note(desk, first.id)
    with refusal("annotate.no_note", NotFoundError):
        annotate.edit_note(desk, first.id, "x")
    annotate.put_back_note(desk, removed)
    annotate.put_back_note(desk, removed)
    assert session.vault.browse.notes(leaf) == [edited, second]
    assert titles(session, "已到庭") == {"a.txt"}


@pytest.mark.parametrize("text", ["", "  \n", "x" * 20_001, "a\0b", "\ud800"])
def test_bad_notes_are_refused(session, row, text):
    with refusal("annotate.note", UsageError):
        annotate.add_note(session.desk, row.leaf_hash, text)
    with refusal("annotate.author", UsageError):
        annotate.add_note(session.desk, row.leaf_hash, "x", author="\0" + text)


def test_unknown_exhibits_and_cases(session):
    with refusal("find.exhibit", NotFoundError):
        annotate.add_tag(session.desk, bytes(32), "x")
    with refusal("find.exhibit", NotFoundError):
        annotate.remove_tag(session.desk, bytes(32), "x")
    with refusal("find.exhibit", NotFoundError):
        annotate.add_note(session.desk, bytes(32), "x")
    with refusal("annotate.no_case", NotFoundError):
        annotate.archive_case(session.desk, "没有")
    assert session.desk.store.browse.archived("没有") is None


@pytest.mark.usefixtures("row")
def test_an_archived_case_is_hidden_and_takes_nothing_more(session, tmp_path):
    put(session, tmp_path, "b.txt", case_number="案二")
    assert annotate.archive_case(session.desk, "案一")
    assert not annotate.archive_case(session.desk, "案一")
    assert titles(session) == {"b.txt"}
    assert titles(session, case_number="案一") == set()
    assert titles(session, archived=True) == {"a.txt"}
    assert titles(session, archived=None) == {"a.txt", "b.txt"}
    assert titles(session, "txt") == {"b.txt"}
    with refusal("annotate.archived", UsageError):
        seal(session.desk, [tmp_path / "b.txt"], SealRequest(case_number="案一"), job=Job())
    assert case_summaries(session.desk)[0].archived is not None
    assert annotate.unarchive_case(session.desk, "案一")
    assert not annotate.unarchive_case(session.desk, "案一")
    assert titles(session) == {"a.txt", "b.txt"}
    assert put(session, tmp_path, "c.txt")


def test_an_erased_case_takes_no_notes(session, row):
    note = annotate.add_note(session.desk, row.leaf_hash, "备注甲")
    annotate.add_tag(session.desk, row.leaf_hash, "标签甲")
    removed = annotate.remove_note(session.desk, note.id)
    erase(session.desk, "案一", reason="要求", court=None)
    for act in (
        lambda: annotate.add_tag(session.desk, row.leaf_hash, "x"),
        lambda: annotate.add_note(session.desk, row.leaf_hash, "x"),
        lambda: annotate.put_back_note(session.desk, removed),
    ):
        with refusal("annotate.erased", UsageError):
            act()
    assert titles(session, "标签甲") == set()
    assert count(session.desk, ExhibitQuery(text=row.number)) == 1
    assert session.vault.browse.tags(row.leaf_hash) == []


class Erasing:
    """A clock under which another hand erases the case at its first reading."""

    def __init__(self, session: Session) -> None:
        self._session, self._clock, self._done = session, session.desk.clock, False

    def now(self) -> datetime:
        if not self._done:
            self._done = True
            erase(self._session.desk, "案一", reason="到期", court=None)
        return self._clock.now()


def test_erased_while_a_note_is_written(session, row, tmp_path):
    other = put(session, tmp_path, "b.txt", case_number="案二")[0]
    note = annotate.add_note(session.desk, other.leaf_hash, "留下")
    clock = session.desk.clock
    session.desk.clock = Erasing(session)
    with refusal("annotate.erased", UsageError):
        annotate.add_note(session.desk, row.leaf_hash, "不应留下")
    session.desk.clock = clock
    assert session.vault.browse.notes(row.leaf_hash) == []
    assert titles(session, "不应") == set()
    assert annotate.edit_note(session.desk, note.id, "改过").text == "改过"


def test_erased_while_a_note_is_worded_anew(session, row):
    note = annotate.add_note(session.desk, row.leaf_hash, "原文")
    session.desk.clock = Erasing(session)
    with refusal("annotate.no_note", NotFoundError):
        annotate.edit_note(session.desk, note.id, "不应留下")
