"""The embedded Python: the foundation's signed binaries as they are, and the library compiled anew from its signed sources."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
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
    is_program,
)

_NOT_OURS: Final = frozenset({"python.exe", "pythonw.exe"})
"""Our launchers take their place: a bare Python in the folder only serves whoever looks for one to misuse."""


def add_runtime(inputs: Inputs, target: Path, compiler: Compiler) -> dict[str, str]:
    """Lay the runtime into `target`; answers (file, who signed it).

    Raises:
        BuildError: a digest or a signature that does not fit.
    """
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        roots = work / "roots.pem"
        roots.write_bytes(member(inputs.files["roots"]))
        embedded = inner_archive(inputs.files["embedded"])
        target.mkdir(parents=True)
        standard = _standard_name(inputs)
        wanted: list[str] = []
        with embedded:
            for item in sorted(embedded.namelist()):
                short = item.removeprefix(inputs.files["embedded"].folder)
                if short == standard:
                    wanted = _modules(embedded.read(item))
                elif (is_program(Path(short)) and short not in _NOT_OURS) or short == "LICENSE.txt":
                    (target / short).write_bytes(embedded.read(item))
        signed = check_signatures(sorted(target.iterdir()), roots, inputs.signers["runtime"])
        _library(inputs, wanted, work, roots)
        compiler.archive(work / "library", target / standard)
        text = f"{standard}\r\n.\r\n..\\lib\r\n..\r\n"
        (target / f"python{inputs.tag}._pth").write_bytes(text.encode("ascii"))
    return signed


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


def checked_compiler(inputs: Inputs, target: Path) -> Compiler:
    """The embedded Python as it was fetched, for building alone; runs only after its signatures were checked.

    Raises:
        BuildError: one does not fit.
    """
    pinned = inputs.files["embedded"]
    with inner_archive(pinned) as archive:
        archive.extractall(target)  # noqa: S202 - pinned by its digest
    roots = target / "roots.pem"
    roots.write_bytes(member(inputs.files["roots"]))
    check_signatures((target / pinned.folder).iterdir(), roots, inputs.signers["runtime"])
    return Compiler(folder=target / pinned.folder)


def _standard_name(inputs: Inputs) -> str:
    return f"python{inputs.tag}.zip"


def _modules(archive: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
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
