"""``python -m ui.selftest_window``: draws Chinese text and an icon off the screen; tells what drew them, as JSON."""

from __future__ import annotations

import json
import sys
from typing import Final

from PySide6.QtCore import QBuffer, QIODevice, QSize, qVersion
from PySide6.QtGui import QFontInfo, QImage
from PySide6.QtPrintSupport import QPrinterInfo
from PySide6.QtWidgets import QApplication, QLabel

from ui.look.fonts import SANS, load_fonts
from ui.look.icons import pixmap

_WORDS: Final = "证据台自检"
_LEAST_INK: Final = 200
_BROKEN: Final = 1


def main() -> int:
    """Draw, look at it, tell; the status is not 0 when something is not what it must be."""
    application = QApplication([sys.argv[0], "-platform", "offscreen"])
    font = load_fonts()
    application.setFont(font)
    family = QFontInfo(font).family()
    label = QLabel(_WORDS)
    label.setStyleSheet("background: #ffffff; color: #000000")
    label.resize(QSize(240, 60))
    label.show()
    picture = label.grab().toImage()
    sign = pixmap("stamp", "#000000", size=32).toImage()
    found = {
        "qt": qVersion(), "platform": application.platformName(), "font": family, "ink": [_ink(picture), _ink(sign)],
        "png": _kept(picture), "printers": len(QPrinterInfo.availablePrinterNames()),
    }  # fmt: skip
    sys.stdout.write(json.dumps(found, ensure_ascii=True) + "\n")
    sys.stdout.flush()
    label.close()
    right = family == SANS and _ink(picture) >= _LEAST_INK and _ink(sign) > 0 and found["png"]
    return 0 if right else _BROKEN


def _ink(picture: QImage) -> int:
    """Pixels that are dark and not transparent."""
    image = picture.convertToFormat(QImage.Format.Format_ARGB32)
    colors = (image.pixelColor(x, y) for y in range(image.height()) for x in range(image.width()))
    return sum(color.alpha() > 128 and color.lightness() < 128 for color in colors)


def _kept(picture: QImage) -> bool:
    """Whether it is the same after writing and reading it."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub lacks str
    again = QImage.fromData(buffer.data())
    return not again.isNull() and again.size() == picture.size()


if __name__ == "__main__":
    sys.exit(main())
