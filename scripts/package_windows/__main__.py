"""``python -m scripts.package_windows [--fast]``: the whole build; prints steps, times and sizes."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from evidence_desk import __version__
from scripts.package_windows import layout
from scripts.package_windows.compiler import Compiler
from scripts.package_windows.fetch import sha256, wheel_files
from scripts.package_windows.inputs import HERE, ROOT, BuildError, Inputs, Wheel, locked_wheels, read_inputs
from scripts.package_windows.runtime import Runtime, add_runtime_library, make_runtime
from scripts.package_windows.setup_file import file_list, make_archive, make_setup
from scripts.package_windows.sign import is_signing, sign, signer_command
from scripts.package_windows.wheels import prune, prune_qt, unpack

BUILD: Final = ROOT / "build" / "windows"
DIST: Final = ROOT / "dist"
_MB: Final = 1_000_000
_LIST: Final = "files.nsh"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def _step(name: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    _say(f"  {time.monotonic() - begun:6.1f} s  {name}")


def moment() -> int:
    """Seconds since 1970 that files get: SOURCE_DATE_EPOCH, or when the packaged commit was made."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        line = ["git", "log", "-1", "--format=%ct"]
        given = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return int(given)


def build_folder(stage: Path, inputs: Inputs, wheels: Mapping[Wheel, Path], runtime: Runtime) -> Path:
    """The folder of the version, below `stage`; its name ends with the begin of its content's digest."""
    app = stage / "app"
    with _step("wheels"):
        shutil.copytree(runtime.folder, app / "python")
        unpack(wheels, app / "lib")
        prune(app / "lib")
        if (app / "lib" / "PySide6").is_dir():
            add_runtime_library(inputs, app)
            left_out = prune_qt(app / "lib", inputs.qt)
            _say(f"           {len(left_out)} files of Qt left out")
    return app


def finish_folder(app: Path, version: str, compiler: Compiler, *, sources: bool = True) -> Path:
    """Compile and seal the folder; answers its new place. Without `sources` other projects' are left compiled alone."""
    with _step("sources compiled"):
        layout.compile_sources(app, compiler)
        if not sources:
            layout.leave_out_sources(app / "lib")
    name = f"app-{version}-{layout.seal_folder(app)}"
    layout.set_times(app, moment())
    return app.rename(app.with_name(name))


