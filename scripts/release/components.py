"""What a package holds: the Python projects in it, and what `components.toml` names beside them; each with its license texts."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from evidence_desk import __version__
from scripts.release.listing import ReleaseError

ROOT: Final = Path(__file__).parents[2]
LICENSES: Final = ROOT / "installers" / "licenses"
_TEXT: Final = re.compile(r"(^|/)(licen[cs]es?|copying|notice|authors|copyright)[^/]*(/.*)?$", re.IGNORECASE)
_LIBRARY: Final = re.compile(r"^(python/[^/]+\.(dll|pyd)|_internal/lib[^/]+\.so[^/]*)$")
_QT: Final = frozenset({"pyside6-addons", "pyside6-essentials", "shiboken6"})
_OWN_TEXTS: Final = {
    **dict.fromkeys(_QT, ("installers/licenses/LGPL-3.0.txt", "installers/licenses/GPL-3.0.txt")),
    "gmssl": ("installers/licenses/gmssl.txt",),
}
"""Of projects whose wheels carry none."""
_LOADER: Final = frozenset({"pyinstaller", "pyinstaller-hooks-contrib"})
_GPL: Final = re.compile(r"\b(A?GPL)|GNU (Affero )?General Public", re.IGNORECASE)
_ALLOWED: Final = re.compile(r"LGPL|Lesser General Public|Bootloader-exception", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package as it was built: its name, its unpacked folder, and where its projects' metadata are."""

    name: str
    folder: Path
    projects: Path
    modules: str
    """Folder of the package that projects lie in, ``lib/`` or ``_internal/``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part; `license` as its author writes it, `texts` by the name they get in the folder of licenses."""

    name: str
    version: str
    license: str
    kind: str = "library"
    purl: str = ""
    sha256: str = ""
    texts: Mapping[str, bytes] = field(default_factory=dict)


def find_components(package: Package, wheels: Mapping[str, str]) -> list[Component]:
    """All components, by name; `wheels` has the SHA-256 of a project's wheel where the build told it.

    Raises:
        ReleaseError: a library nobody claims, a component without text, one under GPL or AGPL alone.
    """
    places = sorted(
        path.relative_to(package.folder).as_posix() for path in package.folder.rglob("*") if path.is_file()
    )
    projects = {item.name: item for item in _projects(package, places, wheels)}
    named = tomllib.loads((Path(__file__).parent / "components.toml").read_text("utf-8"))["component"]
    unclaimed = [
        place for place in places
        if _LIBRARY.match(place) and not any(re.search(rule, place) for item in named for rule in item["files"])
    ]  # fmt: skip
    if unclaimed:
        raise ReleaseError(f"{package.name}: libraries that no component claims: {unclaimed}")
    found = [*projects.values(), *_named(package, places, named, projects), *_go_modules(package, places)]
    check(found)
    if not any(item.name == "Evidence Desk" for item in found):
        raise ReleaseError(f"{package.name}: the program is not in {package.folder.name}")
    return sorted(found, key=lambda item: (item.name.lower(), item.version))


def check(components: Sequence[Component]) -> None:
    """Each has a text, none is under GPL or AGPL alone but PyInstaller's bootloader.

    Raises:
        ReleaseError: otherwise.
    """
    if lacking := [item.name for item in components if not any(text.strip() for text in item.texts.values())]:
        raise ReleaseError(f"without license text: {lacking}")
    if refused := [f"{item.name} ({item.license})" for item in components if is_refused(item.license)]:
        raise ReleaseError(f"must not be passed on: {refused}")


def is_refused(license_: str) -> bool:
    """Whether every alternative of a license is GPL or AGPL."""
    return all(
        any(_GPL.search(part) and not _ALLOWED.search(part) for part in re.split(r"\s+AND\s+", item))
        for item in re.split(r"\s+OR\s+", license_)
    )


def distribution_license(found: metadata.Distribution) -> str:
    """As its metadata tell it; a long text by its first line, else its classifiers; "" when they are silent."""
    told = next(iter(_fields(found, "License-Expression") or _fields(found, "License")), "")
    classifiers = [item for item in _fields(found, "Classifier") if item.startswith("License ::")]
    first = told.strip().split("\n")[0].strip()
    return first or ", ".join(item.rpartition(":: ")[2] for item in classifiers)


def _fields(found: metadata.Distribution, name: str) -> list[str]:
    return found.metadata.get_all(name) or []


def _projects(package: Package, places: Sequence[str], wheels: Mapping[str, str]) -> Iterator[Component]:
    inside = {
        place.removeprefix(package.modules).partition("/")[0]
        for place in places
        if place.startswith(package.modules)
    }
    for found in metadata.distributions(path=[str(package.projects)]):
        name = _plain(found.metadata["Name"])
        files = [str(item) for item in found.files or []]
        tops = {item.partition("/")[0] for item in files if ".dist-info/" not in item} - {".."}
        if name in _LOADER or not any(top in inside or f"{top}c" in inside for top in tops):
            continue
        texts = {Path(item).name: Path(str(found.locate_file(item))) for item in files if ".dist-info/" in item and _TEXT.search(item.partition(".dist-info")[2])}  # fmt: skip
        texts = {key: path for key, path in texts.items() if path.is_file() and "Commercial" not in key}
        for own in _OWN_TEXTS.get(name, ()):
            texts.setdefault(Path(own).name, ROOT / own)
        read = {key: path.read_bytes() for key, path in texts.items()}
        yield Component(
            name=name, version=found.version, license=distribution_license(found) or _told_by(read),
            purl=f"pkg:pypi/{name}@{found.version}", sha256=wheels.get(name, ""), texts=read,
        )  # fmt: skip


