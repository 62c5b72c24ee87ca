"""Finished packages of dist/, unpacked into a strange folder, run with a new home and without this checkout's Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from evidence_desk import __version__

ROOT = Path(__file__).resolve().parents[3]
DIST = ROOT / "dist"
ARCHIVE = DIST / f"evidence-desk-{__version__}-linux-x86_64.tar.gz"
DESKTOP_PACKAGE = DIST / f"evidence-desk_{__version__}_amd64.deb"
NODE_PACKAGE = DIST / f"court-node_{__version__}_amd64.deb"
PASSPHRASE = "包装测试-passphrase"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these need packages; without them they say so."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.package)
            item.add_marker(pytest.mark.timeout(900))
            needed = (ARCHIVE,) if item.path.name == "test_archive.py" else (DESKTOP_PACKAGE, NODE_PACKAGE)
            if lacking := [path.name for path in needed if not path.is_file()]:
                item.add_marker(
                    pytest.mark.skip(reason=f"not in dist/, make package-linux makes it: {lacking}")
                )


@dataclass
class Installed:
    """Programs of a package and a person's home; `before` is put before every command."""

    programs: Path
    home: Path
    before: tuple[str, ...] = ()
    display: str = ""
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of this shell's: no virtual environment, no variables of Python."""
        found = {
            "HOME": str(self.home), "PATH": "/usr/bin:/bin", "LANG": "C", "EVIDENCE_DESK_PASSPHRASE": PASSPHRASE,
            "EVIDENCE_DESK_VAULT": str(self.home / "存证库"), **self.more,
        }  # fmt: skip
        if self.display:
            found["DISPLAY"] = self.display
        return found

    def run(self, name: str, *words: object, expect: int = 0, timeout: int = 300) -> str:
        """One program; its standard output."""
        done = subprocess.run(
            [*self.before, self.programs / name, *map(str, words)], env=self.environment, cwd=self.home, capture_output=True, text=True,
            check=False, timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == expect, (
            name,
            words,
            done.returncode,
            done.stdout[-2000:],
            done.stderr[-2000:],
        )
        return done.stdout

    def json(self, name: str, *words: object, expect: int = 0) -> Any:
        """The JSON document it says."""
        return json.loads(self.run(name, *words, "--json", expect=expect))


@pytest.fixture(scope="session")
def archive_folder() -> Iterator[Path]:
    """The unpacked archive, as where only an administrator may write; its path has spaces and Chinese characters."""
    folder = Path(tempfile.mkdtemp(prefix="解压 目录 "))
    folder.chmod(0o755)  # pytest's own folders are closed to others
    with tarfile.open(ARCHIVE) as tar:
        tar.extractall(folder, filter="tar")
    (inner,) = folder.iterdir()
    found = [path for path in (inner, *inner.rglob("*")) if not path.is_symlink()]
    for path in found:
        path.chmod(path.stat().st_mode & ~0o222)
    yield inner
    for path in found:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "家 home"
    folder.mkdir()
    return folder


@pytest.fixture
def unpacked(archive_folder: Path, home: Path) -> Installed:
    return Installed(programs=archive_folder, home=home)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A screen nobody sees."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb (scripts/setup.sh installs it)")
    read, write = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=(write,), stderr=subprocess.DEVNULL,
    ) as server:  # fmt: skip
        os.close(write)
        with os.fdopen(read, encoding="ascii") as told:
            yield f":{told.readline().strip()}"
            server.terminate()
