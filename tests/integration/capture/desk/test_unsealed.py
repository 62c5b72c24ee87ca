"""Captures whose program ended between the first leaf and the last: counted, and sealed only as what they were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from evidence_desk.bootstrap.capturing import capture_tools
from evidence_desk.core.capture.manifest import parse_manifest
from evidence_desk.core.capture.marks import MarkKind
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.capture.ports import Reach
from evidence_desk.core.digests import sha256
from evidence_desk.core.job import Job
from evidence_desk.core.moment import parse_moment
from evidence_desk.errors import MalformedError
from evidence_desk.services.capture_marks import Marker
from evidence_desk.services.capture_recover import recover
from evidence_desk.services.capture_start import begin, new_id
from evidence_desk.services.describe import failed_captures
from evidence_desk.texts import Language
from tests.integration.capture.desk.conftest import REQUEST

PLAN = CapturePlan(urls=("http://127.0.0.1:9/",), allow_private=True)


@pytest.fixture
def tools(session):
    return capture_tools(session, Language.ZH, ntp=(), dns=())


@pytest.fixture
def begun(session, tools):
    """A capture of which the log knows that it was begun, and its workspace, left over."""
    number = new_id(session.desk)
    workspace = tools.recorder.workspace(number)
    found = begin(
        session.desk, number, workspace, PLAN, REQUEST, environment=tools.environment, header=None, job=Job()
    )
    tools.recorder.release(number)
    return found, workspace


@pytest.mark.usefixtures("begun")
def test_a_capture_that_was_never_sealed_counts_as_one_that_failed(session):
    """Otherwise who dislikes what is shown had only to kill the program."""
    assert failed_captures(session.desk, "案一") == 1


def test_what_was_registered_cannot_be_changed_before_it_is_sealed(session, tools, begun):
    found, workspace = begun
    workspace.replace("started.json", found.document.replace("案一".encode(), "案二".encode()))
    with pytest.raises(MalformedError, match=r"malformed\.capture_started"):
        recover(session.desk, tools, found.row.id, job=Job())


def test_a_capture_ended_when_its_record_ended_not_when_it_was_sealed(session, tools, begun):
    found, _ = begun
    before = datetime.now(UTC)
    outcome = recover(session.desk, tools, found.row.id, job=Job())
    manifest = parse_manifest(outcome.capture.manifest)
    assert manifest.ended == parse_moment(found.started.at, what="started") < before
    assert "capture.reason.program_ended" in {item.code for item in outcome.reasons}


def test_a_capture_whose_sealing_broke_off_is_not_called_killed(session, tools, begun):
    found, workspace = begun
    marker = Marker(session.desk, workspace, sha256(found.document), ())
    marker.mark(MarkKind.START)
    marker.mark(MarkKind.END, Reach(streams=(), actions=0, head=bytes(32), size=0))
    codes = {item.code for item in recover(session.desk, tools, found.row.id, job=Job()).reasons}
    assert "capture.reason.sealed_later" in codes
    assert "capture.reason.program_ended" not in codes
