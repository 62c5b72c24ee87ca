"""The page Cases over a real demo vault with real, sealed files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.services.certify import certify
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from tests.gui.cases.acting import CASE, OTHER, settled
from ui.cases.page import CasesPage
from ui.page import PageName
from ui.window import Window

Put = Callable[..., list[ExhibitRow]]


@pytest.fixture
def session(window: Window) -> Session:
    found = window.context.desk.session
    assert found is not None
    return found


@pytest.fixture
def put(session: Session, tmp_path: Path) -> Put:
    """Seal small files, one exhibit each."""

    def do(*names: str, **fields) -> list[ExhibitRow]:
        folder = tmp_path / "原件" / str(len(list(tmp_path.rglob("*"))))
        folder.mkdir(parents=True)
        paths = []
        for name in names:
            path = folder / name
            path.write_text(f"{name} 的内容 {fields}", "utf-8")
            paths.append(path)
        outcomes = seal(session.desk, paths, SealRequest(**{"case_number": CASE, **fields}), job=Job())
        rows = [item.exhibit for item in outcomes if item.exhibit is not None]
        assert len(rows) == len(names), outcomes
        return rows

    return do


@pytest.fixture
def filled(session: Session, put: Put) -> list[ExhibitRow]:
    """Two cases; the first three exhibits timestamped, the first of them certified."""
    rows = put(
        "买卖合同.pdf", "聊天记录.txt", "付款凭证.png",
        court="重庆市某区人民法院", cause="买卖合同纠纷", parties=("甲公司", "乙公司"), purpose="合同关系成立",
        source={"obtained": "当事人提供", "from_whom": "张三丰"}, operator={"name": "李律师"},
    )  # fmt: skip
    timestamp(session.desk, session.authorities, job=Job())
    certify(session.desk, rows[:1], session.issuer(), trust=session.trust, job=Job())
    return [*rows, *put("录音.mp3", case_number=OTHER)]


@pytest.fixture
def open_page(window: Window, qtbot: QtBot) -> Callable[[], CasesPage]:
    """Bring the page to the front and wait until its list is there."""

    def do() -> CasesPage:
        page = window.show_page(PageName.CASES)
        assert isinstance(page, CasesPage)
        settled(page, qtbot)
        return page

    return do


@pytest.fixture
def page(filled: list[ExhibitRow], open_page: Callable[[], CasesPage]) -> CasesPage:
    del filled
    return open_page()
