"""Outline icons (Lucide), drawn in the color of the text beside them."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from evidence_desk.paths import asset
from ui.look import tokens

_CURRENT: Final = b"currentColor"
_RATIOS: Final = (1, 2, 3)


@lru_cache(maxsize=1024)
def icon(name: str, color: str, *, faint: str = "", gap: int = 0) -> QIcon:
    """An icon in a color, and in another when its widget is disabled; sharp at every scale. Drawn once: pages share most.

    Args:
        name: file name in ``assets/icons`` without ending.
        color: ``#RRGGBB``.
        faint: color when disabled; empty for the same.
        gap: logical pixels left free behind it: Qt sets words too near.
    """
    result = QIcon()
    for ratio in _RATIOS:
        result.addPixmap(pixmap(name, color, ratio=ratio, gap=gap))
        if faint:
            result.addPixmap(pixmap(name, faint, ratio=ratio, gap=gap), QIcon.Mode.Disabled)
    return result


def pixmap(name: str, color: str, *, size: int = tokens.ICON, ratio: float = 1.0, gap: int = 0) -> QPixmap:
    """An icon as pixmap of `size` logical pixels for a screen with device pixel ratio `ratio`; `gap` behind it is empty."""
    side = round(size * ratio)
    result = QPixmap(QSize(side + round(gap * ratio), side))
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(_drawing(name, color)).render(painter, QRectF(0, 0, side, side))
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result


@lru_cache(maxsize=512)
def cached_pixmap(name: str, color: str, size: int, ratio: float) -> QPixmap:
    """`pixmap`, drawn once; for delegates, which paint it in every row."""
    return pixmap(name, color, size=size, ratio=ratio)


@cache
def _drawing(name: str, color: str) -> QByteArray:
    data = asset("icons", f"{name}.svg").read_bytes().replace(_CURRENT, color.encode())
    return QByteArray(data)
