"""Checkpoint: signed tree head of a log (C2SP tlog-checkpoint)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.merkle import HASH_SIZE
from evidence_desk.core.note import Note, parse_note
from evidence_desk.errors import MalformedError

MAX_SIZE: Final = 2**53 - 1
_ORIGIN: Final = re.compile(
    r"desk\.[a-z0-9-]{1,32}\.evidence/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/(?:0|[1-9][0-9]{0,5})\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Origin, size and root of a log at one moment."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Note text: origin, decimal size, base64 root, one a line."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def check_origin(origin: str) -> str:
    """Return `origin` when it has the form ``desk.<office>.evidence/<uuid>/<epoch>``.

    Raises:
        MalformedError: ``malformed.origin``.
    """
    if not _ORIGIN.match(origin):
        raise MalformedError("malformed.origin")
    return origin


def parse_checkpoint(data: bytes) -> tuple[Checkpoint, Note]:
    """Read a checkpoint note without judging its signatures.

    Raises:
        MalformedError: ``malformed.note`` or ``malformed.checkpoint``.
    """
    note = parse_note(data)
    lines = note.text.split("\n")
    if len(lines) != 4 or not lines[1].isdecimal() or len(lines[1]) > 16:
        raise MalformedError("malformed.checkpoint")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except ValueError as error:
        raise MalformedError("malformed.checkpoint") from error
    size = int(lines[1]) if lines[1].isascii() else -1
    checkpoint = Checkpoint(origin=check_origin(lines[0]), size=size, root=root)
    if not 0 <= size <= MAX_SIZE or len(root) != HASH_SIZE or checkpoint.text() != note.text:
        raise MalformedError("malformed.checkpoint")
    return checkpoint, note
