"""The menus of the page: deeds of the case, documents, and those of the list; the same as its buttons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from ui.cases.cases import CaseLine
from ui.cases.deeds import Deeds
from ui.cases.finding import Chosen
from ui.cases.papers import Paper
from ui.context import Context
from ui.widgets.buttons import bind_small_icon


class Host(Protocol):
    """The page, as far as its menus know it."""

    deeds: Deeds

    @property
    def chosen(self) -> Chosen:
        """The selected exhibits."""
        ...

    @property
    def chosen_or_all(self) -> Chosen:
        """The selected exhibits, or all that are listed."""
        ...

    @property
    def case_number(self) -> str | None:
        """The chosen case."""
        ...

    def open_detail(self) -> None:
        """Show the current exhibit."""
        ...


class Menus:
    """See the module."""

    def __init__(self, context: Context, page: Host, parent: QWidget) -> None:
        self._context, self._page = context, page
        self.case, self.papers, self.rows = QMenu(parent), QMenu(parent), QMenu(parent)
        self.case_button = self._button("ui_cases.case.deeds", "folder", self.case)
        self.papers_button = self._button("ui_cases.papers", "file-text", self.papers)
        self._case_menu()
        self._paper_menu(self.papers)
        self._row_menu()

    def show_case(self, line: CaseLine | None) -> None:
        """Offer what can be done with a case."""
        gone = line is not None and line.case.erased is not None
        archived = line is not None and line.case.archived is not None
        self.case_button.setVisible(line is not None)
        for action in (*self._bundles, self.erase):
            action.setEnabled(line is not None and not gone)
        for action in self._bundles:
            action.setEnabled(line is not None and not gone and line.case.exhibits > 0)
        self.archive.setVisible(not archived)
        self.unarchive.setVisible(archived)

    def certify(self) -> None:
        """Certify what is selected."""
        self._page.deeds.certify(self._page.chosen)

    def export(self) -> None:
        """Export what is selected."""
        self._page.deeds.export(self._page.chosen)

    def recheck(self) -> None:
        """Re-check what is selected."""
        self._page.deeds.recheck(self._page.chosen)

    def _case_menu(self) -> None:
        deeds = self._page.deeds
        self._bundles = (
            self._add(
                self.case,
                "ui_cases.bundle.save",
                self._of_case(lambda case: deeds.bundle(case, packages=False)),
            ),
            self._add(
                self.case,
                "ui_cases.bundle.save_with",
                self._of_case(lambda case: deeds.bundle(case, packages=True)),
            ),
        )
        self.case.addSeparator()
        self.archive = self._add(
            self.case, "ui_cases.archive", self._of_case(lambda case: deeds.archive(case, archived=True))
        )
        self.unarchive = self._add(
            self.case, "ui_cases.unarchive", self._of_case(lambda case: deeds.archive(case, archived=False))
        )
        self.case.addSeparator()
        self.erase = self._add(self.case, "ui_cases.erase", self._of_case(deeds.erase))

    def _paper_menu(self, menu: QMenu) -> None:
        for paper in Paper:
            self._add(menu, f"ui_cases.paper.{paper.value}", partial(self._paper, paper))

    def _paper(self, paper: Paper) -> None:
        self._page.deeds.paper(paper, self._page.chosen_or_all)

    def _row_menu(self) -> None:
        self._add(self.rows, "ui_cases.do.open", self._page.open_detail)
        self.rows.addSeparator()
        self._add(self.rows, "ui_cases.do.certify", self.certify)
        self._add(self.rows, "ui_cases.do.export", self.export)
        self._add(self.rows, "ui_cases.do.recheck", self.recheck)
        papers = self.rows.addMenu("")
        self._context.tongue.bind(papers, papers.setTitle, "ui_cases.papers")
        self._paper_menu(papers)

    def _of_case(self, act: Callable[[str], None]) -> Callable[[], None]:
        def run() -> None:
            case = self._page.case_number
            if case is not None:
                act(case)

        return run

    def _button(self, code: str, icon: str, menu: QMenu) -> QPushButton:
        result = QPushButton()
        self._context.tongue.bind(result, result.setText, code)
        bind_small_icon(self._context, result, icon)
        result.setMenu(menu)
        return result

    def _add(self, menu: QMenu, code: str, act: Callable[[], object]) -> QAction:
        action = QAction(menu)
        self._context.tongue.bind(action, action.setText, code)
        action.triggered.connect(lambda _checked=False: act())
        menu.addAction(action)
        return action
