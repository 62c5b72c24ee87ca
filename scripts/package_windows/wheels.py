"""Unpacks wheels for Windows, and leaves out of Qt what nothing of ours can load."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from scripts.package_windows.inputs import BuildError, Qt, Wheel
from scripts.package_windows.pe import imported

_QT: Final = "PySide6"
_LIBRARY: Final = frozenset({"purelib", "platlib"})
_SOURCES: Final = frozenset({".pyi", ".lib", ".h", ".pxd"})
"""For compilers and editors only."""
_TESTS: Final = frozenset({"tests", "test", "SelfTest"})
"""Folders with tests of the projects themselves."""


def unpack(wheels: Mapping[Wheel, Path], target: Path) -> None:
    """Unpack all into one folder; scripts and data of wheels are for other layouts and stay out.

    Raises:
        BuildError: two wheels have one file with two contents, or a name leads outside.
    """
    for wheel, path in sorted(wheels.items()):
        with zipfile.ZipFile(path) as archive:
            for item in archive.infolist():
                name = _place(item.filename)
                if item.is_dir() or name is None:
                    continue
                if name.is_absolute() or ".." in name.parts:
                    raise BuildError(f"{wheel.name}: {item.filename}")
                data = archive.read(item)
                _write(target / name, data, wheel)


def _place(name: str) -> PurePosixPath | None:
    path = PurePosixPath(name)
    if path.parts[0].endswith(".data"):
        return PurePosixPath(*path.parts[2:]) if path.parts[1] in _LIBRARY else None
    return path


def _write(path: Path, data: bytes, wheel: Wheel) -> None:
    if path.exists() and path.read_bytes() != data:
        raise BuildError(f"{wheel.name}: {path.name} is another wheel's as well")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def prune(library: Path) -> None:
    """Leave out of all wheels what only compilers, editors and the projects' own tests read."""
    for path in sorted(library.rglob("*")):
        below = path.relative_to(library).parts
        if path.is_file() and (path.suffix in _SOURCES or not _TESTS.isdisjoint(below[:-1])):
            path.unlink()
    _remove_empty(library)


def prune_qt(library: Path, qt: Qt) -> list[str]:
    """Leave out what no program of ours loads; answers the names of the libraries and modules left out.

    Kept of Qt: the modules that our code imports, the plugins of the kinds that these look for, and everything that the
    import tables of these name, over any number of steps.

    Raises:
        BuildError: what is kept loads a library that is under GPL alone.
    """
    folder = library / _QT
    kept = _closure(folder, qt)
    for name in kept:
        if any(name.name.lower() == f"qt6{bad.lower()}.dll" for bad in qt.gpl_only):
            raise BuildError(f"{name.name} is under GPL alone and would be loaded")
    left_out = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in kept and not _stays(path.relative_to(folder).as_posix(), qt):
            left_out.append(path.relative_to(folder).as_posix())
            path.unlink()
    _remove_empty(library)
    return left_out


def _closure(folder: Path, qt: Qt) -> set[Path]:
    places = {path.name.lower(): path for path in folder.glob("*") if path.suffix in {".dll", ".pyd"}}
    bound = {f"{name}.pyd".lower() for name in qt.modules}
    waiting = [path for name, path in places.items() if name in bound]
    waiting += [folder / name for name in (*qt.libraries, *qt.programs)]
    waiting += _plugins(folder, qt, places)
    shiboken = folder.parent / "shiboken6"
    waiting += [places[name] for path in shiboken.glob("*.pyd") for name in imported(path) if name in places]
    kept: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in kept:
            kept.add(path)
            waiting += [places[name] for name in imported(path) if name in places]
    return kept


def _plugins(folder: Path, qt: Qt, places: Mapping[str, Path]) -> Iterable[Path]:
    """Plugins of the wanted kinds but those that only serve a part that is under GPL alone."""
    bad = {f"qt6{name}.dll".lower() for name in qt.gpl_only}
    for kind in qt.plugins:
        for path in sorted((folder / "plugins" / kind).glob("*.dll")):
            if not bad & {name for name in imported(path) if name in places}:
                yield path


def _stays(name: str, qt: Qt) -> bool:
    """Whether a file that is no program of Qt stays: Python of the binding, and data that Chromium opens by name."""
    if any(name.startswith(f"{folder}/") for folder in qt.folders):
        return ".debug." not in name
    return name == "py.typed" or (name.endswith(".py") and not name.startswith(("scripts/", "QtAsyncio/")))


def _remove_empty(root: Path) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)
