"""``make package-linux``: one archive and two Debian packages in dist/. Run by the Python of the packing environment.

usage: python -m scripts.package_linux [--fast]     --fast: light compression, for tests
"""

from __future__ import annotations

import argparse
import compileall
import gzip
import hashlib
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Final

from evidence_desk import __version__
from evidence_desk.court.node.engine import find_engine
from scripts.package_linux.contents import DESKTOP, OURS, QT_LIBRARIES, ROOT, SERVER, Bundle
from scripts.package_linux.debian import court_node, evidence_desk
from scripts.package_linux.links import Links, debian_packages, outside

BUILD: Final = ROOT / "build" / "package"
DIST: Final = ROOT / "dist"
LINUX: Final = ROOT / "installers" / "linux"
_LOADER: Final = "pyinstaller"
"""Its starting code is in every package; its license says what of it may be."""
_LICENSE: Final = re.compile(r"(^|/)(licen[cs]e|copying|notice|authors|copyright)[^/]*$", re.IGNORECASE)


class PackageError(Exception):
    """The package would not be what it has to be."""


def main() -> None:
    """Build, check, pack, say sizes and times."""
    parser = argparse.ArgumentParser(prog="python -m scripts.package_linux", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="light compression, for tests")
    fast = parser.parse_args().fast
    os.environ.setdefault("SOURCE_DATE_EPOCH", _commit_time())
    os.environ["PYTHONHASHSEED"] = "1"  # else sets are written in another order each time
    DIST.mkdir(exist_ok=True)
    results = [*package(DESKTOP, fast=fast), *package(SERVER, fast=fast)]
    for path in results:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        say(f"{path.stat().st_size / 1e6:8.1f} MB  {digest}  {path.relative_to(ROOT)}")


def package(bundle: Bundle, *, fast: bool) -> list[Path]:
    """Build a bundle, check it, pack it; the finished files."""
    with timed(f"PyInstaller: {bundle.name}"):
        folder = build(bundle)
    with timed("complete and check"):
        links = complete(bundle, folder)
    depends, lacking = debian_packages(links.needed)
    recommends, _ = debian_packages(links.optional)
    say(
        f"  {_size(folder)} MB unpacked, glibc {'.'.join(map(str, links.glibc))}, from the system: {', '.join(depends)}"
    )
    if lacking:
        raise PackageError(f"no package of this Debian has: {lacking}")
    made = []
    if bundle is DESKTOP:
        with timed("archive"):
            made.append(archive(folder, fast=fast))
    with timed("Debian package"):
        make = evidence_desk if bundle is DESKTOP else court_node
        made.append(
            make(
                folder,
                BUILD / "deb",
                DIST,
                depends=depends,
                recommends=recommends,
                glibc=links.glibc,
                fast=fast,
            )
        )
    return made


