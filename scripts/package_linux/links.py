"""What a folder of programs is linked with outside of itself: libraries, the Debian packages that have them, the C library."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ELF: Final = b"\x7fELF"
_NEEDED: Final = re.compile(r"^\s+NEEDED\s+(\S+)$", re.MULTILINE)
_VERSION: Final = re.compile(r"\bGLIBC_(\d+)\.(\d+)")
_LIBC: Final = re.compile(r"(ld-linux-x86-64|lib(c|m|dl|rt|pthread|util|resolv))\.so\.\d")
_OPTIONAL: Final = re.compile(
    r"/plugins/(platformthemes|printsupport|networkinformation|wayland-\w+|egl\w+)|/libqwayland\w*\.so|/libQt6Wayland"
)
"""Parts that Qt does without when their libraries are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Outside libraries by soname; `glibc` is the least version of the C library, as (2, 36)."""

    needed: frozenset[str]
    optional: frozenset[str]
    glibc: tuple[int, int]


def outside(folder: Path) -> Links:
    """Read all ELF files below `folder`."""
    needed: dict[str, set[Path]] = defaultdict(set)
    versions: set[tuple[int, int]] = set()
    binaries = [path for path in sorted(folder.rglob("*")) if _is_elf(path)]
    for path in binaries:
        told = subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=True).stdout
        for name in _NEEDED.findall(told):
            needed[name].add(path)
        versions |= {(int(major), int(minor)) for major, minor in _VERSION.findall(told)}
    inside = {path.name for path in binaries}
    strangers = {
        name: users for name, users in needed.items() if name not in inside and not _LIBC.match(name)
    }
    optional = {
        name for name, users in strangers.items() if all(_OPTIONAL.search(str(user)) for user in users)
    }
    return Links(
        needed=frozenset(strangers.keys() - optional), optional=frozenset(optional), glibc=max(versions, default=(2, 0))
    )  # fmt: skip


def debian_packages(sonames: frozenset[str]) -> tuple[list[str], list[str]]:
    """(packages of this Debian that have them, sonames that none has)."""
    packages, lacking = set(), []
    for name in sorted(sonames):
        found = subprocess.run(
            ["dpkg-query", "-S", f"*/{name}"], capture_output=True, text=True, check=False
        ).stdout
        owners = {line.split(":")[0] for line in found.splitlines() if not line.startswith("diversion")}
        if owners:
            packages.add(min(owners))
        else:
            lacking.append(name)
    return sorted(packages), lacking


def _is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == _ELF
