"""Sites that mean harm, in one capture of the whole use case: every page ends, all of it is recorded, sealed and verifies."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from evidence_desk.capture import browser, conductor
from evidence_desk.core.capture.connection import Fate
from evidence_desk.core.capture.events import PageState
from evidence_desk.core.capture.manifest import Manifest, parse_manifest
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.services.capture import CaptureControl, CaptureOutcome
from evidence_desk.wacz.http.exchange import Exchange
from tests.integration.capture.desk.conftest import open_desk, taken
from tests.integration.capture.desk.faults import Family, Sealed, checked, codes
from tests.sites.pages import active, odd
from tests.sites.recording import Comparison, Doors, compare
from tests.sites.town import SITE, Town

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform != "linux", reason="processes of Linux"),
]
BIG = 20_000_000
PAGES = {
    "/loop": "failed",
    "/loop-a": "failed",
    "/endless.html": "partial",
    "/slow.html": "partial",
    "/slow-head": "failed",
    "/reset": "partial",
    "/cut": "partial",
    f"/big.html?size={BIG}": "loaded",
    "/bomb.html": "",
    "/wrong.html": "partial",
    "/popup.html": "loaded",
    "/contract.pdf": "loaded",
    "/liar/": "loaded",
}
"""What becomes of each; "" where it depends on how fast the machine is."""


class Hostile:
    """One capture of all of it."""

    def __init__(
        self, town: Town, sealed: Sealed, outcome: CaptureOutcome, found: tuple[Comparison, list[Exchange]]
    ) -> None:
        self.town, self.sealed, self.outcome = town, sealed, outcome
        self.comparison, self.exchanges = found
        assert outcome.capture.manifest is not None
        self.manifest: Manifest = parse_manifest(outcome.capture.manifest)
        self.states = {
            page.url.removeprefix(town.sites[SITE].origin): page.state.value for page in self.manifest.pages
        }

    def of(self, path: str) -> list[Exchange]:
        return [item for item in self.exchanges if item.url == self.town.url(SITE, path)]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Local addresses are not allowed; the sites alone have a door."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    with (
        Town() as town, pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as near,
        socket.create_server(("127.0.0.1", 0)) as reserved,
    ):  # fmt: skip
        near.setblocking(False)
        debug_port = int(reserved.getsockname()[1])
        reserved.close()
        doors = frozenset(site.port for site in town.sites.values())
        patch.setattr(
            conductor, "Guard", lambda *, allow_private: Doors(allow_private=allow_private, doors=doors)
        )
        patch.setattr(browser, "free_port", lambda: debug_port)
        probes = [f"/probe.html?port={near.getsockname()[1]}", f"/probe.html?port={debug_port}"]
        processes = Family()
        session = open_desk(folder)
        outcome = taken(
            session, town, *(f"{SITE}{path}" for path in (*PAGES, *probes)), allow_private=False, page_seconds=3,
            settle_ms=200, control=CaptureControl(told=processes.told),
        )  # fmt: skip
        with pytest.raises(BlockingIOError):
            near.accept()
        assert processes.gone()
        sealed = checked(session, outcome)
        with sealed.decoded() as decoded:
            exchanges = [item for one in decoded for item in one.exchanges]
            yield Hostile(town, sealed, outcome, (compare(town, decoded), exchanges))
        session.close()


def test_every_page_ends_and_the_result_says_how(hostile):
    assert hostile.outcome.result is CaptureResult.PARTIAL
    assert codes(hostile.outcome) == {"capture.reason.pages_failed", "capture.reason.pages_partial"}
    assert {path: hostile.states[path] for path, state in PAGES.items() if state} == {
        path: state for path, state in PAGES.items() if state
    }
    assert hostile.manifest.counts.get("crashes", 0) == 0


def test_every_byte_that_came_is_sealed(hostile):
    assert hostile.comparison.wrong == []
    begun = {"/endless.html", "/slow", "/reset", "/cut"}
    assert {f"{SITE}{path}" for path in begun} <= set(hostile.comparison.begun)
    for path in begun:
        assert not any(item.complete for item in hostile.of(path)), path


def test_redirect_loops_end(hostile):
    assert 10 < len(hostile.of("/loop")) + len(hostile.of("/loop?again")) < 60
    assert {item.status for item in hostile.of("/loop-b")} == {308}


def test_a_large_body_is_whole(hostile):
    (item,) = hostile.of(f"/big.bin?size={BIG}")
    assert item.complete
    assert item.response_body.size == BIG
    assert f"{SITE}/big.bin?size={BIG}" in hostile.comparison.whole


def test_bombs_are_kept_packed(hostile):
    got = {path: hostile.of(path) for path in ("/bomb.gz", "/bomb.br", "/bomb.zst")}
    assert hostile.of("/bomb.gz")
    for path, items in got.items():
        for item in items:
            assert item.response_body.size < 2_000_000, path


def test_answers_that_break_the_rules_are_kept(hostile):
    known = {what for what in hostile.comparison.begun + hostile.comparison.unsent if "/wrong/" in what}
    assert {f"{SITE}{path}" for path in odd.wrong()} <= known


def test_nothing_near_is_reached(hostile):
    posts = hostile.town.sites[SITE].log.to("/probed")
    assert [sent.request_body for sent in posts] == [b"[]", b"[]"]
    ours = {site.port for site in hostile.town.sites.values()}
    near = [item for item in hostile.sealed.connections if item.port not in ours]
    # a slow machine gives up some of the sixty before they are tried; those that are tried end here
    assert len(near) > 10
    assert {item.fate for item in near} <= {Fate.REFUSED, Fate.UNRESOLVED}
    assert {"loopback", "own-port"} <= {str(item.reason) for item in near}
    assert hostile.manifest.counts["refused_connections"] > 10


def test_popups_and_downloads_are_kept(hostile):
    assert hostile.manifest.counts["popups"] == 2
    kinds = [line for line in hostile.sealed.lines("actions.jsonl") if line["kind"] == "download"]
    states = {(line["facts"]["url"].rpartition("/")[2], line["facts"]["state"]) for line in kinds}
    assert ("contract.pdf", "completed") in states
    pdf = next(line["facts"] for line in kinds if line["facts"]["state"] == "completed")
    assert hostile.sealed.read(pdf["name"]).startswith(b"%PDF")
    assert "/popped.html" in {item.url.rpartition("test")[2][6:] for item in hostile.exchanges}


def test_a_service_worker_that_lies_is_told_as_a_difference(hostile):
    assert not hostile.of("/liar/truth.txt")
    text = next(
        hostile.sealed.read(name).decode()
        for page in hostile.manifest.pages if page.url.endswith("/liar/") for name in page.names if name.endswith(".txt")
    )  # fmt: skip
    assert active.LIE.strip() in text
    said = hostile.sealed.read("differences.json").decode()
    assert "/liar/truth.txt" in said
    assert hostile.manifest.counts["differences"] > 0


def test_an_endless_stream_ends_at_the_limit_of_bytes(tmp_path: Path):
    with Town() as town:
        session = open_desk(tmp_path)
        outcome = taken(session, town, f"{SITE}/", f"{SITE}/endless", max_bytes=30_000_000, page_seconds=20)
        assert outcome.result is CaptureResult.PARTIAL
        assert "capture.byte_limit" in codes(outcome)
        sealed = checked(session, outcome)
        with sealed.decoded() as decoded:
            assert compare(town, decoded).wrong == []
        assert sum(item.received for item in sealed.connections) <= 30_000_000
        session.close()


def test_what_follows_an_endless_stream_is_captured(tmp_path: Path):
    with Town() as town:
        session = open_desk(tmp_path)
        outcome = taken(session, town, f"{SITE}/endless", f"{SITE}/", max_bytes=30_000_000, page_seconds=20)
        assert outcome.result is CaptureResult.PARTIAL
        assert "capture.reason.share_spent" in codes(outcome)
        assert "capture.byte_limit" not in codes(outcome)
        assert outcome.pages[1].state is PageState.LOADED, outcome.pages
        sealed = checked(session, outcome)
        with sealed.decoded() as decoded:
            found = compare(town, decoded)
        assert found.wrong == []
        assert f"{SITE}/" in found.whole
        cut = [item for item in sealed.connections if item.reason == "page-bytes"]
        assert 0 < sum(item.received for item in cut) <= 15_000_000
        assert [line["reason"] for line in sealed.lines("notices.jsonl") if line["kind"] == "limit"] == [
            "page-bytes"
        ]
        session.close()


@pytest.mark.full
def test_two_hundred_megabytes(tmp_path: Path):
    with Town() as town:
        session = open_desk(tmp_path)
        outcome = taken(session, town, f"{SITE}/big.html", page_seconds=120)
        assert outcome.result is CaptureResult.COMPLETE, outcome.reasons
        with checked(session, outcome).decoded() as decoded:
            found = compare(town, decoded)
        assert found.wrong == []
        assert f"{SITE}/big.bin" in found.whole
        session.close()
