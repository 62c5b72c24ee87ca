"""What the browser told, made into pages and a result."""

from collections.abc import Sequence

import pytest

from evidence_desk.core.capture.environment import Reason
from evidence_desk.core.capture.events import Done, Ended, Event, Fault, PageState, Snapped, Visited
from evidence_desk.core.capture.plan import CaptureMode, CapturePlan
from evidence_desk.core.capture.ports import BrowserEnd, Recorded
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.capture.story import Story, judge

SHOP, HELP = "https://shop.example/", "https://shop.example/help"
FINE = Recorded(browser=BrowserEnd.FINISHED, fault=None)


def story(
    *events: Event, mode: CaptureMode = CaptureMode.AUTOMATIC, urls: Sequence[str] = (SHOP, HELP)
) -> Story:
    told = Story(plan=CapturePlan(urls=tuple(urls), mode=mode))
    for event in events:
        told.hear(event)
    return told


def snapped(number: int, *missing: str, tab: int = 1, title: str = "店铺") -> Snapped:
    return Snapped(
        number=number, tab=tab, url=(SHOP, HELP)[min(number, 2) - 1], title=title, names=(f"page-{number:03}.txt",), missing=missing,
        sha256=("",), page_height=700, shown_height=700,
    )  # fmt: skip


def visited(number: int, *reasons: str, state: PageState = PageState.LOADED) -> Visited:
    url = (SHOP, HELP)[number - 1]
    return Visited(number=number, url=url, reached=url, status=200, failed=0, state=state, reasons=reasons)


def done(reason: Ended = Ended.FINISHED) -> Done:
    return Done(reason=reason, steps=0, snapshots=2, requests=2, failed=0)


def codes(reasons: Sequence[Reason]) -> list[str]:
    return [reason.code for reason in reasons]


def test_what_a_snapshot_lacks_is_said_once():
    lacks = ("capture.snapshot.pdf", "capture.snapshot.mhtml")
    first, _ = story(
        snapped(1, *lacks),
        visited(1, "capture.page.requests_failed", *lacks, state=PageState.PARTIAL),
        snapped(2), visited(2), done(),
    ).pages()  # fmt: skip
    assert first.state is PageState.PARTIAL
    assert codes(first.reasons) == ["capture.page.requests_failed", *lacks]


@pytest.mark.parametrize("note", ["capture.page.download", "capture.page.http_error"])
def test_a_note_is_told_and_leaves_the_capture_complete(note):
    told = story(snapped(1), visited(1, note), snapped(2), visited(2), done())
    assert codes(told.pages()[0].reasons) == [note]
    assert judge(told, FINE, ()) == (CaptureResult.COMPLETE, ())


def test_a_window_that_a_page_opened_counts_to_it():
    told = story(
        snapped(1), snapped(2, "capture.snapshot.pdf", tab=2, title="广告"), visited(1),
        snapped(3, title="帮助"), visited(2), done(),
    )  # fmt: skip
    first, second = told.pages()
    assert (first.title, first.names) == ("店铺", ("page-001.txt", "page-002.txt"))
    assert (first.state, codes(first.reasons)) == (PageState.PARTIAL, ["capture.snapshot.pdf"])
    assert (second.title, second.state) == ("帮助", PageState.LOADED)


def test_an_address_that_was_not_reached_is_told():
    told = story(snapped(1), done(Ended.STOPPED))
    assert [(page.state, codes(page.reasons)) for page in told.pages()] == [
        (PageState.PARTIAL, ["capture.reason.not_visited"]),
        (PageState.FAILED, ["capture.reason.not_visited"]),
    ]
    result, reasons = judge(told, FINE, ())
    assert result is CaptureResult.PARTIAL
    assert codes(reasons) == [
        "capture.reason.stopped",
        "capture.reason.pages_failed",
        "capture.reason.pages_partial",
    ]


def test_each_snapshot_of_a_person_is_a_page():
    told = story(
        snapped(1), snapped(2, "capture.snapshot.pdf"), done(), mode=CaptureMode.INTERACTIVE, urls=(SHOP,)
    )
    assert [page.state for page in told.pages()] == [PageState.LOADED, PageState.PARTIAL]


def test_no_page_at_all_is_a_failure():
    told = story(done(), mode=CaptureMode.INTERACTIVE, urls=())
    assert judge(told, FINE, ())[0] is CaptureResult.FAILED


def test_a_fault_of_one_kind_is_said_once():
    faults = [Fault(code="capture.browser_fault", detail=str(number)) for number in range(3)]
    told = story(*faults, snapped(1), visited(1), snapped(2), visited(2), done())
    result, reasons = judge(told, FINE, ())
    assert (result, codes(reasons)) == (CaptureResult.PARTIAL, ["capture.browser_fault"])
