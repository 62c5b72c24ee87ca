"""The consensus engine's binary: where it is, whether it is the pinned version."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from evidence_desk.errors import ConfigurationError

ENGINE_VERSION: Final = (
    Path(__file__).with_name("engine-version.txt").read_text("ascii").strip().removeprefix("v")
)
"""Pinned CometBFT version, e.g. ``0.38.26``; scripts/engine.sh builds the same."""
VARIABLE: Final = "COURT_NODE_ENGINE"
"""Environment variable naming the binary."""
_ANSWER_SECONDS: Final = 30


def cached_engine() -> Path:
    """Where scripts/engine.sh puts the binary in a checkout."""
    return Path(__file__).parents[3] / ".cache" / "engine" / f"v{ENGINE_VERSION}" / "cometbft"


def packaged_engine() -> Path:
    """Where a package has it: beside the libraries."""
    return Path(__file__).parents[3] / "engine" / "cometbft"


def find_engine() -> Path:
    """The engine to run: $COURT_NODE_ENGINE, else a package's, the checkout's cache, ``cometbft`` on PATH; version checked.

    Raises:
        ConfigurationError: ``node.engine_missing`` or ``node.engine_version``.
    """
    named = os.environ.get(VARIABLE)
    elsewhere = [packaged_engine(), cached_engine(), Path(shutil.which("cometbft") or "cometbft")]
    candidates = [Path(named)] if named else elsewhere
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            check_version(candidate)
            return candidate.resolve()
    raise ConfigurationError("node.engine_missing", version=ENGINE_VERSION)


def check_version(binary: Path) -> None:
    """Refuse an engine that is not the pinned version: another one may follow other rules.

    Raises:
        ConfigurationError: ``node.engine_version``.
    """
    try:
        told = subprocess.run(  # noqa: S603 - a file the operator named
            [binary, "version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        told = ""
    found = told.removeprefix("v").partition("+")[0]
    if found != ENGINE_VERSION:
        raise ConfigurationError("node.engine_version", found=told[:40] or "—", wanted=ENGINE_VERSION)
