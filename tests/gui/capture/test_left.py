"""Captures that were cut short; lock and close while one runs; the list; the draft."""

from __future__ import annotations

import pytest

from evidence_desk.core.capture.events import Deed
from evidence_desk.core.capture.events import Step as Deeded
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.capture.rows import CaptureResult, CaptureState
from evidence_desk.core.job import Job
from evidence_desk.services.capture_start import begin, new_id
from evidence_desk.services.seal import SealRequest
from tests.gui.capture.staged import Stage, StagedChecker, StagedRecorder, StagedRecording, snapped, visited
from tests.gui.capture.test_capture import URL, ended, fill
from tests.gui.conftest import RecordedMessages
from tests.gui.screens import save_screen
from tests.gui.sweep import nameless, untranslated
from ui.capture.feed import Stage as Step
from ui.capture.page import CapturePage
from ui.guard import Guard
from ui.page import PageName
from ui.window import Window


def cut_one_short(page: CapturePage, stage: Stage) -> bytes:
    """As a program leaves it that was killed while it recorded."""
    session = page.context.desk.session
    assert session is not None
    recorder = page.work.tools(session, page.context.tongue.language).recorder
    assert isinstance(recorder, StagedRecorder)
    capture = new_id(session.desk)
    workspace = recorder.workspace(capture)
    plan = CapturePlan(urls=(URL,))
    begin(
        session.desk, capture, workspace, plan, SealRequest(case_number="案二", title="中断的取证"),
        environment=StagedChecker(), header=None, job=Job(),
    )  # fmt: skip
    recording = recorder.begin(workspace, plan)
    assert isinstance(recording, StagedRecording)
    stage.events.append(snapped(1, URL))
    recording.poll(0)
    recording.close()
    recorder.release(capture)
    return capture


@pytest.fixture
def cut(page: CapturePage, stage: Stage, qtbot) -> CapturePage:
    cut_one_short(page, stage)
    page.shown()
    qtbot.waitUntil(page.banner.isVisible, timeout=20_000)
    return page


def test_what_was_recorded_is_sealed(cut: CapturePage, window: Window, qtbot, messages: RecordedMessages):
    assert "案二" in cut.banner.text
    save_screen(window, "capture-cut-zh")
    assert nameless(window) == []
    cut.recover.click()
    ended(cut, qtbot)
    assert messages.errors == []
    assert cut.work.result is not None
    assert cut.work.result.result is CaptureResult.PARTIAL
    assert "程序被终止" in cut.result.why.text()
    assert not cut.banner.isVisible()
    assert [row.row.state for row in cut.work.rows] == [CaptureState.SEALED]


def test_it_is_given_up_only_when_confirmed(cut: CapturePage, qtbot, messages: RecordedMessages):
    messages.accept = False
    cut.give_up.click()
    assert messages.asked[-1][0] == "ui_capture.give_up.ask"
    assert [row.cut for row in cut.work.rows] == [True]
    messages.accept = True
    cut.give_up.click()
    qtbot.waitUntil(
        lambda: [row.row.state for row in cut.work.rows] == [CaptureState.ABANDONED], timeout=20_000
    )
    assert not cut.banner.isVisible()


def test_the_list_offers_what_is_possible(cut: CapturePage, window: Window, qtbot):
    captures = cut.captures
    assert not captures.recover.isEnabled()
    cut.tabs.setCurrentIndex(1)
    captures.table.selectRow(0)
    assert captures.recover.isEnabled()
    assert captures.give_up.isEnabled()
    assert not captures.view.isEnabled()
    save_screen(window, "capture-list-zh")
    assert nameless(window) == []
    captures.recover.click()
    ended(cut, qtbot)
    captures.table.selectRow(0)
    assert captures.view.isEnabled()
    wanted: list[object] = []
    cut.wanted.connect(lambda name, _item: wanted.append(name))
    captures.case.click()
    assert wanted == [PageName.CASES]


def test_locking_asks_and_what_was_recorded_is_sealed(
    page: CapturePage, stage: Stage, window: Window, qtbot, messages: RecordedMessages
):
    fill(page)
    stage.events.append(snapped(1, URL))
    page.begin.click()
    work, desk = page.work, window.context.desk
    qtbot.waitUntil(lambda: work.now.stage is Step.RECORD, timeout=20_000)
    messages.accept = False
    window.rail.lock.click()
    assert messages.asked[-1][0] == "ui_capture.lock.ask"
    locked: list[bool] = []
    desk.locked.connect(lambda: locked.append(True))
    assert locked == []
    messages.accept = True
    window.rail.lock.click()
    assert locked == [True]
    assert stage.stopped.wait(20)
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=60_000)
    assert not work.running
    assert work.result is None
    assert desk.folder is None  # the keys are wiped


def test_a_lock_by_itself_lets_it_go_on(page: CapturePage, stage: Stage, window: Window, qtbot):
    fill(page)
    page.begin.click()
    work, desk = page.work, window.context.desk
    qtbot.waitUntil(lambda: work.now.stage is Step.RECORD, timeout=20_000)
    desk.lock()
    assert work.running
    assert not stage.stopped.is_set()
    stage.play(snapped(1, URL), visited(1, URL))
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=60_000)
    assert not work.running


def test_closing_asks_and_ends_it(
    page: CapturePage, stage: Stage, window: Window, qtbot, messages: RecordedMessages
):
    fill(page)
    page.begin.click()
    qtbot.waitUntil(lambda: page.work.now.stage is Step.RECORD, timeout=20_000)
    messages.accept = False
    window.close()
    assert messages.asked[-1][0] == "ui_capture.close.ask"
    assert page.work.running
    messages.accept = True
    window.close()
    assert stage.stopped.wait(20)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)


def test_the_form_is_kept_and_put_back(page: CapturePage, window: Window, qtbot):
    fill(page, "https://site.test/a\nftp://wrong")
    page.form.options.page.setValue(17)
    page.form.options.private.click()
    page.leave()
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=20_000)
    again = CapturePage(window.context)
    qtbot.addWidget(again)
    qtbot.waitUntil(lambda: again.form.filled, timeout=20_000)
    assert again.form.text.toPlainText() == "https://site.test/a\nftp://wrong"
    assert again.form.found.wrong == ((2, "ftp://wrong"),)
    assert again.form.order().page_seconds == 17
    assert again.form.order().allow_private
    assert again.form.request().case_number == "案一"


def test_a_dropped_list_is_read_into_the_field(page: CapturePage, window: Window, tmp_path, qtbot):
    listed = tmp_path / "list.txt"
    listed.write_text("\ufeffa.test\n# b\nb.test\n", "utf-8")
    window.take_paths([listed])
    qtbot.waitUntil(lambda: page.form.found.urls == ("https://a.test", "https://b.test"), timeout=20_000)
    assert untranslated(window) == []


def test_who_browses_in_the_other_window_is_there(page: CapturePage, stage: Stage, window: Window, qtbot):
    ticks = [100.0]
    guard = Guard(window.context, clock=lambda: ticks[0], check_ms=3_600_000)
    fill(page)
    page.begin.click()
    qtbot.waitUntil(lambda: page.work.now.stage is Step.RECORD, timeout=20_000)
    ticks[0] = 700.0
    stage.events.append(Deeded(number=1, tab=1, deed=Deed.CLICK, url=URL, target="登录"))
    qtbot.waitUntil(lambda: guard._last == 700.0, timeout=20_000)
    page.work.finish()
    ended(page, qtbot)
