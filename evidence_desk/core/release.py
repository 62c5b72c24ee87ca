"""Release lists (``docs/spec/release.md``): the files of a version by size and digests, as a C2SP signed note. Pure, strict.

A list is believed for its Ed25519 line under the key that the reader pinned, for nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.core.note import Note, NoteKeys, NoteSignature, check_ed25519, parse_note
from evidence_desk.errors import IntegrityError, MalformedError

FORMAT: Final = "evidence-desk.release/1"
MAX_FILES: Final = 64
MAX_SIZE: Final = 2**53 - 1
KEY_NAME: Final = "evidence-desk.release"
DEMO_KEY_NAME: Final = "evidence-desk.release.demo"
_DEMONSTRATION: Final = "演示/demonstration"
_RELEASE: Final = "release"
_TYPE: Final = b"\x01"
_NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]{0,5})\Z")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}\Z")
_FILE: Final = re.compile(r"file (0|[1-9][0-9]{0,15}) ([0-9a-f]{64}) ([0-9a-f]{64}) (\S+)\Z")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ReleaseFile:
    """One file; `size` in bytes, digests in lowercase hex."""

    name: str
    size: int
    sha256: str
    sm3: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a list says.

    Attributes:
        version: three numbers, ``1.2.3``.
        issued: when it was signed, by the signer's clock; a later list has a later time.
        demonstration: signed with a key made on the spot, nobody's word.
        files: in order of name.
    """

    version: str
    issued: datetime
    demonstration: bool
    files: tuple[ReleaseFile, ...]

    def encode(self) -> str:
        """The text that is signed."""
        lines = [
            FORMAT,
            f"version {self.version}",
            f"issued {format_moment(self.issued)}",
            f"key {_DEMONSTRATION if self.demonstration else _RELEASE}",
            *(f"file {item.size} {item.sha256} {item.sm3} {item.name}" for item in self.files),
        ]
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseKey:
    """An Ed25519 key (32 bytes) that signs release lists, and its name."""

    name: str
    public: bytes

    def encode(self) -> str:
        """Verifier key ``name+id+base64``, C2SP signed-note, and a newline."""
        return f"{self.name}+{self._keys.ed25519_id.hex()}+{base64.b64encode(_TYPE + self.public).decode()}\n"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the 32 bytes, hex: what people compare."""
        return hashlib.sha256(self.public).hexdigest()

    @property
    def _keys(self) -> NoteKeys:
        return NoteKeys(name=self.name, ed25519=self.public, sm2=b"")

    def sign(self, text: str, signer: Callable[[bytes], bytes]) -> bytes:
        """The signed note over `text`; `signer` answers the 64-byte signature (RFC 8032)."""
        line = NoteSignature(name=self.name, key_id=self._keys.ed25519_id, signature=signer(text.encode()))
        return Note(text=text, signatures=(line,)).encode()

    def signed(self, note: Note) -> bool:
        """Whether the note has this key's line, once and right."""
        return check_ed25519(note, self._keys) is True


def parse_release_key(text: str) -> ReleaseKey:
    """Read what `ReleaseKey.encode` writes; the final newline may be missing.

    Raises:
        MalformedError: ``malformed.vkey``.
    """
    name, _, rest = text.removesuffix("\n").partition("+")
    try:
        typed = base64.b64decode(rest.partition("+")[2], validate=True)
        key = ReleaseKey(name=name, public=typed[1:])
        canonical = key.encode()
    except ValueError as error:
        raise MalformedError("malformed.vkey") from error
    if (
        canonical != text.removesuffix("\n") + "\n"
        or len(typed) != 33
        or name not in {KEY_NAME, DEMO_KEY_NAME}
    ):
        raise MalformedError("malformed.vkey")
    return key


def read_release(data: bytes, key: ReleaseKey) -> Release:
    """The list, if `key` signed it; the signature is checked before the text is read.

    Raises:
        MalformedError: ``malformed.note``, ``malformed.release``, ``malformed.too_large``, ``malformed.time``.
        IntegrityError: ``release.signature``.
    """
    note = parse_note(data)
    if not key.signed(note):
        raise IntegrityError("release.signature")
    return parse_release(note.text)


def parse_release(text: str) -> Release:
    """Read the signed text; what would not be written so again is refused.

    Raises:
        MalformedError: ``malformed.release``, ``malformed.time``.
    """
    lines = text.split("\n")
    if len(lines) < 6 or lines[0] != FORMAT or len(lines) - 5 > MAX_FILES:
        raise MalformedError("malformed.release", reason="head")
    version, issued, key = lines[1:4]
    release = Release(
        version=version.removeprefix("version "),
        issued=parse_moment(issued.removeprefix("issued "), what="issued"),
        demonstration=key == f"key {_DEMONSTRATION}",
        files=tuple(_file(line) for line in lines[4:-1]),
    )
    version_numbers(release.version)
    names = [item.name for item in release.files]
    if names != sorted(set(names)):
        raise MalformedError("malformed.release", reason="order of files")
    if release.encode() != text:
        raise MalformedError("malformed.release", reason="not canonical")
    return release


def version_numbers(version: str) -> tuple[int, int, int]:
    """The three numbers of a version.

    Raises:
        MalformedError: ``malformed.release``.
    """
    parts = version.split(".")
    if len(parts) != 3 or not all(_NUMBER.match(part) for part in parts):
        raise MalformedError("malformed.release", reason="version")
    return int(parts[0]), int(parts[1]), int(parts[2])


def _file(line: str) -> ReleaseFile:
    found = _FILE.match(line)
    if found is None or not _NAME.match(found[4]) or int(found[1]) > MAX_SIZE:
        raise MalformedError("malformed.release", reason="file")
    return ReleaseFile(name=found[4], size=int(found[1]), sha256=found[2], sm3=found[3])
