"""The window of the capture browser: pages, address, recording sign. In automatic mode it only shows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.core.capture.plan import CaptureMode, CapturePlan, completed_address
from evidence_desk.errors import UsageError
from ui.capture_browser.page import EMPTY
from ui.capture_browser.sign import RecordingSign
from ui.capture_browser.tabs import Tab, Tabs
from ui.language import Tongue
from ui.look import tokens
from ui.look.look import Look
from ui.notice import Question
from ui.plain import plain


class CaptureWindow(QWidget):
    """What the person sees; wishes go out as signals."""

    went = Signal(str)
    """To an address."""
    back = Signal()
    forward = Signal()
    reload = Signal()
    snapshot = Signal()
    switched = Signal(object)
    """To a tab."""
    closed = Signal(object)
    """A tab, by the person."""
    finished = Signal()
    abandoned = Signal()

    def __init__(self, tongue: Tongue, look: Look, plan: CapturePlan, tabs: Tabs) -> None:
        super().__init__()
        self._tongue, self._look, self._plan, self._tabs = tongue, look, plan, tabs
        self._interactive = plan.mode is CaptureMode.INTERACTIVE
        self._over = self._quiet = False
        self._shown: list[Tab] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, tokens.S, 0, 0)
        column.setSpacing(tokens.S)
        self._bar = QWidget()
        column.addWidget(self._bar)
        self._fill_bar()
        self.sign = RecordingSign(tongue, look, plan.max_seconds, 0 if self._interactive else len(plan.urls))
        column.addLayout(_inset(self.sign))
        self._message = QLabel()
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self._message.setProperty("role", "failed")
        self._message.hide()
        column.addLayout(_inset(self._message))
        self._bar_of_tabs = QTabBar()
        self._bar_of_tabs.setTabsClosable(self._interactive)
        self._bar_of_tabs.setExpanding(False)
        self._bar_of_tabs.setElideMode(Qt.TextElideMode.ElideRight)
        self._bar_of_tabs.hide()
        self._bar_of_tabs.currentChanged.connect(self._on_tab_chosen)
        self._bar_of_tabs.tabCloseRequested.connect(self._on_tab_close)
        tongue.bind(self._bar_of_tabs, self._bar_of_tabs.setAccessibleName, "capture.window.tabs")
        column.addWidget(self._bar_of_tabs)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setStyleSheet(f"color: {look.colors.line};")
        line.setFixedHeight(1)
        column.addWidget(line)
        self._pages = QStackedWidget()
        column.addWidget(self._pages, 1)
        title = "capture.window.title" if self._interactive else "capture.window.title_automatic"
        tongue.bind(self, self.setWindowTitle, title)
        tabs.added.connect(self._on_added)
        tabs.removed.connect(self._on_removed)
        self._make_shortcuts()

    @property
    def current(self) -> Tab:
        """The tab in front."""
        return self._shown[max(0, self._bar_of_tabs.currentIndex())]

    def fit(self) -> None:
        """As large as the page is to be, as far as the screen allows."""
        width, height = self._plan.viewport
        chrome = self.sizeHint().height() - self._pages.sizeHint().height()
        self.resize(width, height + max(chrome, 0))

    def bring_to_front(self, tab: Tab) -> None:
        """Show a tab: what is hidden is not painted, and cannot be pictured."""
        if tab in self._shown and tab is not self.current:
            self._quiet = True
            self._bar_of_tabs.setCurrentIndex(self._shown.index(tab))
            self._quiet = False

    def say(self, code: str, **facts: str | int) -> None:
        """A sentence above the page; no code takes it away. What pages say in it is made harmless."""
        self._message.setVisible(bool(code))
        if code:
            told = {name: plain(str(fact)) for name, fact in facts.items()}
            self._tongue.bind(self._message, self._message.setText, code, **told)

    def saving(self) -> None:
        """The end is being written: nothing can be done any more."""
        self._over = True
        self.sign.saving()
        self._bar.setEnabled(False)
        self._pages.setEnabled(False)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing is finishing, once it was asked."""
        event.ignore()
        self._ask_finish()

    # parts

    def _fill_bar(self) -> None:
        row = QHBoxLayout(self._bar)
        row.setContentsMargins(tokens.S, 0, tokens.S, 0)
        row.setSpacing(tokens.XS)
        self.address = QLineEdit()
        self.address.setReadOnly(not self._interactive)
        self._tongue.bind(self.address, self.address.setAccessibleName, "capture.window.address")
        if self._interactive:
            for code, icon, signal in (
                ("capture.window.back", "arrow-left", self.back),
                ("capture.window.forward", "arrow-right", self.forward),
                ("capture.window.reload", "refresh-cw", self.reload),
            ):
                row.addWidget(self._icon_button(code, icon, signal.emit))
            self._tongue.bind(self.address, self.address.setPlaceholderText, "capture.window.address_hint")
            self.address.returnPressed.connect(self._on_address)
        row.addWidget(self.address, 1)
        row.addSpacing(tokens.S)
        if self._interactive:
            row.addWidget(self._button("capture.window.snapshot", "camera", "text", self.snapshot.emit))
        finish = self._button(
            "capture.window.finish" if self._interactive else "capture.window.stop", "circle-check",
            "on_accent" if self._interactive else "text", self._ask_finish,
        )  # fmt: skip
        finish.setProperty("main", self._interactive)
        row.addWidget(finish)
        abandon = self._button("capture.window.abandon", "trash-2", "failed", self._ask_abandon)
        abandon.setProperty("danger", True)
        row.addWidget(abandon)

    def _button(self, code: str, icon: str, role: str, clicked: Callable[[], object]) -> QPushButton:
        result = QPushButton()
        result.setIconSize(QSize(tokens.L + 4, tokens.L))
        self._look.bind_icon(result, result.setIcon, icon, role, 5)
        self._tongue.bind(result, result.setText, code)
        self._tongue.bind(result, result.setToolTip, f"{code}.tip")
        result.clicked.connect(lambda _checked=False: clicked())
        return result

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
        if not self._interactive:
            return
        for keys, deal in (
            ("Ctrl+L", self._on_focus_address),
            ("Alt+Left", self.back.emit),
            ("Alt+Right", self.forward.emit),
            ("F5", self.reload.emit),
            ("Ctrl+R", self.reload.emit),
            ("Ctrl+Shift+S", self.snapshot.emit),
            ("Ctrl+W", lambda: self._on_tab_close(self._bar_of_tabs.currentIndex())),
            ("Ctrl+Return", self._ask_finish),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(deal)

    # tabs

    def _on_added(self, tab: Tab) -> None:
        self._shown.append(tab)
        self._pages.addWidget(tab.view)
        tab.view.setEnabled(self._interactive)
        self._quiet = True
        index = self._bar_of_tabs.addTab("")
        tab.page.titleChanged.connect(lambda _title: self._name(tab))
        tab.page.urlChanged.connect(lambda _url: self._name(tab))
        self._name(tab)
        self._bar_of_tabs.setVisible(len(self._shown) > 1)
        if self._interactive:
            self._bar_of_tabs.setCurrentIndex(index)
        self._quiet = False

    def _on_removed(self, tab: Tab) -> None:
        index = self._shown.index(tab)
        self._shown.remove(tab)
        self._pages.removeWidget(tab.view)
        self._quiet = True
        self._bar_of_tabs.removeTab(index)
        self._quiet = False
        self._bar_of_tabs.setVisible(len(self._shown) > 1)

    def _name(self, tab: Tab) -> None:
        if tab not in self._shown:
            return
        index = self._shown.index(tab)
        text = plain(" ".join((tab.page.title() or tab.page.address).split()), 40)
        self._bar_of_tabs.setTabText(index, text.replace("&", "&&"))
        if tab is self.current and not self.address.hasFocus():
            self.show_address()

    def show_address(self) -> None:
        """Where the tab in front is."""
        address = self.current.page.address
        self.address.setText("" if address == EMPTY else address)
        self.address.setCursorPosition(0)

    def _on_tab_chosen(self, index: int) -> None:
        if 0 <= index < len(self._shown):
            self._pages.setCurrentWidget(self._shown[index].view)
            self.show_address()
            if not self._quiet:
                self.switched.emit(self._shown[index])

    def _on_tab_close(self, index: int) -> None:
        if 0 < index < len(self._shown):
            self.closed.emit(self._shown[index])

    # wishes

    def _on_focus_address(self) -> None:
        self.address.setFocus()
        self.address.selectAll()

    def _on_address(self) -> None:
        try:
            url = completed_address(self.address.text())
        except UsageError as error:
            self.say(error.code, **error.parameters)
            return
        self.say("")
        self.current.view.setFocus()
        self.went.emit(url)

    def _ask_finish(self) -> None:
        code = "capture.window.finish" if self._interactive else "capture.window.stop"
        self._ask(f"{code}.question", code, self.finished.emit, dangerous=False)

    def _ask_abandon(self) -> None:
        code = "capture.window.abandon"
        self._ask(f"{code}.question", f"{code}.deed", self.abandoned.emit, dangerous=True)

    def _ask(self, code: str, action: str, accepted: Callable[[], object], *, dangerous: bool) -> None:
        if self._over or self.findChild(QDialog) is not None:
            return
        box = Question(self, self._tongue, self._look, code, action, {}, dangerous=dangerous)
        box.accepted.connect(accepted)
        box.open()


def _inset(widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(tokens.S, 0, tokens.S, 0)
    row.addWidget(widget)
    return row
