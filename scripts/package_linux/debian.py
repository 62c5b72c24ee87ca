"""Debian packages, made with dpkg-deb alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent
from typing import Final

from evidence_desk import __version__
from scripts.package_linux.contents import DESKTOP, ROOT

SYSTEMD: Final = ROOT / "installers" / "systemd"
_MAINTAINER: Final = "Evidence Desk maintainers <security@evidence-desk.invalid>"
_DESCRIPTION: Final = {
    "evidence-desk": """\
        judicial electronic evidence: seal, certify, verify (证据台)
         Desktop program and command line: hashes files, records web pages, asks RFC 3161
         authorities for timestamps, keeps an encrypted append-only log, prints certificates,
         and verifies all of it offline.
        """,
    "court-node": """\
        node of the court network of Evidence Desk (法院节点)
         Consensus engine, state machine, gateway and portal of one institution, with
         systemd units. Create the node first: see the manual in /usr/share/doc/court-node.
        """,
}
_POSTINST: Final = """\
#!/bin/sh
set -e
# A system that is being put together elsewhere (dpkg --root) has no services.
[ -z "${DPKG_ROOT:-}" ] || exit 0
if [ "$1" = configure ]; then
    command -v systemd-sysusers >/dev/null && systemd-sysusers court-node.conf
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        [ -z "$2" ] || systemctl try-restart 'court-node@*.service'
    fi
fi
"""
_PRERM: Final = """\
#!/bin/sh
set -e
[ -z "${DPKG_ROOT:-}" ] || exit 0
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl stop 'court-node@*.service' 'court-node-backup@*.timer'
fi
"""
_POSTRM: Final = """\
#!/bin/sh
set -e
[ -z "${DPKG_ROOT:-}" ] || exit 0
[ ! -d /run/systemd/system ] || systemctl daemon-reload
# Keys, blocks and backups in /var/lib/court-node stay, also at purge: a node's keys cannot be made again.
"""


def evidence_desk(
    folder: Path, work: Path, out: Path, *, depends: Sequence[str], recommends: Sequence[str], glibc: tuple[int, int],
    fast: bool,
) -> Path:  # fmt: skip
    """The desktop's package: programs in /usr/lib, names in /usr/bin, menu entries, icon, file type."""
    tree = _tree("evidence-desk", folder, work)
    for name in DESKTOP.programs:
        if name != "court-node":  # a program of the other package; here it serves the demonstration network
            _link(tree, name, "evidence-desk")
    return _packed(tree, out, "evidence-desk", depends=depends, recommends=recommends, glibc=glibc, fast=fast)


def court_node(
    folder: Path, work: Path, out: Path, *, depends: Sequence[str], recommends: Sequence[str], glibc: tuple[int, int],
    fast: bool,
) -> Path:  # fmt: skip
    """The server's package: the node, its engine, systemd units, its system user."""
    tree = _tree("court-node", folder, work)
    _link(tree, "court-node", "court-node")
    units = tree / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for path in SYSTEMD.iterdir():
        text = path.read_text("utf-8").replace("/usr/local/bin/court-node", "/usr/bin/court-node")
        text = text.replace("/usr/share/doc/evidence-desk/", "/usr/share/doc/court-node/")
        text = text.replace(
            "/usr/local/lib/court-node/cometbft", "/usr/lib/court-node/_internal/engine/cometbft"
        )
        if path.suffix == ".sysusers":
            place = tree / "usr/lib/sysusers.d"
            place.mkdir(parents=True)
            (place / f"{path.stem}.conf").write_text(text, "utf-8")
        else:
            (units / path.name).write_text(text, "utf-8")
    scripts = {"postinst": _POSTINST, "prerm": _PRERM, "postrm": _POSTRM}
    for name, text in scripts.items():
        (tree / "DEBIAN").mkdir(exist_ok=True)
        (tree / "DEBIAN" / name).write_text(text, "utf-8")
        (tree / "DEBIAN" / name).chmod(0o755)
    return _packed(
        tree, out, "court-node", depends=[*depends, "systemd"], recommends=[*recommends, "chrony | time-daemon"], glibc=glibc,
        fast=fast,
    )  # fmt: skip


def _tree(name: str, folder: Path, work: Path) -> Path:
    """The file system of a package: the folder in /usr/lib, its share/ in /usr/share."""
    tree = work / name
    shutil.rmtree(tree, ignore_errors=True)
    place = tree / "usr/lib" / name
    shutil.copytree(
        folder, place, symlinks=True, copy_function=os.link
    )  # the same bytes, no second copy on this disk
    share = tree / "usr/share"
    share.mkdir()
    documents = share / "doc" / name
    shutil.move(place / "share/doc", documents)
    shutil.move(place / "share/licenses", documents / "licenses")
    for path in (place / "share").iterdir():
        shutil.move(path, share / path.name)
    (place / "share").rmdir()
    for left in ("INSTALL.md", "install.sh", "GLIBC", "LIBRARIES"):
        (place / left).unlink(missing_ok=True)
    shutil.copy(ROOT / "docs" / "licenses.md", documents / "copyright")
    return tree


def _link(tree: Path, program: str, folder: str) -> None:
    place = tree / "usr/bin"
    place.mkdir(exist_ok=True)
    (place / program).symlink_to(f"../lib/{folder}/{program}")


def _packed(
    tree: Path, out: Path, name: str, *, depends: Sequence[str], recommends: Sequence[str], glibc: tuple[int, int], fast: bool
) -> Path:  # fmt: skip
    size = sum(path.lstat().st_size for path in tree.rglob("*")) // 1024
    fields = {
        "Package": name,
        "Version": __version__,
        "Architecture": "amd64",
        "Maintainer": _MAINTAINER,
        "Section": "misc",
        "Priority": "optional",
        "Installed-Size": str(size),
        "Depends": ", ".join([f"libc6 (>= {glibc[0]}.{glibc[1]})", *depends]),
        "Recommends": ", ".join(recommends),
        "Description": dedent(_DESCRIPTION[name]).strip(),
    }
    control = tree / "DEBIAN"
    control.mkdir(exist_ok=True)
    text = "".join(f"{key}: {value}\n" for key, value in fields.items() if value)
    (control / "control").write_text(text, "utf-8")
    _even_modes(tree)
    path = out / f"{name}_{__version__}_amd64.deb"
    pressed = [
        "-Zzstd",
        "-z1" if fast else "-z12",
    ]  # every Debian with our C library reads it; xz takes ten times as long
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", *pressed, "--build", tree, path],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return path


def _even_modes(tree: Path) -> None:
    """0755 and 0644, whatever the umask here was."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
