"""What a capture was asked to do, settled before it starts: ``plan.json``, and the first thing the browser is told."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import EvidenceDeskError, MalformedError, UsageError

VERSION: Final = "capture-plan/1"
MAX_PLAN: Final = 4 << 20
MAX_URL: Final = 8192
MAX_URLS: Final = 500
MAX_CAS: Final = 64
_MAX_CA: Final = 32 * 1024
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOST_AND_PORT: Final = re.compile(r"[^/?#@:]*:[0-9]{1,5}(?:[/?#]|\Z)")
"""``shop.example:8443/…`` has no scheme, though it looks as if."""
_NOT_IN_URL: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff\\]")
_LANGUAGES: Final = re.compile(
    r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*(?:,[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)*\Z"
)
_LIMITS: Final = {
    "settle_ms": (0, 60_000),
    "page_seconds": (1, 3600),
    "max_seconds": (1, 24 * 3600),
    "max_bytes": (1, 1 << 40),
}


class CaptureMode(StrEnum):
    """Who browses."""

    AUTOMATIC = "automatic"
    """The program, through the list of addresses."""
    INTERACTIVE = "interactive"
    """A person, in the window of the capture browser."""


class CertificatePolicy(StrEnum):
    """What to do with a server whose certificate the browser does not accept. Either way it is recorded and shown."""

    REFUSE = "refuse"
    ACCEPT = "accept"
    """Chosen by the examiner for this capture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturePlan:
    """One capture's order.

    Attributes:
        urls: absolute http and https addresses, in the order they are visited; at most the first page when interactive.
        scroll: scroll through each page so that it loads what it shows only when reached.
        settle_ms: how long the network has to be quiet before a page counts as settled, milliseconds.
        page_seconds: how long one page may load and settle; `max_seconds`: the whole capture, which counts less than a person's
            wish when interactive: it is told then, and ends it all the same.
        max_bytes: recorded bytes of all connections, after which the capture ends as partial.
        viewport: width and height in CSS pixels.
        language: what the browser asks servers for, languages by preference with commas.
        allow_private: loopback and private addresses may be reached.
        extra_ca: DER certificates that the browser trusts beside its own and the system's.

    Raises:
        MalformedError: ``malformed.capture_plan``.
    """

    urls: tuple[str, ...]
    mode: CaptureMode = CaptureMode.AUTOMATIC
    scroll: bool = True
    settle_ms: int = 1500
    page_seconds: int = 60
    max_seconds: int = 1800
    max_bytes: int = 4 << 30
    viewport: tuple[int, int] = (1366, 900)
    language: str = "zh-CN,zh,en"
    allow_private: bool = False
    extra_ca: tuple[bytes, ...] = ()
    certificate_errors: CertificatePolicy = CertificatePolicy.REFUSE

    def __post_init__(self) -> None:
        least = 1 if self.mode is CaptureMode.AUTOMATIC else 0
        most = MAX_URLS if self.mode is CaptureMode.AUTOMATIC else 1
        if not least <= len(self.urls) <= most or not all(is_address(url) for url in self.urls):
            raise MalformedError("malformed.capture_plan", reason="urls")
        for name, (low, high) in _LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise MalformedError("malformed.capture_plan", reason=name)
        if not (320 <= self.viewport[0] <= 7680 and 240 <= self.viewport[1] <= 4320):
            raise MalformedError("malformed.capture_plan", reason="viewport")
        if len(self.language) > 200 or not _LANGUAGES.match(self.language):
            raise MalformedError("malformed.capture_plan", reason="language")
        if len(self.extra_ca) > MAX_CAS or not all(_is_certificate(der) for der in self.extra_ca):
            raise MalformedError("malformed.capture_plan", reason="extra_ca")

    def to_json(self) -> dict[str, JSON]:
        """The plan as JSON; certificates in base64."""
        return {
            "v": VERSION, "urls": list[JSON](self.urls), "mode": self.mode.value, "scroll": self.scroll,
            "settle_ms": self.settle_ms, "page_seconds": self.page_seconds, "max_seconds": self.max_seconds,
            "max_bytes": self.max_bytes, "viewport": list[JSON](self.viewport), "language": self.language,
            "allow_private": self.allow_private,
            "extra_ca": [base64.b64encode(der).decode() for der in self.extra_ca],
            "certificate_errors": self.certificate_errors.value,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: JSON) -> CapturePlan:
        """Read `to_json` strictly.

        Raises:
            MalformedError: ``malformed.capture_plan``.
        """
        if not isinstance(value, dict) or set(value) != {"v", *cls.__dataclass_fields__}:
            raise MalformedError("malformed.capture_plan", reason="members")
        if value["v"] != VERSION:
            raise MalformedError("malformed.capture_plan", reason="version")
        width, height = _numbers(value["viewport"])
        try:
            return cls(
                urls=_texts(value["urls"], "urls"),
                mode=CaptureMode(_text(value["mode"], "mode")),
                scroll=_flag(value["scroll"], "scroll"),
                settle_ms=_number(value["settle_ms"], "settle_ms"),
                page_seconds=_number(value["page_seconds"], "page_seconds"),
                max_seconds=_number(value["max_seconds"], "max_seconds"),
                max_bytes=_number(value["max_bytes"], "max_bytes"),
                viewport=(width, height),
                language=_text(value["language"], "language"),
                allow_private=_flag(value["allow_private"], "allow_private"),
                extra_ca=tuple(_bytes(item) for item in _texts(value["extra_ca"], "extra_ca")),
                certificate_errors=CertificatePolicy(
                    _text(value["certificate_errors"], "certificate_errors")
                ),
            )
        except ValueError as error:
            raise MalformedError("malformed.capture_plan", reason="value") from error


