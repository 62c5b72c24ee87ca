"""Compiles Python sources with the embedded Python itself, under wine: the result does not depend on this machine's Pythons."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.package_windows.inputs import CACHE, BuildError

_SCRIPT: Final = Path(__file__).with_name("compile_all.py")
_SETTINGS: Final = {
    "PYTHONHASHSEED": "0",
    "WINEPREFIX": str(CACHE / "wine"),
    "WINEARCH": "win64",
    "WINEDEBUG": "-all",
    "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """The embedded Python in `folder`, whose signatures were checked."""

    folder: Path

    def compile_folders(self, folders: Sequence[Path]) -> None:
        """Put compiled files beside the sources, in ``__pycache__``."""
        self._run(*folders)

    def archive(self, folder: Path, target: Path) -> None:
        """Make a library archive of compiled files alone."""
        self._run("--zip", folder, target)

    def _run(self, *words: str | Path) -> None:
        wine = shutil.which("wine")
        if wine is None:
            raise BuildError("wine is missing")
        given = [_shown(word) if isinstance(word, Path) else word for word in (_SCRIPT, *words)]
        line = [wine, str(self.folder / "python.exe"), "-I", "-B", *given]
        # Python on wine takes no files as standard streams.
        done = subprocess.run(
            line, stdin=subprocess.DEVNULL, capture_output=True, check=False, env={**os.environ, **_SETTINGS}
        )
        if done.returncode:
            raise BuildError(f"compile_all: {done.stderr.decode('utf-8', 'replace')[-2000:]}")


def _shown(path: Path) -> str:
    return "Z:" + str(path.resolve()).replace("/", "\\")
