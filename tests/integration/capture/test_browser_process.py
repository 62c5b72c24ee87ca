"""The capture browser as a process: limits, faults, and what it must never do."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from evidence_desk.capture.browser import BrowserDriver, BrowserFate
from evidence_desk.capture.guard import Guard
from evidence_desk.core.capture.connection import Fate
from evidence_desk.core.capture.events import (
    CertificateRefused,
    Crashed,
    Done,
    Ended,
    Heartbeat,
    Loaded,
    PageState,
    Started,
    Visited,
)
from evidence_desk.core.capture.plan import CaptureMode, CertificatePolicy
from evidence_desk.core.capture.ports import BrowserEnd
from evidence_desk.errors import BugError, ConfigurationError
from tests.integration.capture.browsing import (
    COMMAND,
    LONG,
    QUIET,
    browser,
    family,
    plan_for,
    renderers,
    visit,
)
from tests.sites import Http1Site, Town
from tests.sites.answer import always, html
from tests.sites.town import EXPIRED, SITE, WRONG_HOST

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
PEERS = """<!doctype html><meta charset=utf-8><title>点对点</title><script>
const p = new RTCPeerConnection({iceServers: [{urls: "stun:127.0.0.1:PORT"}]});
p.createDataChannel("x"); p.onicecandidate = e => fetch("/found?" + encodeURIComponent(e.candidate ? e.candidate.candidate : "end"));
p.createOffer().then(o => p.setLocalDescription(o)).then(() => fetch("/found?offered"));
</script>"""
LEAKY = """
import sys
import ui.capture_browser.switches as switches
switches._ALWAYS = tuple(one for one in switches._ALWAYS if "webrtc" not in one.lower())
from ui.capture_browser.__main__ import main
sys.exit(main())
"""
"""The same browser without the switches against WebRTC: shows that the test would see what they keep back."""


@pytest.fixture(scope="module")
def town():
    with Town() as town:
        yield town


def gone(pids: set[int]) -> bool:
    """Whether processes have ended, within some seconds."""
    for _ in range(100):
        left = {pid for pid in pids if Path(f"/proc/{pid}").exists() and b"Z" not in _state(pid)}
        if not left:
            return True
        time.sleep(0.1)
    return False


def _state(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return b"Z"


def test_a_faulty_certificate_is_accepted_only_by_choice_and_recorded_all_the_same(town, tape):
    plan = plan_for(town, (EXPIRED, "/"), (WRONG_HOST, "/"), certificate_errors=CertificatePolicy.ACCEPT)
    browsing = visit(tape, plan)
    assert [visited.state for visited in browsing.of(Visited)] == [PageState.LOADED] * 2
    assert [(item.host, item.accepted) for item in browsing.of(CertificateRefused)] == [
        (EXPIRED, True),
        (WRONG_HOST, True),
    ]


@pytest.mark.parametrize("leaky", [False, True], ids=["as shipped", "without the switches"])
def test_webrtc_sends_nothing_past_the_recorder(town, tape, leaky):
    command = (sys.executable, "-c", LEAKY) if leaky else COMMAND
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stun:
        stun.bind(("127.0.0.1", 0))
        page = html(PEERS.replace("PORT", str(stun.getsockname()[1])))
        with Http1Site("peers.test", {"/": always(page), "/found": always(html(""))}) as site:
            town.sites["peers.test"], town.addresses["peers.test"] = site, ("127.0.0.1",)
            try:
                with browser(
                    tape, plan_for(town, ("peers.test", "/"), settle_ms=1500), command=command
                ) as browsing:
                    browsing.ended()
            finally:
                del town.sites["peers.test"], town.addresses["peers.test"]
        stun.setblocking(False)
        packets = 0
        with contextlib.suppress(BlockingIOError):
            while stun.recv(2000):
                packets += 1
    told = [str(line.get("url")).partition("/found?")[2] for line in browsing.lines("network.jsonl")]
    assert "offered" in told, "the script ran"
    assert (packets > 0) is leaky
    assert not any("%20typ%20" in one for one in told), "no address of this machine was found out"


def test_the_debug_port_is_closed_before_anything_is_fetched(town, tape):
    with browser(tape, plan_for(town, (SITE, "/second.html"))) as browsing:
        started = browsing.until(Started)
        assert browsing.driver is not None
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", browsing.driver.debug_port), 2)
        browsing.ended()
    assert started.observer_closed
    assert next(type(event) for event in browsing.events if not isinstance(event, Heartbeat)) is Started


def test_loopback_is_refused_unless_allowed(town, tape):
    browsing = visit(tape, replace(plan_for(town, (SITE, "/")), page_seconds=3), guard=Guard())
    (visited,) = browsing.of(Visited)
    assert visited.state is PageState.FAILED
    assert visited.reached == ""
    assert {one.fate for one in tape.connections()} == {Fate.REFUSED}


def test_it_ends_at_the_limit_of_the_plan(town, tape):
    browsing = visit(tape, plan_for(town, (SITE, "/endless.html"), page_seconds=60, max_seconds=2))
    (done,) = browsing.of(Done)
    assert done.reason is Ended.LIMIT
    assert browsing.of(Heartbeat)


def test_a_page_without_end_is_pictured_as_far_as_it_came(town, tape):
    browsing = visit(tape, plan_for(town, (SITE, "/endless.html"), page_seconds=2))
    (visited,) = browsing.of(Visited)
    assert visited.state is PageState.PARTIAL
    assert "capture.page.timeout" in visited.reasons
    assert (tape.folder / "page-001-viewport.png").stat().st_size > 0


def test_a_script_without_end_is_interrupted(town, tape):
    browsing = visit(tape, plan_for(town, (SITE, "/busy.html"), (SITE, "/second.html")))
    busy, next_page = browsing.of(Visited)
    assert busy.state is PageState.PARTIAL
    assert "capture.snapshot.interrupted" in busy.reasons
    assert next_page.state is PageState.LOADED


def test_it_stops_when_told(town, tape):
    with browser(tape, plan_for(town, (SITE, "/endless.html"), page_seconds=60)) as browsing:
        browsing.until(Started)
        assert browsing.driver is not None
        assert browsing.driver.stop()
        departure = browsing.ended()
    assert (departure.fate, departure.end) == (BrowserFate.ORDERLY, BrowserEnd.FINISHED)
    assert departure.done is not None
    assert departure.done.reason is Ended.STOPPED
    assert not browsing.driver.stop(), "nobody hears any more"
    assert (tape.folder / "cookies.json").exists()


@linux
def test_a_renderer_that_crashes_is_told_and_the_next_address_visited(town, tape):
    with browser(tape, plan_for(town, (SITE, "/"), (SITE, "/second.html"), settle_ms=1500)) as browsing:
        browsing.until(Loaded)
        assert browsing.driver is not None
        for pid in renderers(browsing.driver.pid):
            os.kill(pid, signal.SIGKILL)
        browsing.ended()
    assert browsing.of(Crashed)
    crashed, after = browsing.of(Visited)
    assert crashed.state is not PageState.LOADED
    assert "capture.page.crashed" in crashed.reasons
    assert after.state is PageState.LOADED


@linux
def test_a_page_that_hangs_does_not_keep_it_from_stopping(town, tape):
    with browser(tape, plan_for(town, (SITE, "/"), (SITE, "/second.html"), settle_ms=1500)) as browsing:
        browsing.until(Loaded)
        assert browsing.driver is not None
        for pid in renderers(browsing.driver.pid):
            os.kill(pid, signal.SIGSTOP)
        browsing.driver.stop()
        departure = browsing.ended()
    assert departure.fate is BrowserFate.ORDERLY
    assert departure.done is not None
    assert departure.done.reason is Ended.STOPPED
    assert browsing.of(Visited) == [], "what was not done is not told as done"


@linux
def test_a_killed_browser_is_noticed_and_leaves_nothing_running(town, tape):
    with browser(tape, plan_for(town, (SITE, "/endless.html"), page_seconds=60)) as browsing:
        browsing.until(Started)
        assert browsing.driver is not None
        processes = family(browsing.driver.pid)
        os.kill(browsing.driver.pid, signal.SIGKILL)
        departure = browsing.ended()
    assert (departure.fate, departure.end) == (BrowserFate.DIED, BrowserEnd.VANISHED)
    assert departure.done is None
    assert departure.exit_code == -signal.SIGKILL
    assert gone(processes)


@linux
def test_a_browser_that_hangs_is_killed(town, tape):
    with browser(tape, plan_for(town, (SITE, "/endless.html"), page_seconds=60), silence=3) as browsing:
        browsing.until(Started)
        assert browsing.driver is not None
        os.kill(browsing.driver.pid, signal.SIGSTOP)
        departure = browsing.ended()
    assert (departure.fate, departure.end) == (BrowserFate.SILENT, BrowserEnd.HUNG)


PARENT = """
import sys, threading
from pathlib import Path
from evidence_desk.capture.browser import BrowserDriver
from evidence_desk.core.capture.events import Started
from evidence_desk.core.capture.plan import CaptureMode, CapturePlan
started = threading.Event()
driver = BrowserDriver(
    [sys.executable, "-m", "ui.capture_browser"], Path(sys.argv[1]),
    CapturePlan(urls=(), mode=CaptureMode.INTERACTIVE), 9,
    lambda event: started.set() if isinstance(event, Started) else None,
)
driver.start()
started.wait(30)
print(driver.pid, flush=True)
threading.Event().wait()
"""


@linux
@pytest.mark.parametrize("stopped", [False, True], ids=["well", "hanging"])
def test_it_never_outlives_its_driver(tmp_path, stopped):
    """A hanging one is woken by nobody: only its thread at the pipe can end it, once it may run again."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, env={**os.environ, **QUIET}
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    processes = family(pid)
    assert len(processes) > 1
    if stopped:
        for renderer in renderers(pid):
            os.kill(renderer, signal.SIGSTOP)
    parent.kill()
    parent.wait(LONG)
    parent.stdout.close()
    assert gone({pid})
    if stopped:
        for one in processes:
            if Path(f"/proc/{one}").exists():
                os.kill(one, signal.SIGCONT)
    assert gone(processes)


