"""Plain bytes of an age file as a readable stream: decrypted in a thread, handed over through a bounded pipe.

Plaintext never touches the disk. Closing early stops the thread.
"""

from __future__ import annotations

import io
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import pyrage
from pyrage import x25519

from evidence_desk.errors import IntegrityError
from evidence_desk.vault.faults import host_fault

if TYPE_CHECKING:
    from typing_extensions import Buffer

_PIECE: Final = 256 * 1024
_PIECES: Final = 4
_READ_SIZE: Final = 1024 * 1024


class _ClosedEarlyError(Exception):
    """The reader went away; ends the decrypting thread."""


class _Pipe:
    """Bounded queue of pieces; the writing side is what age sees as a file."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._pending = bytearray()
        self._ended = False
        self._closed = False
        self._error: Exception | None = None

    def write(self, data: bytes) -> int:
        """Take the next plain bytes (from the decrypting thread)."""
        self._pending += data
        if len(self._pending) >= _PIECE:
            self._push()
        return len(data)

    def flush(self) -> None:
        """Nothing to do: what is pending is pushed at the end."""

    def end(self, error: Exception | None) -> None:
        """Say that nothing follows; with `error` the stream is not to be trusted."""
        if error is None and self._pending:
            try:
                self._push()
            except _ClosedEarlyError:
                return
        with self._condition:
            self._ended, self._error = True, error
            self._condition.notify_all()

    def take(self) -> bytes:
        """Next piece, b"" at the verified end."""
        with self._condition:
            self._condition.wait_for(lambda: self._pieces or self._ended)
            if self._pieces:
                piece = self._pieces.popleft()
                self._condition.notify_all()
                return piece
            if self._error is not None:
                raise self._error
            return b""

    def close(self) -> None:
        """The reader wants no more."""
        with self._condition:
            self._closed = True
            self._pieces.clear()
            self._condition.notify_all()

    def _push(self) -> None:
        piece = bytes(self._pending)
        self._pending.clear()
        with self._condition:
            self._condition.wait_for(lambda: self._closed or len(self._pieces) < _PIECES)
            if self._closed:
                raise _ClosedEarlyError
            self._pieces.append(piece)
            self._condition.notify_all()


class _DecryptedStream(io.RawIOBase):
    """Raw side of `open_decrypted`."""

    def __init__(self, cipher: BinaryIO, identity: x25519.Identity) -> None:
        super().__init__()
        self._cipher = cipher
        self._pipe = _Pipe()
        self._rest = memoryview(b"")
        self._thread = threading.Thread(target=self._decrypt, args=(identity,), name="decrypt", daemon=True)
        self._thread.start()

    def readable(self) -> bool:
        return True

    def readinto(self, target: Buffer, /) -> int:
        if not self._rest:
            self._rest = memoryview(self._pipe.take())
        view = memoryview(target).cast("B")
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._pipe.close()
            self._thread.join()
            self._cipher.close()
        super().close()

    def _decrypt(self, identity: x25519.Identity) -> None:
        error: Exception | None = None
        try:
            pyrage.decrypt_io(self._cipher, self._pipe, [identity])
        except Exception:  # noqa: BLE001 - age's errors and the reader's own stop; both mean: not whole
            error = IntegrityError("vault.object_damaged")
        self._pipe.end(error)


def open_decrypted(path: Path, identity: x25519.Identity) -> BinaryIO:
    """Stream of the plain bytes; its end is only reached when the last chunk was authenticated.

    Raises:
        IntegrityError: ``vault.object_missing``; while reading ``vault.object_damaged``.
        HostError: the file cannot be read.
    """
    try:
        cipher = path.open("rb", buffering=_READ_SIZE)
    except FileNotFoundError as error:
        raise IntegrityError("vault.object_missing") from error
    except OSError as error:
        raise host_fault(error, "objects") from error
    return cast("BinaryIO", io.BufferedReader(_DecryptedStream(cipher, identity), _READ_SIZE))
