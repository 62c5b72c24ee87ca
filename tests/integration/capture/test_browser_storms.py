"""Pages that would keep the capture browser from its work: whatever they do, the next address has its turn, and it is told."""

import hashlib
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.capture import browser as driving
from evidence_desk.core.capture.connection import Fate
from evidence_desk.core.capture.events import (
    CertificateRefused,
    Denied,
    Dialog,
    Downloaded,
    Ended,
    Fault,
    PageState,
    Popup,
    Refused,
    Snapped,
    TabClosed,
    Visited,
)
from evidence_desk.core.capture.plan import CaptureMode
from evidence_desk.core.capture.ports import BrowserEnd, Recorded
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.capture.story import Story, judge
from tests.integration.capture.browsing import Browsing, browser, plan_for, visit
from tests.sites import Http1Site, Town
from tests.sites.answer import Answer, Pause, Piece, Routes, always, content, html
from tests.sites.pages.active import page
from tests.sites.recording import Tape
from tests.sites.town import EXPIRED, MODERN, SITE

STORM = "storm.test"
CHILD = str(Path(__file__).parent / "interactive_child.py")
_BINARY = (b"Content-Type", b"application/octet-stream")
PAGES = {
    "/windows.html": 'let n = 0; setInterval(() => window.open("/second.html?" + n++), 30);',
    "/closing.html": 'for (let n = 1; n <= 8; n++) window.open("/closed.html?" + n);',
    "/closed.html": "setTimeout(() => window.close(), 300 * location.search.slice(1));",
    "/alerts.html": 'for (;;) alert("不停");',
    "/confirms.html": 'setInterval(() => confirm("还要吗？"), 1);',
    "/unload.html": """let n = 0; addEventListener("beforeunload", e => { e.preventDefault(); e.returnValue = "别走"; });
setInterval(() => { location.href = "/unload.html?" + n++; }, 20);""",
    "/places.html": 'let n = 0; setInterval(() => { for (let i = 0; i < 100; i++) history.pushState({}, "", "?" + n++); }, 5);',
    "/prints.html": "setInterval(() => print(), 1);",
    "/title.html": 'document.title = "\\u202egpj.exe\\u200b" + "长".repeat(1 << 20);',
    "/address.html": 'location.hash = "x".repeat(1 << 20);',
    "/loads.html": 'setInterval(() => fetch("/slow?" + Math.random()).catch(() => 0), 20);',
    "/many.html": """for (let n = 0; n < 220; n++) { const frame = document.createElement("iframe");
frame.src = "/file.bin?" + n; document.body.append(frame); }""",
    "/print.html": "print();",
    "/logs.html": 'setInterval(() => { for (let i = 0; i < 20; i++) console.log("\\u202e记录".repeat(20)); }, 10);',
}


def _endless() -> Iterator[Piece]:
    while True:
        yield bytes(1 << 14)
        yield Pause(0.01)


def _slow() -> Iterator[Piece]:
    while True:
        yield Pause(1)
        yield b"."


def routes() -> Routes:
    return {
        **{path: always(html(page(path, code))) for path, code in PAGES.items()},
        "/second.html": always(html(page("第二页", ""))),
        "/endless.bin": always(Answer(headers=(_BINARY,), body=_endless)),
        "/slow": always(Answer(headers=(_BINARY,), body=_slow)),
        "/file.bin": always(content("application/octet-stream", b"file")),
    }


@pytest.fixture(scope="module")
def town():
    with Town() as town, Http1Site(STORM, routes()) as site:
        town.sites[STORM], town.addresses[STORM] = site, ("127.0.0.1",)
        yield town


def result_of(browsing: Browsing, plan) -> tuple[CaptureResult, set[str]]:
    """How the capture comes out, and why."""
    story = Story(plan=plan)
    for event in browsing.events:
        story.hear(event)
    result, reasons = judge(story, Recorded(browser=BrowserEnd.FINISHED, fault=None, facts={}), ())
    return result, {reason.code for reason in reasons}


def weather(town: Town, tape: Tape, path: str, **given: Any) -> tuple[Browsing, Visited]:
    """A capture of such a page and of a good one after it."""
    plan = plan_for(town, (STORM, path), (SITE, "/second.html"), **given)
    browsing = visit(tape, plan, wait=170, silence=60)
    assert browsing.departure is not None
    assert browsing.departure.done is not None
    assert browsing.departure.done.reason is Ended.FINISHED
    storm, after = browsing.of(Visited)
    assert (after.state, after.reasons) == (PageState.LOADED, ()), "the next address has its turn"
    return browsing, storm


def test_windows_without_end(town, tape):
    browsing, storm = weather(town, tape, "/windows.html")
    assert storm.state is PageState.PARTIAL
    assert "capture.page.popup_limit" in storm.reasons
    assert [event for event in browsing.of(Refused) if event.what is Denied.WINDOW]
    assert len(browsing.of(Popup)) >= 8
    assert browsing.of(Snapped)[-1].url == town.url(SITE, "/second.html")
    assert len([one for one in browsing.of(Snapped) if STORM in one.url]) <= 9


def test_windows_that_close_while_they_are_pictured(town, tape):
    browsing, storm = weather(town, tape, "/closing.html", settle_ms=100)
    assert browsing.of(Fault) == []
    assert storm.state is PageState.LOADED


def test_alerts_without_end(town, tape):
    browsing, storm = weather(town, tape, "/alerts.html")
    assert storm.state is not PageState.LOADED
    assert 1000 < len(browsing.of(Dialog)) < 2000
    assert [fault.detail for fault in browsing.of(Fault)] == ["dialog"]


def test_console_without_end(town, tape):
    browsing, storm = weather(town, tape, "/logs.html")
    assert "capture.snapshot.unresponsive" not in storm.reasons
    assert browsing.of(Fault) == []


