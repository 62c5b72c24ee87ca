"""The replay browser on archives made by hand: what it shows comes from there, and nothing leaves it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.capture.replay_process import ReplayProcess
from evidence_desk.core.capture.replay import (
    ReplayEnded,
    ReplayFailed,
    ReplayMessage,
    ReplayOpened,
    ReplayOrder,
    ReplayShown,
)
from evidence_desk.launch import Role, command_for
from tests.integration.capture.stored import HOST, page, wacz_of
from tests.unit.wacz.samples import plain

pytestmark = pytest.mark.timeout(120)
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}

ACTIVE = """<!doctype html><meta charset=utf-8><title>主动</title><pre id=out></pre><img src="/there.svg" onload="say('图有')">
<img src="/missing.png" onerror="say('图无')"><script>
function say(t) { document.getElementById("out").textContent += t + "\\n"; }
(async () => {
  for (const n of [1, 2, 3]) say("轮询 " + await (await fetch("/poll")).text());
  for (const n of [1, 2, 3]) await fetch("/post", {method: "POST", body: "a"}).then(async r => say("提交 " + await r.text()), () => say("提交失败"));
  say("转到 " + await (await fetch("/old")).text());
  const r = await fetch("/film", {headers: {Range: "bytes=4-7"}}); say("片段 " + r.status + " " + await r.text());
  await fetch("/film", {headers: {Range: "bytes=500-"}}).catch(() => say("片段无"));
  say("完");
})();
</script>"""
ESCAPING = """<!doctype html><meta charset=utf-8><title>外逃</title>
<link rel=preconnect href="http://127.0.0.1:PORT"><link rel=dns-prefetch href="http://127.0.0.1:PORT">
<link rel=prefetch href="http://127.0.0.1:PORT/prefetch"><link rel=stylesheet href="http://127.0.0.1:PORT/a.css">
<img src="http://127.0.0.1:PORT/a.png"><img src="http://localhost:PORT/b.png"><iframe src="http://[::1]:PORT/"></iframe>
<iframe src="file:///etc/hostname"></iframe><video src="http://127.0.0.1:PORT/v.webm"></video><pre id=out></pre><script>
const say = t => { document.getElementById("out").textContent += t + "\\n"; };
const at = "http://127.0.0.1:PORT";
navigator.sendBeacon(at + "/beacon", "x"); new EventSource(at + "/events"); window.open(at + "/window");
for (const u of ["ws://127.0.0.1:PORT/", "ws://localhost:PORT/"]) new WebSocket(u).onerror = () => say("无");
fetch(at + "/fetch", {mode: "no-cors"}).catch(() => say("无")); fetch(at + "/keep", {mode: "no-cors", keepalive: true}).catch(() => {});
new Worker(URL.createObjectURL(new Blob(["fetch('" + at + "/worker', {mode: 'no-cors'}).catch(() => postMessage(1))"]))).onmessage = () => say("工作线程无");
navigator.serviceWorker && navigator.serviceWorker.register("/sw.js").catch(() => say("服务线程无"));
const p = new RTCPeerConnection({iceServers: [{urls: "stun:127.0.0.1:UDP"}, {urls: "turn:127.0.0.1:PORT?transport=tcp", username: "a", credential: "b"}]});
p.createDataChannel("x"); p.createOffer().then(o => p.setLocalDescription(o)).then(() => say("已提议"));
try { const t = new WebTransport("https://127.0.0.1:PORT/"); t.closed.catch(() => {}); t.ready.catch(() => {}); } catch (e) {}
</script>"""
LEAKY = """
import sys
import ui.capture_replay.switches as switches
switches.switches = lambda port: ()
def paused(self, params, session):
    if self._answered(params, session):
        self._observer.tell("Fetch.continueRequest", {"requestId": params["requestId"]}, session)
def main():
    import ui.capture_replay.__main__ as start
    from ui.capture_replay import supply  # after the environment is set
    supply.Supply._on_paused = paused
