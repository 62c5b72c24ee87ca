"""SM2 signatures and keys (GB/T 32918, GM/T 0009): signing by gmssl-pyx, verifying by gmssl-pyx *and* gmssl.

gmssl 3.2.2 is used as second verifier only, with its known traps closed here: it is fed r and s that a strict DER
reader took apart, a public key set after construction, and a sum of points that holds for equal points too. It must
never sign (its nonces are predictable). SM3 of long data is OpenSSL's, through `cryptography`.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import Final

import gmssl_pyx
from cryptography.hazmat.primitives import hashes
from gmssl.sm2 import CryptSM2

from evidence_desk.errors import BugError, IntegrityError, MalformedError

SM2_USER_ID: Final = b"1234567812345678"
"""Default signer ID of GM/T 0009; the OpenSSL command line needs ``-sigopt distid:1234567812345678``."""

CURVE_ORDER: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A: Final = _P - 3
_B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_GENERATOR: Final = (
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)
_Z_CURVE: Final = _A.to_bytes(32, "big") + _B.to_bytes(32, "big") + bytes.fromhex(_GENERATOR)

POINT_SIZE: Final = 65
SCALAR_SIZE: Final = 32
_MAX_USER_ID: Final = 0xFFFF // 8
_MAX_INTEGER: Final = 33
_REMEMBERED_KEYS: Final = 64

_SPKI_PREFIX: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_PKCS8_PREFIX: Final = bytes.fromhex(
    "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420"
)
_PKCS8_MIDDLE: Final = bytes.fromhex("a144034200")


class _SecondImplementation(CryptSM2):  # type: ignore[misc]
    """Points of gmssl, with the verification equation put right (it forgets to normalize a doubled point)."""

    def __init__(self, public_point: bytes) -> None:
        super().__init__(private_key="", public_key="")
        # Its constructor strips leading "0" and "4" digits off the key itself, so the key is set here.
        self.public_key = public_point[1:].hex()

    def accepts(self, r: int, s: int, e: int) -> bool:
        """GB/T 32918.2 §7.1, steps B5 to B7."""
        t = (r + s) % CURVE_ORDER
        if t == 0:
            return False
        first = self._kg(s, _GENERATOR)
        second = self._kg(t, self.public_key)
        if first == second:
            total = self._double_point(first + "1")
        elif first[:64] == second[:64]:
            return False
        else:
            total = self._add_point(first + "1", second)
        point = self._convert_jacb_to_nor(total)
        return point is not None and r == (e + int(point[:64], 16)) % CURVE_ORDER


def verify_sm2(
    public_point: bytes, message: bytes, signature_der: bytes, *, user_id: bytes = SM2_USER_ID
) -> bool:
    """Whether `signature_der` is the SM2-with-SM3 signature of `message` (GB/T 32918.2 §7).

    Args:
        public_point: 65 bytes, 04‖x‖y.
        message: signed bytes; ZA is computed here.
        signature_der: SEQUENCE of r and s; anything but strict DER with both in [1, n−1] is False.
        user_id: 1 to 8191 bytes.

    Raises:
        MalformedError: ``sm2.point`` when the point is not on the curve.
        IntegrityError: ``sm2.disagreement`` when the two implementations differ.
    """
    check_point(public_point)
    _check_user_id(user_id)
    numbers = decode_signature(signature_der)
    if numbers is None:
        return False
    r, s = numbers
    digest = _message_digest(public_point, message, user_id)
    first = _verify_gmssl_pyx(public_point, message, signature_der, user_id)
    second = _SecondImplementation(public_point).accepts(r, s, int.from_bytes(digest, "big"))
    if first is not second:
        raise IntegrityError("sm2.disagreement", first=str(first), second=str(second))
    return first


def sign_sm2(private_key: bytes, message: bytes, *, user_id: bytes = SM2_USER_ID) -> bytes:
    """SM2-with-SM3 signature, strict DER (GB/T 32918.2 §6); the nonce comes from GmSSL's random source.

    Raises:
        MalformedError: ``sm2.private_key`` when the key is not 32 bytes in [1, n−2].
    """
    _check_user_id(user_id)
    public_point = sm2_public(private_key)
    signature = bytes(gmssl_pyx.sm2_sign(private_key, public_point[1:], message, user_id))
    if decode_signature(signature) is None:
        raise BugError("bug.sm2_signature")
    return signature


def generate_sm2() -> tuple[bytes, bytes]:
    """A new key: (private key 32 bytes, public point 65 bytes)."""
    public, private = gmssl_pyx.sm2_key_generate()
    return bytes(private), b"\x04" + bytes(public)


def sm2_from_seed(seed: bytes) -> tuple[bytes, bytes]:
    """Key determined by a secret seed of at least 32 bytes: (private key, public point).

    d = (SHA-512("evidence-desk/sm2-from-seed/1" ‖ seed) mod (n−2)) + 1; 512 bits leave no measurable bias.
    """
    if len(seed) < SCALAR_SIZE:
        raise BugError("bug.sm2_seed", size=len(seed))
    wide = hashlib.sha512(b"evidence-desk/sm2-from-seed/1" + seed).digest()
    private = (int.from_bytes(wide, "big") % (CURVE_ORDER - 2) + 1).to_bytes(SCALAR_SIZE, "big")
    return private, sm2_public(private)


_public_points: OrderedDict[bytes, bytes] = OrderedDict()
_public_points_lock = threading.Lock()


def sm2_public(private_key: bytes) -> bytes:
    """Public point (65 bytes, 04‖x‖y) of a private key.

    The multiplication is gmssl's and slow, so points are remembered, by the key's digest and never by the key.

    Raises:
        MalformedError: ``sm2.private_key`` when the key is not 32 bytes in [1, n−2].
    """
    if len(private_key) != SCALAR_SIZE or not 1 <= int.from_bytes(private_key, "big") <= CURVE_ORDER - 2:
        raise MalformedError("sm2.private_key")
    label = hashlib.sha256(b"evidence-desk/sm2-public/1" + private_key).digest()
    with _public_points_lock:
        known = _public_points.get(label)
    if known is not None:
        return known
    product = CryptSM2(private_key="", public_key="")._kg(int.from_bytes(private_key, "big"), _GENERATOR)  # noqa: SLF001 - its only multiplication
    point = b"\x04" + bytes.fromhex(product)
    check_point(point)
    with _public_points_lock:
        _public_points[label] = point
        while len(_public_points) > _REMEMBERED_KEYS:
            _public_points.popitem(last=False)
    return point


def check_point(public_point: bytes) -> None:
    """Refuse anything but an uncompressed point on the curve (GB/T 32918.1 §6.2.1).

    Raises:
        MalformedError: ``sm2.point``.
    """
    if len(public_point) != POINT_SIZE or public_point[0] != 4:
        raise MalformedError("sm2.point")
    x = int.from_bytes(public_point[1:33], "big")
    y = int.from_bytes(public_point[33:], "big")
    if x >= _P or y >= _P or (y * y - (x * x * x + _A * x + _B)) % _P:
        raise MalformedError("sm2.point")


def decode_signature(signature_der: bytes) -> tuple[int, int] | None:
    """(r, s) of a strict-DER signature with both in [1, n−1], else None (X.690 §8.3, §10.1)."""
    if len(signature_der) < 8 or signature_der[0] != 0x30 or signature_der[1] != len(signature_der) - 2:
        return None
    r, rest = _read_integer(signature_der[2:])
    s, rest = _read_integer(rest)
    if r is None or s is None or rest:
        return None
    return (r, s) if 1 <= r < CURVE_ORDER and 1 <= s < CURVE_ORDER else None


def _read_integer(data: bytes) -> tuple[int | None, bytes]:
    """First INTEGER of `data`, minimal and positive, and what follows it."""
    if len(data) < 3 or data[0] != 2 or not 1 <= data[1] <= _MAX_INTEGER or len(data) < 2 + data[1]:
        return None, b""
    content, rest = data[2 : 2 + data[1]], data[2 + data[1] :]
    if content[0] & 0x80 or (len(content) > 1 and content[0] == 0 and not content[1] & 0x80):
        return None, b""
    return int.from_bytes(content, "big"), rest


def _verify_gmssl_pyx(public_point: bytes, message: bytes, signature_der: bytes, user_id: bytes) -> bool:
    try:
        return gmssl_pyx.sm2_verify(public_point[1:], message, signature_der, user_id) is True
    except gmssl_pyx.GmsslInnerError:
        return False


def _check_user_id(user_id: bytes) -> None:
    # gmssl-pyx takes None (and so a careless empty value) for "sign without ZA".
    if not 1 <= len(user_id) <= _MAX_USER_ID:
        raise BugError("bug.sm2_user_id", size=len(user_id))


def _message_digest(public_point: bytes, message: bytes, user_id: bytes) -> bytes:
    """E = SM3(ZA ‖ M), ZA = SM3(ENTL ‖ ID ‖ a ‖ b ‖ G ‖ P) (GB/T 32918.2 §5.5, §6.1)."""
    bits = (len(user_id) * 8).to_bytes(2, "big")
    return _sm3(_sm3(bits + user_id + _Z_CURVE + public_point[1:]) + message)


def _sm3(data: bytes) -> bytes:
    hasher = hashes.Hash(hashes.SM3())
    hasher.update(data)
    return hasher.finalize()


def sm2_spki(public_point: bytes) -> bytes:
    """DER SubjectPublicKeyInfo (id-ecPublicKey, curve sm2p256v1) of a point."""
    check_point(public_point)
    return _SPKI_PREFIX + public_point


def sm2_point_from_spki(spki: bytes) -> bytes:
    """Point of a DER SubjectPublicKeyInfo.

    Raises:
        MalformedError: ``sm2.key_encoding`` or ``sm2.point``.
    """
    if not spki.startswith(_SPKI_PREFIX) or len(spki) != len(_SPKI_PREFIX) + POINT_SIZE:
        raise MalformedError("sm2.key_encoding")
    point = spki[len(_SPKI_PREFIX) :]
    check_point(point)
    return point


def sm2_pkcs8(private_key: bytes) -> bytes:
    """DER PrivateKeyInfo (RFC 5208 with the ECPrivateKey of RFC 5915, public key included), not encrypted."""
    return _PKCS8_PREFIX + private_key + _PKCS8_MIDDLE + sm2_public(private_key)


def sm2_private_from_pkcs8(key: bytes) -> bytes:
    """Private key (32 bytes) of a DER PrivateKeyInfo as `sm2_pkcs8` and OpenSSL write it.

    Raises:
        MalformedError: ``sm2.key_encoding`` or ``sm2.private_key``.
    """
    start = len(_PKCS8_PREFIX)
    private = key[start : start + SCALAR_SIZE]
    if not key.startswith(_PKCS8_PREFIX) or len(private) != SCALAR_SIZE or sm2_pkcs8(private) != key:
        raise MalformedError("sm2.key_encoding")
    return private