def _named(
    package: Package,
    places: Sequence[str],
    named: Sequence[dict[str, Any]],
    projects: Mapping[str, Component],
) -> Iterator[Component]:
    for item in named:
        if not any(re.search(rule, place) for rule in item["files"] for place in places):
            continue
        texts: dict[str, bytes] = {}
        for source in item["texts"]:
            texts |= _texts(source, package)
        yield Component(
            name=item["name"], version=_version(item.get("version", ""), package, projects), license=item["license"],
            kind=item.get("type", "library"), texts=texts,
        )  # fmt: skip


def _version(written: str, package: Package, projects: Mapping[str, Component]) -> str:
    if written.startswith("{project:"):
        name = written[9:-1]
        if name in projects:
            return projects[name].version
        found = metadata.distributions(path=[str(package.projects)])
        return next((item.version for item in found if _plain(item.metadata["Name"]) == name), "")
    if written == "{cpython}":
        return _python_version(package)
    engine = (
        (ROOT / "evidence_desk" / "court" / "node" / "engine-version.txt")
        .read_text()
        .strip()
        .removeprefix("v")
    )
    return written.format(version=__version__, engine=engine)


def _python_version(package: Package) -> str:
    """As pinned for Windows; that of the packing environment for Linux."""
    if package.modules == "lib/":
        pinned = tomllib.loads((ROOT / "installers" / "windows" / "inputs.toml").read_text("utf-8"))
        return str(pinned["python"]["version"])
    lines = (package.projects.parents[2] / "pyvenv.cfg").read_text("utf-8").splitlines()
    return next((line.partition("=")[2].strip() for line in lines if line.startswith("version")), "")


def _texts(source: str, package: Package) -> dict[str, bytes]:
    if source == "{modules}":
        return {}  # each module is a component of its own
    if source == "{python}":
        return {"Python-LICENSE.txt": _python_license(package).read_bytes()}
    if source.startswith("{debian:"):
        paths = (
            sorted(Path("/usr/share/doc").glob(f"{source[8:-1]}*/copyright"))
            if package.modules == "_internal/"
            else []
        )
        return {f"{path.parent.name}.txt": path.read_bytes() for path in paths}
    if source.startswith("project:"):
        found = next(item for item in metadata.distributions(path=[str(package.projects)]) if _plain(item.metadata["Name"]) == source[8:])  # fmt: skip
        files = [Path(str(found.locate_file(item))) for item in found.files or [] if _TEXT.search(str(item))]
        return {path.name: path.read_bytes() for path in files if path.is_file()}
    path = ROOT / source
    return {path.name: path.read_bytes()}


def _python_license(package: Package) -> Path:
    own = package.folder / "python" / "LICENSE.txt"
    if own.is_file():
        return own
    config = (package.projects.parents[2] / "pyvenv.cfg").read_text("utf-8")
    home = next(line.partition("=")[2].strip() for line in config.splitlines() if line.startswith("home"))
    found = [
        *Path(home).parent.glob("lib/python3*/LICENSE.txt"),
        *Path("/usr/share/doc").glob("python3.*/copyright"),
    ]
    if not found:
        raise ReleaseError(f"{package.name}: no license text of Python")
    return found[0]


def _go_modules(package: Package, places: Sequence[str]) -> Iterator[Component]:
    """The modules inside the engine, as its own build record tells them; texts from Go's module cache."""
    engine = next((place for place in places if place.endswith("/engine/cometbft")), None)
    if engine is None:
        return
    told = _run(["go", "version", "-m", str(package.folder / engine)])
    cache = Path(_run(["go", "env", "GOMODCACHE"]).strip())
    for line in told.splitlines():
        words = line.split("\t")
        if len(words) < 4 or words[1] != "dep":
            continue
        name, version = words[2], words[3]
        folder = cache / f"{re.sub('[A-Z]', lambda at: '!' + at[0].lower(), name)}@{version}"
        texts = {
            path.name: path.read_bytes()
            for path in sorted(folder.glob("*"))
            if path.is_file() and _TEXT.search(path.name)
        }
        yield Component(
            name=name,
            version=version,
            license=_told_by(texts),
            purl=f"pkg:golang/{name}@{version}",
            texts=texts,
        )


def _told_by(texts: Mapping[str, bytes]) -> str:
    """Which license a text is, by its own title; so that one under GPL is seen."""
    whole = b"\n".join(texts.values())[:4000].decode("utf-8", "replace")
    for title, name in (
        (r"Apache License", "Apache-2.0"), (r"Mozilla Public License", "MPL-2.0"), (r"GNU AFFERO", "AGPL-3.0-only"),
        (r"GNU LESSER", "LGPL-3.0-only"), (r"GNU GENERAL PUBLIC", "GPL-3.0-only"), (r"Permission is hereby granted", "MIT"),
        (r"Redistribution and use", "BSD-3-Clause"), (r"Permission to use, copy", "ISC"),
    ):  # fmt: skip
        if re.search(title, whole, re.IGNORECASE):
            return name
    return "see its text"


def _run(line: Sequence[str]) -> str:
    try:
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ReleaseError(f"{line[0]}: {error}") from error


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