import ui.capture_replay.__main__ as start
import ui.capture_replay.switches
before = switches.set_environment
def set_environment(*ports):
    before(*ports)
    main()
switches.set_environment = set_environment
sys.exit(start.main())
"""
"""The same browser, which asks the net for what the archive has not: shows that the listeners would hear it."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "capture.wacz"


def order(archive: Path, save: Path | None = None, **changes: Any) -> ReplayOrder:
    made = ReplayOrder(
        archive=str(archive), number="ED-TEST", page=0, scripts=True, save="" if save is None else str(save),
        debug_port=0, tongue="zh",
    )  # fmt: skip
    return replace(made, **changes)


@contextmanager
def running(
    wanted: ReplayOrder, command: tuple[str, ...] | None = None
) -> Iterator[tuple[ReplayProcess, list[ReplayMessage]]]:
    told: list[ReplayMessage] = []
    process = ReplayProcess(
        command or command_for(Role.CAPTURE_REPLAY),
        wanted,
        told=told.append,
        gone=lambda: None,
        environment=OFFSCREEN,
    )
    process.start()
    try:
        yield process, told
    finally:
        process.close()


def saved(
    archive: Path, tmp_path: Path, command: tuple[str, ...] | None = None, **changes: Any
) -> tuple[list[dict[str, Any]], list[str]]:
    """What the pages of an archive show."""
    folder = tmp_path / "saved"
    folder.mkdir()
    with running(order(archive, folder, **changes), command) as (process, told):
        assert process.wait(60), process.errors
    assert process.status == 0, process.errors
    assert isinstance(told[0], ReplayOpened)
    assert isinstance(told[-1], ReplayEnded)
    pages = json.loads((folder / "replay.json").read_bytes())["pages"]
    assert [item.page for item in told if isinstance(item, ReplayShown)] == [item["number"] for item in pages]
    return pages, [(folder / f"page-{item['number']:03}.txt").read_text() for item in pages]


def unanswered(shown: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (item["reason"], item["method"], item["url"].removeprefix(f"http://{HOST}"))
        for item in shown["unanswered"]
    ]


SVG = plain(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "Content-Type: image/svg+xml")


def test_requests_are_answered_in_the_order_of_the_recording_and_what_is_missing_fails(archive, tmp_path):
    archive.write_bytes(
        wacz_of(
            [
                ("GET /", page(ACTIVE)),
                ("GET /there.svg", SVG),
                *[("GET /poll", plain(text.encode(), "Content-Type: text/plain")) for text in ("a", "b")],
                *[("POST /post", plain(text.encode(), "Content-Type: text/plain")) for text in ("c", "d")],
                ("GET /old", plain(b"", "Location: /new", status="302 Found")),
                ("GET /new", plain("新".encode(), "Content-Type: text/plain; charset=utf-8")),
                ("GET /film", plain(b"0123456789", "Content-Range: bytes 0-9/1000", status="206 Partial Content")),
            ],
            "/",
        )
    )  # fmt: skip
    (shown,), (text,) = saved(archive, tmp_path)
    assert shown["title"] == "主动"
    lines = text.split("\n")
    assert {"图有", "图无", "完"} <= set(lines)
    assert [line for line in lines if line.strip() not in ("图有", "图无", "完", "")] == [
        "轮询 a", "轮询 b", "轮询 b", "提交 c", "提交 d", "提交失败", "转到 新", "片段 206 4567", "片段无",
    ]  # fmt: skip
    assert sorted(unanswered(shown)) == sorted(
        [
            ("absent", "GET", "/missing.png"),
            ("spent", "POST", "/post"),
            ("range", "GET", "/film"),
            ("absent", "GET", "/favicon.ico"),
        ]
    )
    assert not archive.exists()


def test_pages_without_scripts(archive, tmp_path):
    archive.write_bytes(
        wacz_of([("GET /", page("<p>静<noscript>止</noscript><script>document.write('动')</script>"))], "/")
    )
    _, (text,) = saved(archive, tmp_path, scripts=False)
    assert text.strip() == "静止"


