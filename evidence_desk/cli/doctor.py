"""``evidence-desk doctor``: versions, clock, store, authorities; what is missing and what to do."""

from __future__ import annotations

import platform
import shutil
import ssl
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import typer

from evidence_desk import __version__
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session, vault_folder
from evidence_desk.core.moment import format_moment
from evidence_desk.errors import ConfigurationError, EvidenceDeskError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

_PACKAGES = (
    "cryptography", "asn1crypto", "gmssl-pyx", "gmssl", "rfc3161ng", "sqlcipher3", "pyrage", "reportlab", "pikepdf",
    "pyhanko", "httpx",
)  # fmt: skip


def doctor(
    vault: VaultOption = None, lang: LanguageOption = Language.ZH, as_json: JsonOption = False
) -> None:
    """检查程序、时钟、保险库与时间戳机构 / Check program, clock, vault and authorities."""
    with Output(lang, as_json=as_json) as out:
        versions = {name: _version(name) for name in _PACKAGES}
        folder = vault_folder(vault)
        checks = [("packages", all(versions.values()), ", ".join(n for n, v in versions.items() if not v))]
        exists = (folder / "vault.toml").is_file()
        checks.append(("vault", exists, str(folder)))
        if exists:
            checks += _inside(out, vault)
            free = shutil.disk_usage(folder).free
            checks.append(("disk", free > 1 << 30, f"{free >> 20} MiB"))
        out.line(f"Evidence Desk {__version__}  Python {sys.version.split()[0]}  {platform.platform()}")
        out.line(f"{ssl.OPENSSL_VERSION}  UTC {format_moment(datetime.now(UTC))}")
        for name, found in versions.items():
            out.line(f"    {name} {found or '-'}")
        for name, right, fact in checks:
            out.line(
                f"{out.text('doctor.right' if right else 'doctor.wrong')}  {out.text(f'doctor.{name}')}  {fact}"
            )
        document: dict[str, Any] = {
            "version": __version__, "python": sys.version.split()[0], "platform": platform.platform(),
            "openssl": ssl.OPENSSL_VERSION, "utc": format_moment(datetime.now(UTC)), "packages": versions,
            "checks": [{"name": name, "right": right, "fact": fact} for name, right, fact in checks],
        }  # fmt: skip
        out.document(document)
        if not all(right for _, right, _ in checks):
            raise typer.Exit(ConfigurationError.exit_status)


def _inside(out: Output, vault: VaultOption) -> list[tuple[str, bool, str]]:
    """Checks that need the open vault: log, authorities and the clock against the first of them."""
    checks: list[tuple[str, bool, str]] = []
    try:
        with session(out, vault) as opened:
            size = opened.desk.log.size
            checks.append(("log", True, f"{opened.desk.origin} #{size}"))
            waiting = len(opened.vault.exhibits.awaiting_timestamp())
            checks.append(("waiting", waiting == 0, str(waiting)))
            checks.append(("authorities", bool(opened.settings), str(len(opened.settings))))
            checks += [_clock(setting.name, opened.authority(setting)) for setting in opened.settings]
    except EvidenceDeskError as error:
        checks.append(("log", False, str(error)))
    return checks


def _clock(name: str, authority: Any) -> tuple[str, bool, str]:
    """Difference of our clock to an authority's genTime, half the round trip allowed for."""
    before = datetime.now(UTC)
    try:
        reply = authority.timestamp(b"\x00" * 32)
    except EvidenceDeskError as error:
        return ("clock", False, f"{name}: {error}")
    middle = before + (datetime.now(UTC) - before) / 2
    offset = int((reply.gen_time - middle).total_seconds() * 1000)
    return ("clock", abs(offset) <= 2_000, f"{name}: {offset:+d} ms")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
