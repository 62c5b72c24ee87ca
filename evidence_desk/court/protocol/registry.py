"""What the network registers: desks with their keys and status, and the checkpoints it accepted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from evidence_desk.core.checkpoint import MAX_SIZE, check_origin
from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.core.note import NoteKeys
from evidence_desk.court.protocol.messages import Field, Kind, Message
from evidence_desk.crypto.guomi import check_point
from evidence_desk.errors import MalformedError

MAX_ORIGIN: Final = 128
_OFFICE: Final = re.compile(r"[a-z0-9-]{1,32}\Z")
_NEXT_SIZE: Final = 2 * DIGEST_SIZE


class DeskStatus(IntEnum):
    """Status of a desk's log."""

    ACTIVE = 1
    CLOSED = 2
    REVOKED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskKeys:
    """Checkpoint keys: Ed25519 (32 bytes), SM2 (65 bytes), and the digests of the next ones (SHA-256 ‖ SM3 each)."""

    ed25519: bytes
    sm2: bytes
    next_ed25519: bytes
    next_sm2: bytes

    def __post_init__(self) -> None:
        check_point(self.sm2)

    def note_keys(self, origin: str) -> NoteKeys:
        """Keys for checking notes."""
        return NoteKeys(name=origin, ed25519=self.ed25519, sm2=self.sm2)


DESK_KEYS: Final = Message(
    DeskKeys,
    Field(number=1, name="ed25519", kind=Kind.BYTES, least=32, most=32),
    Field(number=2, name="sm2", kind=Kind.BYTES, least=65, most=65),
    Field(number=3, name="next_ed25519", kind=Kind.BYTES, least=_NEXT_SIZE, most=_NEXT_SIZE),
    Field(number=4, name="next_sm2", kind=Kind.BYTES, least=_NEXT_SIZE, most=_NEXT_SIZE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEntry:
    """A desk's entry in the sub-root `desks`, at its origin.

    Attributes:
        registered: height of the registration.
        keys_since: height from which the present keys are valid.
        status_since: height from which the status is valid.
        suspect_from: for a revoked desk: checkpoints accepted at this height or later are in doubt.
        successor: the origin that follows this log, which is then closed or revoked; "" when none.
        size: size of the newest accepted checkpoint, its root in `root` (empty while size is 0).
    """

    origin: str
    office: str
    keys: DeskKeys
    registered: int
    keys_since: int
    status: DeskStatus
    status_since: int
    suspect_from: int = 0
    successor: str = ""
    size: int = 0
    root: bytes = b""

    def __post_init__(self) -> None:
        check_origin(self.origin)
        if self.successor:
            check_origin(self.successor)
        good = (
            self.office == check_office(self.office)
            and self.origin.startswith(f"desk.{self.office}.evidence/")
            and bool(self.suspect_from) is (self.status is DeskStatus.REVOKED)
            and (not self.successor or self.status is not DeskStatus.ACTIVE)
            and len(self.root) == (DIGEST_SIZE if self.size else 0)
            and self.registered <= min(self.keys_since, self.status_since)
        )
        if not good:
            raise MalformedError("malformed.registry", reason="desk")


DESK_ENTRY: Final = Message(
    DeskEntry,
    Field(number=1, name="origin", kind=Kind.TEXT, least=1, most=MAX_ORIGIN),
    Field(number=2, name="office", kind=Kind.TEXT, least=1, most=32),
    Field(number=3, name="keys", kind=DESK_KEYS),
    Field(number=4, name="registered", kind=Kind.UINT),
    Field(number=5, name="keys_since", kind=Kind.UINT),
    Field(number=6, name="status", kind=Kind.UINT, least=1, enum=DeskStatus),
    Field(number=7, name="status_since", kind=Kind.UINT),
    Field(number=8, name="suspect_from", kind=Kind.UINT),
    Field(number=9, name="successor", kind=Kind.TEXT, most=MAX_ORIGIN),
    Field(number=10, name="size", kind=Kind.UINT, most=MAX_SIZE),
    Field(number=11, name="root", kind=Kind.BYTES, most=DIGEST_SIZE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRecord:
    """A checkpoint as the network accepted it, in the list `checkpoints`."""

    origin: str
    size: int
    root: bytes
    height: int

    def __post_init__(self) -> None:
        check_origin(self.origin)


CHECKPOINT_RECORD: Final = Message(
    CheckpointRecord,
    Field(number=1, name="origin", kind=Kind.TEXT, least=1, most=MAX_ORIGIN),
    Field(number=2, name="size", kind=Kind.UINT, least=1, most=MAX_SIZE),
    Field(number=3, name="root", kind=Kind.BYTES, least=DIGEST_SIZE, most=DIGEST_SIZE),
    Field(number=4, name="height", kind=Kind.UINT, least=1),
)


def check_office(office: str) -> str:
    """Return an office code of lower-case letters, digits and hyphens; ``malformed.registry``."""
    if not _OFFICE.match(office):
        raise MalformedError("malformed.registry", reason="office")
    return office


def desk_family(origin: str) -> str:
    """Origin without its epoch: what a desk keeps when a restore opens a new log."""
    return check_origin(origin).rpartition("/")[0]
