"""The capture browser in automatic mode, on all kinds of pages in one run, and what it leaves behind."""

import hashlib
import io

import pytest
from PIL import Image

from evidence_desk.core.capture.events import (
    CertificateRefused,
    Denied,
    Dialog,
    Done,
    Downloaded,
    Ended,
    Event,
    Fault,
    Navigated,
    PageState,
    Popup,
    Refused,
    Snapped,
    Started,
    TabClosed,
    Unplayable,
    Visited,
)
from evidence_desk.wacz.browser_log import read_browser_log
from tests.integration.capture.browsing import Browsing, plan_for, visit
from tests.sites import Town
from tests.sites.recording import Tape, compare
from tests.sites.town import EXPIRED, MODERN, PLAIN, SITE

PAGES = (
    (SITE, "/"),
    (MODERN, "/popup.html"),
    (SITE, "/dialog.html"),
    (SITE, "/worker.html"),
    (MODERN, "/worker.html"),
    (SITE, "/frames.html"),
    (MODERN, "/events.html"),
    (SITE, "/console.html"),
    (SITE, "/wrong/short"),
    (SITE, "/sw.html"),
    (SITE, "/asking.html"),
    (SITE, "/contract.pdf"),
    (SITE, "/loop"),
    (EXPIRED, "/"),
    (SITE, "/h264.html"),
    (SITE, "/login-auto.html"),
    (PLAIN, "/gbk.html"),
    (SITE, "/cut"),
    (SITE, "/socket.html"),
    (SITE, "/long.html"),
    (SITE, "/no-such-page"),
)


class Run:
    def __init__(self, town: Town, tape: Tape, browsing: Browsing) -> None:
        self.town, self.tape, self.browsing = town, tape, browsing
        self.visits = dict(zip(PAGES, browsing.of(Visited), strict=True))

    def during(self, name: str, target: str) -> list[Event]:
        """What was told while one address was visited."""
        number = PAGES.index((name, target))
        ends = [at for at, event in enumerate(self.browsing.events) if isinstance(event, Visited)]
        return self.browsing.events[ends[number - 1] + 1 if number else 0 : ends[number]]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with Town() as town:
        tape = Tape(town, tmp_path_factory.mktemp("run") / "capture")
        browsing = visit(tape, plan_for(town, *PAGES))
        yield Run(town, tape, browsing)
        tape.close()


def test_it_ends_in_order(run):
    assert run.browsing.departure.fate == "orderly"
    assert run.browsing.departure.exit_code == 0
    done = run.browsing.events[-1]
    assert isinstance(done, Done)
    assert done.reason is Ended.FINISHED
    assert run.browsing.of(Fault) == []


def test_it_says_how_it_began(run):
    (started,) = run.browsing.of(Started)
    assert started.fresh_profile
    assert started.observer_closed
    assert started.chromium.startswith("140.")
    assert "--disable-quic" in started.flags
    assert any(flag.startswith("--proxy-server=socks5://127.0.0.1:") for flag in started.flags)


def test_every_byte_went_through_the_recorder_and_is_what_the_sites_sent(run):
    result = compare(run.town, run.tape.decoded())
    assert result.wrong == []
    assert len(result.whole) > 40
    assert result.messages > 20, "of WebSockets"


def test_the_browsers_own_log_is_read_and_knows_every_page(run):
    log = read_browser_log(io.BytesIO(run.browsing.read("network.jsonl")))
    assert not log.torn
    asked = {seen.url for seen in log.seen}
    assert {run.town.url(*page) for page in PAGES} <= asked
    assert run.town.url(SITE, "/worker-data.json") in asked, "a worker's request"
    assert run.town.url(SITE, "/through.txt") in asked, "a service worker's request"


def test_digests_of_bodies_are_those_of_what_was_sent(run):
    log = read_browser_log(io.BytesIO(run.browsing.read("network.jsonl")))
    sent = {one.payload.sha256 for one in run.town.sent if one.completed}
    pictures = [
        seen.body.sha256
        for seen in log.seen
        if seen.body is not None and not seen.body.text and seen.url.endswith(".png")
    ]
    assert pictures
    assert set(pictures) <= sent


