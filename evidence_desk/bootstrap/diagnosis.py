"""Check the installation: program, vault, disk, authorities, clock. Facts only; nothing about evidence."""

from __future__ import annotations

import platform
import shutil
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from evidence_desk import __version__
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.digests import sha256
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.settings import AuthorityKind
from evidence_desk.vault.faults import host_faults

_TRIAL: Final = sha256(b"evidence-desk doctor")
TOLERANCE_MS: Final = 2_000
"""Difference to an authority from which a clock is called wrong."""
_ROOM: Final = 1 << 30
_PACKAGES: Final = (
    "cryptography", "asn1crypto", "gmssl-pyx", "gmssl", "rfc3161ng", "sqlcipher3", "pyrage", "reportlab", "pikepdf",
    "pyhanko", "httpx", "pyside6-essentials", "pyside6-addons", "hpack", "brotli", "zstandard",
)  # fmt: skip
NOTES: Final = frozenset({"waiting"})
"""Checks that tell of work to do; they are no fault of the installation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check; its sentence is ``doctor.NAME.right`` or ``doctor.NAME.wrong`` with `fact`, or that of `error`."""

    name: str
    right: bool
    fact: str = ""
    error: EvidenceDeskError | None = None
    offset_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Versions of what runs."""

    version: str = __version__
    python: str = field(default_factory=lambda: sys.version.split()[0])
    platform: str = field(default_factory=platform.platform)
    openssl: str = ssl.OPENSSL_VERSION
    packages: Mapping[str, str] = field(default_factory=lambda: {name: _version(name) for name in _PACKAGES})


def check_installation(installation: Installation, folder: Path) -> list[Check]:
    """Packages, and whether there is a vault in `folder`."""
    lacking = [name for name, found in installation.packages.items() if not found]
    exists = (folder / "vault.toml").is_file()
    return [
        Check(name="packages", right=not lacking, fact=", ".join(lacking)),
        Check(name="vault", right=exists, fact=str(folder)),
    ]


def check_disk(folder: Path) -> Check:
    """Free space where the vault lies; HostError when it is no longer there."""
    with host_faults(folder.name):  # a stick that was pulled out
        free = shutil.disk_usage(folder).free
    return Check(name="disk", right=free > _ROOM, fact=f"{free >> 20} MiB")


def check_vault(session: Session) -> list[Check]:
    """Log, waiting exhibits, authorities; and the clock against each of them, which asks for a token."""
    waiting = session.vault.exhibits.count_awaiting()
    active = [item for item in session.settings if item.kind is not AuthorityKind.RETIRED]
    return [
        Check(name="log", right=True, fact=f"{session.desk.origin} #{session.desk.log.size}"),
        Check(name="waiting", right=waiting == 0, fact=str(waiting)),
        Check(name="authorities", right=bool(active), fact=str(len(active))),
        *(check_clock(item.name, session.authority(item)) for item in active),
    ]


def check_clock(name: str, authority: TimestampAuthority) -> Check:
    """Difference of our clock to an authority's genTime, half the round trip allowed for."""
    before = datetime.now(UTC)
    try:
        reply = authority.timestamp(_TRIAL)
    except EvidenceDeskError as error:
        return Check(name="clock", right=False, fact=name, error=error)
    middle = before + (datetime.now(UTC) - before) / 2
    offset = int((reply.gen_time - middle).total_seconds() * 1000)
    right, fact = abs(offset) <= TOLERANCE_MS, f"{name}: {offset:+d} ms"
    return Check(name="clock", right=right, fact=fact, offset_ms=offset)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
