"""The folder that a setup lays down: launchers beside one folder of a version, whose name tells its content."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.package_windows.compiler import Compiler
from scripts.package_windows.fetch import sha256
from scripts.package_windows.inputs import HERE, ROOT, BuildError

CONTENTS: Final = "contents.txt"
REMOVALS: Final = "remove.lst"
_PACKAGES: Final = ("evidence_desk", "tsa", "reports", "ui")
_BESIDE: Final = ("assets", "docs", "LICENSE", "CHANGELOG.md", "README.md", "SECURITY.md")
_SHORT: Final = 8
_CC: Final = "x86_64-w64-mingw32-gcc"
_RC: Final = "x86_64-w64-mingw32-windres"
_FLAGS: Final = (
    "-O2",
    "-s",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-municode",
    "-static",
    "-Wl,--no-insert-timestamp",
    "-Wl,--dynamicbase,--nxcompat,--high-entropy-va",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """A program that people start: file name, name in `evidence_desk.launch.PROGRAMS`, what the file's properties say."""

    file: str
    program: str
    description: str
    windowed: bool = False


LAUNCHERS: Final = (
    Launcher(file="Evidence Desk.exe", program="evidence-desk-gui", description="证据台 Evidence Desk", windowed=True),
    Launcher(file="evidence-desk.exe", program="evidence-desk", description="证据台 命令行 / command line"),
    Launcher(file="evidence-verify.exe", program="evidence-verify", description="证据核验 / offline verifier"),
    Launcher(file="evidence-tsa.exe", program="evidence-tsa", description="时间戳服务 / timestamp authority"),
)  # fmt: skip


def tracked_files(*places: str) -> list[str]:
    """Files of the repository below `places`, sorted; what is not tracked is never packaged."""
    done = subprocess.run(["git", "ls-files", "-z", "--", *places], cwd=ROOT, check=True, capture_output=True)
    return sorted(
        name for name in done.stdout.decode("utf-8").split("\0") if name and (ROOT / name).is_file()
    )


def add_program(target: Path, *, without: Sequence[str] = ()) -> None:
    """Our own packages, what they open, and ``start.py``; `without` names beginnings of paths that stay out."""
    for name in tracked_files(*_PACKAGES, *_BESIDE):
        if not name.startswith(tuple(without)):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    shutil.copyfile(HERE / "start.py", target / "start.py")


def compile_sources(target: Path, compiler: Compiler) -> None:
    """Compile everything: the installed program writes nothing into its folder."""
    folders = [target / name for name in ("lib", *_PACKAGES) if (target / name).is_dir()]
    compiler.compile_folders(folders)


def leave_out_sources(library: Path) -> None:
    """Put each compiled file in the place of its source."""
    for path in sorted(library.rglob("__pycache__/*.pyc")):
        name = path.name.partition(".")[0]
        path.rename(path.parents[1] / f"{name}.pyc")
        (path.parents[1] / f"{name}.py").unlink()
    for folder in sorted(library.rglob("__pycache__")):
        folder.rmdir()


def build_launchers(target: Path, version: str, launchers: Iterable[Launcher] = LAUNCHERS) -> None:
    """Compile the launchers with mingw-w64; the same sources give the same bytes.

    Raises:
        BuildError: the compiler does not take them.
    """
    numbers = ",".join([*(version.split("+", maxsplit=1)[0].split(".") + ["0"] * 4)[:4]])
    for item in launchers:
        resource = target / "launcher.res"
        defines = {"VERSION_NUMBERS": numbers, "VERSION_TEXT": f'"{version}"', "PROGRAM_NAME": f'"{item.program}"', "DESCRIPTION": f'"{item.description}"'}  # fmt: skip
        source = target / "launcher.rc"
        text = "".join(f"#define {name} {value}\n" for name, value in defines.items())
        source.write_text(
            "#pragma code_page(65001)\n" + text + (HERE / "launcher.rc").read_text("utf-8"), "utf-8"
        )
        _run([_RC, "-I", str(HERE), "-O", "coff", "-c", "65001", "-i", str(source), "-o", str(resource)])
        kind = ["-mwindows", "-DWINDOWED"] if item.windowed else ["-mconsole"]
        define = f'-DPROGRAM="{item.program}"'
        _run(
            [
                _CC,
                *_FLAGS,
                *kind,
                define,
                "-o",
                str(target / item.file),
                str(HERE / "launcher.c"),
                str(resource),
            ]
        )
        resource.unlink()
        source.unlink()


def _run(line: Sequence[str]) -> None:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{line[0]}: {done.stderr[-2000:]}")


def seal_folder(folder: Path) -> str:
    """Write the lists of a version's folder; answers its content's name, the begin of a SHA-256.

    ``contents.txt`` has digest, size and path of every file; ``remove.lst`` (UTF-16, for the uninstaller) files and then
    folders, innermost first.
    """
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256(folder / name)} {(folder / name).stat().st_size} {name}\n" for name in files]
    listed = "".join(lines).encode("utf-8")
    (folder / CONTENTS).write_bytes(listed)
    folders = sorted(
        {parent.as_posix() for name in files for parent in Path(name).parents} - {"."}, reverse=True
    )
    removed = [*files, CONTENTS, REMOVALS, *(f"{name}/" for name in folders)]
    text = "".join(f"{name}\r\n" for name in removed).replace("/", "\\")
    (folder / REMOVALS).write_bytes(text.encode("utf-16-le"))
    return hashlib.sha256(listed).hexdigest()[:_SHORT]


def set_times(folder: Path, moment: int) -> None:
    """Give every file one time, so that archives are the same each time."""
    for path in folder.rglob("*"):
        os.utime(path, (moment, moment))
