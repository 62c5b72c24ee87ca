"""The one door to files that ship with the program (`assets/`). Must not know anything about a user's folders."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from evidence_desk.errors import ConfigurationError

_FROZEN: Final[str | None] = getattr(sys, "_MEIPASS", None)
"""Unpacked folder of a PyInstaller program, None when run from source."""


def assets_folder() -> Path:
    """Folder `assets/` of a checkout or of the installed program."""
    root = Path(_FROZEN) if _FROZEN is not None else Path(__file__).resolve().parent.parent
    return root / "assets"


def asset(*parts: str) -> Path:
    """Path of one shipped file.

    Raises:
        ConfigurationError: ``asset.missing`` when the installation lacks it.
    """
    path = assets_folder().joinpath(*parts)
    if not path.exists():
        raise ConfigurationError("asset.missing", name="/".join(parts))
    return path
