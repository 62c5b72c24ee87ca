"""Digest pairs (SHA-256 + SM3) and streaming hashing. Must not open files or touch the network."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives import hashes

from evidence_desk.errors import MalformedError

_HEX = re.compile(r"[0-9a-f]{64}\Z")
DIGEST_SIZE = 32
"""Bytes of a SHA-256 or SM3 digest."""


def sha256(data: bytes) -> bytes:
    """SHA-256 of `data` (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


def sm3(data: bytes) -> bytes:
    """SM3 of `data` (GB/T 32905-2016), by OpenSSL."""
    hasher = hashes.Hash(hashes.SM3())
    hasher.update(data)
    return hasher.finalize()


def parse_hex(value: object, *, what: str) -> bytes:
    """Read a 32-byte digest from 64 lower-case hex digits.

    Raises:
        MalformedError: ``malformed.digest`` when `value` is anything else.
    """
    if not isinstance(value, str) or not _HEX.match(value):
        raise MalformedError("malformed.digest", what=what)
    return bytes.fromhex(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPair:
    """SHA-256 and SM3 of the same bytes, 32 bytes each."""

    sha256: bytes
    sm3: bytes

    def __post_init__(self) -> None:
        if len(self.sha256) != DIGEST_SIZE or len(self.sm3) != DIGEST_SIZE:
            raise MalformedError("malformed.digest", what="digest pair")

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Digest pair of `data`."""
        return cls(sha256=sha256(data), sm3=sm3(data))

    @classmethod
    def from_json(cls, value: object, *, what: str = "digest pair") -> Self:
        """Read ``{"sha256": hex, "sm3": hex}``.

        Raises:
            MalformedError: ``malformed.digest`` on any other shape.
        """
        if not isinstance(value, dict) or set(value) != {"sha256", "sm3"}:
            raise MalformedError("malformed.digest", what=what)
        return cls(sha256=parse_hex(value["sha256"], what=what), sm3=parse_hex(value["sm3"], what=what))

    def to_json(self) -> dict[str, str]:
        """``{"sha256": hex, "sm3": hex}``, lower case."""
        return {"sha256": self.sha256.hex(), "sm3": self.sm3.hex()}

    def matches(self, other: DigestPair) -> bool:
        """Whether both digests are equal, compared in constant time."""
        return hmac.compare_digest(self.sha256 + self.sm3, other.sha256 + other.sm3)


class PairHasher:
    """Both digests of one stream, fed in chunks; use one thread a hasher for speed (vault.hashing does)."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._sm3 = hashes.Hash(hashes.SM3())
        self.size = 0

    def update(self, chunk: bytes) -> None:
        """Feed the next bytes of the stream."""
        self._sha256.update(chunk)
        self._sm3.update(chunk)
        self.size += len(chunk)

    def digest(self) -> DigestPair:
        """Digests of everything fed; the hasher must not be used afterwards."""
        return DigestPair(sha256=self._sha256.digest(), sm3=self._sm3.finalize())
