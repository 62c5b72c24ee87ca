"""What the authority did, one JSON object a line, appended; never a digest that was stamped, never an address."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from evidence_desk.errors import HostError

_PRIVATE: Final = 0o600
_TAIL: Final = 64 << 10


class AuditLog:
    """Append-only file ``audit.jsonl`` in `folder`; several processes may append.

    Raises:
        HostError: ``authority.audit_write``; a token whose line can't be written is not handed out.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "audit.jsonl"
        self._mutex = threading.Lock()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            self._descriptor = os.open(self._path, flags, _PRIVATE)
        except OSError as error:
            raise HostError("authority.audit_write", reason=error.strerror or "") from error

    def append(self, event: str, at: datetime, facts: Mapping[str, str | int]) -> None:
        """Write one line in one system call, so that lines of several processes don't mix."""
        entry = {"at": at.astimezone(UTC).isoformat(timespec="milliseconds"), "event": event, **facts}
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            with self._mutex:
                written = os.write(self._descriptor, line)
        except OSError as error:
            raise HostError("authority.audit_write", reason=error.strerror or "") from error
        if written != len(line):
            raise HostError("authority.audit_write", reason="short write")

    def newest_token(self) -> datetime | None:
        """Time of the newest token in the last 64 KiB of the log; damaged lines are passed over."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL))
                lines = file.read().splitlines()
        except OSError as error:
            raise HostError("authority.audit_write", reason=error.strerror or "") from error
        times = [moment for line in lines if (moment := _token_time(line)) is not None]
        return max(times, default=None)

    def close(self) -> None:
        """Close the file; idempotent."""
        with self._mutex:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1


def _token_time(line: bytes) -> datetime | None:
    try:
        entry = json.loads(line)
        if entry["event"] != "granted":
            return None
        moment = datetime.fromisoformat(entry["at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return moment if moment.tzinfo is not None else None
