"""The look in force: scheme, palette, style sheet, and icons that follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from ui.look import icons
from ui.look.style import palette, style_sheet
from ui.look.tokens import COLORS, Colors, Scheme

_PRUNE: Final = 512
"""Icons after which those of owners that are gone are looked for."""


@dataclass(frozen=True, slots=True)
class _BoundIcon:
    owner: QObject
    setter: Callable[[QIcon], object]
    name: str
    role: str
    gap: int


class Look(QObject):
    """Applies a scheme to the application; `changed` when colors are others."""

    changed = Signal()

    def __init__(self, application: QApplication, scheme: Scheme = Scheme.AUTO) -> None:
        """Take over `application`: Fusion, our palette, our style sheet."""
        super().__init__()
        self._application = application
        self._wanted = scheme
        self._bound: list[_BoundIcon] = []
        self._prune_at = _PRUNE
        application.setStyle("Fusion")
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._on_system_changed)
        self._apply()

    @property
    def scheme(self) -> Scheme:
        """What the user chose."""
        return self._wanted

    @property
    def colors(self) -> Colors:
        """Colors in force."""
        return COLORS[self._in_force()]

    def set_scheme(self, scheme: Scheme) -> None:
        """Choose a scheme."""
        if scheme is not self._wanted:
            self._wanted = scheme
            self._apply()

    def icon(self, name: str, role: str = "text", gap: int = 0) -> QIcon:
        """An icon in a color of the scheme in force; see `bind_icon` for one that follows."""
        return icons.icon(name, getattr(self.colors, role), faint=self.colors.secondary, gap=gap)

    def bind_icon(
        self, owner: QObject, setter: Callable[[QIcon], object], name: str, role: str = "text", gap: int = 0
    ) -> None:
        """Set an icon now and again whenever the scheme changes, as long as `owner` lives."""
        self._bound.append(_BoundIcon(owner, setter, name, role, gap))
        if len(self._bound) > self._prune_at:
            self._prune()
        setter(self.icon(name, role, gap))

    def _prune(self) -> None:
        """Forget owners that are gone."""
        self._bound = [item for item in self._bound if isValid(item.owner)]
        self._prune_at = max(_PRUNE, 2 * len(self._bound))

    def _in_force(self) -> Scheme:
        if self._wanted is not Scheme.AUTO:
            return self._wanted
        hints = QGuiApplication.styleHints()
        dark = hints is not None and hints.colorScheme() is Qt.ColorScheme.Dark
        return Scheme.DARK if dark else Scheme.LIGHT

    def _apply(self) -> None:
        self._application.setPalette(palette(self.colors))
        self._application.setStyleSheet(style_sheet(self._in_force()))
        self._prune()
        for item in list(self._bound):
            item.setter(self.icon(item.name, item.role, item.gap))
        self.changed.emit()

    def _on_system_changed(self) -> None:
        if self._wanted is Scheme.AUTO:
            self._apply()
