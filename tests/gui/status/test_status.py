"""The status page over a real demo vault: facts, deeds, diagnostics."""

import json

from evidence_desk.bootstrap.health import Area, Level
from evidence_desk.core.job import Job
from evidence_desk.services.seal import SealRequest, seal
from ui.page import PageName
from ui.status.diagnostics import DiagnosticsCard
from ui.status.page import StatusPage
from ui.status.rows import SIGNS
from ui.window import Window


def page_of(window: Window) -> StatusPage:
    page = window.show_page(PageName.STATUS)
    assert isinstance(page, StatusPage)
    return page


def codes(page: StatusPage, area: Area) -> set[str]:
    return {fact.code for fact in page.cards[area].facts}


def test_what_is_known_is_shown_without_asking(window, qtbot):
    page = page_of(window)
    qtbot.waitUntil(lambda: bool(page.cards[Area.DISK].facts))
    assert codes(page, Area.BACKUP) == {"health.backup.never"}
    assert codes(page, Area.NETWORK) == {"health.network.none"}
    assert page.cards[Area.AUTHORITIES].facts[0].demo
    assert codes(page, Area.CLOCK) == {"health.clock.unknown"}


def test_checking_asks_the_authority_and_compares_the_clock(window, qtbot):
    page = page_of(window)
    qtbot.waitUntil(page.check.isEnabled)
    page.check.click()
    qtbot.waitUntil(lambda: "health.authority.answers" in codes(page, Area.AUTHORITIES), timeout=20_000)
    assert "health.authority.configured" not in codes(page, Area.AUTHORITIES)


def test_waiting_exhibits_get_their_token(window, qtbot, tmp_path):
    session = window.context.desk.session
    assert session is not None
    (tmp_path / "合同.txt").write_text("合同")
    seal(session.desk, [tmp_path / "合同.txt"], SealRequest(), job=Job())
    page = page_of(window)
    qtbot.waitUntil(lambda: "health.waiting" in codes(page, Area.AUTHORITIES))
    page._on_timestamp()
    qtbot.waitUntil(lambda: "health.waiting" not in codes(page, Area.AUTHORITIES), timeout=20_000)
    assert ("ui_status.timestamp.done", {"count": 1}) in window.context.messages.said
    qtbot.waitUntil(lambda: codes(page, Area.CLOCK) == {"health.clock.right"})
    page._on_recheck()
    qtbot.waitUntil(lambda: codes(page, Area.RECHECK) == {"health.recheck.recent"}, timeout=20_000)


def test_a_backup_is_written_and_remembered(window, qtbot, tmp_path, messages):
    page = page_of(window)
    messages.saves.append(tmp_path / "copy.backup")
    page._on_backup()
    qtbot.waitUntil(lambda: codes(page, Area.BACKUP) == {"health.backup.recent"}, timeout=20_000)
    assert (tmp_path / "copy.backup").stat().st_size > 1000


def test_diagnostics_hold_codes_and_nothing_of_the_evidence(window, qtbot, tmp_path, messages):
    session = window.context.desk.session
    (tmp_path / "秘密合同.txt").write_text("内容甲乙丙")
    seal(session.desk, [tmp_path / "秘密合同.txt"], SealRequest(case_number="(2026)渝0103民初1号"), job=Job())
    page = page_of(window)
    target = tmp_path / "diagnostics.json"
    messages.saves.append(target)
    page.findChildren(DiagnosticsCard)[0]._on_save()
    qtbot.waitUntil(target.exists, timeout=20_000)
    text = target.read_text("utf-8")
    assert json.loads(text)["vault"]["log_size"] == 2
    for secret in ("秘密", "合同", "渝0103", session.desk.origin, str(tmp_path)):
        assert secret not in text


def test_without_a_vault_nothing_of_it_is_left(window, qtbot):
    page = page_of(window)
    qtbot.waitUntil(lambda: bool(page.cards[Area.DISK].facts))
    window.context.desk.lock()
    assert not page.cards[Area.DISK].facts
    assert not page.check.isEnabled()


def test_levels_have_signs(window):
    assert set(SIGNS) == set(Level)