def encode_plan(plan: CapturePlan) -> bytes:
    """Canonical bytes, ``plan.json``."""
    return encode(plan.to_json())


def parse_plan(data: bytes) -> CapturePlan:
    """Read ``plan.json`` strictly.

    Raises:
        MalformedError: ``malformed.capture_plan``, ``malformed.json…``, ``malformed.too_large``.
    """
    return CapturePlan.from_json(decode(data, what="plan.json", limit=MAX_PLAN))


def is_address(url: str) -> bool:
    """Whether this is an absolute http or https address with a host, without credentials or white space."""
    if len(url) > MAX_URL or _NOT_IN_URL.search(url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and port != 0
    )


def completed_address(text: str) -> str:
    """What a person typed as an address; ``https://`` is put before it where no scheme is given.

    Raises:
        UsageError: ``capture.address`` when it cannot be one.
    """
    wanted = text.strip()
    if not _SCHEME.match(wanted) or _HOST_AND_PORT.match(wanted):
        wanted = f"https://{wanted}"
    scheme, mark, rest = wanted.partition(":")
    wanted = f"{scheme.lower()}{mark}{rest}"
    if not is_address(wanted):
        raise UsageError("capture.address", address=_shown(text))
    return wanted


def extra_authorities(files: Sequence[bytes]) -> tuple[bytes, ...]:
    """DER certificates from PEM or DER files, without doubles.

    Raises:
        MalformedError: ``malformed.extra_ca`` for anything else.
    """
    found: dict[bytes, None] = {}
    for data in files:
        for der in _pem_blocks(data) or [data]:
            if not _is_certificate(der):
                raise MalformedError("malformed.extra_ca")
            found[der] = None
    return tuple(found)


def _pem_blocks(data: bytes) -> list[bytes]:
    pattern = rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----"
    try:
        return [base64.b64decode(b"".join(body.split()), validate=True) for body in re.findall(pattern, data)]
    except binascii.Error as error:
        raise MalformedError("malformed.extra_ca") from error


def _is_certificate(der: bytes) -> bool:
    if len(der) > _MAX_CA:
        return False
    try:
        load_certificate(der)
    except EvidenceDeskError:
        return False
    return True


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else "·" for letter in text[:200])


def _text(value: JSON, name: str) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.capture_plan", reason=name)
    return value


def _flag(value: JSON, name: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedError("malformed.capture_plan", reason=name)
    return value


def _number(value: JSON, name: str) -> int:
    if type(value) is not int:
        raise MalformedError("malformed.capture_plan", reason=name)
    return value


def _numbers(value: JSON) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise MalformedError("malformed.capture_plan", reason="viewport")
    return _number(value[0], "viewport"), _number(value[1], "viewport")


def _texts(value: JSON, name: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise MalformedError("malformed.capture_plan", reason=name)
    return tuple(_text(item, name) for item in value)


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise MalformedError("malformed.capture_plan", reason="extra_ca") from error
    if base64.b64encode(data).decode() != text:
        raise MalformedError("malformed.capture_plan", reason="extra_ca")
    return data
