"""The real browser on the test sites: everything it saw is in the record, byte for byte, and the archive holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence_desk.core.job import Job
from evidence_desk.wacz.build import DIFFERENCES, WARC_NAME, build
from evidence_desk.wacz.differences import Comparison, Reason, parse_comparison
from evidence_desk.wacz.stored import read_records
from tests.sites.browsing import browse
from tests.sites.recording import Tape
from tests.sites.town import MODERN, SITE, SOCKET, Town


def visited(folder: Path, *addresses: tuple[str, str]) -> tuple[Tape, Comparison]:
    with Town() as town:
        tape = Tape(town, folder)
        browse(tape, [f"https://{name}:{town.sites[name].port}{path}" for name, path in addresses])
    built = build(tape.workspace, software="Evidence Desk", at=1, job=Job())
    comparison = parse_comparison((folder / DIFFERENCES).read_bytes())
    with (folder / WARC_NAME).open("rb") as warc:
        records = [done for _, done in read_records(warc) if done is not None]
    assert tuple(records) == built.records
    return tape, comparison


def told(comparison: Comparison) -> str:
    return "\n".join(f"{item.reason} {item.url} {item.ours} {item.theirs}" for item in comparison.differences)


def test_pages_over_both_protocols(tmp_path: Path) -> None:
    _, comparison = visited(tmp_path, (SITE, "/"), (MODERN, "/"), (SITE, "/gbk.html"), (SITE, "/packed.html"))
    unexpected = [item for item in comparison.differences if item.reason is not Reason.FAILED_IN_BROWSER]
    assert not unexpected, told(comparison)
    assert comparison.counts[Reason.FAILED_IN_BROWSER] == 1  # /packed-broken.gz
    assert comparison.matched == comparison.requests == comparison.exchanges > 30
    assert comparison.unchecked == 0
    assert comparison.text >= 1
    assert comparison.equal > 25


def test_service_workers_and_sockets(tmp_path: Path) -> None:
    """A worker that lies shows as what it is: an answer that nobody sent."""
    _, comparison = visited(tmp_path, (SITE, "/liar/"), (SOCKET, "/socket.html"), (SITE, "/download.html"))
    assert not comparison.contradictions, told(comparison)
    lies = {
        item.url.rpartition("/")[2] for item in comparison.differences if item.reason is Reason.SERVICE_WORKER
    }
    assert lies == {"truth.txt", "picture.png"}


@pytest.mark.full
def test_pages_that_do_not_behave(tmp_path: Path) -> None:
    paths = (
        "/worker.html",
        "/sw.html",
        "/events.html",
        "/h264.html",
        "/bulk.html",
        "/odd/duplicates",
        "/wrong/short",
    )
    _, comparison = visited(tmp_path, *((SITE, path) for path in paths))
    assert not comparison.contradictions, told(comparison)
    assert comparison.counts[Reason.BOTH_FAILED] >= 1