def make_setup_of(stage: Path, app: Path, version: str, target: Path, *, packing: str = "") -> None:
    """A setup program at `target` of the version's folder `app`; `stage` takes what is made on the way.

    `packing` is empty for a release, ``FAST`` or ``STORE`` for tests.
    """
    programs = stage / "programs"
    programs.mkdir()
    layout.build_launchers(programs, version)
    sign(sorted(programs.iterdir()))
    layout.set_times(programs, moment())
    (stage / _LIST).write_text(file_list(app, "$Staging"), "utf-8")
    longest = max(len(path.relative_to(app).as_posix()) for path in app.rglob("*"))
    size = sum(path.stat().st_size for path in app.rglob("*") if path.is_file())
    defines = {
        "VERSION": version, "NUMBERS": ".".join([*version.split("."), "0", "0", "0"][:4]), "APP": app.name, "LIST": str(stage / _LIST),
        "PROGRAMS": str(programs), "OUT": str(target), "LONGEST": str(longest + len(f"/new-{app.name}/")), "KILOBYTES": str(size // 1024),
        "HERE": str(HERE), "LICENSE_FILE": str(ROOT / "LICENSE"),
    }  # fmt: skip
    if packing:
        defines[packing] = "1"
    if is_signing():
        defines["SIGN"] = signer_command()
    make_setup(defines, moment=moment())
    sign([target])


def build_verifier(
    stage: Path, inputs: Inputs, wheels: Mapping[Wheel, Path], version: str, runtime: Runtime
) -> Path:
    """The small verifier in ``dist/``: the same layout without Qt, vault and network."""
    chosen = tomllib.loads((HERE / "verifier.toml").read_text("utf-8"))
    used = {wheel: path for wheel, path in wheels.items() if wheel.project in chosen["projects"]}
    if unknown := set(chosen["projects"]) - {wheel.project for wheel in used}:
        raise BuildError(f"verifier.toml: not locked for Windows: {sorted(unknown)}")
    app = build_folder(stage, inputs, used, runtime)
    layout.add_program(app, without=chosen["without_files"])
    folder = finish_folder(app, version, runtime.compiler, sources=False)
    layout.build_launchers(
        stage, version, [item for item in layout.LAUNCHERS if item.program == "evidence-verify"]
    )
    sign(stage.glob("*.exe"))
    (stage / "current").write_text(folder.name, "ascii")
    layout.set_times(stage, moment())
    target = DIST / f"evidence-verify-{version}-windows.zip"
    make_archive(stage, target, f"evidence-verify-{version}")
    return target


def write_inputs(path: Path, inputs: Inputs, wheels: Mapping[Wheel, Path], results: Sequence[str]) -> None:
    """List of everything that went in, by SHA-256, and of the folders that came of it."""
    lines = [f"{item.sha256} {item.name}" for item in inputs.files.values()]
    lines += [f"{item.sha256} {item.name}" for item in wheels]
    lines += [f"{sha256(ROOT / name)} {name}" for name in layout.tracked_files("uv.lock", "installers/windows", "scripts/package_windows", "evidence_desk", "tsa", "reports", "ui", "assets", "docs")]  # fmt: skip
    path.write_text("".join(f"{line}\n" for line in [*sorted(lines, key=_by_name), *results]), "utf-8")


def _by_name(line: str) -> str:
    return line.partition(" ")[2]


def _stage(name: str) -> Path:
    stage = BUILD / name
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    return stage


def _build(*, fast: bool) -> None:
    inputs = read_inputs()
    version = os.environ.get("EVIDENCE_DESK_PACKAGE_VERSION", __version__)
    DIST.mkdir(exist_ok=True)
    with _step("inputs fetched and hashed"):
        wheels = wheel_files(locked_wheels(inputs), inputs)
    with _step("runtime: signatures checked, library compiled"):
        runtime = make_runtime(inputs, _stage("runtime"))
    _say(f"           {len(runtime.signed)} signed files: {', '.join(sorted(set(runtime.signed.values())))}")
    stage = _stage("verifier")
    verifier = build_verifier(stage, inputs, wheels, version, runtime)
    results = [f"# {next(stage.glob('app-*')).name} of {verifier.name}"]
    stage = _stage("setup")
    app = build_folder(stage, inputs, wheels, runtime)
    layout.add_program(app)
    folder = finish_folder(app, version, runtime.compiler)
    with _step("setup made"):
        setup = DIST / f"EvidenceDesk-{version}-setup.exe"
        make_setup_of(stage, folder, version, setup, packing="FAST" if fast else "")
    results.append(f"# {folder.name} of {setup.name}")
    listed = DIST / f"EvidenceDesk-{version}-windows-inputs.txt"
    write_inputs(listed, inputs, wheels, results)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    _say(
        f"  {folder.name}: {size / _MB:.0f} MB in {sum(1 for path in folder.rglob('*') if path.is_file())} files"
    )
    for path in (setup, verifier, listed):
        _say(f"  {path.stat().st_size / _MB:8.1f} MB  {path.relative_to(ROOT)}  sha256 {sha256(path)}")


def main() -> int:
    """Build; 1 and the reason when that cannot be."""
    parser = argparse.ArgumentParser(prog="package_windows", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="zlib instead of solid LZMA, for tests")
    given = parser.parse_args()
    try:
        _build(fast=given.fast)
    except BuildError as error:
        sys.stderr.write(f"package-windows: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
