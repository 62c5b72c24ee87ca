"""Opening of protected records: AEAD of TLS 1.3 (RFC 8446 §5.2) and of TLS 1.2 (RFC 5288, 6655, 7905), CBC of TLS 1.2."""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from evidence_desk.wacz.tls.faults import Fault
from evidence_desk.wacz.tls.schedule import IV_SIZE, expand_label, prf
from evidence_desk.wacz.tls.suites import Cipher, Suite

MAX_PLAINTEXT: Final = 1 << 14
SKIPPED: Final = 0
"""Content type that `open` gives for a record that carries nothing for us (refused early data)."""
_BLOCK: Final = 16
_EXPLICIT: Final = 8
_MAC_SIZES: Final = {"sha1": 20, "sha256": 32, "sha384": 48}
_HEAD_12: Final = struct.Struct(">QBHH")


class Opener(Protocol):
    """Opens the records of one direction under one key."""

    def open(self, header: bytes, payload: bytes) -> tuple[int, bytes]:
        """Content type and content; Fault ``tls.record.forged`` when it does not check."""


class _Aead(Protocol):
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...


def _aead(suite: Suite, key: bytes) -> tuple[_Aead, int]:
    """The cipher and the bytes of its tag."""
    match suite.cipher:
        case Cipher.CHACHA:
            return ChaCha20Poly1305(key), 16
        case Cipher.CCM:
            return AESCCM(key), 16
        case Cipher.CCM_8:
            return AESCCM(key, tag_length=8), 8
        case _:
            return AESGCM(key), 16


class Aead13:
    """Records of TLS 1.3: the header is authenticated, the content type is inside, behind it padding."""

    def __init__(self, suite: Suite, secret: bytes) -> None:
        key = expand_label(suite.digest, secret, "key", suite.key_size)
        self._cipher, self._tag = _aead(suite, key)
        self._iv = int.from_bytes(expand_label(suite.digest, secret, "iv", IV_SIZE))
        self._sequence = 0

    def open(self, header: bytes, payload: bytes) -> tuple[int, bytes]:
        """See `Opener`; the sequence number advances only with a record that checks."""
        if len(payload) <= self._tag:
            raise Fault(code="tls.record.forged")
        nonce = (self._iv ^ self._sequence).to_bytes(IV_SIZE)
        try:
            inner = self._cipher.decrypt(nonce, payload, header)
        except InvalidTag:
            raise Fault(code="tls.record.forged") from None
        self._sequence += 1
        if len(inner) > MAX_PLAINTEXT + 1:
            raise Fault(code="tls.record.malformed")
        if not inner[-1]:
            inner = inner.rstrip(b"\0")
            if not inner:
                raise Fault(code="tls.record.malformed")
        return inner[-1], inner[:-1]


class _Sequenced:
    """Sequence number of TLS 1.2 and the header that it goes into (RFC 5246 §6.2.3.1)."""

    def __init__(self) -> None:
        self._sequence = 0

    def _head(self, header: bytes, size: int) -> bytes:
        return _HEAD_12.pack(self._sequence, header[0], int.from_bytes(header[1:3]), size)

    def _opened(self, header: bytes, content: bytes) -> tuple[int, bytes]:
        if len(content) > MAX_PLAINTEXT:
            raise Fault(code="tls.record.malformed")
        self._sequence += 1
        return header[0], content


class Aead12(_Sequenced):
    """AEAD records of TLS 1.2: GCM and CCM carry half of the nonce, ChaCha20 none of it."""

    def __init__(self, suite: Suite, key: bytes, iv: bytes) -> None:
        super().__init__()
        self._cipher, self._tag = _aead(suite, key)
        self._iv = iv
        self._explicit = 0 if suite.cipher is Cipher.CHACHA else _EXPLICIT

    def open(self, header: bytes, payload: bytes) -> tuple[int, bytes]:
        """See `Opener`."""
        size = len(payload) - self._explicit - self._tag
        if size < 0:
            raise Fault(code="tls.record.forged")
        if self._explicit:
            nonce = self._iv + payload[:_EXPLICIT]
            payload = payload[_EXPLICIT:]
        else:
            nonce = (int.from_bytes(self._iv) ^ self._sequence).to_bytes(IV_SIZE)
        try:
            content = self._cipher.decrypt(nonce, payload, self._head(header, size))
        except InvalidTag:
            raise Fault(code="tls.record.forged") from None
        return self._opened(header, content)


