"""Pictures from the clipboard, made gray for the reader of QR codes; bounded before anything is done with them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

from evidence_desk.errors import MalformedError
from evidence_desk.qr import MAX_PIXELS


def gray_of(picture: QImage) -> tuple[bytes, int, int]:
    """(one byte a pixel, width, height), rows from the top without padding; what is transparent counts as white paper.

    Raises:
        MalformedError: ``malformed.picture`` {reason}: empty, or more than 50 million pixels.
    """
    width, height = picture.width(), picture.height()
    check_size(picture)
    if picture.hasAlphaChannel():
        paper = QImage(picture.size(), QImage.Format.Format_RGB32)
        paper.fill(Qt.GlobalColor.white)
        painter = QPainter(paper)
        painter.drawImage(0, 0, picture)
        painter.end()
        picture = paper
    gray = picture.convertToFormat(QImage.Format.Format_Grayscale8)
    if gray.isNull():  # no memory for it
        raise MalformedError("malformed.picture", reason="memory")
    data, stride = bytes(gray.constBits()), gray.bytesPerLine()
    if stride != width:
        data = b"".join(data[at * stride : at * stride + width] for at in range(height))
    return data, width, height


def check_size(picture: QImage) -> None:
    """Refuse what is empty or too large.

    Raises:
        MalformedError: ``malformed.picture`` {reason}.
    """
    if picture.isNull():
        raise MalformedError("malformed.picture", reason="empty")
    if picture.width() * picture.height() > MAX_PIXELS:
        raise MalformedError("malformed.picture", reason="pixels")
