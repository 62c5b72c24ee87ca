"""To come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.desktop.hands import Hands
from ui.app import Program


def notary(hands: Hands, program: Program, folder: Path) -> dict[str, Any]:
    """To come."""
    del hands, program, folder
    return {}
