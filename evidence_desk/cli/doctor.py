"""``evidence-desk doctor``: versions, clock, store, authorities; what is missing and what to do."""

from __future__ import annotations

import platform
import shutil
import ssl
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import typer

from evidence_desk import __version__
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session, vault_folder
from evidence_desk.core.digests import sha256
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.errors import ConfigurationError, EvidenceDeskError
from evidence_desk.settings import AuthorityKind
from evidence_desk.terminal.output import Output, error_title
from evidence_desk.texts import Language

_TRIAL: Final = sha256(b"evidence-desk doctor")
_TOLERANCE_MS: Final = 2_000
_PACKAGES: Final = (
    "cryptography", "asn1crypto", "gmssl-pyx", "gmssl", "rfc3161ng", "sqlcipher3", "pyrage", "reportlab", "pikepdf",
    "pyhanko", "httpx",
)  # fmt: skip


_NOTES: Final = frozenset({"waiting"})
"""Checks that tell of work to do; they are no fault of the installation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    name: str
    right: bool
    fact: str


def doctor(
    vault: VaultOption = None, lang: LanguageOption = Language.ZH, as_json: JsonOption = False
) -> None:
    """检查程序、时钟、存证库与时间戳机构 / Check program, clock, vault and authorities."""
    with Output(lang, as_json=as_json) as out:
        versions = {name: _version(name) for name in _PACKAGES}
        folder = vault_folder(vault)
        lacking = [name for name, found in versions.items() if not found]
        exists = (folder / "vault.toml").is_file()
        checks = [
            _Check(name="packages", right=not lacking, fact=", ".join(lacking)),
            _Check(name="vault", right=exists, fact=str(folder)),
            *(_inside(out, folder) if exists else ()),
        ]
        now = format_moment(datetime.now(UTC))
        out.line(f"Evidence Desk {__version__}  Python {sys.version.split()[0]}  {platform.platform()}")
        out.line(f"{ssl.OPENSSL_VERSION}  UTC {now}")
        for name, found in versions.items():
            out.line(f"    {name} {found or '-'}")
        for item in checks:
            outcome = "right" if item.right else "wrong"
            fact = out.text(f"doctor.{item.name}.{outcome}", fact=item.fact)
            out.line(f"{out.text(f'doctor.{outcome}')} {out.text(f'doctor.{item.name}')}  {fact}")
        document: dict[str, Any] = {
            "version": __version__, "python": sys.version.split()[0], "platform": platform.platform(),
            "openssl": ssl.OPENSSL_VERSION, "utc": now, "packages": versions,
            "checks": [{"name": item.name, "right": item.right, "fact": item.fact} for item in checks],
        }  # fmt: skip
        out.document(document)
        if not all(item.right for item in checks if item.name not in _NOTES):
            raise typer.Exit(ConfigurationError.exit_status)


def _inside(out: Output, folder: Path) -> list[_Check]:
    """Checks of the open vault: log, waiting exhibits, authorities and the clock against each of them."""
    free = shutil.disk_usage(folder).free
    checks = [_Check(name="disk", right=free > 1 << 30, fact=f"{free >> 20} MiB")]
    try:
        with session(out, folder, read_only=True) as opened:
            checks.append(
                _Check(name="log", right=True, fact=f"{opened.desk.origin} #{opened.desk.log.size}")
            )
            waiting = len(opened.vault.exhibits.awaiting_timestamp())
            checks.append(_Check(name="waiting", right=waiting == 0, fact=str(waiting)))
            active = [item for item in opened.settings if item.kind is not AuthorityKind.RETIRED]
            checks.append(_Check(name="authorities", right=bool(active), fact=str(len(active))))
            checks += [_clock(out, item.name, opened.authority(item)) for item in active]
    except EvidenceDeskError as error:
        checks.append(_Check(name="open", right=False, fact=error_title(error, out.language)))
    return checks


def _clock(out: Output, name: str, authority: TimestampAuthority) -> _Check:
    """Difference of our clock to an authority's genTime, half the round trip allowed for."""
    before = datetime.now(UTC)
    try:
        reply = authority.timestamp(_TRIAL)
    except EvidenceDeskError as error:
        return _Check(name="clock", right=False, fact=f"{name}: {error_title(error, out.language)}")
    middle = before + (datetime.now(UTC) - before) / 2
    offset = int((reply.gen_time - middle).total_seconds() * 1000)
    return _Check(name="clock", right=abs(offset) <= _TOLERANCE_MS, fact=f"{name}: {offset:+d} ms")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
