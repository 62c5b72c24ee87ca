"""What pages can drive to its bounds: the capture ends there, says why, and is sealed and verified all the same."""

from __future__ import annotations

import pytest

from evidence_desk.capture import conductor
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.texts import Language, sentence
from evidence_desk.wacz import browser_log, build
from tests.integration.capture.desk.test_capture import bond_of, verdict, wacz_of

pytestmark = pytest.mark.timeout(120)


def told(outcome) -> dict[str, str]:
    """Reasons as a person reads them, by code."""
    return {item.code: sentence(item.code, item.parameters, Language.ZH) for item in outcome.reasons}


def assert_sealed(session, outcome) -> None:
    found = verdict(session, wacz_of(session, outcome.exhibit), bond_of(session, outcome.exhibit))
    assert not [
        item.code
        for item in found.findings
        if item.status is Status.FAILED and item.dimension is Dimension.INTEGRITY
    ]


def test_a_capture_that_reaches_its_bytes_says_so_and_blames_nobody(session, take):
    outcome = take("site.test/", max_bytes=30_000)
    assert outcome.result is not CaptureResult.COMPLETE
    reasons = told(outcome)
    assert "30000" in reasons["capture.byte_limit"]
    assert not {"capture.reason.stopped", "capture.reason.address_refused"} & set(reasons)
    assert_sealed(session, outcome)


def test_pages_cannot_fill_the_disk_with_logs(session, take, monkeypatch):
    monkeypatch.setattr(conductor, "MAX_LOGS", 512)
    outcome = take("site.test/endless.html", page_seconds=30)
    reasons = told(outcome)
    assert "512" in reasons.get("capture.log_limit", ""), reasons
    assert "capture.reason.stopped" not in reasons
    assert_sealed(session, outcome)


def test_requests_and_messages_beyond_bounds_do_not_keep_a_capture_from_being_sealed(
    session, town, take, monkeypatch
):
    monkeypatch.setattr(browser_log, "MAX_REQUESTS", 2)
    monkeypatch.setattr(build, "MAX_MESSAGES", 1)
    outcome = take(f"site.test/socket.html?at={town.url('socket.test', '').replace('http', 'ws', 1)}")
    assert outcome.result is CaptureResult.PARTIAL
    assert {"capture.reason.log_torn", "capture.reason.many_messages"} <= set(told(outcome))
    assert_sealed(session, outcome)
