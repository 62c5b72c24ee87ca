"""Pages as a story tells them when pages do not stay what they were."""

from __future__ import annotations

import pytest

from evidence_desk.core.capture.events import PageState, Snapped, Visited
from evidence_desk.core.capture.manifest import PageResult
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.capture.story import Story

ADDRESS = "https://site.test/a"


def page(reached: str, *snapshots: tuple[int, str, str]) -> PageResult:
    """Of an address with snapshots (tab, address, title)."""
    story = Story(plan=CapturePlan(urls=(ADDRESS,)))
    for number, (tab, url, title) in enumerate(snapshots, 1):
        story.hear(
            Snapped(
                number=number, tab=tab, url=url, title=title, names=(f"page-{number:03}.txt",), missing=(),
                sha256=("",), page_height=1, shown_height=1,
            )
        )  # fmt: skip
    visited = Visited(
        number=1, url=ADDRESS, reached=reached, status=200, failed=0, state=PageState.LOADED, reasons=()
    )
    story.hear(visited)
    (result,) = story.pages()
    return result


@pytest.mark.parametrize(
    ("shown", "reached", "state"),
    [
        (ADDRESS, ADDRESS, PageState.LOADED),
        ("", ADDRESS, PageState.LOADED),
        (f"{ADDRESS}#top", f"{ADDRESS}#end", PageState.LOADED),
        ("https://site.test/判决?x='", "https://site.test/%E5%88%A4%E5%86%B3?x=%27", PageState.LOADED),
        (ADDRESS, "https://site.test/b", PageState.PARTIAL),
        (ADDRESS, f"{ADDRESS}?2", PageState.PARTIAL),
    ],
)
def test_a_page_that_went_elsewhere_around_its_snapshot_is_not_called_loaded(shown, reached, state):
    result = page(reached, (1, shown, "A"))
    assert result.state is state
    assert ("capture.page.moved" in {item.code for item in result.reasons}) is (state is PageState.PARTIAL)


def test_windows_that_a_page_opens_do_not_name_it():
    result = page(ADDRESS, (1, ADDRESS, "店铺"), (2, "https://site.test/popup", "判决书"))
    assert (result.title, result.state) == ("店铺", PageState.LOADED)
    assert len(result.names) == 2