class Cbc12(_Sequenced):
    """AES-CBC records of TLS 1.2, MAC before (RFC 5246 §6.2.3.2) or after encryption (RFC 7366)."""

    def __init__(self, mac: str, key: bytes, mac_key: bytes, *, encrypt_then_mac: bool) -> None:
        super().__init__()
        self._cipher = AES(key)
        self._mac = mac
        self._mac_key = mac_key
        self._mac_size = len(mac_key)
        self._then_mac = encrypt_then_mac

    def open(self, header: bytes, payload: bytes) -> tuple[int, bytes]:
        """See `Opener`."""
        if self._then_mac:
            body, tag = payload[: -self._mac_size], payload[-self._mac_size :]
            self._check(self._head(header, len(body)) + body, tag)
            return self._opened(header, self._decrypt(body))
        plain = self._decrypt(payload)
        content, tag = plain[: -self._mac_size], plain[-self._mac_size :]
        self._check(self._head(header, len(content)) + content, tag)
        return self._opened(header, content)

    def _check(self, data: bytes, tag: bytes) -> None:
        if not hmac.compare_digest(hmac.digest(self._mac_key, data, self._mac), tag):
            raise Fault(code="tls.record.forged")

    def _decrypt(self, payload: bytes) -> bytes:
        """Content without initialization vector and padding."""
        if len(payload) < 2 * _BLOCK or len(payload) % _BLOCK:
            raise Fault(code="tls.record.forged")
        decryptor = BlockCipher(self._cipher, CBC(payload[:_BLOCK])).decryptor()
        plain = decryptor.update(payload[_BLOCK:]) + decryptor.finalize()
        padding = plain[-1] + 1
        if padding > len(plain) or plain[-padding:] != bytes([padding - 1]) * padding:
            raise Fault(code="tls.record.forged")
        return plain[:-padding]


class Locked:
    """Stands where the key log has no secret: the first protected record is a fault, its absence is none."""

    def open(self, header: bytes, payload: bytes) -> tuple[int, bytes]:
        """Always Fault ``tls.secret.missing``."""
        del header, payload
        raise Fault(code="tls.secret.missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Openers:
    """Those of both directions."""

    client: Opener
    server: Opener


def openers_12(
    suite: Suite, master: bytes, randoms: tuple[bytes, bytes], *, encrypt_then_mac: bool
) -> Openers:
    """Openers of TLS 1.2 out of its master secret (RFC 5246 §6.3); `randoms` are client's and server's."""
    mac_size = 0 if suite.mac is None else _MAC_SIZES[suite.mac]
    iv_size = 0 if suite.mac else IV_SIZE if suite.cipher is Cipher.CHACHA else IV_SIZE - _EXPLICIT
    sizes = (mac_size, mac_size, suite.key_size, suite.key_size, iv_size, iv_size)
    block = prf(suite.digest, master, b"key expansion", randoms[1] + randoms[0], sum(sizes))
    parts = []
    for size in sizes:
        parts.append(block[:size])
        block = block[size:]
    made: list[Opener] = [
        Aead12(suite, parts[2 + side], parts[4 + side])
        if suite.mac is None
        else Cbc12(suite.mac, parts[2 + side], parts[side], encrypt_then_mac=encrypt_then_mac)
        for side in (0, 1)
    ]
    return Openers(client=made[0], server=made[1])


class AfterRefusedEarlyData:
    """The client's handshake key, before which come records of early data that the server refused (RFC 8446 §4.2.10).

    With the early secret at hand only records that it opens are skipped; without it any that do not check, up to `limit`
    bytes, as a server does.
    """

    def __init__(self, handshake: Opener, early: list[Aead13], limit: int) -> None:
        self._handshake = handshake
        self._early = early
        self._known = bool(early)
        self._left = limit
        self._through = False

    def open(self, header: bytes, payload: bytes) -> tuple[int, bytes]:
        """See `Opener`; `SKIPPED` for early data."""
        try:
            opened = self._handshake.open(header, payload)
        except Fault:
            if self._through:
                raise
            self._skip(header, payload)
            return SKIPPED, b""
        self._through = True
        return opened

    def _skip(self, header: bytes, payload: bytes) -> None:
        self._left -= len(payload)
        if self._left < 0:
            raise Fault(code="tls.early_data.too_long")
        if not self._known:
            return
        for opener in self._early:
            try:
                opener.open(header, payload)
            except Fault:
                continue
            self._early = [opener]
            return
        raise Fault(code="tls.record.forged")
