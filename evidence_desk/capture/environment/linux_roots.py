"""Linux: roots of the distribution's package, what is trusted beyond them, and the browsers' own NSS store."""

from __future__ import annotations

import re
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from evidence_desk.capture.environment.machine import Machine, call_raw
from evidence_desk.capture.environment.surroundings import Surroundings
from evidence_desk.capture.environment.trust_stores import Roots
from evidence_desk.core.capture.environment import Raw, Reason, because
from evidence_desk.core.digests import sha256

_PEM: Final = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END")
_SHIPPED: Final = "/usr/share/ca-certificates"
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
)  # fmt: skip
_ANCHORS: Final = (
    "/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors", "/etc/pki/trust/anchors",
    "/etc/ca-certificates/trust-source/anchors", "/usr/share/pki/trust/anchors",
)  # fmt: skip
"""Folders in which administrators put roots of their own (Debian, Red Hat, SUSE, Arch)."""
_RED_HAT: Final = "/usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit"
_CERTIFICATE: Final = b"\0\0\0\x01"
"""CKO_CERTIFICATE as an NSS database stores it."""
_VARIABLES: Final = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
MAX_ROOTS: Final = 4_000


def linux_roots(around: Surroundings) -> Roots:
    """Compare the system's bundle with the package's own files; read administrators' folders and the user's NSS store."""
    machine = around.machine
    shipped = _package_roots(machine)
    raws: list[Raw] = []
    added: list[tuple[str, bytes]] = []
    gaps: list[Reason] = []
    lines = [f"{_SHIPPED}: {len(shipped)}"]
    for path in _BUNDLES:
        data = machine.read(path)
        if data is None:
            continue
        bundle = list(certificates(data))
        lines.append(f"{path}: {len(bundle)}")
        added += [(path, der) for der in bundle if der not in shipped] if shipped else []
    for folder in _ANCHORS:
        for path, der in _folder_roots(machine, folder):
            lines.append(f"{path}: {sha256(der).hex()}")
            added.append((path, der))
    set_up = [f"{name}={machine.environ[name]}" for name in _VARIABLES if machine.environ.get(name)]
    lines += [machine.anonymous(line) for line in set_up]
    try:
        for path, der in _nss(machine):
            lines.append(f"{path}: {sha256(der).hex()}")
            added.append((path, der))
    except sqlite3.Error:
        gaps.append(because("environment.roots.nss_unread"))
    if not shipped:
        gaps.append(because("environment.roots.no_list"))
    raws.append(call_raw("CA stores", lines))
    doubts, verified = _package_verified(machine)
    added = list(dict.fromkeys(added))
    return Roots(
        shipped=tuple(sorted(shipped)),
        added=tuple(added),
        raws=(*raws, *verified),
        gaps=tuple(gaps),
        doubts=doubts,
    )


def certificates(data: bytes) -> Iterator[bytes]:
    """DER of every PEM block of a file; blocks that are no base64 are passed over."""
    for count, match in enumerate(_PEM.finditer(data)):
        if count >= MAX_ROOTS:
            return
        try:
            yield b64decode(b"".join(match[1].split()), validate=True)
        except ValueError:
            continue


def _package_roots(machine: Machine) -> frozenset[bytes]:
    found = {der for _, der in _folder_roots(machine, _SHIPPED)}
    data = machine.read(_RED_HAT)
    if data is not None:
        found |= set(certificates(data))
    return frozenset(found)


def _folder_roots(machine: Machine, folder: str, depth: int = 2) -> Iterator[tuple[str, bytes]]:
    for name in machine.names(folder):
        path = f"{folder}/{name}"
        data = machine.read(path)
        if data is not None:
            found = list(certificates(data))
            if not found and data[:1] == b"\x30":
                found = [data]
            yield from ((path, der) for der in found)
        elif depth:
            yield from _folder_roots(machine, path, depth - 1)


def _nss(machine: Machine) -> Iterator[tuple[str, bytes]]:
    """Certificates in the user's NSS store, which Chromium reads too; its SQLite file is only read."""
    if machine.home is None:
        return
    path = machine.home / ".pki" / "nssdb" / "cert9.db"
    if not path.is_file():
        return
    yield from _nss_certificates(path)


def _nss_certificates(path: Path) -> Iterator[tuple[str, bytes]]:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute("SELECT a11 FROM nssPublic WHERE a0 = ?", (_CERTIFICATE,))
        for (der,) in rows.fetchmany(MAX_ROOTS):
            if isinstance(der, bytes):
                yield "~/.pki/nssdb", der
    finally:
        connection.close()


def _package_verified(machine: Machine) -> tuple[tuple[Reason, ...], tuple[Raw, ...]]:
    """Whether the package's own files are as they were installed."""
    for command in (("dpkg", "--verify", "ca-certificates"), ("rpm", "-V", "ca-certificates")):
        ran = machine.run(command, 6.0)
        if ran is None:
            continue
        changed = [line.split()[-1] for line in ran.text.splitlines() if "/usr/share/" in line]
        if changed:
            return (because("environment.roots.package_changed", files=", ".join(changed)),), ran.raws
        return (), ran.raws
    return (), ()
