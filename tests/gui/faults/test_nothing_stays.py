"""After a lock no widget of the program, shown or hidden, holds anything of what is in the vault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.services import annotate
from evidence_desk.services.certify import certify
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from tests.gui.conftest import CHEAP, PASSPHRASE
from tests.gui.faults.conftest import all_texts
from ui.cases.page import CasesPage
from ui.certify.page import CertifyPage
from ui.guard import Guard
from ui.page import PageName
from ui.seal.page import SealPage
from ui.settings.page import SettingsPage
from ui.settings.security import SecurityTab
from ui.status.page import StatusPage
from ui.verify.page import VerifyPage
from ui.window import Window

SECRETS = (
    "秘案",
    "秘密文件",
    "秘目的",
    "秘标签",
    "秘笔记",
    "秘当事人",
    "ED-",
    "desk.test.evidence",
    "proxy.secret",
    "秘口令",
)


@pytest.fixture
def filled(window: Window, tmp_path: Path) -> ExhibitRow:
    session = window.context.desk.session
    assert session is not None
    path = tmp_path / "秘密文件.txt"
    path.write_text("秘")
    request = SealRequest(
        case_number="秘案", court="秘法院", purpose="秘目的", parties=("秘当事人",), operator={"name": "秘人"}
    )
    (outcome,) = seal(session.desk, [path], request, job=Job())
    row = outcome.exhibit
    assert row is not None
    timestamp(session.desk, session.authorities, job=Job())
    certify(session.desk, [row], session.issuer(), trust=session.trust, job=Job())
    annotate.add_tag(session.desk, row.leaf_hash, "秘标签")
    annotate.add_note(session.desk, row.leaf_hash, "秘笔记", author="秘人")
    session.set_proxy("http://proxy.secret:1")
    return row


@pytest.fixture
def everything(window: Window, filled: ExhibitRow, tmp_path: Path, qtbot) -> Iterator[Window]:
    """Every page was looked at, with the one exhibit in it."""
    guard = Guard(window.context)

    def idle() -> None:
        qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=30_000)

    page = window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    page.accept_paths([tmp_path / "秘密文件.txt"])
    idle()
    window.show_page(PageName.CASES, filled.leaf_hash)
    idle()
    cases = window.page
    assert isinstance(cases, CasesPage)
    window.show_page(PageName.CERTIFY, [filled.leaf_hash])
    idle()
    certify_page = window.page
    assert isinstance(certify_page, CertifyPage)
    for at in range(certify_page.tabs.count()):
        certify_page.tabs.setCurrentIndex(at)
        idle()
    window.show_page(PageName.VERIFY, filled.number)
    idle()
    assert isinstance(window.page, VerifyPage)
    window.page.accept_paths([tmp_path / "秘密文件.txt"])
    idle()
    window.show_page(PageName.STATUS)
    idle()
    status = window.page
    assert isinstance(status, StatusPage)
    settings = window.show_page(PageName.SETTINGS)
    assert isinstance(settings, SettingsPage)
    for at in range(settings.tabs.count()):
        settings.tabs.setCurrentIndex(at)
        idle()
    tab = next(item for item in settings.made if isinstance(item, SecurityTab))
    tab.old.setText("秘口令")
    tab.new.first.setText("秘口令")
    tab._on_audit()
    idle()
    window.say("已导出 ED-1234 秘案")
    yield window
    del guard


def left() -> list[str]:
    return [text for text in all_texts() if any(secret in text for secret in SECRETS)]


def test_on_no_page(everything: Window, qtbot):
    assert len(left()) > 20  # the walk finds what is there
    everything.context.desk.lock()
    qtbot.waitUntil(lambda: not everything.context.tasks.busy(), timeout=20_000)
    qtbot.waitUntil(lambda: everything.context.desk.folder is None)
    assert left() == []


def test_another_vault_shows_nothing_of_the_one_before(everything: Window, tmp_path, qtbot):
    desk = everything.context.desk
    desk.lock()
    qtbot.waitUntil(lambda: desk.folder is None and not everything.context.tasks.busy(), timeout=20_000)
    other, _key = init_session(tmp_path / "另一个", PASSPHRASE, office="other", demo=False, kdf=CHEAP)
    desk.adopt(other)
    for name in PageName:
        everything.show_page(name)
        qtbot.waitUntil(lambda: not everything.context.tasks.busy(), timeout=30_000)
    assert left() == []
    settings = everything.pages[PageName.SETTINGS]
    assert isinstance(settings, SettingsPage)
    tab = next(item for item in settings.made if isinstance(item, SecurityTab))
    assert not tab.audited.isVisibleTo(tab)  # the check was of the other vault
