"""Outputs that a killed program left half written: each is noted before it is begun, and removed at the next start.

Nothing is ever removed but a file or folder that was noted, bears the name that we give, and belongs to this user.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import platformdirs

from evidence_desk.errors import EvidenceDeskError
from evidence_desk.vault.lock import FileLock

_FOLDER: Final = "unfinished"
_OURS: Final = re.compile(r"\..{1,80}\.(\d{1,10})\.part", re.DOTALL)
_LIMIT: Final = 64 * 1024
_LONGEST: Final = 80


def state_folder() -> Path:
    """Where a user's programs keep what is no setting; ``EVIDENCE_DESK_STATE`` names another folder."""
    given = os.environ.get("EVIDENCE_DESK_STATE")
    return Path(given) if given else Path(platformdirs.user_state_dir("evidence-desk", appauthor=False))


def temporary_for(path: Path) -> Path:
    """The name beside `path` under which this process writes it."""
    return path.with_name(f".{path.name[:_LONGEST]}.{os.getpid()}.part")


@contextmanager
def noted(temporary: Path) -> Iterator[None]:
    """Within the block a note says that `temporary` is being written; without a place for notes, none does."""
    lock: FileLock | None = None
    note = state_folder() / _FOLDER / f"{secrets.token_hex(12)}.json"
    with suppress(OSError, EvidenceDeskError):
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(note.with_suffix(".lock"), busy_code="host.io")
        with note.open("x", encoding="ascii") as stream:
            json.dump({"path": str(temporary.absolute()), "pid": os.getpid()}, stream)
            stream.flush()
            os.fsync(stream.fileno())
    try:
        yield
    finally:
        _forget(note, lock)


def remove_unfinished() -> list[Path]:
    """Remove what dead programs left; the paths that those outputs were to have.

    What lies on a disk that is not there now is kept in mind.
    """
    removed: list[Path] = []
    with suppress(OSError):
        for note in sorted((state_folder() / _FOLDER).glob("*.json")):
            try:
                lock = FileLock(note.with_suffix(".lock"), busy_code="host.io")
            except EvidenceDeskError:  # its program is at work
                continue
            path = _noted_path(note)
            if path is None or _remove(path, removed):
                _forget(note, lock)
            else:
                lock.release()
    return removed


def _remove(path: Path, removed: list[Path]) -> bool:
    """Whether the note can be forgotten."""
    try:
        found = path.lstat()
    except OSError:
        return path.parent.is_dir()
    own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    try:
        if own and stat.S_ISREG(found.st_mode):
            path.unlink()
        elif own and stat.S_ISDIR(found.st_mode):
            shutil.rmtree(path)
        else:
            return True
    except OSError:
        return False
    removed.append(path.with_name(path.name[1:].rsplit(".", 2)[0]))
    return True


def _noted_path(note: Path) -> Path | None:
    """The path of a note when it is one that `noted` wrote."""
    try:
        with note.open("rb") as stream:
            value = json.loads(stream.read(_LIMIT))
        path = Path(value["path"])
        name = _OURS.fullmatch(path.name)
        own = name and path.is_absolute() and "\0" not in str(path) and int(name[1]) == value["pid"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return path if own else None


def _forget(note: Path, lock: FileLock | None) -> None:
    with suppress(OSError):
        note.unlink(missing_ok=True)
    if lock is not None:
        lock.release()
        with suppress(OSError):
            note.with_suffix(".lock").unlink(missing_ok=True)
