"""Browser or program killed in the middle of a capture: what was recorded stays, is told, and can be sealed or given up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from evidence_desk.bootstrap.opening import unlocked
from evidence_desk.core.capture.manifest import parse_manifest
from evidence_desk.core.capture.plan import encode_plan
from evidence_desk.core.capture.rows import CaptureResult, CaptureState
from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.errors import NotFoundError, UsageError
from evidence_desk.services.audit import audit
from evidence_desk.services.capture import CaptureControl
from evidence_desk.services.capture_recover import cut_short, give_up, recover
from evidence_desk.services.erase import erase
from tests.integration.capture.desk.capturing import PASSPHRASE
from tests.integration.capture.desk.conftest import open_desk, plan_for, tools_for
from tests.integration.capture.desk.test_capture import bond_of, verdict, wacz_of

pytestmark = [pytest.mark.timeout(120), pytest.mark.skipif(sys.platform == "win32", reason="signals")]


@pytest.fixture
def killed(tmp_path, town):
    """A desk whose program was killed while it recorded, opened again."""
    open_desk(tmp_path).close()
    order = {
        "vault": str(tmp_path / "vault"),
        "addresses": {name: list(found) for name, found in town.addresses.items()},
        "plan": encode_plan(plan_for(town, "site.test/", "site.test/endless.html", page_seconds=60)).decode(),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.capture.desk.capturing", json.dumps(order)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        visited = False
        assert process.stdout is not None
        for line in process.stdout:
            visited = visited or line.strip() == "visited"
            if visited and line.startswith("size") and int(line.split()[1]) > 20_000:
                break
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    session = unlocked(tmp_path / "vault", PASSPHRASE)
    yield session
    session.close()


def test_a_killed_program_loses_nothing_that_was_recorded(killed, town):
    tools = tools_for(killed, town)
    (row,) = cut_short(killed.desk, tools.recorder)
    assert row.state is CaptureState.RUNNING
    with pytest.raises(UsageError, match=r"erase\.capturing"):
        erase(killed.desk, "案一", reason="到期", court=None)
    outcome = recover(killed.desk, tools, row.id, job=Job())
    assert outcome.result is CaptureResult.PARTIAL
    assert "capture.reason.program_ended" in {item.code for item in outcome.reasons}
    manifest = parse_manifest(outcome.capture.manifest)
    assert [page.state.value for page in manifest.pages] == ["loaded", "failed"]
    assert manifest.after is None
    assert manifest.counts["exchanges"] > 10
    assert outcome.exhibit is not None
    assert outcome.exhibit.title == "被中断的取证"
    found = verdict(killed, wacz_of(killed, outcome.exhibit), bond_of(killed, outcome.exhibit))
    failed = [
        item
        for item in found.findings
        if item.status is Status.FAILED and item.dimension is Dimension.INTEGRITY
    ]
    assert failed == []
    assert cut_short(killed.desk, tools.recorder) == ()
    assert list((killed.vault.folder / "captures").iterdir()) == []
    assert not audit(killed.desk, job=Job()).faults
    with pytest.raises(NotFoundError):
        recover(killed.desk, tools, row.id, job=Job())


def test_what_was_cut_short_can_be_given_up(killed, town):
    tools = tools_for(killed, town)
    (row,) = cut_short(killed.desk, tools.recorder)
    assert give_up(killed.desk, tools.recorder, row.id).state is CaptureState.ABANDONED
    assert cut_short(killed.desk, tools.recorder) == ()
    erase(killed.desk, "案一", reason="到期", court=None)
    assert killed.vault.captures.captures()[0].document == b""


def test_a_killed_browser_ends_the_capture_which_is_sealed(session, take):
    pids: list[int] = []

    def told(event):
        if event.kind == "started":
            pids.append(event.pid)
        if event.kind == "navigated" and "endless" in event.url:
            os.kill(pids[0], signal.SIGKILL)

    outcome = take("site.test/", "site.test/endless.html", control=CaptureControl(told=told))
    assert outcome.result is CaptureResult.PARTIAL
    assert "capture.reason.browser_vanished" in {item.code for item in outcome.reasons}
    found = verdict(session, wacz_of(session, outcome.exhibit), bond_of(session, outcome.exhibit))
    failed = [
        item
        for item in found.findings
        if item.status is Status.FAILED and item.dimension is Dimension.INTEGRITY
    ]
    assert failed == []