def test_a_plain_page_is_whole(run):
    visited = run.visits[SITE, "/"]
    assert (visited.state, visited.reasons, visited.status, visited.failed) == (PageState.LOADED, (), 200, 0)
    (snapped,) = [event for event in run.during(SITE, "/") if isinstance(event, Snapped)]
    stem = f"page-{snapped.number:03}"
    assert snapped.names == (
        f"{stem}-viewport.png", f"{stem}-full-01.png", f"{stem}.txt", f"{stem}-dom.html", f"{stem}.mhtml", f"{stem}.pdf",
    )  # fmt: skip
    assert snapped.missing == ()
    read = run.browsing.read
    assert Image.open(io.BytesIO(read(f"{stem}-viewport.png"))).size == (1000, 700)
    text = read(f"{stem}.txt")
    assert tuple(hashlib.sha256(read(name)).hexdigest() for name in snapped.names) == snapped.sha256
    assert snapped.title in read(f"{stem}-dom.html").decode()
    assert "第二页" in text.decode()
    assert read(f"{stem}.pdf").startswith(b"%PDF-")
    assert b"multipart/related" in read(f"{stem}.mhtml")


def test_text_of_frames_stands_under_their_addresses(run):
    (snapped,) = [event for event in run.during(SITE, "/frames.html") if isinstance(event, Snapped)]
    assert snapped.missing == ()
    data = run.browsing.read(f"page-{snapped.number:03}.txt")
    assert hashlib.sha256(data).hexdigest() in snapped.sha256
    own, *frames = data.decode().split("\n\n==== iframe ")
    assert own.strip() == "外层的文字"
    texts = {address: text for address, _, text in (frame.partition(" ====\n") for frame in frames)}
    assert texts.keys() == {
        run.town.url(SITE, "/frame.html"), run.town.url(MODERN, "/second.html"), "about:srcdoc",
        run.town.url(SITE, "/frame.html?nested"),
    }, "what is not shown is not read"  # fmt: skip
    assert texts[run.town.url(SITE, "/frame.html")].strip() == "内嵌页的文字。"
    assert texts[run.town.url(MODERN, "/second.html")].startswith("第二页")
    assert texts["about:srcdoc"].strip() == "框中的文字"


@pytest.mark.parametrize("name", [SITE, MODERN])
def test_workers_let_a_page_settle(run, name):
    visited = run.visits[name, "/worker.html"]
    assert (visited.state, visited.reasons) == (PageState.LOADED, ())


def test_a_page_of_which_nothing_came_is_not_waited_for(run):
    visited = run.visits[SITE, "/wrong/short"]
    assert visited.state is PageState.FAILED
    (snapped,) = [event for event in run.during(SITE, "/wrong/short") if isinstance(event, Snapped)]
    assert (snapped.names, snapped.missing) == ((), ("capture.snapshot.empty",))
    assert set(visited.reasons) == {
        "capture.page.load_failed", "capture.page.requests_failed", "capture.snapshot.empty",
    }  # fmt: skip


def test_files_are_the_owners_alone(run):
    assert {path.stat().st_mode & 0o777 for path in run.browsing.folder.iterdir()} == {0o600}


def test_a_long_page_is_pictured_to_its_end_in_parts(run):
    (snapped,) = [event for event in run.during(SITE, "/long.html") if isinstance(event, Snapped)]
    parts = [name for name in snapped.names if "-full-" in name]
    heights = [Image.open(io.BytesIO(run.browsing.read(name))).size[1] for name in parts]
    assert len(parts) > 1
    assert sum(heights) == snapped.page_height == snapped.shown_height > 8000


def test_windows_that_pages_open_are_part_of_the_capture(run):
    during = run.during(MODERN, "/popup.html")
    popups = [event for event in during if isinstance(event, Popup)]
    assert [popup.url for popup in popups] == [
        run.town.url(MODERN, "/popped.html"),
        run.town.url(MODERN, "/popped.html?link"),
    ]
    pictured = [event.tab for event in during if isinstance(event, Snapped)]
    assert pictured == [1, *(popup.tab for popup in popups)]
    assert [event.tab for event in during if isinstance(event, TabClosed)] == [popup.tab for popup in popups]


def test_boxes_are_closed_without_consent(run):
    dialogs = [event for event in run.during(SITE, "/dialog.html") if isinstance(event, Dialog)]
    assert [(item.form, item.answer) for item in dialogs[:3]] == [
        ("alert", "closed"),
        ("confirm", "canceled"),
        ("prompt", "canceled"),
    ]
    assert not any(item.by_user for item in dialogs)


