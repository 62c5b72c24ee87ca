"""The embedded Python: the foundation's signed binaries as they are, and the library compiled anew from its signed sources."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.package_windows.compiler import Compiler
from scripts.package_windows.fetch import pinned_file
from scripts.package_windows.inputs import BuildError, Inputs, PinnedFile
from scripts.package_windows.signatures import (
    catalog_content,
    check_listed,
    check_signature,
    check_signatures,
)

_NOT_OURS: Final = frozenset({"python.exe", "pythonw.exe"})
"""Our launchers take their place: a bare Python in the folder only serves whoever looks for one to misuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The folder to package, a Python to compile with, and (file, who signed it)."""

    folder: Path
    compiler: Compiler
    signed: Mapping[str, str]


def make_runtime(inputs: Inputs, stage: Path) -> Runtime:
    """Unpack the embedded Python below `stage`; it runs, to compile, only after its signatures were checked.

    Raises:
        BuildError: a digest or a signature that does not fit.
    """
    pinned = inputs.files["embedded"]
    with inner_archive(pinned) as archive:
        archive.extractall(stage)  # noqa: S202 - pinned by its digest
    given = stage / pinned.folder
    roots = stage / "roots.pem"
    roots.write_bytes(member(inputs.files["roots"]))
    signed = check_signatures(sorted(given.iterdir()), roots, inputs.signers["runtime"])
    compiler = Compiler(folder=given)
    folder = stage / "python"
    folder.mkdir()
    for path in sorted(given.iterdir()):
        if (path.name in signed and path.name not in _NOT_OURS) or path.name == "LICENSE.txt":
            shutil.copyfile(path, folder / path.name)
    standard = f"python{inputs.tag}.zip"
    _library(inputs, _modules(given / standard), stage, roots)
    compiler.archive(stage / "library", folder / standard)
    text = f"{standard}\r\n.\r\n..\\lib\r\n..\r\n"
    (folder / f"python{inputs.tag}._pth").write_bytes(text.encode("ascii"))
    return Runtime(folder=folder, compiler=compiler, signed=signed)


def add_runtime_library(inputs: Inputs, app: Path) -> None:
    """Lay Microsoft's C++ runtime beside Python, from a wheel that has it.

    Raises:
        BuildError: its signature does not fit.
    """
    wanted = inputs.runtime_library
    with tempfile.TemporaryDirectory() as name:
        roots = Path(name) / "roots.pem"
        roots.write_bytes(member(inputs.files["roots"]))
        for file in wanted.names:
            source = app / "lib" / wanted.folder / file
            check_signature(source, roots, wanted.signers)
            (app / "python" / file).write_bytes(source.read_bytes())


def _modules(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return [name[:-1] for name in opened.namelist() if name.endswith(".pyc")]


def _library(inputs: Inputs, wanted: Sequence[str], work: Path, roots: Path) -> None:
    """The sources of the modules that the foundation embeds, each vouched for by its catalog."""
    pinned = inputs.files["library"]
    with inner_archive(pinned) as archive:
        catalog = work / "library.cat"
        catalog.write_bytes(archive.read(pinned.folder + pinned.catalog))
        content = catalog_content(catalog, roots, inputs.signers["catalog"])
        sources = {name: archive.read(f"{pinned.folder}Lib/{name}") for name in wanted}
    check_listed(sources, content, inputs.unlisted)
    for name, data in sources.items():
        path = work / "library" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def member(pinned: PinnedFile) -> bytes:
    """The member of a pinned file that is used."""
    path = pinned_file(pinned)
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return wheel.read(pinned.inner)
    with tarfile.open(path) as source:
        stream = source.extractfile(pinned.inner)
        if stream is None:
            raise BuildError(f"{pinned.name}: no {pinned.inner}")
        return stream.read()


def inner_archive(pinned: PinnedFile) -> zipfile.ZipFile:
    """That member, opened as an archive."""
    return zipfile.ZipFile(io.BytesIO(member(pinned)))
