"""Makes the setup program with NSIS, and the small verifier's archive; signs both when given a certificate."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scripts.package_windows.inputs import HERE, BuildError
from scripts.package_windows.layout import REMOVALS

_SCRIPT: Final = HERE / "evidence_desk.nsi"
_DAY: Final = (2020, 1, 1, 0, 0, 0)
_PERMISSIONS: Final = 0o644 << 16


def file_list(folder: Path, variable: str) -> str:
    """NSIS instructions that lay `folder` into the folder in `variable`, sorted.

    The list of what to remove comes first, so that whatever is interrupted later can be removed.
    """
    lines: list[str] = []
    last = None
    first = folder / REMOVALS
    for path in [first, *sorted(item for item in folder.rglob("*") if item.is_file() and item != first)]:
        place = path.parent.relative_to(folder).as_posix().replace("/", "\\")
        if place != last:
            below = "" if place == "." else f"\\{_quoted(place)}"
            lines.append(f'SetOutPath "{variable}{below}"')
            last = place
        lines.append(f'File "{_quoted(str(path))}"')
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    if '"' in text or "`" in text:
        raise BuildError(f"{text}: a quote in a name")
    return text.replace("$", "$$")


def make_setup(defines: Mapping[str, str], *, moment: int) -> None:
    """Run makensis with these defines.

    Raises:
        BuildError: it refuses.
    """
    words = [f"-D{name}={value}" for name, value in defines.items()]
    done = subprocess.run(
        ["makensis", "-V2", "-WX", "-INPUTCHARSET", "UTF8", *words, str(_SCRIPT)],
        capture_output=True, text=True, check=False, env={**os.environ, "SOURCE_DATE_EPOCH": str(moment), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    if done.returncode:
        raise BuildError(f"makensis: {(done.stdout + done.stderr)[-3000:]}")


def make_archive(folder: Path, target: Path, top: str) -> None:
    """A zip of `folder` as one folder `top`, sorted, with one time."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            entry = zipfile.ZipInfo(f"{top}/{path.relative_to(folder).as_posix()}", _DAY)
            entry.external_attr = _PERMISSIONS
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
