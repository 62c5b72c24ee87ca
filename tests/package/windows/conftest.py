"""Wine as a stand-in for Windows: prefixes of their own, a display of their own, setups small and real."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from evidence_desk import __version__

ROOT = Path(__file__).resolve().parents[3]
SHIMS = Path(__file__).with_name("shims")
SETUP = ROOT / "dist" / f"EvidenceDesk-{__version__}-setup.exe"
VERIFIER = ROOT / "dist" / f"evidence-verify-{__version__}-windows.zip"
PERSON = "律师张三"
_COMPILER = "x86_64-w64-mingw32-gcc"
_TOOLS = ("wine", "wineserver", "Xvfb", "makensis", _COMPILER)
_SECONDS = 300
_RUNTIME = "msvcp140,msvcp140_1,msvcp140_2,vcruntime140,vcruntime140_1,concrt140=n"
"""Wine has a C++ runtime of its own, which a new Windows has not: the package has to bring one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need wine; without it they say so."""
    here = Path(__file__).parent
    lacking = [name for name in _TOOLS if not shutil.which(name, path=_path())]
    for item in items:
        if here in item.path.parents and "no_wine" not in item.keywords:
            item.add_marker(pytest.mark.package)
            item.add_marker(pytest.mark.timeout(1200))
            if lacking:
                item.add_marker(pytest.mark.skip(reason=f"scripts/package_windows/setup.sh test: {lacking}"))


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/lib/wine"


def compile_dll(source: Path, target: Path, *options: str) -> Path:
    """A DLL for Windows of one C file."""
    subprocess.run(
        [_COMPILER, "-O2", "-s", "-shared", "-Wall", "-o", target, source, "-ladvapi32", *options], check=True
    )
    return target


@dataclass(frozen=True)
class Wine:
    """A Windows of a person `user`, in a folder."""

    prefix: Path
    display: str
    user: str = PERSON
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of this shell's but what wine needs."""
        return {
            "PATH": _path(), "HOME": str(self.prefix.parent), "USER": self.user, "LOGNAME": self.user, "LC_ALL": "C.UTF-8",
            "WINEPREFIX": str(self.prefix), "WINEARCH": "win64", "WINEDEBUG": "-all", "DISPLAY": self.display,
            "WINEDLLOVERRIDES": f"mscoree,mshtml,winemenubuilder.exe,wbemprox=;{_RUNTIME}", **self.more,
        }  # fmt: skip

    @property
    def drive(self) -> Path:
        return self.prefix / "drive_c"

    @property
    def local(self) -> Path:
        return self.drive / "users" / self.user / "AppData" / "Local"

    @property
    def own(self) -> Path:
        """Where a setup for this person alone puts the program."""
        return self.local / "Programs" / "EvidenceDesk"

    @property
    def all_users(self) -> Path:
        return self.drive / "Program Files" / "EvidenceDesk"

    def start(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a program; its output goes through a pipe, wine takes no files."""
        return subprocess.Popen(
            ["nice", "-n", "10", "wine", *map(str, command)], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *command: str | Path, expect: int | None = 0, seconds: int = _SECONDS) -> str:
        """Run a program to its end; its output, read as UTF-8."""
        process = self.start(*command)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        text = out.decode("utf-8", "replace")
        told = text + err.decode("utf-8", "replace")
        assert expect is None or process.returncode == expect, f"{command}: {process.returncode}\n{told}"
        return text.replace("\r\n", "\n")

    def uninstall(self, folder: Path, *words: str) -> None:
        """Run the uninstaller to its end: it goes on in a copy of itself after it returned."""
        self.run(folder / "uninstall.exe", "/S", *words)
        wait_until(lambda: not (folder / "uninstall.exe").exists(), f"{folder} uninstalled")
        self.settle()

    def settle(self) -> None:
        """Wait until no program runs in it and its registry is on the disk."""
        subprocess.run(["wineserver", "-w"], env=self.environment, check=True, timeout=_SECONDS)

    def end(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """The power goes: everything that runs in it ends at once, and nothing lingers."""
        subprocess.run(["wineserver", "-k9"], env=self.environment, check=False, capture_output=True)
        mark = f"WINEPREFIX={self.prefix}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        if process is not None:
            process.communicate(timeout=60)

    def registry(self) -> str:
        """Everything that speaks of us in the registry."""
        self.settle()
        texts = [(self.prefix / name).read_text("utf-8", "replace") for name in ("user.reg", "system.reg")]
        return "\n".join(part for text in texts for part in text.split("\n\n") if "evidence" in part.lower())

    def set_version(self, name: str) -> None:
        """Which Windows it says it is: win7, win10."""
        self.run("winecfg", "-v", name)
        self.settle()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Look again and again."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A display for these tests alone."""
    reading, writing = os.pipe()
    line = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(line, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as stream:
            yield f":{stream.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def fresh_prefix(display: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prefix with nothing installed, to be copied: Windows 10 with the DLLs that wine lacks."""
    home = tmp_path_factory.mktemp("wine")
    wine = Wine(home / "prefix", display)
    wine.run("wineboot", "-i")
    wine.set_version("win10")
    for name in ("bcryptprimitives", "icuuc"):
        compile_dll(SHIMS / f"{name}.c", wine.drive / "windows" / "system32" / f"{name}.dll")
    return wine.prefix


def _copied(fresh: Path, prefix: Path) -> Path:
    """A prefix of its own: files of the system are shared (700 MB that nobody writes to), registries are not."""
    shutil.copytree(fresh, prefix, symlinks=True, copy_function=_linked)
    return prefix


def _linked(source: str, target: str) -> None:
    if source.endswith((".dll", ".exe", ".drv", ".sys", ".ocx", ".tlb", ".acm", ".nls", ".ttf")):
        os.link(source, target)
    else:
        shutil.copy2(source, target)


@pytest.fixture
def wine(fresh_prefix: Path, display: str, tmp_path: Path) -> Iterator[Wine]:
    """A new Windows for this test."""
    found = Wine(_copied(fresh_prefix, tmp_path / "prefix"), display)
    yield found
    found.end()


@pytest.fixture(scope="session")
def real_wine(fresh_prefix: Path, display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """A Windows with the setup of dist/ installed for its person."""
    if not SETUP.is_file():
        pytest.skip(f"not in dist/, make package-windows makes it: {SETUP.name}")
    prefix = _copied(fresh_prefix, tmp_path_factory.mktemp("real") / "prefix")
    found = Wine(prefix, display, more={"EVIDENCE_DESK_PASSPHRASE": "包装测试-passphrase"})
    found.run(SETUP, "/S", "/CurrentUser")
    yield found
    found.end()


SmallSetup = Callable[[str], Path]


@pytest.fixture(scope="session")
def small_setup(tmp_path_factory: pytest.TempPathFactory) -> SmallSetup:
    """Makes setups of the real script and the real launchers around a small program that only tells how it was started."""
    sys.path.insert(0, str(ROOT))
    made: dict[str, Path] = {}

    def make(version: str) -> Path:
        if version not in made:
            made[version] = _small_setup(tmp_path_factory.mktemp(f"setup-{version}"), version)
        return made[version]

    return make


def _small_setup(stage: Path, version: str) -> Path:
    from scripts.package_windows import layout  # noqa: PLC0415 - only where wine is
    from scripts.package_windows.__main__ import make_setup_of  # noqa: PLC0415

    app = stage / "app"
    (app / "python").mkdir(parents=True)
    compile_dll(SHIMS / "python313.c", app / "python" / "python313.dll")
    (app / "start.py").write_text(f"# {version}\n", "ascii")
    (app / "版本.txt").write_text(version, "utf-8")
    for number in range(40):
        path = app / "数据 folder" / f"{number % 7}" / f"文件-{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(500_000))
    folder = app.rename(stage / f"app-{version}-{layout.seal_folder(app)}")
    target = stage / f"setup-{version}.exe"
    make_setup_of(stage, folder, version, target, packing="FAST")
    return target
