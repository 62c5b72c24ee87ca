"""From the form to the result."""

from __future__ import annotations

from pathlib import Path

from evidence_desk.core.capture.environment import because
from evidence_desk.core.capture.events import PageState
from evidence_desk.core.capture.plan import CertificatePolicy
from evidence_desk.core.capture.rows import CaptureResult, CaptureState
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.errors import ConfigurationError
from tests.gui.capture.staged import Stage, snapped, visited
from tests.gui.conftest import RecordedMessages
from ui.capture.feed import Stage as Step
from ui.capture.page import CapturePage
from ui.page import PageName
from ui.window import Window

URL = "https://site.test/a"


def fill(page: CapturePage, text: str = URL) -> None:
    page.form.text.setPlainText(text)
    page.form.fields.case.setCurrentText("案一")
    page.form.fields.lines["operator"].setText("张三")
    page.form.settle()


def ended(page: CapturePage, qtbot) -> None:
    qtbot.waitUntil(lambda: not page.work.running, timeout=60_000)
    qtbot.waitUntil(lambda: not page.context.tasks.busy(), timeout=60_000)


def test_a_capture_as_planned(
    page: CapturePage, stage: Stage, window: Window, qtbot, messages: RecordedMessages
):
    fill(page)
    assert page.begin.isEnabled()
    stage.play(snapped(1, URL), visited(1, URL))
    page.begin.click()
    assert page.stack.currentIndex() == 1
    ended(page, qtbot)
    assert messages.errors == []
    result = page.work.result
    assert result is not None
    assert result.result is CaptureResult.COMPLETE
    assert result.exhibit is not None
    assert result.exhibit.timestamped is not None
    assert page.stack.currentIndex() == 2
    assert "按计划完成" in page.result.banner.text
    (row,) = page.work.rows
    assert row.row.state is CaptureState.SEALED
    session = window.context.desk.session
    assert session is not None
    exhibit = session.vault.exhibits.exhibit(result.exhibit.leaf_hash)
    assert exhibit is not None
    assert exhibit.case_number == "案一"
    assert exhibit.kind == ExhibitKind.PUBLISHED
    page.result.again.click()
    assert page.stack.currentIndex() == 0


def test_addresses_that_are_none_are_told_at_their_line(page: CapturePage):
    fill(page, "www.example.com\n\n# 说明\nftp://x\nhttps://www.example.com\nnot a page")
    assert page.form.found.urls == ("https://www.example.com",)
    assert [line for line, _ in page.form.found.wrong] == [4, 6]
    assert page.form.found.repeated == (5,)
    assert "第 4 行" in page.form.wrong.text()
    assert not page.begin.isEnabled()
    fill(page, "")
    assert not page.begin.isEnabled()


def test_a_person_needs_no_address_and_takes_one(page: CapturePage):
    fill(page, "")
    page.form.interactive.click()
    assert page.begin.isEnabled()
    fill(page, "a.test\nb.test")
    assert not page.begin.isEnabled()
    assert "一个起始网址" in page.form.wrong.text()


def test_wrong_certificates_are_accepted_only_when_confirmed(page: CapturePage, messages: RecordedMessages):
    messages.accept = False
    page.form.options.accept.click()
    assert not page.form.order().accept_errors
    messages.accept = True
    page.form.options.accept.click()
    fill(page)
    assert page.form.order().plan().certificate_errors is CertificatePolicy.ACCEPT
    assert not page.form.options.warning.isHidden()
    kept = page.form.content()
    page.form.fill(kept)
    assert not page.form.order().accept_errors


def test_further_roots_must_be_certificates(page: CapturePage, stage: Stage, tmp_path: Path, messages, qtbot):
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    messages.files.append([path])
    page.form.options._on_add()
    fill(page)
    stage.play()
    page.begin.click()
    ended(page, qtbot)
    assert [error.code for error in messages.errors] == ["malformed.extra_ca"]
    assert page.stack.currentIndex() == 0
    assert page.work.rows == ()


def test_a_partial_capture_says_why(page: CapturePage, stage: Stage, qtbot):
    fill(page, f"{URL}\nhttps://site.test/b")
    stage.play(
        snapped(1, URL),
        visited(1, URL),
        visited(2, "https://site.test/b", PageState.FAILED, "capture.page.load_failed"),
    )
    page.begin.click()
    ended(page, qtbot)
    assert page.work.result is not None
    assert page.work.result.result is CaptureResult.PARTIAL
    assert "2 个页面中有 1 个没有打开" in page.result.why.text()


