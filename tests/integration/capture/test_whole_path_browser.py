"""Sites → real capture browser → blind proxy → decryption: every response equal, byte for byte, to what was sent."""

import hashlib
import json
from itertools import pairwise

import pytest

from evidence_desk.capture.browser import BrowserFate
from evidence_desk.core.capture.connection import Fate
from evidence_desk.core.capture.events import (
    CertificateRefused,
    Dialog,
    Done,
    Downloaded,
    Ended,
    PageState,
    Popup,
    Snapped,
    Unplayable,
    Visited,
)
from evidence_desk.core.capture.plan import CertificatePolicy
from evidence_desk.wacz.http.exchange import Exchange, MessageKind
from tests.sites import Http1Site
from tests.sites.browsing import Visit, browse, held_against_browser
from tests.sites.pages import account, active, bulk, media, odd, reading
from tests.sites.recording import Comparison, Tape, compare
from tests.sites.town import AGAIN, BAD, GOOD, MODERN, OLD, PLAIN, SITE, SOCKET, STAPLED, Town

BOTH = (SITE, MODERN)
# What is marked ``full`` is visited by test_browser.py too, in one run with other pages, and held against the sites there.


def checked(town: Town, tape: Tape) -> Comparison:
    """All is equal, every session is right, no site had to wonder, and the browser's own log contradicts nothing."""
    result = compare(town, tape.decoded())
    assert result.wrong == []
    for one in tape.decoded():
        if one.tls is not None and one.tls.finished_server is not None:
            assert one.tls.finished_server
            assert one.tls.fault_server is None
            assert one.tls.resumed or str(getattr(one.tls.certificate_verify, "status", "")) == "valid"
    assert {name: site.log.faults for name, site in town.sites.items() if site.log.faults} == {}
    agreement = held_against_browser(tape)
    assert agreement.matched > 0
    assert [item for item in agreement.differences if item.reason.contradicts] == []
    return result


def finished(visit: Visit) -> list[Visited]:
    """It ended in order."""
    assert visit.departure is not None
    assert visit.departure.fate is BrowserFate.ORDERLY
    assert visit.of(Done)[0].reason is Ended.FINISHED
    return visit.of(Visited)


def text(tape: Tape, number: int) -> str:
    with tape.workspace.open(f"page-{number:03}.txt") as file:
        return file.read().decode()


def exchanges(tape: Tape, path: str) -> list[Exchange]:
    return [item for one in tape.decoded() for item in one.exchanges if item.url.endswith(path)]


def urls(town: Town, hosts: tuple[str, ...], *targets: str) -> list[str]:
    return [town.url(host, target) for host in hosts for target in targets]


def test_every_protocol_is_recorded_byte_for_byte(town, tape):
    visit = browse(tape, urls(town, GOOD, "/"))
    assert [one.state for one in finished(visit)] == [PageState.LOADED] * len(GOOD)
    result = checked(town, tape)
    assert result.begun == []
    for name in GOOD:
        got = {what.removeprefix(name) for what in result.whole if what.startswith(f"{name}/")}
        assert got >= set(reading.routes()) - {"/second.html", "/long.html", "/gbk.html", "/favicon.ico"}, (
            name
        )
    tls = {
        one.connection.host: one.tls
        for one in tape.decoded()
        if one.tls and not one.tls.resumed and one.exchanges
    }
    assert tls[AGAIN].hello_retry
    assert tls[STAPLED].ocsp == town.sites[STAPLED].leaf.staple
    assert tls[OLD].version == "TLS 1.2"
    assert tls[MODERN].alpn == "h2"
    assert [snap.missing for snap in visit.of(Snapped)] == [()] * len(GOOD)
    agreement = held_against_browser(tape)
    assert agreement.differences == ()
    assert agreement.matched == agreement.equal == agreement.responses == len(result.whole)
    assert reading.RARE in text(tape, 1)
    assert "脚本已运行" in text(tape, 1)


def test_bad_certificates_are_refused_and_told_and_the_rest_is_recorded(town, tape):
    visit = browse(tape, [town.url(SITE, "/crossing.html"), town.url(BAD[0])])
    first, second = finished(visit)
    assert (first.state, second.state) == (PageState.PARTIAL, PageState.FAILED)
    refused = {event.host: (event.error, event.accepted) for event in visit.of(CertificateRefused)}
    assert refused == {
        "expired.test": ("CertificateDateInvalid", False),
        "self-signed.test": ("CertificateAuthorityInvalid", False),
        "wrong-host.test": ("CertificateCommonNameInvalid", False),
    }
    assert {what.partition("/")[0] for what in checked(town, tape).whole} == set(GOOD) - {PLAIN}
    shown = {one.connection.host: one.tls for one in tape.decoded() if one.connection.host in BAD}
    assert {name: tls.certificates for name, tls in shown.items() if tls} == {
        name: town.sites[name].leaf.chain for name in BAD
    }
    assert not any(town.sites[name].log.sent for name in BAD)


