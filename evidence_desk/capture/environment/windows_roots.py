"""Windows: user and machine ROOT stores by crypt32, compared with Microsoft's own list of roots (AuthRoot CTL).

Not run on real Windows yet; what is read from memory is kept apart from what is decided, and the latter is tested.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from evidence_desk.capture.environment.machine import call_raw
from evidence_desk.capture.environment.surroundings import Surroundings
from evidence_desk.capture.environment.trust_stores import Roots
from evidence_desk.capture.environment.windows_registry import Registry, registry
from evidence_desk.core.capture.environment import because
from evidence_desk.core.digests import sha256
from evidence_desk.crypto import der
from evidence_desk.errors import MalformedError

_STORE_PROVIDER_SYSTEM: Final = 10
_CURRENT_USER: Final = 0x00010000
_LOCAL_MACHINE: Final = 0x00020000
_READ_ONLY: Final = 0x00008000
_AUTO_UPDATE: Final = r"SOFTWARE\Microsoft\SystemCertificates\AuthRoot\AutoUpdate"
_CTL: Final = bytes.fromhex("2b0601040182370a01")
"""1.3.6.1.4.1.311.10.1, szOID_CTL."""
_EXPLICIT: Final = 0xA0
_THUMBPRINT: Final = 20
MAX_ROOTS: Final = 4_000
MAX_LIST: Final = 4 << 20
SHIPPED: Final = frozenset({
    "cdd4eeae6000ac7f40c3802c171e30148030c072", "3b1efd3a66ea28b16697394703a72ca340a05bd5",
    "8f43288ad272f3103b6fb1428485ea3014c0bcfe", "a43489159a520f0d93d032ccaf37e7fe20a8b419",
    "245c97df7514e7cf2df8be72ae957b9e04741e85", "be36a4562fb2ee05dbb3d32323adf445084ed656",
    "92b46c76e13054e104f230517e6e504d43ab10b5", "06f1aa330b927b753a40e68cdf22e34bcbef3352",
    "31f9fc8ba3805986b721ea7295c65b3a44534274", "0119e81be9a14cd8e22f40ac118c687ecba3f4d8",
})  # fmt: skip
"""SHA-1 thumbprints of Microsoft's own roots, which Windows brings along outside the list; an unlisted one is only told."""


def list_thumbprints(data: bytes) -> frozenset[str]:
    """SHA-1 thumbprints in a signed certificate trust list (PKCS #7 with content 1.3.6.1.4.1.311.10.1).

    Its signature is not judged here: whoever can change the registry can add roots as well.

    Raises:
        MalformedError: ``malformed.ctl``, ``malformed.der``, ``malformed.too_large``.
    """
    whole = der.parse(data, what="certificate trust list", limit=MAX_LIST).children()
    signed = _member(
        der.only(_member(whole, 1, _EXPLICIT), der.SEQUENCE).children(), 2, der.SEQUENCE
    ).children()
    if _member(signed, 0, der.OID).content != _CTL:
        raise MalformedError("malformed.ctl", reason="type")
    content = _member(_member(signed, 1, _EXPLICIT).children(), 0)
    if content.tag == der.OCTET_STRING:  # CMS wraps what PKCS #7 puts there as it is
        content = der.parse(content.content, what="certificate trust list", limit=MAX_LIST)
    sequences = [part for part in content.children() if part.tag == der.SEQUENCE]
    if not sequences:
        raise MalformedError("malformed.ctl", reason="subjects")
    return frozenset(_identifier(subject) for subject in sequences[-1].children())


def _member(parts: list[der.Element], at: int, tag: int | None = None) -> der.Element:
    if at >= len(parts) or (tag is not None and parts[at].tag != tag):
        raise MalformedError("malformed.ctl", reason="member")
    return parts[at]


def _identifier(subject: der.Element) -> str:
    """The thumbprint that a trusted subject begins with."""
    content = _member(subject.children(), 0, der.OCTET_STRING).content
    if len(content) != _THUMBPRINT:
        raise MalformedError("malformed.ctl", reason="identifier")
    return content.hex()


