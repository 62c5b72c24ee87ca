"""The outside of an age file: whom it is for and how much it holds, without any key (age-encryption.org/v1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from evidence_desk.core.capture.manifest import FileDigest
from evidence_desk.core.package.zip_format import Member, directory, tail
from evidence_desk.errors import MalformedError

MAX_HEADER: Final = 64 << 10
MAX_STANZAS: Final = 64
_VERSION: Final = b"age-encryption.org/v1"
_ARGUMENTS: Final = re.compile(rb"-> [\x21-\x7e]+(?: [\x21-\x7e]+)*\Z")
_X25519: Final = re.compile(rb"-> X25519 [A-Za-z0-9+/]{43}\Z")
_GREASE: Final = re.compile(rb"-> [\x21-\x7e]*-grease(?: |\Z)")
_BODY: Final = re.compile(rb"[A-Za-z0-9+/]{0,64}\Z")
_MAC: Final = re.compile(rb"--- [A-Za-z0-9+/]{43}\Z")
_COLUMNS: Final = 64
_KEY_COLUMNS: Final = 43
"""Characters of the file key's 32 wrapped bytes in base64."""
_NONCE: Final = 16
_TAG: Final = 16
_CHUNK: Final = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the header says.

    Attributes:
        recipients: keys that open it.
        content: bytes of the plain content.
    """

    recipients: int
    content: int


def read_envelope(source: BinaryIO, size: int) -> Envelope:
    """Read the header of an age file of `size` bytes, and work out what it holds; nothing is decrypted.

    Raises:
        MalformedError: ``malformed.age``: form of the header, another kind of recipient than X25519, or a length that no
            content has.
    """
    head = source.read(min(size, MAX_HEADER))
    lines: list[bytes] = []
    place = 0
    while not lines or not lines[-1].startswith(b"---"):
        end = head.find(b"\n", place)
        if end < 0:
            raise _refuse("header")
        lines.append(head[place:end])
        place = end + 1
    if lines[0] != _VERSION or not _MAC.match(lines[-1]):
        raise _refuse("header")
    return Envelope(recipients=_recipients(lines[1:-1]), content=_content(size - place))


def private_size(files: Sequence[FileDigest]) -> int:
    """Bytes of the stored ZIP that holds `files` in their order.

    Raises:
        MalformedError: ``malformed.age``: more than a container has.
    """
    members: list[Member] = []
    place = 0
    for item in files:
        members.append(Member(name=item.name, size=item.size, crc=0, offset=place))
        place = members[-1].end
        if place >= 1 << 62:
            raise _refuse("size")
    central = directory(members)
    return place + len(central) + len(tail(count=len(members), size=len(central), offset=place))


def _recipients(lines: Sequence[bytes]) -> int:
    """Recipients among the stanzas; those that age puts in so that nobody relies on their absence are none."""
    found = stanzas = at = 0
    while at < len(lines):
        first = lines[at]
        stanzas += 1
        if not _ARGUMENTS.match(first) or stanzas > MAX_STANZAS:
            raise _refuse("stanza")
        body: list[bytes] = []
        while not body or len(body[-1]) == _COLUMNS:
            at += 1
            if at == len(lines) or not _BODY.match(lines[at]):
                raise _refuse("stanza")
            body.append(lines[at])
        at += 1
        if _GREASE.match(first):
            continue
        if not _X25519.match(first) or [len(line) for line in body] != [_KEY_COLUMNS]:
            raise _refuse("recipient")
        found += 1
    return found


def _content(payload: int) -> int:
    """Plain bytes of a payload: a nonce, then chunks with a tag each; only the last is shorter, none is empty but the only."""
    sealed = payload - _NONCE
    chunks = -(-sealed // (_CHUNK + _TAG))
    content = sealed - chunks * _TAG
    if (
        sealed < _TAG
        or content < 0
        or (content == 0 and chunks > 1)
        or chunks != max(1, -(-content // _CHUNK))
    ):
        raise _refuse("length")
    return content


def _refuse(reason: str) -> MalformedError:
    return MalformedError("malformed.age", reason=reason)
