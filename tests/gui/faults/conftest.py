"""What the tests of faults share: the texts of every widget, files that take no room."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QModelIndex
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)


def texts_of(item: QWidget) -> list[str]:
    """Everything that a widget shows, says or keeps in a list."""
    found = [item.toolTip(), item.accessibleName(), item.accessibleDescription(), item.windowTitle()]
    match item:
        case QLabel() | QAbstractButton() | QLineEdit():
            found.append(item.text())
        case QPlainTextEdit() | QTextEdit():
            found.append(item.toPlainText())
        case QComboBox():
            found += [item.itemText(at) for at in range(item.count())] + [item.currentText()]
        case QAbstractItemView():
            model = item.model()
            if model is not None:
                found += [
                    str(model.index(row, column).data())
                    for row in range(min(model.rowCount(QModelIndex()), 50))
                    for column in range(
                        1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
                    )
                ]
        case _:
            pass
    return [text for text in found if text]


def all_texts() -> list[str]:
    """Texts of every widget there is, shown or hidden."""
    return [
        text
        for top in QApplication.topLevelWidgets()
        for item in (top, *top.findChildren(QWidget))
        for text in texts_of(item)
    ]


def sparse(path: Path, size: int) -> Path:
    """A file of zeros that takes no room."""
    with path.open("wb") as stream:
        stream.truncate(size)
    return path