def thumbprint(certificate: bytes) -> str:
    """SHA-1 of a certificate as Windows names it; "" when it cannot be read."""
    try:
        return x509.load_der_x509_certificate(certificate).fingerprint(hashes.SHA1()).hex()  # noqa: S303 - Windows' name of it
    except ValueError:
        return ""


def windows_roots(around: Surroundings) -> Roots:
    """Both ROOT stores against Microsoft's list."""
    stores = {"CurrentUser\\Root": _CURRENT_USER, "LocalMachine\\Root": _LOCAL_MACHINE}
    found: dict[str, tuple[bytes, ...]] = {}
    gaps = []
    for place, location in stores.items():
        try:
            found[place] = _store(location)
        except (OSError, AttributeError):
            gaps.append(because("environment.roots.store_unread", store=place))
    del around
    listed = listed_roots(registry())
    judged = divide(found, listed or ())
    if listed is None:  # nothing tells Microsoft's roots from added ones
        gaps.append(because("environment.roots.no_list"))
        judged = Roots(shipped=(), added=(), raws=judged.raws)
    return replace(judged, gaps=tuple(gaps))


def listed_roots(keys: Registry) -> frozenset[str] | None:
    """Thumbprints of Microsoft's list as this machine keeps it, None when it is missing or cannot be read."""
    data = keys.value("HKLM", _AUTO_UPDATE, "EncodedCtl")
    try:
        return list_thumbprints(data) if isinstance(data, bytes) else None
    except MalformedError:
        return None


def divide(stores: Mapping[str, tuple[bytes, ...]], listed: Iterable[str]) -> Roots:
    """Which roots of the stores are Microsoft's or on its list, and which somebody added."""
    known = {*listed, *SHIPPED}
    shipped, added, lines = set(), [], []
    for place, certificates in stores.items():
        lines.append(f"{place}: {len(certificates)}")
        for certificate in certificates:
            if thumbprint(certificate) in known:
                shipped.add(certificate)
            else:
                added.append((place, certificate))
                lines.append(f"{place}: {sha256(certificate).hex()}")
    return Roots(
        shipped=tuple(sorted(shipped)),
        added=tuple(dict.fromkeys(added)),
        raws=(call_raw("CertOpenStore", lines),),
    )


class _Context(ctypes.Structure):
    """CERT_CONTEXT of wincrypt.h."""

    _fields_ = (
        ("encoding", ctypes.c_uint32),
        ("data", ctypes.POINTER(ctypes.c_ubyte)),
        ("size", ctypes.c_uint32),
        ("info", ctypes.c_void_p),
        ("store", ctypes.c_void_p),
    )


def _store(location: int) -> tuple[bytes, ...]:
    """Certificates of a ROOT store; OSError when it cannot be opened, AttributeError elsewhere than on Windows."""
    crypt32 = ctypes.WinDLL("crypt32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    pointer = ctypes.POINTER(_Context)
    crypt32.CertOpenStore.restype = ctypes.c_void_p
    crypt32.CertOpenStore.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_wchar_p,
    ]
    crypt32.CertEnumCertificatesInStore.restype = pointer
    crypt32.CertEnumCertificatesInStore.argtypes = [ctypes.c_void_p, pointer]
    crypt32.CertCloseStore.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    handle = crypt32.CertOpenStore(_STORE_PROVIDER_SYSTEM, 0, None, location | _READ_ONLY, "ROOT")
    if not handle:
        raise OSError("CertOpenStore")
    found: list[bytes] = []
    try:
        context = crypt32.CertEnumCertificatesInStore(handle, None)
        while context and len(found) < MAX_ROOTS:
            found.append(ctypes.string_at(context.contents.data, context.contents.size))
            context = crypt32.CertEnumCertificatesInStore(handle, context)
    finally:
        crypt32.CertCloseStore(handle, 0)
    return tuple(found)
