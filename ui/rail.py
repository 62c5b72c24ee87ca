"""The rail of pages at the left of the window."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton, QVBoxLayout

from ui.context import Context
from ui.look import tokens
from ui.page import ICONS, PageName

_FIRST_BELOW = PageName.STATUS


class Rail(QFrame):
    """One button a page, and the lock at the foot. Icons alone when `set_narrow`."""

    chosen = Signal(object)
    lock_asked = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setObjectName("rail")
        self._context = context
        column = QVBoxLayout(self)
        column.setContentsMargins(tokens.S, tokens.L, tokens.S, tokens.L)
        column.setSpacing(tokens.XS)
        self._group = QButtonGroup(self)
        self.buttons: dict[PageName, QToolButton] = {}
        self._icons: list[tuple[QToolButton, str]] = []
        self._narrow = False
        for name in PageName:
            if name is _FIRST_BELOW:
                column.addStretch(1)
            button = self._button(ICONS[name], f"ui.page.{name.value}")
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, name=name: self.chosen.emit(name))
            self._group.addButton(button)
            self.buttons[name] = button
            column.addWidget(button)
        self.lock = self._button("lock", "ui.lock")
        self.lock.clicked.connect(lambda _checked=False: self.lock_asked.emit())
        column.addWidget(self.lock)
        context.desk.opened.connect(self._on_desk)
        context.desk.locked.connect(self._on_desk)
        context.look.changed.connect(self._paint)
        self._on_desk()
        self.set_narrow(False)

    def show_chosen(self, name: PageName) -> None:
        """Mark a page as the one in front."""
        self.buttons[name].setChecked(True)

    def set_narrow(self, narrow: bool) -> None:
        """Icons alone, or with words."""
        self.setFixedWidth(tokens.NARROW if narrow else tokens.RAIL)
        style = (
            Qt.ToolButtonStyle.ToolButtonIconOnly if narrow else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        )
        for button in (*self.buttons.values(), self.lock):
            button.setToolButtonStyle(style)
            button.setProperty("narrow", narrow)
            button.style().unpolish(button)
            button.style().polish(button)
        self._narrow = narrow
        self._paint()

    def _button(self, icon: str, code: str) -> QToolButton:
        button = QToolButton()
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        tongue = self._context.tongue
        self._icons.append((button, icon))
        for setter in (button.setText, button.setToolTip, button.setAccessibleName):
            tongue.bind(button, setter, code)
        return button

    def _paint(self) -> None:
        gap = 0 if self._narrow else tokens.S
        for button, name in self._icons:
            button.setIconSize(QSize(tokens.ICON + gap, tokens.ICON))
            button.setIcon(self._context.look.icon(name, gap=gap))

    def _on_desk(self) -> None:
        self.lock.setEnabled(self._context.desk.session is not None)
