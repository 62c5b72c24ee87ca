"""Keys of the single pages: one table, from which they are made and listed in the help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut

from ui.page import Page, PageName

PAGE_KEYS: Final[Mapping[PageName, tuple[tuple[str, str], ...]]] = {
    PageName.SEAL: (("Ctrl+V", "ui_start.key.seal.paste"),),
    PageName.CAPTURE: (("Ctrl+Return", "ui_start.key.capture.begin"),),
    PageName.CERTIFY: (
        ("Space", "ui_start.key.certify.check"),
        ("Ctrl+A", "ui_start.key.certify.all"),
        ("PgUp, PgDown", "ui_start.key.certify.pages"),
        ("Ctrl++, Ctrl+-, Ctrl+0", "ui_start.key.certify.zoom"),
    ),
    PageName.VERIFY: (
        ("Ctrl+V", "ui_start.key.verify.paste"),
        ("Ctrl+O", "ui_start.key.verify.open"),
        ("Ctrl+F", "ui_start.key.verify.find"),
        ("Ctrl+S", "ui_start.key.verify.save"),
        ("Ctrl+P", "ui_start.key.verify.print"),
        ("Ctrl+Shift+C", "ui_start.key.verify.copy"),
        ("F5", "ui_start.key.verify.again"),
        ("Del", "ui_start.key.verify.remove"),
    ),
    PageName.CASES: (
        ("Ctrl+F", "ui_start.key.cases.find"),
        ("F5", "ui_start.key.cases.again"),
        ("Ctrl+Z", "ui_start.key.cases.undo"),
        ("Esc", "ui_start.key.cases.back"),
    ),
}
"""Keys and the code of what they do, by page; those without a deed in `install_keys` are a list's or a view's own."""


def install_keys(page: Page, deeds: Mapping[str, Callable[[], object]]) -> None:
    """Make the shortcuts of a page; `deeds` by keys. They work while the keyboard is somewhere on the page.

    Raises:
        KeyError: keys that the table does not list.
    """
    listed = dict(PAGE_KEYS[page.name])
    for keys, deed in deeds.items():
        if keys not in listed:
            raise KeyError(keys)
        shortcut = QShortcut(QKeySequence(keys), page)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(deed)
