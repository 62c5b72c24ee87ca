"""C2SP signed note: a text, an empty line, and signature lines. Strict parser; unknown lines are kept.

Ed25519 lines have type 0x01; SM2 lines type 0xff with our long identifier (C2SP signed-note, «Signature types»).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evidence_desk.crypto.guomi import check_point, verify_sm2
from evidence_desk.errors import MalformedError

MAX_NOTE: Final = 64 * 1024
MAX_SIGNATURES: Final = 16
_DASH: Final = "— "  # U+2014 and a space, C2SP signed-note
SM2_IDENTIFIER: Final = b"evidence-desk/note/sm2-sm3/1"
"""Long identifier behind type 0xff: SM2 with SM3, user ID 1234567812345678, DER signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: key name, 4-byte key ID, signature bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A parsed note; `text` includes its final newline and is what is signed."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        """Bytes of the note."""
        lines = [
            f"{_DASH}{item.name} {base64.b64encode(item.key_id + item.signature).decode()}\n"
            for item in self.signatures
        ]
        return (self.text + "\n" + "".join(lines)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKeys:
    """Public keys that sign notes under one name: Ed25519 (32 bytes) and SM2 (65 bytes, 04‖x‖y)."""

    name: str
    ed25519: bytes
    sm2: bytes

    @property
    def ed25519_id(self) -> bytes:
        """Key ID: first 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key)."""
        return _key_id(self.name, b"\x01" + self.ed25519)

    @property
    def sm2_id(self) -> bytes:
        """Key ID: first 4 bytes of SHA-256(name ‖ 0x0A ‖ 0xff ‖ identifier ‖ key)."""
        return _key_id(self.name, b"\xff" + SM2_IDENTIFIER + self.sm2)

    def encode(self) -> str:
        """Two verifier-key lines ``name+hash+base64`` (C2SP note vkey), Ed25519 then SM2."""
        return "".join(
            f"{self.name}+{key_id.hex()}+{base64.b64encode(key).decode()}\n"
            for key_id, key in (
                (self.ed25519_id, b"\x01" + self.ed25519),
                (self.sm2_id, b"\xff" + SM2_IDENTIFIER + self.sm2),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCheck:
    """What the lines of a note are worth under given keys; None where the line is absent."""

    ed25519: bool | None
    sm2: bool | None


def parse_note(data: bytes) -> Note:
    """Read a note and refuse whatever would not re-encode to the same bytes.

    Raises:
        MalformedError: ``malformed.note``.
    """
    if len(data) > MAX_NOTE:
        raise MalformedError("malformed.too_large", what="note", limit=MAX_NOTE)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("malformed.note", reason="not UTF-8") from error
    if any(char < " " and char != "\n" for char in text):
        raise MalformedError("malformed.note", reason="control character")
    body, separator, block = text.rpartition("\n\n")
    if not separator or not block.endswith("\n"):
        raise MalformedError("malformed.note", reason="no signature block")
    lines = block[:-1].split("\n")
    if not 1 <= len(lines) <= MAX_SIGNATURES:
        raise MalformedError("malformed.note", reason="number of signatures")
    note = Note(text=body + "\n", signatures=tuple(_signature(line) for line in lines))
    if note.encode() != data:
        raise MalformedError("malformed.note", reason="not canonical")
    return note


def sign_note(
    text: str, keys: NoteKeys, *, ed25519: Callable[[bytes], bytes], sm2: Callable[[bytes], bytes]
) -> Note:
    """Sign `text` (ending in a newline) with both keys of a desk."""
    message = text.encode()
    return Note(
        text=text,
        signatures=(
            NoteSignature(name=keys.name, key_id=keys.ed25519_id, signature=ed25519(message)),
            NoteSignature(name=keys.name, key_id=keys.sm2_id, signature=sm2(message)),
        ),
    )


def check_note(note: Note, keys: NoteKeys) -> NoteCheck:
    """Check the lines under `keys`; lines of other keys are ignored, a repeated line of ours counts as wrong."""
    message = note.text.encode()
    return NoteCheck(
        ed25519=check_ed25519(note, keys),
        sm2=_check_line(note, keys.name, keys.sm2_id, lambda sig: verify_sm2(keys.sm2, message, sig)),
    )


def check_ed25519(note: Note, keys: NoteKeys) -> bool | None:
    """Check the Ed25519 line alone; None where it is absent."""
    message = note.text.encode()
    return _check_line(note, keys.name, keys.ed25519_id, lambda sig: _ed25519(keys.ed25519, message, sig))


def parse_keys(text: str) -> NoteKeys:
    """Read the two verifier-key lines that `NoteKeys.encode` writes.

    Raises:
        MalformedError: ``malformed.vkey``.
    """
    try:
        first, second = text.removesuffix("\n").split("\n")
        name, _, encoded = first.split("+", 2)
        ed25519 = base64.b64decode(encoded, validate=True)
        sm2 = base64.b64decode(second.split("+", 2)[2], validate=True)
        keys = NoteKeys(name=name, ed25519=ed25519[1:], sm2=sm2[1 + len(SM2_IDENTIFIER) :])
        canonical = keys.encode()
        check_point(keys.sm2)
    except (ValueError, IndexError, MalformedError) as error:
        raise MalformedError("malformed.vkey") from error
    if canonical != text or len(keys.ed25519) != 32 or not _is_name(name):
        raise MalformedError("malformed.vkey")
    return keys


def _check_line(note: Note, name: str, key_id: bytes, verify: Callable[[bytes], bool]) -> bool | None:
    found = [item for item in note.signatures if item.name == name and item.key_id == key_id]
    if not found:
        return None
    return len(found) == 1 and verify(found[0].signature)


def _ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signature(line: str) -> NoteSignature:
    if not line.startswith(_DASH):
        raise MalformedError("malformed.note", reason="signature line")
    name, separator, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise MalformedError("malformed.note", reason="base64") from error
    if not separator or not _is_name(name) or len(blob) < 5:
        raise MalformedError("malformed.note", reason="signature line")
    return NoteSignature(name=name, key_id=blob[:4], signature=blob[4:])


def _is_name(name: str) -> bool:
    """C2SP signed-note: non-empty, without Unicode spaces and plus signs."""
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def _key_id(name: str, typed_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + typed_key).digest()[:4]
