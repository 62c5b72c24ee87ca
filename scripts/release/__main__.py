"""``make release-files``: component lists, license texts, notes and the signed list of what is in dist/.

usage: python -m scripts.release [--partial]          --partial: also when not all packages were built
       python -m scripts.release verify LIST --key FILE.vkey    compare the files beside a list with it
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from packaging.utils import parse_wheel_filename

from evidence_desk import __version__
from evidence_desk.core.release import parse_release_key, read_release
from evidence_desk.errors import EvidenceDeskError
from scripts.release.components import ROOT, Component, Package, find_components
from scripts.release.listing import KEY_FILE, ReleaseError, compare, digests, sign_list, signer
from scripts.release.notes import make_notes
from scripts.release.sbom import make_sbom

DIST: Final = ROOT / "dist"
_PACKAGES: Final = 3
_SITE: Final = ROOT / ".cache" / "package" / "venv" / "lib"
_FOLDER: Final = re.compile(r"^# (app-\S+) of (EvidenceDesk-\S+-setup\.exe)$", re.MULTILINE)
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)


def windows_package(dist: Path, version: str, build: Path) -> Package | None:
    """The folder that the setup in dist/ was made of, by the name that the list of inputs gives; None when it is not there."""
    listed = dist / f"EvidenceDesk-{version}-windows-inputs.txt"
    found = _FOLDER.search(listed.read_text("utf-8")) if listed.is_file() else None
    if found is None or not (dist / found[2]).is_file():
        return None
    folder = build / "windows" / "setup" / found[1]
    if not folder.is_dir():
        raise ReleaseError(
            f"{found[2]} is in dist/, the folder {found[1]} it was made of is not: make package-windows"
        )
    return Package(name="windows", folder=folder, projects=folder / "lib", modules="lib/")


@contextmanager
def linux_packages(dist: Path, version: str) -> Iterator[list[Package]]:
    """The Linux packages in dist/, unpacked for as long as this lasts."""
    tar, deb = f"evidence-desk-{version}-linux-x86_64.tar.gz", f"court-node_{version}_amd64.deb"
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="release-", dir=ROOT / "build") as name:
        made = []
        for packed, line, inner in (
            (tar, ["tar", "-xzf", str(dist / tar), "-C"], tar.removesuffix(".tar.gz")),
            (deb, ["dpkg-deb", "-x", str(dist / deb)], "usr/lib/court-node"),
        ):
            if not (dist / packed).is_file():
                continue
            place = Path(name) / packed
            place.mkdir()
            subprocess.run([*line, str(place)], check=True)
            site = next(_SITE.glob("python3*/site-packages"), None)
            if site is None:
                raise ReleaseError("the environment that packed is gone: make package-linux")
            called = "linux-court-node" if packed == deb else "linux"
            made.append(Package(name=called, folder=place / inner, projects=site, modules="_internal/"))
        yield made


def wheel_digests(dist: Path, version: str) -> dict[str, str]:
    """SHA-256 of the wheel of each project that went into the Windows package."""
    listed = dist / f"EvidenceDesk-{version}-windows-inputs.txt"
    pairs = [line.split(" ") for line in listed.read_text("utf-8").splitlines() if line.endswith(".whl")]
    return {str(parse_wheel_filename(name)[0]): digest for digest, name in pairs}


def write_licenses(path: Path, packages: Mapping[str, Iterable[Component]]) -> None:
    """One archive: a folder for each component of any package, the same bytes for the same texts."""
    texts: dict[str, bytes] = {}
    for components in packages.values():
        for item in components:
            folder = re.sub(r"[^A-Za-z0-9._+-]+", "-", f"{item.name}-{item.version}").strip("-")
            texts |= {f"licenses/{folder}/{name}": text for name, text in item.texts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(texts.items()):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), text, zipfile.ZIP_DEFLATED)


def make(dist: Path, version: str, *, partial: bool, build: Path = ROOT / "build") -> None:
    """Write everything into dist/, the signed list last.

    Raises:
        ReleaseError: a package is missing, or something about its components is not right.
    """
    begun = time.monotonic()
    found = _components(dist, version, build, partial=partial)
    write_licenses(dist / f"evidence-desk-{version}-licenses.zip", found)
    by = signer()
    listed = dist / f"evidence-desk-{version}-release.txt"
    notes = dist / f"evidence-desk-{version}-README.md"
    old = {listed.name, notes.name}
    files = [
        path
        for path in sorted(dist.iterdir())
        if path.is_file() and version in path.name and path.name not in old
    ]
    notes.write_text(
        make_notes(version, [digests(path) for path in files], by.key, partial=len(found) < _PACKAGES),
        "utf-8",
    )
    listed.write_bytes(sign_list([*files, notes], version, by))
    (dist / "release.vkey").write_text(by.key.encode(), "ascii")
    (dist / "release.pem").write_bytes(by.pem)
    if by.demonstration:
        _say(f"演示: signed with a key made on the spot, no release ({KEY_FILE} names a key)")
    _say(f"{listed.name}: {len(files) + 1} files, key {by.key.fingerprint}, {time.monotonic() - begun:.1f} s")


def _components(dist: Path, version: str, build: Path, *, partial: bool) -> dict[str, list[Component]]:
    """Of each package; their lists are written."""
    found: dict[str, list[Component]] = {}
    windows = windows_package(dist, version, build)
    with linux_packages(dist, version) as packages:
        if windows is not None:
            packages.append(windows)
        if len(packages) < (1 if partial else _PACKAGES):
            names = [item.name for item in packages]
            raise ReleaseError(f"dist/ has only {names}: make package-linux package-windows")
        for package in packages:
            wheels = wheel_digests(dist, version) if package is windows else {}
            found[package.name] = find_components(package, wheels)
            bom = dist / f"evidence-desk-{version}-{package.name}.cdx.json"
            bom.write_bytes(make_sbom(f"evidence-desk {package.name}", version, found[package.name]))
            _say(f"{bom.name}: {len(found[package.name])} components")
    return found


def verify(listed: Path, key: Path) -> list[str]:
    """What does not fit, one line each; the signature first.

    Raises:
        EvidenceDeskError: the list or the key cannot be read, or the signature is not right.
    """
    release = read_release(listed.read_bytes(), parse_release_key(key.read_text("utf-8")))
    if release.demonstration:
        _say("演示: a demonstration key, nobody's word")
    return compare(release, listed.parent)


def main() -> int:
    """Make or verify; 1 and the reason when that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m scripts.release", description=__doc__)
    parser.add_argument("--partial", action="store_true")
    verifying = parser.add_subparsers(dest="command").add_parser("verify")
    verifying.add_argument("list", type=Path)
    verifying.add_argument("--key", type=Path, required=True)
    given = parser.parse_args()
    try:
        if given.command == "verify":
            wrong = verify(given.list, given.key)
            for line in wrong or ["every file is as listed"]:
                _say(line)
            return 1 if wrong else 0
        make(DIST, __version__, partial=given.partial)
    except (ReleaseError, EvidenceDeskError, OSError) as error:
        sys.stderr.write(f"release-files: {error}\n")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
