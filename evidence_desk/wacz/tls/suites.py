"""Cipher suites by number; those we can decrypt are read out of their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from evidence_desk.wacz.tls.schedule import HashName


class Cipher(Enum):
    """Ways records are protected."""

    GCM = "GCM"
    CCM = "CCM"
    CCM_8 = "CCM_8"
    CHACHA = "POLY1305"
    CBC = "CBC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite that can be decrypted.

    Attributes:
        exchange: key exchange and signature of TLS 1.2, as in the name (``ECDHE_RSA``); empty for TLS 1.3.
        key_size: bytes of the encryption key.
        digest: of HKDF, PRF and transcript.
        mac: digest of the MAC of CBC suites.
    """

    code: int
    name: str
    exchange: str
    cipher: Cipher
    key_size: int
    digest: HashName
    mac: Literal["sha1", "sha256", "sha384"] | None

    @property
    def is_13(self) -> bool:
        """Whether it belongs to TLS 1.3."""
        return not self.exchange


NAMES: Final = {
    0x00C6: "TLS_SM4_GCM_SM3", 0x00C7: "TLS_SM4_CCM_SM3",
    0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256",
    0x0005: "TLS_RSA_WITH_RC4_128_SHA", 0x000A: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    0xC012: "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", 0xC011: "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    0x002F: "TLS_RSA_WITH_AES_128_CBC_SHA", 0x0035: "TLS_RSA_WITH_AES_256_CBC_SHA",
    0x003C: "TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003D: "TLS_RSA_WITH_AES_256_CBC_SHA256",
    0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
    0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", 0x006B: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
    0xC009: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xC00A: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    0xC013: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xC014: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    0xC023: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", 0xC024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    0xC027: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", 0xC028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    0x009C: "TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009D: "TLS_RSA_WITH_AES_256_GCM_SHA384",
    0x009E: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009F: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xC09C: "TLS_RSA_WITH_AES_128_CCM", 0xC09D: "TLS_RSA_WITH_AES_256_CCM",
    0xC09E: "TLS_DHE_RSA_WITH_AES_128_CCM", 0xC09F: "TLS_DHE_RSA_WITH_AES_256_CCM",
    0xC0AC: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", 0xC0AD: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM",
    0xC0AE: "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", 0xC0AF: "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8",
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCAA: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xE011: "TLS_ECDHE_SM4_CBC_SM3", 0xE013: "TLS_ECC_SM4_CBC_SM3", 0xE051: "TLS_ECDHE_SM4_GCM_SM3",
    0xE053: "TLS_ECC_SM4_GCM_SM3",
}  # fmt: skip
"""IANA names; the last four and TLS 1.1's record layer belong to GB/T 38636 (国密 SSL)."""
_SHAPE: Final = re.compile(
    r"TLS_(?:(\w+)_WITH_)?(AES_128|AES_256|CHACHA20)_(GCM|CCM|CCM_8|POLY1305|CBC)(?:_(SHA|SHA256|SHA384))?\Z"
)
_KEY_SIZES: Final = {"AES_128": 16, "AES_256": 32, "CHACHA20": 32}
_MACS: Final[dict[str, Literal["sha1", "sha256", "sha384"]]] = {
    "SHA": "sha1", "SHA256": "sha256", "SHA384": "sha384",
}  # fmt: skip


def suite_name(code: int) -> str:
    """IANA name, ``0xABCD`` for numbers that are not in our table."""
    return NAMES.get(code, f"0x{code:04X}")


def _suite(code: int, name: str) -> Suite | None:
    found = _SHAPE.match(name)
    if found is None:
        return None
    exchange, key, mode, digest = found.groups()
    cipher = Cipher(mode)
    return Suite(
        code=code,
        name=name,
        exchange=exchange or "",
        cipher=cipher,
        key_size=_KEY_SIZES[key],
        digest="sha384" if digest == "SHA384" else "sha256",
        mac=_MACS[digest] if cipher is Cipher.CBC else None,
    )


SUITES: Final = {code: suite for code, name in NAMES.items() if (suite := _suite(code, name)) is not None}
"""The suites that can be decrypted, by number."""
