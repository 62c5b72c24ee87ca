"""Brings inputs into the cache, each by its SHA-256; what is there is hashed again at every build."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import tomllib
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts.package_windows.inputs import CACHE, ROOT, UV, BuildError, Inputs, PinnedFile, Wheel

_PIP: Final = "pip==25.3"
_JSON: Final = "application/vnd.pypi.simple.v1+json"
_BLOCK: Final = 1 << 20
_SECONDS: Final = 180


def sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    hasher = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def checked(path: Path, expected: str) -> Path:
    """The file, if it has this SHA-256.

    Raises:
        BuildError: it has another.
    """
    found = sha256(path)
    if found != expected:
        raise BuildError(f"{path.name}: SHA-256 is {found}, pinned is {expected}")
    return path


def pinned_file(pinned: PinnedFile) -> Path:
    """The file in the cache, fetched when it is not there."""
    path = CACHE / "files" / pinned.name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(_address(pinned), timeout=_SECONDS) as stream:
            data = stream.read()
        _write(path, data)
    return checked(path, pinned.sha256)


def wheel_files(wheels: Sequence[Wheel], inputs: Inputs) -> dict[Wheel, Path]:
    """All wheels in the cache, those that are not there fetched by pip, which checks their digests as we do after it."""
    folder = CACHE / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [wheel for wheel in wheels if not (folder / wheel.name).exists()]
    if missing:
        _download(missing, inputs, folder)
    return {wheel: checked(folder / wheel.name, wheel.sha256) for wheel in wheels}


def _download(wheels: Sequence[Wheel], inputs: Inputs, folder: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="ascii") as listed:
        listed.writelines(f"{item.project}=={item.version} --hash=sha256:{item.sha256}\n" for item in wheels)
        listed.flush()
        options = [
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--platform",
            "win_amd64",
        ]
        tags = [word for abi in (f"cp{inputs.tag}", "abi3", "none") for word in ("--abi", abi)]
        python = ["--python-version", inputs.python, "--implementation", "cp", *tags]
        line = [
            UV,
            "run",
            "--no-project",
            "--with",
            _PIP,
            "python",
            "-m",
            "pip",
            "download",
            *options,
            *python,
        ]
        subprocess.run([*line, "-r", listed.name, "-d", str(folder)], cwd=ROOT, check=True)


def _address(pinned: PinnedFile) -> str:
    """Where the index has the file: the same index that ``uv.lock`` was made from."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    index = next(item["source"]["registry"] for item in lock["package"] if "registry" in item["source"])
    request = urllib.request.Request(f"{index}/{pinned.project}/", headers={"Accept": _JSON})
    with urllib.request.urlopen(request, timeout=_SECONDS) as stream:
        files = json.load(stream)["files"]
    for item in files:
        if item["filename"] == pinned.name:
            return str(item["url"])
    raise BuildError(f"the index has no {pinned.name}")


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(data)
    partial.replace(path)