def test_why_it_cannot_go_on_is_told_at_once(page: CapturePage, stage: Stage, qtbot):
    fill(page)
    page.begin.click()
    qtbot.waitUntil(lambda: page.work.now.stage is Step.RECORD, timeout=20_000)
    assert not page.running.trouble.isVisibleTo(page.running)
    control = page.work._control
    assert control is not None
    control.troubled(because("host.disk_full", what="capture"))
    qtbot.waitUntil(lambda: page.running.trouble.isVisibleTo(page.running), timeout=20_000)
    tongue = page.context.tongue
    assert page.running.trouble.text == tongue.say("host.disk_full", what="capture")
    assert page.running.note.text() == tongue.say("host.disk_full.advice", what="capture")
    stage.play(snapped(1, URL), visited(1, URL))
    ended(page, qtbot)


def test_ending_early_seals_what_there_is(page: CapturePage, stage: Stage, qtbot, messages: RecordedMessages):
    fill(page)
    stage.events.extend((snapped(1, URL),))
    page.begin.click()
    qtbot.waitUntil(lambda: page.work.now.stage is Step.RECORD and len(page.work.events) == 1, timeout=20_000)
    qtbot.waitUntil(page.running.finish.isEnabled, timeout=5_000)
    assert page.running.pages.rowCount() == 1
    page.running.finish.click()
    assert messages.asked[-1][0] == "ui_capture.finish.ask"
    ended(page, qtbot)
    assert stage.stopped.is_set()
    assert page.work.result is not None
    assert page.work.result.result is CaptureResult.PARTIAL


def test_giving_up_leaves_it_in_the_list(page: CapturePage, stage: Stage, qtbot, messages: RecordedMessages):
    fill(page)
    page.begin.click()
    qtbot.waitUntil(lambda: page.work.now.stage is Step.RECORD, timeout=20_000)
    qtbot.waitUntil(page.running.abandon.isEnabled, timeout=5_000)
    messages.accept = False
    page.running.abandon.click()
    assert page.work.running
    messages.accept = True
    page.running.abandon.click()
    ended(page, qtbot)
    (row,) = page.work.rows
    assert row.row.state is CaptureState.ABANDONED
    assert "已放弃" in page.result.banner.text
    assert page.result.certificate.isHidden()


def test_canceled_before_its_beginning_was_logged_nothing_is_left(
    page: CapturePage, stage: Stage, qtbot, messages
):
    stage.may_look.clear()
    fill(page)
    page.begin.click()
    assert stage.looked.wait(20)
    page.running.abandon.click()
    assert messages.asked[-1][0] == "ui_capture.abandon.early"
    ended(page, qtbot)
    assert page.work.rows == ()
    assert messages.said[-1][0] == "ui_capture.canceled"


def test_a_browser_that_does_not_start(page: CapturePage, stage: Stage, qtbot, messages: RecordedMessages):
    stage.fails = ConfigurationError("capture.browser_missing", reason="x")
    fill(page)
    page.begin.click()
    ended(page, qtbot)
    assert [error.code for error in messages.errors] == ["capture.browser_missing"]
    (row,) = page.work.rows
    assert row.row.state is CaptureState.ABANDONED


def test_a_snapshot_on_request(page: CapturePage, stage: Stage, qtbot):
    fill(page)
    page.form.interactive.click()
    page.begin.click()
    qtbot.waitUntil(
        lambda: page.running.snapshot.isVisible() and page.running.snapshot.isEnabled(), timeout=20_000
    )
    page.running.snapshot.click()
    qtbot.waitUntil(lambda: stage.snapshots == 1, timeout=20_000)
    stage.events.append(snapped(1, URL))
    qtbot.waitUntil(lambda: page.running.pages.rowCount() == 1, timeout=20_000)
    page.running.finish.click()
    ended(page, qtbot)


def test_other_pages_work_meanwhile_and_the_draft_is_kept(
    page: CapturePage, stage: Stage, window: Window, qtbot
):
    fill(page)
    page.begin.click()
    assert stage.begun.wait(20)
    assert window.show_page(PageName.CASES) is not None
    qtbot.waitUntil(lambda: len(window.context.tasks.running) == 1, timeout=20_000)
    stage.play(snapped(1, URL), visited(1, URL))
    ended(page, qtbot)
    window.context.desk.lock()
    assert page.work.result is None
    assert page.work.rows == ()
