"""One program a user and configuration: a second start hands its request to the first and leaves.

Who holds the lock file is the first; the kernel drops the lock however the process dies, so a socket left behind by a
killed one is known to be stale. What comes through the socket is foreign: bounded, parsed strictly, from this user only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from evidence_desk.errors import BusyError, EvidenceDeskError, HostError, MalformedError
from evidence_desk.vault.lock import FileLock
from ui.arguments import MAX_BYTES, Request, decode_request, encode_request

_LOCK: Final = "desktop.lock"
_ANSWER: Final = b"ok\n"
_PATIENCE_MS: Final = 5000
_PENDING: Final = 16
_MAX_NAME: Final = 100
"""Bytes of a socket's path that every system takes (sun_path has 104 or 108)."""


class Instance(QObject):
    """This program, first or not.

    Signals: `handed` gives the request of a later start (an empty one asks to come to the front).
    """

    handed = Signal(object)

    def __init__(self, folder: Path) -> None:
        """`folder` of the configuration."""
        super().__init__()
        self._folder = folder
        self._name = socket_name(folder)
        self._lock: FileLock | None = None
        self._server: QLocalServer | None = None
        self._visits: dict[QLocalSocket, QByteArray] = {}

    def claim(self) -> bool:
        """Whether this is the first. A folder that cannot be written to claims nothing and is first alone.

        The first begins to listen.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self._folder / _LOCK, busy_code="ui_start.running")
        except BusyError:
            return False
        except (HostError, OSError):
            return True
        self._listen()
        return True

    def hand_on(self, request: Request) -> None:
        """Give a request to the first, which may still be starting.

        Raises:
            BusyError: ``ui_start.running``: it does not answer.
        """
        end = time.monotonic() + _PATIENCE_MS / 1000
        while time.monotonic() < end:
            if self._try(encode_request(request)):
                return
            time.sleep(0.05)
        raise BusyError("ui_start.running")

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # --- as a later one ---------------------------------------------------------------------------------------

    def _try(self, data: bytes) -> bool:
        visit = QLocalSocket()
        visit.connectToServer(self._name)
        try:
            if not visit.waitForConnected(500) or not is_own(visit):
                return False
            visit.write(QByteArray(data))
            said = b""
            while not said.endswith(b"\n") and visit.waitForReadyRead(_PATIENCE_MS):
                said += bytes(visit.readAll().data())
            return said == _ANSWER
        finally:
            visit.abort()

    # --- as the first -----------------------------------------------------------------------------------------

    def _listen(self) -> None:
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        server.setMaxPendingConnections(_PENDING)
        server.newConnection.connect(self._on_visit)
        QLocalServer.removeServer(self._name)  # left behind by a killed one: the lock is ours
        if server.listen(self._name):
            self._server = server

    def _on_visit(self) -> None:
        while self._server is not None and (visit := self._server.nextPendingConnection()) is not None:
            if len(self._visits) >= _PENDING or not is_own(visit):
                visit.abort()
                visit.deleteLater()
                continue
            self._visits[visit] = QByteArray()
            visit.setReadBufferSize(MAX_BYTES)
            visit.readyRead.connect(lambda visit=visit: self._on_words(visit))
            visit.disconnected.connect(lambda visit=visit: self._end(visit))
            QTimer.singleShot(_PATIENCE_MS, visit, visit.abort)
            self._on_words(visit)

    def _on_words(self, visit: QLocalSocket) -> None:
        said = self._visits.get(visit)
        if said is None:
            return
        said.append(visit.readAll())
        if said.size() > MAX_BYTES:
            self._end(visit)
        elif said.endsWith(b"\n"):
            self._take(visit, bytes(said.data()))

    def _take(self, visit: QLocalSocket, data: bytes) -> None:
        try:
            request = decode_request(data)
        except MalformedError:
            self._end(visit)
            return
        self._visits.pop(
            visit, None
        )  # before the answer: whoever goes away while it is written has ended by itself
        visit.write(QByteArray(_ANSWER))
        visit.flush()
        visit.disconnectFromServer()
        visit.deleteLater()
        self.handed.emit(request)

    def _end(self, visit: QLocalSocket) -> None:
        if self._visits.pop(visit, None) is not None:
            visit.abort()
            visit.deleteLater()


def socket_name(folder: Path) -> str:
    """Where the first listens: in the user's own run-time folder where there is one."""
    who = str(os.getuid()) if sys.platform != "win32" else os.environ.get("USERNAME", "")
    mark = hashlib.sha256(f"{who}\0{folder.absolute()}".encode("utf-8", "surrogateescape")).hexdigest()[:24]
    name = f"evidence-desk-{mark}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    path = Path(runtime) / name
    if runtime and path.parent.is_dir() and len(os.fsencode(path)) <= _MAX_NAME:
        return str(path)
    return name


def is_own(visit: QLocalSocket) -> bool:
    """Whether a process of this very user is at the other end (Linux tells; elsewhere the pipe's rights must do)."""
    if not sys.platform.startswith("linux"):
        return True
    with contextlib.suppress(OSError, ValueError, EvidenceDeskError):
        descriptor = os.dup(int(visit.socketDescriptor()))
        with socket.socket(fileno=descriptor) as end:
            answer = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return bool(struct.unpack("3i", answer)[1] == os.getuid())
    return False
