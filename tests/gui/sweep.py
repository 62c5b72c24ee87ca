"""What every widget must hold: a name for whoever cannot see it, words that are there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)


def nameless(root: QWidget) -> list[str]:
    """Widgets below `root` that take the keyboard and have no name."""
    return [
        f"{type(item).__name__} {item.objectName()} in {type(item.parentWidget()).__name__}"
        for item in root.findChildren(QWidget)
        if item.window() is root.window() and _takes_focus(item) and not _name(item)  # lists of combos aside
    ]


def untranslated(root: QWidget) -> list[str]:
    """Labels and buttons below `root` that show a bare code instead of a sentence."""
    texts = [item.text() for item in root.findChildren(QLabel)]
    texts += [item.text() for item in root.findChildren(QAbstractButton)]
    return [
        text for text in texts if text.startswith(("ui.", "ui_", "health.", "queue.")) and " " not in text
    ]


def _takes_focus(item: QWidget) -> bool:
    if isinstance(item, QLabel) and not item.text():
        return False
    if item.focusPolicy() == Qt.FocusPolicy.NoFocus or isinstance(item, QScrollBar | QTabBar):
        return False
    parent = item.parentWidget()
    if isinstance(item, QLineEdit) and isinstance(parent, QComboBox):  # the box itself is named
        return False
    inner = isinstance(parent, QAbstractItemView | QAbstractScrollArea) or item.objectName().startswith("qt_")
    return not inner and type(item) is not QWidget


def _name(item: QWidget) -> str:
    if item.accessibleName():
        return item.accessibleName()
    return item.text() if isinstance(item, QAbstractButton | QLabel) else ""
