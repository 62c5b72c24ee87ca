"""Keys out of secrets: HKDF of TLS 1.3 (RFC 8446 §7) and the PRF of TLS 1.2 (RFC 5246 §5)."""

from __future__ import annotations

import hmac
from typing import Final, Literal

from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

HashName = Literal["sha256", "sha384"]
HASH_SIZE: Final[dict[HashName, int]] = {"sha256": 32, "sha384": 48}
IV_SIZE: Final = 12
VERIFY_SIZE: Final = 12
"""Bytes of verify_data in TLS 1.2 (RFC 5246 §7.4.9)."""
_HASHES: Final = {"sha256": SHA256, "sha384": SHA384}


def expand_label(digest: HashName, secret: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446 §7.1)."""
    name = b"tls13 " + label.encode()
    info = size.to_bytes(2) + bytes([len(name)]) + name + b"\0"
    return HKDFExpand(_HASHES[digest](), size, info).derive(secret)


def finished_13(digest: HashName, secret: bytes, transcript: bytes) -> bytes:
    """verify_data of a Finished message (RFC 8446 §4.4.4)."""
    return hmac.digest(expand_label(digest, secret, "finished", HASH_SIZE[digest]), transcript, digest)


def next_secret(digest: HashName, secret: bytes) -> bytes:
    """Traffic secret after a KeyUpdate (RFC 8446 §7.2)."""
    return expand_label(digest, secret, "traffic upd", HASH_SIZE[digest])


def prf(digest: HashName, secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """The PRF of TLS 1.2 (RFC 5246 §5)."""
    seed = label + seed
    result = b""
    step = seed
    while len(result) < size:
        step = hmac.digest(secret, step, digest)
        result += hmac.digest(secret, step + seed, digest)
    return result[:size]