def test_permissions_are_refused(run):
    refused = [event for event in run.during(SITE, "/asking.html") if isinstance(event, Refused)]
    assert {item.what for item in refused} == {Denied.PERMISSION}
    assert {"Geolocation", "Notifications"} <= {item.detail for item in refused}


def test_an_address_that_is_a_file_is_kept_as_it_came(run):
    visited = run.visits[SITE, "/contract.pdf"]
    assert (visited.state, visited.reasons) == (PageState.LOADED, ("capture.page.download",))
    download = next(
        event
        for event in run.during(SITE, "/contract.pdf")
        if isinstance(event, Downloaded) and event.state != "started"
    )
    assert download.state == "completed"
    data = run.browsing.read(download.name)
    assert (len(data), hashlib.sha256(data).hexdigest()) == (download.size, download.sha256)
    assert hashlib.sha256(data).digest() in {one.payload.sha256 for one in run.town.sent}


def test_a_download_that_breaks_off_is_told(run):
    visited = run.visits[SITE, "/cut"]
    assert visited.state is PageState.PARTIAL
    assert "capture.page.download_incomplete" in visited.reasons


def test_a_loop_of_redirects_ends(run):
    visited = run.visits[SITE, "/loop"]
    assert visited.state is PageState.FAILED
    assert "capture.page.load_failed" in visited.reasons
    hops = [event for event in run.during(SITE, "/loop") if isinstance(event, Navigated)]
    assert len(hops) > 10
    assert not [event for event in run.during(SITE, "/loop") if isinstance(event, Snapped)], (
        "no other page's picture"
    )


def test_a_page_with_a_status_of_failure_is_a_page(run):
    visited = run.visits[SITE, "/no-such-page"]
    assert (visited.state, visited.status) == (PageState.LOADED, 404)
    assert visited.reasons == ("capture.page.http_error",)
    assert [event for event in run.during(SITE, "/no-such-page") if isinstance(event, Snapped)]


def test_a_faulty_certificate_is_refused_and_recorded(run):
    visited = run.visits[EXPIRED, "/"]
    assert visited.state is PageState.FAILED
    assert visited.reasons[0] == "capture.page.certificate"
    (refusal,) = [event for event in run.during(EXPIRED, "/") if isinstance(event, CertificateRefused)]
    assert (refusal.host, refusal.error) == (EXPIRED, "CertificateDateInvalid")
    assert refusal.main_frame
    assert not refusal.accepted
    assert refusal.chain[0].startswith("-----BEGIN CERTIFICATE-----")
    assert not [event for event in run.during(EXPIRED, "/") if isinstance(event, Snapped)]


def test_a_video_that_cannot_be_played_is_told(run):
    assert run.visits[SITE, "/h264.html"].reasons == ("capture.page.unplayable",)
    (told,) = [event for event in run.during(SITE, "/h264.html") if isinstance(event, Unplayable)]
    assert told.sources == (run.town.url(SITE, "/film.mp4"),)


def test_text_of_another_encoding_is_kept_as_characters(run):
    (snapped,) = [event for event in run.during(PLAIN, "/gbk.html") if isinstance(event, Snapped)]
    assert "国标编码" in snapped.title


def test_cookies_and_storage_are_kept(run):
    (cookies,) = run.browsing.lines("cookies.json")
    session = next(cookie for cookie in cookies["cookies"] if cookie["name"] == "session")
    assert session["http_only"]
    assert session["domain"] == SITE
    (storage,) = run.browsing.lines("storage.json")
    assert storage["origins"][run.town.url(SITE, "").rstrip("/")]["local"] == {"见过": "是"}


def test_events_that_a_server_sends_are_waited_for_and_read(run):
    (snapped,) = [event for event in run.during(MODERN, "/events.html") if isinstance(event, Snapped)]
    assert "5 第5条" in run.browsing.read(f"page-{snapped.number:03}.txt").decode()


def test_the_console_is_kept(run):
    lines = run.browsing.lines("console.jsonl")
    said = " ".join(line["text"] for line in lines)
    assert "警告：𠮷" in said
    assert "无人处理" in said
    assert all(line["at"] > 1_700_000_000_000_000 for line in lines)
