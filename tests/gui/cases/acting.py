"""What a person does on the page Cases, and when it is done."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from ui.cases.page import CasesPage

CASE = "(2026)渝0103民初1号"
OTHER = "(2026)渝0103民初2号"


def settled(page: CasesPage, qtbot: QtBot) -> None:
    """Wait until nothing is being read or done."""
    qtbot.waitUntil(
        lambda: not page.context.tasks.busy() and not page.filters.pending and not page.follows,
        timeout=30_000,
    )


def titles(page: CasesPage) -> list[str]:
    """Names listed, of rows that are here."""
    lines = (page.model.held(row) for row in range(page.model.rowCount()))
    return [line.title for line in lines if line is not None]


def choose(page: CasesPage, title: str, qtbot: QtBot) -> None:
    """Open an exhibit's details."""
    page.table.stand_on(titles(page).index(title))
    page.open_detail()
    settled(page, qtbot)
    facts = page.detail.facts
    assert facts is not None
    assert facts.row.title == title
