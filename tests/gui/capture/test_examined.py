"""A capture put before the page Verify: that of the open vault by its own proof, any other by itself."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest

from evidence_desk.core.capture.environment import When
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.services.capture_view import CaptureView
from evidence_desk.services.examination import Examination
from evidence_desk.texts import Language
from evidence_desk.verify.answer import Result
from reports.cleanliness import render_cleanliness
from tests.gui.capture.test_view import sealed, settled, wacz
from tests.gui.conftest import RecordedMessages
from ui.page import PageName
from ui.verify.page import VerifyPage
from ui.window import Window

__all__ = ["sealed", "wacz"]
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")
NOT_GIVEN = "capture.environment.not_given"


def examined(window: Window, path: Path, qtbot) -> Examination:
    page = window.show_page(PageName.VERIFY)
    assert isinstance(page, VerifyPage)
    page.accept_paths([path])
    settled(window, qtbot)
    return page.model.entries[0].examination


def codes(done: Examination, dimension: Dimension | None = None) -> dict[str, Status]:
    return {item.code: item.status for item in done.verdict.findings if dimension in (None, item.dimension)}


def test_that_of_the_vault_with_the_checks_of_the_machine(wacz: Path, window: Window, qtbot):
    done = examined(window, wacz, qtbot)
    assert done.result is Result.PRESENT
    found = codes(done, Dimension.ENVIRONMENT)
    assert NOT_GIVEN not in found
    assert (
        found["capture.environment.doubtful"] is Status.UNDETERMINED
    )  # one check of the staged machine has a warning
    assert codes(done)["capture.manifest.right"] is Status.PASSED


def test_without_a_vault_by_itself(wacz: Path, window: Window, qtbot, messages: RecordedMessages):
    window.context.desk.lock()
    done = examined(window, wacz, qtbot)
    found = codes(done)
    assert NOT_GIVEN not in found
    assert "capture.environment.doubtful" in found
    assert done.result is not Result.PRESENT
    assert messages.errors == []


def test_a_forged_one_fails_whatever_is_known_of_it(wacz: Path, window: Window, qtbot, tmp_path: Path):
    data = bytearray(wacz.read_bytes())
    at = data.index(b"GET /a HTTP/1.1")  # in the stream, which is stored as it is
    data[at + 5] ^= 1
    forged = tmp_path / "forged.wacz"
    forged.write_bytes(data)
    done = examined(window, forged, qtbot)
    assert done.result is Result.FAILED
    assert Status.FAILED in codes(done, Dimension.INTEGRITY).values()


def test_another_file_of_it_says_what_is_missing(sealed: bytes, window: Window, qtbot, tmp_path: Path):
    session = window.context.desk.session
    assert session is not None
    row = session.vault.exhibits.exhibit(sealed)
    assert row is not None
    item = next(item for item in row.objects if item.path.endswith(".pdf"))
    path = tmp_path / "report.pdf"
    with session.vault.objects.open(item.stored, case_number=row.case_number) as source:
        path.write_bytes(source.read())
    done = examined(window, path, qtbot)
    assert codes(done)[NOT_GIVEN] is Status.UNDETERMINED
    assert ".wacz" in window.context.tongue.say(NOT_GIVEN)


def test_the_printed_report_tells_case_and_capture_and_can_be_made_again(wacz: Path):
    view = CaptureView(wacz.open("rb"))
    before, after = view.environment(When.BEFORE), view.environment(When.AFTER)
    pdf, started = view.cleanliness(), view.started
    view.close()
    assert pdf == render_cleanliness(before, after, Language.ZH, started=started)
    document = pypdfium2.PdfDocument(pdf)
    text = document[0].get_textpage().get_text_bounded()
    document.close()
    assert "案一" in text
    assert started.id.hex() in text
