"""The page Capture over a real vault, with a staged browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.services.capture import CaptureTools
from evidence_desk.texts import Language
from tests.gui.capture.staged import Stage, StagedChecker, StagedRecorder
from ui.capture.page import CapturePage
from ui.page import PageName
from ui.window import Window


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.may_look.set()
    return made


@pytest.fixture
def page(window: Window, stage: Stage, qtbot) -> Iterator[CapturePage]:
    shown = window.show_page(PageName.CAPTURE)
    assert isinstance(shown, CapturePage)
    recorders: dict[int, StagedRecorder] = {}

    def tools(session: Session, _language: Language) -> CaptureTools:
        key = id(session)
        if key not in recorders:
            recorders[key] = StagedRecorder(session.vault.folder / "captures", session.clock, stage)
        return CaptureTools(
            recorder=recorders[key], environment=StagedChecker(stage), authorities=session.authorities
        )

    shown.work.tools = tools
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=20_000)
    yield shown
    stage.may_look.set()
    stage.over.set()
