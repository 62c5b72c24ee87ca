"""Ed25519 as consensus judges it (ZIP-215) beside OpenSSL's stricter reading.

CometBFT accepts by ZIP-215: encodings need not be canonical, the equation is multiplied by the cofactor. OpenSSL
refuses some of these. A vote counts only when both accept; the slow arithmetic here runs only where OpenSSL refuses,
to tell a wrong signature from one on which implementations differ.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]
_ZERO: Final[_Point] = (0, 1, 1, 0)


class Judgment(Enum):
    """What a signature is worth."""

    RIGHT = "right"
    DISPUTED = "disputed"
    """ZIP-215 accepts, OpenSSL does not."""
    WRONG = "wrong"


def judge(public_key: bytes, message: bytes, signature: bytes) -> Judgment:
    """Judge a signature (64 bytes) under a key (32 bytes)."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return Judgment.DISPUTED if _zip215(public_key, message, signature) else Judgment.WRONG
    return Judgment.RIGHT


def is_sound_key(public_key: bytes) -> bool:
    """Whether a key is canonically encoded and in the prime-order group: asked at the key ceremony."""
    point = _decode(public_key)
    if point is None or int.from_bytes(public_key, "little") & (2**255 - 1) >= _P:
        return False
    if _is_zero(point) or (point[0] % _P == 0 and public_key[31] >> 7):
        return False
    return _is_zero(_times(_L, point))


def _zip215(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """8·(s·B − R − h·A) = 0 with s < L (ZIP-215)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = _decode(public_key), _decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or s >= _L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _L
    rest = _add(_times(s, _BASE), _negate(_add(commitment, _times(h, key))))
    return _is_zero(_times(8, rest))


def _decode(data: bytes) -> _Point | None:
    """Point of an encoding, canonical or not (RFC 8032 §5.1.3 without the range check)."""
    if len(data) != 32:
        return None
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, (number & (2**255 - 1)) % _P
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P == -u % _P:
        x = x * _ROOT % _P
    if v * x * x % _P != u:
        return None
    if x & 1 != sign:
        x = -x % _P
    return x, y, 1, x * y % _P


def _add(first: _Point, second: _Point) -> _Point:
    """Sum in extended coordinates (RFC 8032 §5.1.4)."""
    a = (first[1] - first[0]) * (second[1] - second[0]) % _P
    b = (first[1] + first[0]) * (second[1] + second[0]) % _P
    c = 2 * first[3] * second[3] * _D % _P
    d = 2 * first[2] * second[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _negate(point: _Point) -> _Point:
    return -point[0] % _P, point[1], point[2], -point[3] % _P


def _times(factor: int, point: _Point) -> _Point:
    result = _ZERO
    while factor:
        if factor & 1:
            result = _add(result, point)
        point = _add(point, point)
        factor >>= 1
    return result


def _is_zero(point: _Point) -> bool:
    return point[0] % _P == 0 and (point[1] - point[2]) % _P == 0


def _base() -> _Point:
    point = _decode((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))
    assert point is not None  # noqa: S101 - a constant of RFC 8032
    return point


_BASE: Final = _base()