@contextmanager
def listening() -> Iterator[tuple[list[socket.socket], int, int]]:
    """Listeners on 127.0.0.1 and ::1 (TCP, the same port) and on 127.0.0.1 (UDP)."""
    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as six,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        port = four.getsockname()[1]
        six.bind(("::1", port))
        six.listen()
        udp.bind(("127.0.0.1", 0))
        yield [four, six, udp], port, udp.getsockname()[1]


def escaping(port: int, udp: int) -> bytes:
    text = ESCAPING.replace("PORT", str(port)).replace("UDP", str(udp))
    return wacz_of(
        [("GET /", page(text, f"Link: <http://127.0.0.1:{port}/early>; rel=preload; as=script"))], "/", "/"
    )


def test_nothing_leaves_the_browser(archive, tmp_path):
    with listening() as (listeners, port, udp):
        archive.write_bytes(escaping(port, udp))
        (shown, _), (seen, _) = saved(archive, tmp_path)
        assert select.select(listeners, [], [], 0)[0] == []
    assert {"已提议", "工作线程无"} <= set(seen.split("\n")), "the scripts ran"
    asked = {item["url"].partition(f":{port}")[2] for item in shown["unanswered"]}
    assert {"/a.css", "/a.png", "/b.png", "/fetch", "/worker", "/beacon", "/events", "/v.webm", "/"} <= asked
    assert "root" not in seen


def test_without_its_walls_the_same_page_is_heard(archive, tmp_path):
    """So that silence in the test before means something."""
    with listening() as ((four, _, datagrams), port, udp):
        archive.write_bytes(escaping(port, udp))
        with running(order(archive, tmp_path), (sys.executable, "-c", LEAKY)) as (process, _):
            heard: set[socket.socket] = set()
            while len(heard) < 2 and (ready := select.select([four, datagrams], [], [], 60)[0]):
                heard.update(ready)
                if four in ready:
                    four.accept()[0].close()  # its scripts wait for style sheets
            assert heard == {four, datagrams}, process.errors


def test_a_page_that_is_not_there_is_told(archive, tmp_path):
    archive.write_bytes(wacz_of([("GET /other", page("别的页"))], "/"))
    (shown,), (text,) = saved(archive, tmp_path)
    assert ("absent", "GET", "/") in unanswered(shown)
    assert text.strip() == ""


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _changed(data: bytes) -> bytes:
    at = data.index(b"capture/1")
    return data[:at] + b"C" + data[at + 1 :]


@pytest.mark.parametrize("spoil", [_cut, _changed])
def test_archives_that_are_none_are_refused(archive, tmp_path, spoil):
    archive.write_bytes(spoil(wacz_of([("GET /", page("页"))], "/")))
    with running(order(archive, tmp_path)) as (process, told):
        assert process.wait(30)
    (failed,) = told
    assert isinstance(failed, ReplayFailed)
    assert failed.code.startswith("malformed.")
    assert process.status == 65
    assert not archive.exists()


def test_the_browser_ends_with_whoever_started_it(archive):
    """Also when that one was killed, and closed nothing."""
    archive.write_bytes(wacz_of([("GET /", page("<title>页</title>页"))], "/"))
    code = (
        "import sys; from tests.integration.capture.test_replay_process import *\n"
        "process = ReplayProcess(command_for(Role.CAPTURE_REPLAY), order(Path(sys.argv[1]), page=1), told=lambda m: None, gone=lambda: None,"
        " environment=OFFSCREEN)\n"
        "process.start(); assert process.opened(60); print(process._process.pid, flush=True); process.wait()"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, str(archive)], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    browser = int(starter.stdout.readline())
    assert _alive(browser)
    assert not archive.exists()
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    for _ in range(100):
        if not _alive(browser):
            break
        time.sleep(0.1)
    assert not _alive(browser)


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    return False
