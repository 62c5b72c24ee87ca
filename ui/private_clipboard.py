"""Private words on the clipboard: marked as such for clipboard histories, cleared after a minute and when the vault locks."""

from __future__ import annotations

import hashlib
from typing import Final

from PySide6.QtCore import QByteArray, QMimeData, QTimer
from PySide6.QtGui import QGuiApplication

from ui.desk import OpenDesk

SECONDS: Final = 60
_MARKS: Final = {
    "x-kde-passwordManagerHint": b"secret",
    'application/x-qt-windows-mime;value="ExcludeClipboardContentFromMonitorProcessing"': b"1",
    'application/x-qt-windows-mime;value="CanIncludeInClipboardHistory"': b"\0\0\0\0",
    'application/x-qt-windows-mime;value="CanUploadToCloudClipboard"': b"\0\0\0\0",
}
_NAME: Final = "private-clipboard"


class PrivateClipboard(QTimer):
    """Clears the clipboard only while what lies on it is still ours; keeps no copy of it."""

    def __init__(self, desk: OpenDesk) -> None:
        super().__init__(desk, singleShot=True)
        self.setObjectName(_NAME)
        self._digest = b""
        self.timeout.connect(self.clear)
        desk.locked.connect(self.clear)
        application = QGuiApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.clear)

    def copy(self, text: str, seconds: float = SECONDS) -> None:
        """Put private words on the clipboard for a while."""
        clipboard = QGuiApplication.clipboard()
        data = QMimeData()
        data.setText(text)
        for mark, value in _MARKS.items():
            data.setData(mark, QByteArray(value))
        clipboard.setMimeData(data)
        self._digest = _digest(text)
        self.start(round(seconds * 1000))

    def clear(self) -> None:
        """Clear the clipboard if our words are still there."""
        self.stop()
        clipboard = QGuiApplication.clipboard()
        if self._digest and _digest(clipboard.text()) == self._digest:
            clipboard.clear()
        self._digest = b""


def private_clipboard(desk: OpenDesk) -> PrivateClipboard:
    """The one that belongs to a desk."""
    found = desk.findChild(PrivateClipboard, _NAME)
    return found if found is not None else PrivateClipboard(desk)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
