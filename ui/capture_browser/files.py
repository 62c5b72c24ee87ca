"""Files of the capture's folder that the browser writes: new ones only, readable by their owner alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.workspace import check_name

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class CaptureFolder:
    """The folder, by its absolute path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def path(self, name: str) -> Path:
        """Absolute path of a file."""
        return self._path / check_name(name)

    def create(self, name: str) -> BinaryIO:
        """New file to write; OSError when it is there or the disk refuses."""
        return os.fdopen(os.open(self.path(name), _NEW, 0o600), "wb")

    def write(self, name: str, data: bytes) -> None:
        """New file with this content, durable on return."""
        with self.create(name) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def digest(self, name: str) -> tuple[int, str]:
        """(bytes, SHA-256 in hex) of a file."""
        hasher = hashlib.sha256()
        with self.path(name).open("rb") as file:
            while block := file.read(1 << 20):
                hasher.update(block)
            return file.tell(), hasher.hexdigest()


class Lines:
    """A file of canonical JSON lines; reaches the disk at `flush`, which a timer calls."""

    def __init__(self, folder: CaptureFolder, name: str) -> None:
        self._file = folder.create(name)

    def add(self, value: JSON) -> None:
        """One more line; what comes after the end is not kept."""
        if self._file.closed:
            return
        self._file.write(encode(value) + b"\n")

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        if not self._file.closed:
            self._file.flush()

    def close(self) -> None:
        """Make everything durable."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