@pytest.mark.parametrize(
    ("program", "fate"),
    [
        ("print('hello')", BrowserFate.NONSENSE),
        ("import sys; sys.exit(3)", BrowserFate.DIED),
        ("import time; time.sleep(60)", BrowserFate.SILENT),
    ],
)
def test_other_programs_are_no_browser(town, tape, program, fate):
    with browser(
        tape, plan_for(town, (SITE, "/")), command=(sys.executable, "-c", program), silence=1.0
    ) as browsing:
        departure = browsing.ended()
    assert departure.fate is fate
    assert departure.done is None


def test_errors_of_the_process_are_kept_for_diagnostics(town, tape):
    program = "import sys; sys.stderr.write('libX.so: not found' + chr(10)); sys.exit(1)"
    with browser(tape, plan_for(town, (SITE, "/")), command=(sys.executable, "-c", program)) as browsing:
        departure = browsing.ended()
    assert departure.errors == ("libX.so: not found",)


def test_a_browser_that_is_not_there(town, tmp_path):
    driver = BrowserDriver(["/nowhere/browser"], tmp_path, plan_for(town, (SITE, "/")), 9, print)
    with pytest.raises(ConfigurationError) as caught:
        driver.start()
    assert caught.value.code == "capture.browser_missing"
    with pytest.raises(BugError):
        driver.stop()