def test_a_bad_certificate_is_accepted_only_when_the_examiner_says_so(town, tape):
    visit = browse(tape, urls(town, BAD, "/"), certificate_errors=CertificatePolicy.ACCEPT)
    assert [one.status for one in finished(visit)] == [200] * 3
    assert all(event.accepted for event in visit.of(CertificateRefused))
    assert {event.host for event in visit.of(CertificateRefused)} == set(BAD)
    assert {what.partition("/")[0] for what in checked(town, tape).whole} == set(BAD)


@pytest.mark.full
def test_workers_and_server_sent_events(town, tape):
    visit = browse(tape, urls(town, BOTH, "/worker.html", "/sw.html", "/events.html"), page_seconds=10)
    assert PageState.FAILED not in {one.state for one in finished(visit)}
    result = checked(town, tape)
    asked = {
        "/worker.js",
        "/worker-part.js",
        "/worker-data.json",
        "/shared.js",
        "/sw.js",
        "/through.txt",
        "/cached.txt",
        "/events",
    }
    assert {name + path for name in BOTH for path in asked} <= set(result.whole)
    assert result.begun == []
    for first in (1, 4):
        assert "6765 线程所取" in text(tape, first)
        assert text(tape, first + 1).count("进了缓存") == 2
        assert "5 第5条" in text(tape, first + 2)


def test_a_service_worker_that_lies_is_found_out_by_the_record(town, tape):
    finished(browse(tape, urls(town, BOTH, "/liar/")))
    assert active.LIE.strip() in text(tape, 1)
    assert active.LIE.strip() in text(tape, 2)
    result = checked(town, tape)
    assert {what for what in result.whole if "truth" in what or "picture" in what} == set(), (
        "never asked of the server"
    )
    assert {f"{name}/liar/other.png" for name in BOTH} <= set(result.whole)
    with tape.workspace.open("network.jsonl") as file:
        lines = [json.loads(line) for line in file]
    made = [
        line["url"]
        for line in lines
        if line["event"] == "responseReceived" and line["service_worker"] and "truth" in line["url"]
    ]
    assert len(made) == 2


def test_websocket_messages_are_those_of_the_site(town, tape):
    socket = town.sites[SOCKET].origin.replace("https", "wss")
    visit = browse(tape, [town.url(SITE, "/socket.html"), town.url(MODERN, f"/socket.html?at={socket}")])
    assert {one.state for one in finished(visit)} == {PageState.LOADED}
    result = checked(town, tape)
    assert result.messages == 2 * (3 * (4 + 4) + 1)
    closed = [item for one in tape.decoded() for item in one.messages if item.kind is MessageKind.CLOSE]
    assert len(closed) == 2 * 3 * 2
    for number in (1, 2):
        assert text(tape, number).count("关闭 1000 再见") == 3


def test_films_are_recorded_whether_they_can_be_played_or_not(town, tape):
    visit = browse(tape, urls(town, BOTH, "/video.html", "/h264.html"))
    states = [one.state for one in finished(visit)]
    assert states == [PageState.LOADED, PageState.PARTIAL] * 2
    assert [event.sources for event in visit.of(Unplayable)] == [
        (town.url(name, "/film.mp4"),) for name in BOTH
    ]
    assert "播放" in text(tape, 1)
    result = checked(town, tape)
    for name in BOTH:
        assert f"{name}/clip.webm" in result.whole + result.begun
        assert f"{name}/film.mp4" in result.whole + result.begun
    assert any(item.status == 206 for item in exchanges(tape, "/clip.webm"))


@pytest.mark.full
def test_downloads_are_those_that_were_sent(town, tape):
    visit = browse(tape, urls(town, BOTH, "/contract.pdf", "/data.bin"))
    finished(visit)
    done = [event for event in visit.of(Downloaded) if event.state == "completed"]
    assert [event.suggested for event in done] == [media.NAME, "data.bin"] * 2
    bodies = {sent.target: sent.payload.sha256.hex() for sent in town.sent}
    assert [event.sha256 for event in done] == [bodies[b"/contract.pdf"], bodies[b"/data.bin"]] * 2
    for event in done:
        with tape.workspace.open(event.name) as file:
            assert hashlib.sha256(file.read()).hexdigest() == event.sha256
    assert len(checked(town, tape).whole) >= 4


def test_login_redirects_and_cookies(town, tape):
    visit = browse(tape, urls(town, BOTH, "/login-auto.html", "/hops/5", "/refresh.html"))
    assert [one.reached.rpartition("/")[2] for one in finished(visit)] == ["account", "0", "account"] * 2
    checked(town, tape)
    posts = [item for item in exchanges(tape, "/login") if item.method == "POST"]
    assert [item.status for item in posts] == [303, 303]
    for item in posts:
        with item.request_payload.open() as file:
            assert b"word=correct+horse" in file.read()
    hops = [item.status for at in range(5, 0, -1) for item in exchanges(tape, f"/hops/{at}")]
    assert hops == [account.STATUSES[at % 5] for at in range(5, 0, -1) for _ in BOTH]
    with tape.workspace.open("cookies.json") as file:
        assert account.SESSION in file.read().decode()


