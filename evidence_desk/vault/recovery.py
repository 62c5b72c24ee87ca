"""The recovery key on paper: 256 bits as grouped Crockford base32 with a checksum, and the next log keys it fixes."""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence_desk.core.digests import DigestPair
from evidence_desk.crypto.guomi import sm2_from_seed
from evidence_desk.errors import MalformedError
from evidence_desk.vault.keys import KEY_SIZE, derive

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_CHECKSUM_SIZE: Final = 3
_DIGITS: Final = (KEY_SIZE + _CHECKSUM_SIZE) * 8 // 5
_GROUP: Final = 4
MAX_ROTATIONS: Final = 16
"""How many rotations are tried, where nobody knows how many there were."""
_DOMAIN: Final = b"evidence-desk/recovery-key/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextKeyDigests:
    """Digest pairs of the public keys that may succeed the present ones.

    Attributes:
        ed25519: of the 32-byte raw public key.
        sm2: of the 65-byte point 04‖x‖y.
    """

    ed25519: DigestPair
    sm2: DigestPair


def new_recovery_key() -> bytes:
    """256 random bits."""
    return os.urandom(KEY_SIZE)


def format_recovery_key(key: bytes) -> str:
    """56 digits in groups of four, for paper: 256 bits of key, 24 of checksum."""
    number = int.from_bytes(key + _checksum(key), "big")
    digits = "".join(_ALPHABET[number >> (5 * place) & 31] for place in reversed(range(_DIGITS)))
    return "-".join(digits[start : start + _GROUP] for start in range(0, _DIGITS, _GROUP))


def parse_recovery_key(text: str) -> bytes:
    """Key from what a person typed: case, spaces and hyphens don't matter, O reads as 0, I and L as 1.

    Raises:
        MalformedError: ``malformed.recovery_key`` when a character is wrong, missing or swapped.
    """
    if len(text) > 8 * _DIGITS:
        raise MalformedError("malformed.recovery_key")
    typed = unicodedata.normalize("NFKC", text).upper()
    digits = "".join(c for c in typed if not c.isspace() and c not in "-‐‑‒–—−_.").translate(_MISREAD)
    if len(digits) != _DIGITS or any(digit not in _ALPHABET for digit in digits):
        raise MalformedError("malformed.recovery_key")
    number = 0
    for digit in digits:
        number = number << 5 | _ALPHABET.index(digit)
    data = number.to_bytes(KEY_SIZE + _CHECKSUM_SIZE, "big")
    key, checksum = data[:KEY_SIZE], data[KEY_SIZE:]
    if not hmac.compare_digest(checksum, _checksum(key)):
        raise MalformedError("malformed.recovery_key")
    return key


def next_log_keys(recovery_key: bytes, origin: str, rotation: int = 0) -> tuple[bytes, bytes]:
    """(Ed25519 seed, SM2 private key) that succeed the keys of log `origin` after so many rotations.

    Derived when needed, never stored before they are in use.
    """
    seed, sm2_seed = _seeds(recovery_key, origin, rotation)
    return seed, sm2_from_seed(sm2_seed)[0]


def next_key_digests(recovery_key: bytes, origin: str, rotation: int = 0) -> NextKeyDigests:
    """Digests of the public halves of `next_log_keys`."""
    seed, sm2_seed = _seeds(recovery_key, origin, rotation)
    return NextKeyDigests(
        ed25519=DigestPair.of(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()),
        sm2=DigestPair.of(sm2_from_seed(sm2_seed)[1]),
    )


def _seeds(recovery_key: bytes, origin: str, rotation: int) -> tuple[bytes, bytes]:
    name = f"{origin}+{rotation}" if rotation else origin
    seed = derive(recovery_key, salt=b"", info=f"evidence-desk/next-key/1/ed25519/{name}")
    return seed, derive(recovery_key, salt=b"", info=f"evidence-desk/next-key/1/sm2/{name}")


def _checksum(key: bytes) -> bytes:
    return hashlib.sha256(_DOMAIN + key).digest()[:_CHECKSUM_SIZE]