def test_a_folder_that_switches_cannot_name(town, tmp_path):
    driver = BrowserDriver(COMMAND, tmp_path / 'a"b', plan_for(town, (SITE, "/")), 9, print)
    with pytest.raises(ConfigurationError):
        driver.start()


def test_a_listener_that_fails_ends_the_browser(town, tape):
    def fail(_event):
        raise RuntimeError("full")

    with tape.running() as proxy:
        driver = BrowserDriver(
            COMMAND, tape.folder, plan_for(town, (SITE, "/")), tape.port, fail, environment=QUIET
        )
        driver.start()
        proxy.allow_pid(driver.pid)
        departure = driver.wait(LONG)
    assert departure is not None
    assert departure.fate is BrowserFate.KILLED
    assert isinstance(driver.fault, RuntimeError)


def test_an_order_that_is_none_is_refused():
    for line in (b"", b"{}\n", b'{"facts":{},"kind":"stop"}\n'):
        done = subprocess.run(
            COMMAND, input=line, capture_output=True, env={**os.environ, **QUIET}, timeout=LONG, check=False
        )
        assert done.returncode == 65
        assert done.stdout == b""


def test_inherited_switches_do_not_count(town, tape, monkeypatch):
    """An environment variable could send the secrets elsewhere, or open another debugging port."""
    elsewhere = tape.folder.parent / "elsewhere.txt"
    monkeypatch.setenv("SSLKEYLOGFILE", str(elsewhere))
    monkeypatch.setenv("QTWEBENGINE_CHROMIUM_FLAGS", f"--ssl-key-log-file={elsewhere} --no-proxy-server")
    browsing = visit(tape, plan_for(town, (SITE, "/second.html")))
    assert not elsewhere.exists()
    assert (tape.folder / "keylog.txt").stat().st_size > 0
    assert [visited.state for visited in browsing.of(Visited)] == [PageState.LOADED]


def test_an_interactive_browser_waits_for_its_person(town, tape):
    plan = replace(plan_for(town, (SITE, "/second.html")), mode=CaptureMode.INTERACTIVE)
    with browser(tape, plan) as browsing:
        browsing.until(Loaded)
        assert browsing.driver is not None
        browsing.driver.stop()
        departure = browsing.ended()
    assert departure.done is not None
    assert departure.done.snapshots == 1, "the page in front is kept at the end"