@pytest.mark.parametrize("path", ["/confirms.html", "/unload.html", "/places.html", "/prints.html"])
def test_boxes_places_and_prints_without_end(town, tape, path):
    browsing, storm = weather(town, tape, path)
    assert storm.reached.startswith(town.url(STORM, path))
    assert browsing.of(Snapped)[0].missing == ()


def test_a_page_that_never_stops_loading(town, tape):
    _, storm = weather(town, tape, "/loads.html")
    assert storm.state is PageState.PARTIAL
    assert storm.reasons == ("capture.page.not_settled",)


def test_an_endless_file_ends_with_the_time_of_its_address(town, tape):
    browsing, storm = weather(town, tape, "/endless.bin")
    assert storm.state is PageState.PARTIAL
    assert {"capture.page.not_settled", "capture.page.download_incomplete"} < set(storm.reasons)
    ended = [event for event in browsing.of(Downloaded) if event.state != "started"]
    assert [(event.state, event.reason) for event in ended] == [("canceled", "NoEnd")]


def test_titles_and_addresses_of_a_megabyte(town, tape):
    plan = plan_for(town, (STORM, "/title.html"), (STORM, "/address.html"), (SITE, "/second.html"))
    browsing = visit(tape, plan, silence=60)
    assert [visited.state for visited in browsing.of(Visited)] == [PageState.LOADED] * 3
    title, address, _ = browsing.of(Snapped)
    assert title.title.startswith("\u202egpj.exe\u200b长")
    assert len(title.title) == 500
    assert len(address.url) == 8192
    assert result_of(browsing, plan) == (CaptureResult.COMPLETE, set())


def test_downloads_without_end(town, tape):
    plan = plan_for(town, (STORM, "/many.html"), (SITE, "/second.html"), page_seconds=30, settle_ms=1000)
    browsing = visit(tape, plan, silence=60)
    storm, after = browsing.of(Visited)
    assert storm.state is PageState.PARTIAL
    assert "capture.page.download_limit" in storm.reasons
    assert after.state is PageState.LOADED
    completed = [event for event in browsing.of(Downloaded) if event.state == "completed"]
    assert len(completed) == 200
    assert {event.sha256 for event in completed} == {hashlib.sha256(b"file").hexdigest()}
    assert [fault.code for fault in browsing.of(Fault)] == ["capture.browser_downloads"]
    assert result_of(browsing, plan) == (
        CaptureResult.PARTIAL,
        {"capture.browser_downloads", "capture.reason.pages_partial"},
    )


def test_a_download_past_what_the_capture_may_hold(town, tape):
    browsing, storm = weather(town, tape, "/endless.bin", page_seconds=30, max_bytes=1 << 20)
    ended = [event for event in browsing.of(Downloaded) if event.state != "started"]
    assert [(event.state, event.reason) for event in ended] == [("canceled", "TooLarge")]
    assert "capture.page.download_incomplete" in storm.reasons


def test_a_chain_is_told_once(town, tape):
    pictures = "".join(f'<img src="{town.url(EXPIRED, f"/{number}.png")}">' for number in range(20))
    town.sites[STORM].routes = {**routes(), "/chains.html": always(html(pictures))}
    browsing, _ = weather(town, tape, "/chains.html")
    first, *others = [event.chain for event in browsing.of(CertificateRefused)]
    assert first[0].startswith("-----BEGIN CERTIFICATE-----")
    assert others
    assert set(others) == {(f"sha256:{hashlib.sha256(''.join(first).encode()).hexdigest()}",)}


@pytest.mark.full
def test_windows_that_hang_do_not_take_the_time_of_the_next_address(town, tape):
    opened = "".join(
        f'window.open("{town.url(MODERN, f"/busy.html?{number}")}", "_blank", "noopener");'
        for number in range(6)
    )
    town.sites[STORM].routes = {**routes(), "/hung.html": always(html(page("挂起", opened)))}
    browsing, storm = weather(town, tape, "/hung.html", max_seconds=140)
    assert len(browsing.of(Popup)) == len(browsing.of(TabClosed)) == 6
    assert storm.state is PageState.PARTIAL
    assert {"capture.snapshot.interrupted", "capture.snapshot.unresponsive"} & set(storm.reasons)


def test_the_debug_port_is_out_of_reach(town, tape, monkeypatch):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    monkeypatch.setattr(driving, "free_port", lambda: port)
    tries = "".join(
        f'fetch("http://{host}:{port}/json/version", {{mode: "no-cors"}}).then(() => fetch("/second.html?reached"));'
        for host in ("127.0.0.1", "localhost", "[::1]", "2130706433")
    )
    town.sites[STORM].routes = {**routes(), "/debug.html": always(html(page("调试口", tries)))}
    weather(town, tape, "/debug.html")
    near = [one for one in tape.connections() if one.port == port]
    assert near
    assert {one.fate for one in near} <= {Fate.REFUSED, Fate.UNRESOLVED}
    assert not [sent for sent in town.sites[STORM].log.sent if b"reached" in sent.request_head]


def test_a_person_gets_out_of_boxes_without_end(town, tape):
    plan = replace(plan_for(town, (STORM, "/alerts.html"), max_seconds=60), mode=CaptureMode.INTERACTIVE)
    with browser(
        tape, plan, command=(sys.executable, "-P", CHILD, "boxes_without_end"), silence=60
    ) as browsing:
        departure = browsing.ended()
    assert departure.done is not None
    assert departure.done.reason is Ended.FINISHED
    dialogs = browsing.of(Dialog)
    assert [dialog.by_user for dialog in dialogs[:6]] == [True] * 5 + [False]
    assert len(dialogs) > 6
