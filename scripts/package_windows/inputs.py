"""What goes into the package: the pinned files of ``inputs.toml`` and the wheels that ``uv.lock`` names for Windows."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

ROOT: Final = Path(__file__).parents[2]
HERE: Final = ROOT / "installers" / "windows"
CACHE: Final = ROOT / ".cache" / "windows"
UV: Final = os.environ.get("UV", "uv")
_PLATFORM: Final = "win_amd64"


class BuildError(Exception):
    """The package cannot be built from what is there; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedFile:
    """A file of the package index, by name and SHA-256 (hex); `inner` is the member that is used."""

    project: str
    name: str
    sha256: str
    inner: str
    folder: str = ""
    catalog: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeLibrary:
    """Files `names` of `folder` among the wheels that have to lie beside Python, and who may have signed them."""

    folder: str
    names: Sequence[str]
    signers: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Qt:
    """What is used of Qt; see ``inputs.toml``."""

    modules: Sequence[str]
    plugins: Sequence[str]
    libraries: Sequence[str]
    programs: Sequence[str]
    folders: Sequence[str]
    gpl_only: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The whole of ``inputs.toml``."""

    python: str
    tag: str
    files: Mapping[str, PinnedFile]
    signers: Mapping[str, Sequence[str]]
    unlisted: Mapping[str, str]
    runtime_library: RuntimeLibrary
    qt: Qt


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Wheel:
    """A wheel that the lock file names for Windows."""

    project: str
    version: str
    name: str
    sha256: str
    size: int


def read_inputs(path: Path = HERE / "inputs.toml") -> Inputs:
    """Read ``inputs.toml``."""
    value: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    return Inputs(
        python=value["python"]["version"],
        tag=value["python"]["tag"],
        files={name: PinnedFile(**item) for name, item in value["files"].items()},
        signers=value["signers"],
        unlisted=value["unlisted"],
        runtime_library=RuntimeLibrary(**value["runtime_library"]),
        qt=Qt(**value["qt"]),
    )


def locked_wheels(inputs: Inputs) -> list[Wheel]:
    """The wheels of the product for Windows, one a project, the best that the lock file has.

    Raises:
        BuildError: a project has no wheel for this Python on Windows.
    """
    packages = {
        (item["name"], item["version"]): item
        for item in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
        if "version" in item
    }
    rank = _ranks(inputs.tag)
    found = []
    for requirement in _exported():
        if requirement.marker is not None and not _holds(requirement.marker, inputs):
            continue
        version = str(requirement.specifier).removeprefix("==")
        wheels = packages[requirement.name, version].get("wheels", [])
        fitting = sorted((_rank(_file_name(item), rank), _file_name(item), item) for item in wheels)
        if not fitting or fitting[0][0] == len(rank):
            raise BuildError(f"{requirement.name} {version}: no wheel for Windows in uv.lock")
        _, name, item = fitting[0]
        found.append(
            Wheel(
                project=requirement.name, version=version, name=name, sha256=item["hash"].removeprefix("sha256:"), size=item["size"]
            )
        )  # fmt: skip
    return sorted(found)


def _exported() -> list[Requirement]:
    line = [UV, "export", "--locked", "--no-default-groups", "--no-emit-project", "--no-hashes", "--no-header", "--no-annotate", "-q"]  # fmt: skip
    text = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Requirement(item) for item in text.splitlines() if item and not item.startswith("#")]


def _holds(marker: Marker, inputs: Inputs) -> bool:
    return marker.evaluate(
        {
            "implementation_name": "cpython",
            "implementation_version": inputs.python,
            "os_name": "nt",
            "platform_machine": "AMD64",
            "platform_python_implementation": "CPython",
            "platform_release": "10",
            "platform_system": "Windows",
            "platform_version": "10.0.18362",
            "python_full_version": inputs.python,
            "python_version": inputs.python.rpartition(".")[0],
            "sys_platform": "win32",
        }
    )


def _ranks(tag: str) -> dict[Tag, int]:
    version = (int(tag[0]), int(tag[1:]))
    tags = [
        *cpython_tags(version, [f"cp{tag}"], [_PLATFORM]),
        *compatible_tags(version, f"cp{tag}", [_PLATFORM]),
    ]
    ranks: dict[Tag, int] = {}
    for at, item in enumerate(tags):
        ranks.setdefault(item, at)
    return ranks


def _rank(name: str, ranks: Mapping[Tag, int]) -> int:
    return min((ranks[item] for item in parse_wheel_filename(name)[3] if item in ranks), default=len(ranks))


def _file_name(item: Mapping[str, Any]) -> str:
    return str(item["url"]).rpartition("/")[2]
