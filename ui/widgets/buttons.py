"""Buttons whose words follow the language and whose icons follow the look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QToolButton

from ui.context import Context
from ui.look import tokens

GAP: Final = 5
"""Between icon and words of a button, at the size of the drawing."""


def button(
    context: Context,
    code: str,
    clicked: Callable[[], object],
    *,
    icon: str = "",
    main: bool = False,
    danger: bool = False,
    flat: bool = False,
) -> QPushButton:
    """A push button; `code` names its words, ``code.tip`` its tooltip where there is one."""
    result = QPushButton()
    result.setCursor(Qt.CursorShape.PointingHandCursor)
    for name, value in (("main", main), ("danger", danger), ("flat", flat)):
        if value:
            result.setProperty(name, True)
    context.tongue.bind(result, result.setText, code)
    if icon:
        role = "on_accent" if main else "failed" if danger else "accent" if flat else "text"
        bind_small_icon(context, result, icon, role)
    result.clicked.connect(lambda _checked=False: clicked())
    return result


def bind_small_icon(context: Context, owner: QPushButton, icon: str, role: str = "text") -> None:
    """An icon before the words of a button, at some distance from them."""
    owner.setIconSize(QSize(tokens.L + GAP * tokens.L // tokens.ICON, tokens.L))
    context.look.bind_icon(owner, owner.setIcon, icon, role, GAP)


def icon_button(context: Context, code: str, icon: str, clicked: Callable[[], object]) -> QToolButton:
    """A button with an icon alone; its words are tooltip and accessible name."""
    result = QToolButton()
    result.setIconSize(QSize(tokens.ICON, tokens.ICON))
    result.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    context.look.bind_icon(result, result.setIcon, icon)
    context.tongue.bind(result, result.setToolTip, code)
    context.tongue.bind(result, result.setAccessibleName, code)
    result.clicked.connect(lambda _checked=False: clicked())
    return result
