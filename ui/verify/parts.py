"""Pieces of a result, made for one look at it and thrown away with it.

They bind nothing to language or look: the result is shown anew when either changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.context import Context
from ui.look import fonts, icons, tokens
from ui.messages import copy_text
from ui.verify.sayings import Sign

_ENDLESS = re.compile(r"[!-~]{40,}")
_PIECE = 20


def _broken(word: re.Match[str]) -> str:
    """With places to break that take no room; who copies a value uses its button."""
    run = word[0]
    return "\u200b".join(run[at : at + _PIECE] for at in range(0, len(run), _PIECE))


def text(said: str, *, role: str = "", selectable: bool = True) -> QLabel:
    """A paragraph that wraps, endless words too."""
    label = QLabel(_ENDLESS.sub(_broken, said))
    label.setWordWrap(True)
    label.setMinimumWidth(1)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if selectable:
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if role:
        label.setProperty("role", role)
    return label


def picture(context: Context, icon: str, role: str, *, size: int = tokens.ICON) -> QLabel:
    """An icon."""
    label = QLabel()
    color = getattr(context.look.colors, role)
    label.setPixmap(icons.pixmap(icon, color, size=size, ratio=label.devicePixelRatioF()))
    label.setFixedSize(QSize(size, size))
    return label


class SignLabel(QWidget):
    """Icon and word of an outcome, in its color."""

    def __init__(self, context: Context, sign: Sign, *, width: int = 0) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.XS)
        row.addWidget(picture(context, sign.icon, sign.role))
        self.word = QLabel(context.tongue.say(sign.code))
        self.word.setStyleSheet(f"color: {getattr(context.look.colors, sign.role)}; font-weight: bold;")
        row.addWidget(self.word)
        row.addStretch(1)
        if width:
            self.setMinimumWidth(width)
        self.setAccessibleName(self.word.text())


class Tile(QToolButton):
    """A dimension at a glance: icon above its name, in the color of its outcome; for the pointer alone."""

    def __init__(self, context: Context, name: str, sign: Sign) -> None:
        super().__init__()
        self.setIcon(context.look.icon(sign.icon, sign.role))
        self.setIconSize(QSize(tokens.ICON, tokens.ICON))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        word = context.tongue.say(sign.code)
        self.setText(f"{name}\n{word}")
        font = fonts.sans(tokens.SMALL)
        self.setFont(font)
        self.setStyleSheet(f"color: {getattr(context.look.colors, sign.role)}; padding: 4px 0;")
        self.setMinimumWidth(1)
        self.needed = max(QFontMetrics(font).horizontalAdvance(part) for part in (name, word)) + tokens.XS
        self.setAccessibleName(context.tongue.say("ui_verify.row", name=name, status=word))


class Notice(QFrame):
    """Something that must be seen: icon, a heading, a sentence; can be reached by the keyboard for who listens."""

    def __init__(self, context: Context, tone: str, icon: str, said: str, *, head: str = "") -> None:
        super().__init__()
        self.setProperty("banner", tone)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        pad = tokens.L if head else tokens.M
        row.setContentsMargins(tokens.L, pad, tokens.L, pad)
        row.setSpacing(tokens.M)
        role = {"neutral": "accent"}.get(tone, tone)
        size = tokens.XXL if head else tokens.ICON
        sign = picture(context, icon, role, size=size)
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(tokens.XS)
        self.head, self.said = head, said
        if head:
            top = text(head)
            color = getattr(context.look.colors, role)
            top.setStyleSheet(f"color: {color}; font-size: 18px; font-weight: bold;")
            words.addWidget(top)
        body = text(said)
        if head:
            body.setStyleSheet("font-size: 15px;")
        body.setVisible(bool(said))
        words.addWidget(body)
        row.addLayout(words, 1)
        self.setAccessibleName(f"{head} {said}".strip())


def panel(heading: str = "") -> tuple[QFrame, QVBoxLayout]:
    """A card and its column."""
    card = QFrame()
    card.setProperty("card", True)
    column = QVBoxLayout(card)
    column.setContentsMargins(tokens.L, tokens.L, tokens.L, tokens.L)
    column.setSpacing(tokens.M)
    if heading:
        column.addWidget(text(heading, role="heading"))
    return card, column


def line() -> QFrame:
    """A thin rule between rows."""
    rule = QFrame()
    rule.setFixedHeight(1)
    rule.setStyleSheet("background: palette(mid); border: none;")
    return rule


def deed(context: Context, code: str, clicked: Callable[[], object], *, icon: str = "") -> QPushButton:
    """A quiet button within a result."""
    button = QPushButton(context.tongue.say(code))
    button.setProperty("flat", True)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    if icon:
        button.setIcon(context.look.icon(icon, "accent"))
    button.clicked.connect(lambda _checked=False: clicked())
    return button


class Value(QWidget):
    """A named value: digests in groups of eight, copied whole with one click."""

    def __init__(self, context: Context, name: str, value: str) -> None:
        super().__init__()
        self.value = value
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.S)
        label = text(name, role="secondary")
        label.setFixedWidth(112)
        row.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        shown = text(grouped(value))
        shown.setFont(fonts.mono(12))
        row.addWidget(shown, 1)
        copy = QToolButton()
        copy.setIcon(context.look.icon("copy"))
        copy.setIconSize(QSize(tokens.L, tokens.L))
        copy.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        copy.setToolTip(context.tongue.say("ui.copy"))
        copy.setAccessibleName(context.tongue.say("ui_verify.copy_value", name=name))
        copy.clicked.connect(lambda _checked=False: copy_text(value))
        row.addWidget(copy, 0, Qt.AlignmentFlag.AlignTop)


def grouped(value: str) -> str:
    """64 hex digits in groups of eight; anything else as it is, with places to break."""
    if len(value) == 64 and all(char in "0123456789abcdef" for char in value):
        return " ".join(value[at : at + 8] for at in range(0, 64, 8))
    return value
