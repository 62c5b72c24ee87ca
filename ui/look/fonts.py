"""The program's own fonts: the same on every machine, Chinese included."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QFont, QFontDatabase

from evidence_desk.paths import asset
from ui.look import tokens

SANS: Final = "Noto Sans SC"
MONO: Final = "Noto Sans Mono"
_FILES: Final = ("NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf", "NotoSansMono-Regular.ttf")


def load_fonts() -> QFont:
    """Register the shipped fonts; returns the font of body text. ConfigurationError ``asset.missing``."""
    for name in _FILES:
        QFontDatabase.addApplicationFont(str(asset("fonts", name)))
    return sans()


def sans(size: int = tokens.BODY, *, bold: bool = False) -> QFont:
    """Text font; `size` in logical pixels."""
    font = QFont(SANS)
    font.setPixelSize(size)
    font.setBold(bold)
    return font


def mono(size: int = tokens.BODY - 1) -> QFont:
    """Font of digests and numbers; Chinese beside them falls back to the text font."""
    font = QFont([MONO, SANS])
    font.setPixelSize(size)
    return font
