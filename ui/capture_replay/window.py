"""The window of the replay browser: what this is and from when, pages, the page itself, requests that were not answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.core.capture.events import Denied, Dialog, Event, Refused
from evidence_desk.core.capture.replay import ReplayOrder
from evidence_desk.core.certificate import beijing_text
from ui.capture_browser.page import EMPTY
from ui.capture_browser.tabs import Tab
from ui.capture_replay.archive import Archive, RecordedPage
from ui.capture_replay.supply import Unanswered
from ui.language import Tongue
from ui.look import tokens
from ui.look.look import Look
from ui.plain import plain

MAX_LISTED: Final = 2000
_SIDE: Final = 300
_LONGEST: Final = 300
_PAGE: Final = Qt.ItemDataRole.UserRole


class ReplayWindow(QWidget):
    """What the person sees; wishes go out as signals."""

    chosen = Signal(object)
    """A `RecordedPage` to show from its beginning."""
    scripts = Signal(bool)
    """Scripts are to run, or not."""
    closed = Signal()

    def __init__(self, tongue: Tongue, look: Look, order: ReplayOrder, archive: Archive, tab: Tab) -> None:
        super().__init__()
        self._tongue, self._look, self._order, self._archive, self._tab = tongue, look, order, archive, tab
        self._unanswered: Counter[Unanswered] = Counter()
        self._rows: dict[Unanswered, QListWidgetItem] = {}
        self._current: RecordedPage | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, tokens.S, 0, 0)
        column.setSpacing(tokens.S)
        column.addLayout(_inset(self._banner()))
        column.addLayout(_inset(self._bar()))
        self._message = _label("failed")
        self._message.hide()
        column.addLayout(_inset(self._message))
        self._split = split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self._side())
        tab.view.setMinimumSize(320, 240)
        tongue.bind(tab.view, tab.view.setAccessibleName, "capture_replay.view")
        split.addWidget(tab.view)
        split.setStretchFactor(1, 1)
        split.setHandleWidth(1)
        column.addWidget(split, 1)
        tongue.bind(self, self.setWindowTitle, "capture_replay.title", number=order.number)
        tab.page.urlChanged.connect(lambda _url: self._on_address())
        self._make_shortcuts()

    # what the replay tells

    def fit(self) -> None:
        """The page as large as it was captured, as far as the screen allows."""
        width, height = self._archive.plan.viewport
        above = self.sizeHint().height() - self._split.sizeHint().height()
        wanted = QSize(width + _SIDE + 1, height + max(above, 0))
        screen = self.screen()
        self.resize(wanted if screen is None else wanted.boundedTo(screen.availableSize()))
        self._split.setSizes([_SIDE, max(320, self.width() - _SIDE - 1)])

    def choose(self, number: int) -> None:
        """Show the page with this number, else the first."""
        rows = [page.number for page in self._archive.pages]
        self._pages.setCurrentRow(rows.index(number) if number in rows else 0)

    def choose_again(self) -> None:
        """Show the present page from its beginning."""
        if self._current is not None:
            self.chosen.emit(self._current)

    def showing(self, page: RecordedPage) -> None:
        """A page begins to be shown."""
        self._current = page
        self._unanswered.clear()
        self._rows.clear()
        self._list.clear()
        self._count()
        self.tell("")

    def missing(self, url: str) -> None:
        """The address of the window was not answered; "" when it was."""
        if url:
            self.tell("capture_replay.page_missing", url=plain(url, _LONGEST))

    def tell(self, code: str, **facts: str | int) -> None:
        """A sentence above the page; no code takes it away."""
        self._message.setVisible(bool(code))
        if code:
            self._tongue.bind(self._message, self._message.setText, code, **facts)

    def hear(self, event: Event) -> None:
        """What the page wanted beside its content."""
        match event:
            case Dialog():
                self.tell("capture_replay.dialog", text=plain(event.text, _LONGEST))
            case Refused() if event.what is not Denied.FULL_SCREEN:
                self.tell("capture_replay.refused")
            case _:
                return

    def add_unanswered(self, item: Unanswered) -> None:
        """One more request without answer, or with a part of one."""
        self._unanswered[item] += 1
        row = self._rows.get(item)
        if row is None:
            if len(self._rows) >= MAX_LISTED:
                return
            row = self._rows[item] = QListWidgetItem(self._list)
            row.setToolTip(plain(item.url, 2000))
        reason = self._tongue.say(f"capture_replay.miss.{item.reason}")
        times = self._unanswered[item]
        again = self._tongue.say("capture_replay.times", count=times) if times > 1 else ""
        row.setText(f"{item.method} {plain(item.url, _LONGEST)}\n{reason}{again}")
        self._count()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The replay ends."""
        event.ignore()
        self.closed.emit()

    # parts

    def _banner(self) -> QWidget:
        frame = QFrame()
        frame.setProperty("banner", "warning")
        column = QVBoxLayout(frame)
        column.setContentsMargins(tokens.M, tokens.S, tokens.M, tokens.S)
        column.setSpacing(tokens.XS)
        head, facts = _label("warning"), _label("secondary")
        font = head.font()
        font.setBold(True)
        head.setFont(font)
        self._tongue.bind(head, head.setText, "capture_replay.banner")
        manifest = self._archive.manifest
        self._tongue.bind(
            facts, facts.setText, "capture_replay.facts", number=self._order.number,
            begun=beijing_text(manifest.begun), ended=beijing_text(manifest.ended),
        )  # fmt: skip
        facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(head)
        column.addWidget(facts)
        frame.setAccessibleName(f"{head.text()} {facts.text()}")
        return frame

    def _bar(self) -> QWidget:
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.XS)
        page = self._tab.page
        for code, icon, where in (
            ("capture.window.back", "arrow-left", page.WebAction.Back),
            ("capture.window.forward", "arrow-right", page.WebAction.Forward),
        ):
            action = page.action(where)
            button = self._icon_button(code, icon, action.trigger)
            button.setEnabled(action.isEnabled())
            action.enabledChanged.connect(button.setEnabled)
            row.addWidget(button)
        row.addWidget(self._icon_button("capture_replay.again", "refresh-cw", self.choose_again))
        self._address = QLineEdit()
        self._address.setReadOnly(True)
        self._tongue.bind(self._address, self._address.setAccessibleName, "capture_replay.address")
        row.addWidget(self._address, 1)
        row.addSpacing(tokens.S)
        scripts = QCheckBox()
        scripts.setChecked(self._order.scripts)
        self._tongue.bind(scripts, scripts.setText, "capture_replay.scripts")
        self._tongue.bind(scripts, scripts.setToolTip, "capture_replay.scripts.tip")
        scripts.toggled.connect(self.scripts)
        row.addWidget(scripts)
        return bar

    def _side(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(tokens.S, 0, tokens.S, tokens.S)
        column.setSpacing(tokens.XS)
        heading = _label("heading")
        self._tongue.bind(heading, heading.setText, "capture_replay.pages", count=len(self._archive.pages))
        self._pages = _list()
        self._tongue.bind(
            self._pages, self._pages.setAccessibleName, "capture_replay.pages", count=len(self._archive.pages)
        )
        for page in self._archive.pages:
            title = plain(page.title or self._tongue.say("capture_replay.untitled"), _LONGEST)
            item = QListWidgetItem(f"{page.number}  {title}\n{plain(page.url, _LONGEST)}", self._pages)
            item.setData(_PAGE, page)
            item.setToolTip(plain(page.url, 2000))
        self._pages.currentItemChanged.connect(self._on_chosen)
        self._pages.itemActivated.connect(lambda _item: self.choose_again())
        self._heading = _label("heading")
        self._list = _list()
        self._list.setWordWrap(True)
        for widget, stretch in ((heading, 0), (self._pages, 1), (self._heading, 0), (self._list, 1)):
            column.addWidget(widget, stretch)
        self._count()
        return side

    def _count(self) -> None:
        count = len(self._unanswered)
        for setter in (self._heading.setText, self._list.setAccessibleName):
            self._tongue.bind(self._list, setter, "capture_replay.unanswered", count=count)

    def _icon_button(self, code: str, icon: str, clicked: Callable[[], object]) -> QToolButton:
        result = QToolButton()
        result.setIconSize(QSize(tokens.ICON, tokens.ICON))
        result.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._look.bind_icon(result, result.setIcon, icon)
        self._tongue.bind(result, result.setToolTip, code)
        self._tongue.bind(result, result.setAccessibleName, code)
        result.clicked.connect(lambda _checked=False: clicked())
        return result

    def _make_shortcuts(self) -> None:
        page = self._tab.page
        for keys, deal in (
            ("Alt+Left", lambda: page.triggerAction(page.WebAction.Back)),
            ("Alt+Right", lambda: page.triggerAction(page.WebAction.Forward)),
            ("F5", self.choose_again),
            ("Ctrl+R", self.choose_again),
            ("Ctrl+L", self._address.setFocus),
            ("F6", self._on_next_part),
            ("Ctrl+W", self.close),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(deal)

    # what the person does

    def _on_chosen(self, item: QListWidgetItem | None, _before: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(item.data(_PAGE))

    def _on_next_part(self) -> None:
        """From the page to its list to the other list and back: a page may keep the tabulator for itself."""
        parts = [self._pages, self._list, self._tab.view]
        inside = [part.hasFocus() or part.isAncestorOf(self.focusWidget() or self) for part in parts]
        parts[(inside.index(True) + 1) % len(parts) if True in inside else 0].setFocus()

    def _on_address(self) -> None:
        address = self._tab.page.address
        self._address.setText("" if address == EMPTY else address)
        self._address.setCursorPosition(0)


def _label(role: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    return label


def _list() -> QListWidget:
    result = QListWidget()
    result.setTextElideMode(Qt.TextElideMode.ElideRight)
    result.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    result.setTabKeyNavigation(False)
    result.setMinimumHeight(96)
    return result


def _inset(widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(tokens.S, 0, tokens.S, 0)
    row.addWidget(widget)
    return row
