"""Rules for names inside a package: safe to unpack on every system, and never two for one file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from evidence_desk.errors import MalformedError

MAX_NAME_BYTES: Final = 255
_FORBIDDEN: Final = frozenset('\\:*?"<>|')
_DEVICES: Final = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"))
)
_UNSAFE_CATEGORIES: Final = frozenset(("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"))
"""Control, format (bidi marks, zero width), surrogate, unassigned, private use, line and paragraph separators."""


def refuse(reason: str, name: str = "—") -> MalformedError:
    """The error of every structural fault; `name` is made safe to print and cut to 80 characters."""
    printable = "".join(char if char.isprintable() else "\ufffd" for char in name[:80])
    return MalformedError("malformed.package", reason=reason, name=printable)


def check_name(name: str) -> str:
    """Return `name` when every common system unpacks it to the same place under the target folder.

    Raises:
        MalformedError: ``malformed.package`` with reason ``name``.
    """
    try:
        size = len(name.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise refuse("name", name) from error
    if not 1 <= size <= MAX_NAME_BYTES or unicodedata.normalize("NFC", name) != name:
        raise refuse("name", name)
    if any(char in _FORBIDDEN or unicodedata.category(char) in _UNSAFE_CATEGORIES for char in name):
        raise refuse("name", name)
    if not all(_segment_ok(segment) for segment in name.split("/")):
        raise refuse("name", name)
    return name


def _segment_ok(segment: str) -> bool:
    """No empty, ``.`` or ``..`` part, nothing Windows strips or reserves."""
    if not segment or segment[-1] in ". " or segment[0] == " ":
        return False
    return segment.partition(".")[0].rstrip().casefold() not in _DEVICES


def check_distinct(names: Iterable[str]) -> None:
    """Refuse two names for one file on a system that folds case or normalizes, and a file that is also a folder.

    Raises:
        MalformedError: ``malformed.package`` with reason ``duplicate``.
    """
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        key = _fold(name)
        if key in files:
            raise refuse("duplicate", name)
        files.add(key)
        parts = key.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    clash = files & folders
    if clash:
        raise refuse("duplicate", min(clash))


def _fold(name: str) -> str:
    """Compatibility case folding (Unicode §3.13, toNFKC_Casefold without default ignorables)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
