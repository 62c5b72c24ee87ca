"""Hears when the system locks the session or goes to sleep.

Linux: D-Bus, org.freedesktop.login1 (Lock, LockedHint, PrepareForSleep) and the ScreenSaver interfaces (ActiveChanged).
Windows: WM_WTSSESSION_CHANGE and WM_POWERBROADCAST; that part was written to Microsoft's documentation and has not been
run on Windows yet. Where there is neither, nothing is heard and nothing is said.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

from PySide6.QtCore import SLOT, QObject, Signal, Slot

_LOGIN: Final = "org.freedesktop.login1"
_SESSION: Final = f"{_LOGIN}.Session"
_MANAGER: Final = f"{_LOGIN}.Manager"
_SAVERS: Final = (
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.mate.ScreenSaver",
    "org.cinnamon.ScreenSaver",
)


class SessionLock(QObject):
    """Signals: `locked` when the session was locked or the machine is about to sleep."""

    locked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keep: list[object] = []
        if sys.platform == "win32":
            self._listen_on_windows()
        elif sys.platform.startswith("linux"):
            self._listen_on_linux()

    # --- Linux ------------------------------------------------------------------------------------------------

    def _listen_on_linux(self) -> None:
        try:
            from PySide6.QtDBus import QDBusConnection  # noqa: PLC0415 - some builds of Qt lack it
        except ImportError:
            return
        session = QDBusConnection.sessionBus()
        if session.isConnected():
            for name in _SAVERS:
                path = "/" + name.replace(".", "/")
                for place in (path, "/ScreenSaver"):
                    session.connect("", place, name, "ActiveChanged", self, _slot("on_active(bool)"))
        system = QDBusConnection.systemBus()
        if system.isConnected():
            system.connect(
                _LOGIN, "/org/freedesktop/login1", _MANAGER, "PrepareForSleep", self, _slot("on_active(bool)")
            )
            self._find_session(system)

    def _find_session(self, system: Any) -> None:
        """Ask login1 which session is ours, without waiting for the answer."""
        from PySide6.QtDBus import QDBusMessage, QDBusPendingCallWatcher  # noqa: PLC0415

        call = QDBusMessage.createMethodCall(_LOGIN, "/org/freedesktop/login1", _MANAGER, "GetSessionByPID")
        call.setArguments([os.getpid()])
        watcher = QDBusPendingCallWatcher(system.asyncCall(call), self)

        def answered() -> None:
            reply = watcher.reply()
            watcher.deleteLater()
            if reply.type() is QDBusMessage.MessageType.ReplyMessage and reply.arguments():
                path = reply.arguments()[0]
                self._follow(system, path.path() if hasattr(path, "path") else str(path))

        watcher.finished.connect(answered)

    def _follow(self, system: Any, path: str) -> None:
        system.connect(_LOGIN, path, _SESSION, "Lock", self, _slot("on_lock()"))
        system.connect(
            _LOGIN, path, "org.freedesktop.DBus.Properties", "PropertiesChanged", self,
            _slot("on_properties(QDBusMessage)"),
        )  # fmt: skip

    @Slot(bool)
    def on_active(self, active: bool) -> None:
        """The screen saver came on, or the machine is about to sleep."""
        if active:
            self.locked.emit()

    @Slot()
    def on_lock(self) -> None:
        """Login1 asks the session to lock."""
        self.locked.emit()

    @Slot("QDBusMessage")
    def on_properties(self, message: Any) -> None:
        """A property of the session changed; LockedHint says that it is locked."""
        arguments = message.arguments()
        if len(arguments) > 1 and isinstance(arguments[1], dict) and arguments[1].get("LockedHint") is True:
            self.locked.emit()

    # --- Windows ----------------------------------------------------------------------------------------------

    if sys.platform == "win32":

        def _listen_on_windows(self) -> None:
            import ctypes  # noqa: PLC0415
            from ctypes import wintypes  # noqa: PLC0415

            from PySide6.QtCore import QAbstractNativeEventFilter, QCoreApplication  # noqa: PLC0415
            from PySide6.QtGui import QWindow  # noqa: PLC0415

            told = self.locked

            class _Filter(QAbstractNativeEventFilter):
                def nativeEventFilter(self, kind: Any, address: int) -> tuple[bool, int]:
                    if bytes(kind) == b"windows_generic_MSG":
                        message = wintypes.MSG.from_address(int(address))
                        if (message.message, message.wParam) in {(0x02B1, 0x7), (0x0218, 0x4)}:
                            told.emit()  # WTS_SESSION_LOCK, PBT_APMSUSPEND
                    return False, 0

            window = QWindow()
            handle = int(window.winId())
            if not ctypes.windll.wtsapi32.WTSRegisterSessionNotification(wintypes.HWND(handle), 0):
                return
            listener = _Filter()
            QCoreApplication.instance().installNativeEventFilter(listener)
            self._keep = [window, listener]


def _slot(signature: str) -> Any:
    """Qt for Python declares bytes here and takes only str (6.11)."""
    return SLOT(signature)
