"""The window of the view: how the capture came out above, everything else in tabs below."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QTabWidget, QVBoxLayout, QWidget

from evidence_desk.core.capture.environment import Reason
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.services.capture_view import CaptureView
from ui.capture.replays import replays_of
from ui.capture.sayings import RESULTS, say_reasons
from ui.capture.view.files import FilesTab
from ui.capture.view.pages import PagesTab
from ui.capture.view.records import ActionsTab, DifferencesTab, EnvironmentTab
from ui.capture.view.requests import RequestsTab
from ui.capture.view.sessions import SessionsTab
from ui.capture.view.tab import ViewTab
from ui.context import Context
from ui.guard import OWN_LOCK
from ui.look import tokens
from ui.page import fitting, scrolled
from ui.plain import plain
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Banner
from ui.words import local_time

_SIZE: Final = (1180, 800)
_TABS: Final = (
    ("pages", PagesTab), ("requests", RequestsTab), ("sessions", SessionsTab), ("differences", DifferencesTab),
    ("actions", ActionsTab), ("environment", EnvironmentTab), ("files", FilesTab),
)  # fmt: skip


class CaptureWindow(QDialog):
    """One capture. That of an `exhibit` (its leaf hash) closes when the vault locks; one from a file stays."""

    def __init__(
        self, context: Context, parent: QWidget | None, view: CaptureView, *, exhibit: bytes | None
    ) -> None:
        super().__init__(parent)
        self._exhibit, loose = exhibit, exhibit is None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.setProperty(OWN_LOCK, loose)
        self._context, self.view = context, view
        context.tongue.bind(self, self.setWindowTitle, "ui_capture.view.title", title=plain(view.title, 80))
        column = QVBoxLayout(self)
        column.setContentsMargins(tokens.L, tokens.L, tokens.L, tokens.L)
        column.setSpacing(tokens.S)
        column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.banner = Banner(context)
        icon, tone = RESULTS[view.manifest.result]
        self.banner.set(tone, icon, f"ui_capture.view.{view.manifest.result.value}", **self._facts())
        column.addWidget(self.banner)
        self.loose = words(context, "ui_capture.view.loose", role="warning")
        self.loose.setVisible(loose)
        column.addWidget(self.loose)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        context.tongue.bind(self.tabs, self.tabs.setAccessibleName, "ui_capture.view")
        self.parts: dict[str, ViewTab[Any]] = {name: kind(context, view) for name, kind in _TABS}
        for part in self.parts.values():
            self.tabs.addTab(part, "")
        self.tabs.addTab(self._limits(), "")
        column.addWidget(self.tabs, 1)
        column.addWidget(words(context, "ui_capture.view.foot", role="secondary"))
        column.addLayout(self._foot(loose=loose))
        self.resize(fitting(self, *_SIZE))
        self.tabs.currentChanged.connect(lambda _: self._load())
        context.tongue.follow(self, self._say)
        if not loose:
            context.desk.locked.connect(self.reject)
        self.finished.connect(self._on_finished)
        self._load()

    def _foot(self, *, loose: bool) -> QHBoxLayout:
        """What needs the vault is there for an exhibit only."""
        context = self._context
        self.replay = button(context, "ui_capture.replay", self._on_replay, icon="play")
        self.disclose = button(context, "ui_capture.disclose", self._on_disclose, icon="file-pen-line")
        for name, widget in (("replay", self.replay), ("disclose", self.disclose)):
            context.tongue.bind(widget, widget.setToolTip, f"ui_capture.{name}.tip")
            context.tongue.bind(widget, widget.setAccessibleDescription, f"ui_capture.{name}.tip")
            widget.setVisible(not loose)
            widget.setAutoDefault(False)
        row = QHBoxLayout()
        row.addWidget(self.replay)
        row.addWidget(self.disclose)
        row.addStretch(1)
        row.addWidget(button(context, "ui.close", self.reject))
        if not loose:
            self._replays = replays_of(context)
            self._replays.changed.connect(self._on_replays)
            self._on_replays()
        return row

    def _on_replays(self) -> None:
        possible = self._exhibit is not None and not self._replays.busy(self._exhibit)
        self.replay.setEnabled(possible and bool(self.view.manifest.pages))

    def _on_replay(self) -> None:
        pages = self.parts["pages"]
        page = pages.page if isinstance(pages, PagesTab) else None
        if self._exhibit is not None:
            self._replays.open(self._exhibit, 1 if page is None else page.number)

    def _on_disclose(self) -> None:
        from ui.capture.disclosure.sheet import DisclosureSheet  # noqa: PLC0415 - large

        if self._exhibit is not None:
            number = format_number(Prefix.EVIDENCE, self._exhibit)
            DisclosureSheet(self._context, self, self._exhibit, number, self.view.manifest).open()

    def _facts(self) -> dict[str, str | int]:
        manifest = self.view.manifest
        return {
            "title": plain(self.view.title, 120), "begun": local_time(manifest.begun), "ended": local_time(manifest.ended),
            "pages": len(manifest.pages), "case": plain(self.view.started.case_number, 80),
        }  # fmt: skip

    def _limits(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, tokens.M, tokens.S, 0)
        column.setSpacing(tokens.M)
        self.why, self.limits = words(self._context), words(self._context)
        for label in (self.why, self.limits):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.why_heading = words(self._context, "ui_capture.view.why", role="heading")
        column.addWidget(self.why_heading)
        column.addWidget(self.why)
        column.addWidget(words(self._context, "ui_capture.view.limits", role="heading"))
        column.addWidget(self.limits)
        column.addStretch(1)
        return scrolled(content)

    def _say(self) -> None:
        say, manifest = self._context.tongue.say, self.view.manifest
        for at, name in enumerate((*self.parts, "limits")):
            self.tabs.setTabText(at, say(f"ui_capture.view.tab.{name}"))
        self.why.setText(say_reasons(self._context.tongue, manifest.reasons, most=200))
        for label in (self.why, self.why_heading):
            label.setVisible(bool(manifest.reasons))
        self.limits.setText(
            say_reasons(self._context.tongue, [Reason(code=code) for code in manifest.limits], most=50)
        )

    def _load(self) -> None:
        part = self.tabs.currentWidget()
        if isinstance(part, ViewTab):
            part.load()

    def _on_finished(self) -> None:
        """What still reads ends first, beside the window; then the plain copy goes."""
        for part in self.parts.values():
            part.stop()
        view, context = self.view, self._context
        context.tasks.run(
            Lane.CPU, lambda _job: view.close(), owner=context.desk, done=lambda _: None, keep=True
        )