def build(bundle: Bundle) -> Path:
    """PyInstaller's folder of a bundle."""
    command: list[str | Path] = [
        sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", "--distpath", BUILD / "programs",
        "--workpath", BUILD / "work" / bundle.name, LINUX / "programs.spec", "--", bundle.name,
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return BUILD / "programs" / bundle.name


def complete(bundle: Bundle, folder: Path) -> Links:
    """Add what PyInstaller does not know of, and look whether all is right."""
    inner = folder / "_internal"
    for name in (item for item in OURS if (inner / item).is_dir()):
        right = compileall.compile_dir(
            inner / name, quiet=1, stripdir=str(inner), workers=1,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )  # fmt: skip
        if not right:
            raise PackageError(f"{name} does not compile")
    (inner / "engine").mkdir(exist_ok=True)
    shutil.copy2(find_engine(), inner / "engine" / "cometbft")
    (folder / "share" / "doc").mkdir(parents=True, exist_ok=True)
    for name in ("LICENSE", "CHANGELOG.md", "SECURITY.md", "docs/licenses.md"):
        shutil.copy(ROOT / name, folder / "share" / "doc")
    shutil.copytree(ROOT / "docs" / "manual", folder / "share" / "doc" / "manual", dirs_exist_ok=True)
    collect_licenses(inner, folder / "share" / "licenses")
    if bundle is DESKTOP:
        shutil.copytree(ROOT / "docs", inner / "docs", dirs_exist_ok=True)  # F1 shows the manual from there
        add_desktop_files(folder)
    check(bundle, folder)
    links = outside(folder)
    (folder / "GLIBC").write_text("{}.{}\n".format(*links.glibc), "ascii")
    (folder / "LIBRARIES").write_text("".join(f"{name}\n" for name in sorted(links.needed)), "ascii")
    return links


def add_desktop_files(folder: Path) -> None:
    """Menu entries, icon, file type, notes."""
    for kind, names in (
        ("applications", ("evidence-desk.desktop", "evidence-desk-seal.desktop")),
        ("icons/hicolor/scalable/apps", ("evidence-desk.svg",)),
        ("mime/packages", ("evidence-desk.xml",)),
    ):
        place = folder / "share" / kind
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(LINUX / name, place / name)
    for name in ("INSTALL.md", "install.sh"):
        shutil.copy(LINUX / name, folder / name)


def collect_licenses(inner: Path, folder: Path) -> None:
    """The license texts of the packages inside, as their authors ship them; those of Qt's license from here."""
    for package in metadata.distributions():
        name = package.metadata["Name"].lower()
        files = package.files or []
        tops = {file.parts[0] for file in files if not file.parts[0].endswith(".dist-info")} - {".."}
        if name != _LOADER and not any(
            (inner / top).exists() or (inner / f"{top}c").exists() for top in tops
        ):
            continue
        for file in files:
            source = Path(str(package.locate_file(file)))
            if ".dist-info/" in str(file) and _LICENSE.search(str(file)) and source.is_file():
                target = folder / name / source.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
    if (inner / "PySide6").is_dir():
        (folder / "qt").mkdir(parents=True, exist_ok=True)
        for path in (ROOT / "installers" / "licenses").iterdir():
            shutil.copy(path, folder / "qt")


def check(bundle: Bundle, folder: Path) -> None:
    """No library of Qt but those we may pass on, none under GPL, no file of ours missing.

    Raises:
        PackageError: otherwise.
    """
    inner = folder / "_internal"
    strangers = {
        found[1] for path in folder.rglob("*")
        if (found := re.match(r"(?:libQt6|Qt)(\w+?)\.(?:abi3\.)?so", path.name)) and found[1] not in QT_LIBRARIES
    }  # fmt: skip
    readline = [path.name for path in folder.rglob("*readline*.so*")]
    if strangers or readline:
        raise PackageError(f"must not be passed on: {sorted(strangers)} {readline}")
    for name in OURS:
        ours = {path.relative_to(ROOT) for path in (ROOT / name).rglob("*.py")}
        packed = {path.relative_to(inner) for path in (inner / name).rglob("*.py")}
        if packed - ours or (bundle.whole and packed != ours):
            raise PackageError(f"{name}: {sorted(map(str, packed ^ ours))[:5]}")


def archive(folder: Path, *, fast: bool) -> Path:
    """The folder as tar.gz, the same bytes for the same content."""
    name = f"evidence-desk-{__version__}-linux-x86_64"
    moment = int(os.environ["SOURCE_DATE_EPOCH"])
    path = DIST / f"{name}.tar.gz"

    def plain(item: tarfile.TarInfo) -> tarfile.TarInfo:
        item.uid = item.gid = 0
        item.uname = item.gname = "root"
        item.mtime = moment
        item.mode = 0o755 if item.isdir() or item.mode & 0o100 else 0o644
        return item

    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", 1 if fast else 6, raw, mtime=moment) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for item in [folder, *sorted(folder.rglob("*"))]:
            tar.add(item, str(Path(name) / item.relative_to(folder)), recursive=False, filter=plain)
    return path


def _commit_time() -> str:
    """Of the newest commit; of the version's file where there is no repository."""
    done = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or str(int((ROOT / "pyproject.toml").stat().st_mtime))


def _size(folder: Path) -> int:
    return (
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        // 10**6
    )


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    begun = time.monotonic()
    say(what)
    yield
    say(f"  {time.monotonic() - begun:.0f} s")


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