@pytest.mark.full
def test_redirect_loops_end(town, tape):
    visit = browse(tape, urls(town, BOTH, "/loop", "/loop-a"))
    assert {one.state for one in finished(visit)} == {PageState.FAILED}
    assert len(checked(town, tape).whole) > 4 * 10


@pytest.mark.full
def test_popups_and_dialogs_do_not_hold_it_up(town, tape):
    visit = browse(
        tape,
        urls(town, (SITE,), "/popup.html", "/dialog.html", "/console.html", "/asking.html", "/second.html"),
    )
    assert len(finished(visit)) == 5
    assert [event.url.rpartition("/")[2] for event in visit.of(Popup)] == ["popped.html", "popped.html?link"]
    assert [event.form for event in visit.of(Dialog)][:3] == ["alert", "confirm", "prompt"]
    assert {f"{SITE}/popped.html", f"{SITE}/popped.html?link"} <= set(checked(town, tape).whole)
    with tape.workspace.open("console.jsonl") as file:
        console = file.read().decode()
    assert "警告：𠮷" in console
    assert "无人处理" in console


def test_packed_bodies_are_recorded_packed(town, tape):
    finished(browse(tape, [*urls(town, BOTH, "/packed.html"), town.url(SITE, "/bomb.html")]))
    result = checked(town, tape)
    kinds = (".gz", ".deflate", ".br", ".zst")
    assert {f"{name}/packed{kind}" for name in BOTH for kind in kinds} <= set(result.whole)
    assert {f"{SITE}/bomb{kind}" for kind in (".gz", ".br", ".zst")} <= set(result.whole + result.begun)


def test_what_breaks_off_or_has_no_end_is_recorded_as_far_as_it_came(town, tape):
    targets = ("/endless.html", "/slow.html", "/reset", "/cut")
    visit = browse(tape, [*urls(town, BOTH, *targets), town.url(SITE)], page_seconds=2)
    states = [one.state for one in finished(visit)]
    assert PageState.LOADED not in states[:-1]
    assert states[-1] is PageState.LOADED
    result = checked(town, tape)
    expected = {"/endless.html", "/slow", "/reset", "/cut"}
    assert {name + path for name in BOTH for path in expected} <= set(result.begun)
    for item in exchanges(tape, "/reset") + exchanges(tape, "/endless.html"):
        assert not item.complete


def test_answers_that_break_the_rules_are_recorded_as_they_came(town, tape):
    [one] = finished(browse(tape, [town.url(SITE, "/wrong.html")]))
    assert one.status == 200
    assert "完" in text(tape, 1)
    result = checked(town, tape)
    assert {f"{SITE}{target}" for target in odd.wrong()} <= set(result.begun + result.unsent)


def test_oddities_are_recorded_as_they_are(town, tape):
    more_than_said = {"/odd/extra-after"}  # see the raw client's test
    targets = sorted((odd.http1().keys() | odd.both().keys()) - more_than_said)
    addresses = urls(town, (SITE,), *targets) + urls(town, (MODERN,), *sorted(odd.both()))
    visit = browse(tape, addresses, settle_ms=50, scroll=False)
    failed = [one.url for one in finished(visit) if one.state is PageState.FAILED]
    result = checked(town, tape)
    assert result.begun == []
    got = {what for what in result.whole if "/odd/" in what}
    assert {f"{SITE}{target}" for target in targets} | {f"{MODERN}{target}" for target in odd.both()} <= got
    assert failed == urls(town, (SITE,), "/odd/no-content") + urls(town, (MODERN,), "/odd/no-content")


def test_three_hundred_resources(town, tape):
    visit = browse(tape, urls(town, BOTH, "/bulk.html"))
    assert {one.state for one in finished(visit)} == {PageState.LOADED}
    result = checked(town, tape)
    for name in BOTH:
        assert len({what for what in result.whole if what.startswith(f"{name}/bulk/")}) == bulk.COUNT
    assert result.begun == []


def test_a_page_reaches_nothing_near(town, tape):
    with Http1Site("bait.test", {}) as bait:
        visit = browse(tape, [town.url(PLAIN, f"/probe.html?port={bait.port}")])
        finished(visit)
        assert bait.log.connections == 0
    assert json.loads(town.sites[PLAIN].log.to("/probed")[0].request_body) == []
    near = [one for one in tape.connections() if one.host != PLAIN]
    assert len(near) > 15
    assert {one.fate for one in near} <= {Fate.REFUSED, Fate.UNRESOLVED}
    checked(town, tape)


def test_a_killed_browser_leaves_what_it_got(town, tape):
    def kill(driver, event):
        if isinstance(event, Visited) and event.number == 2:
            driver.kill()

    visit = browse(tape, urls(town, BOTH, "/", "/bulk.html"), during=kill)
    assert visit.departure is not None
    assert visit.departure.fate is BrowserFate.KILLED
    result = checked(town, tape)
    assert f"{SITE}/" in result.whole
    assert len(result.whole) > bulk.COUNT
    numbers = [one.number for one in tape.connections()]
    assert all(after == before + 1 for before, after in pairwise(sorted(numbers)))
